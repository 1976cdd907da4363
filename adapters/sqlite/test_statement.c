/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* test_statement.c: a statement stops with its context, and says truly why it stopped. */
#include "testing_sqlite3.h"

/* A context that is done beforehand is refused, and the statement has not run one step. */
START_TEST(done_before_touches_nothing)
{
    rein_sqlite3 *conn = attach(open_db(":memory:"), NULL, NULL);
    sqlite3_stmt *stmt = prepare(conn, "SELECT 1");
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_cancel(ctx);

    ck_assert_int_eq(rein_sqlite3_step(ctx, conn, stmt), -ECANCELED);
    ck_assert_int_eq(sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0), 0);
    const struct rein_sqlite3_outcome *last = rein_sqlite3_last(conn);
    ck_assert_int_eq(last->err, -ECANCELED);
    ck_assert_int_eq(last->native, SQLITE_OK);
    ck_assert(!last->stopped && !last->txn_lost && last->state == REIN_SQLITE3_REUSABLE);

    sqlite3_stmt *untouched = stmt;
    ck_assert_int_eq(rein_sqlite3_prepare(ctx, conn, "SELECT 1", &untouched, NULL), -ECANCELED);
    ck_assert_ptr_eq(untouched, stmt);
    ck_assert_int_eq(rein_sqlite3_exec(ctx, conn, "", NULL, NULL), -ECANCELED);

    rein_end(ctx);
    sqlite3_finalize(stmt);
    close_all(conn);
}
END_TEST

/* Between two rows a done context resets the reader, so that its lock is gone. */
START_TEST(done_between_rows_resets)
{
    rein_sqlite3 *conn = attach(open_db(":memory:"), NULL, NULL);
    sqlite3_stmt *stmt = prepare(conn, ENDLESS_ROWS);
    rein_ctx *ctx = rein_with_cancel(rein_background());

    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(rein_sqlite3_step(ctx, conn, stmt), REIN_SQLITE3_ROW);
        ck_assert_int_eq(sqlite3_column_int(stmt, 0), i);
    }
    rein_cancel(ctx);
    ck_assert_int_eq(rein_sqlite3_step(ctx, conn, stmt), -ECANCELED);
    ck_assert(!sqlite3_stmt_busy(stmt));
    ck_assert_uint_eq(rein_sqlite3_last(conn)->state, REIN_SQLITE3_RESET);

    ck_assert_int_eq(rein_sqlite3_step(rein_background(), conn, stmt), REIN_SQLITE3_ROW);
    ck_assert_int_eq(sqlite3_column_int(stmt, 0), 1);
    rein_end(ctx);
    sqlite3_finalize(stmt);
    close_all(conn);
}
END_TEST

/* A cancel from another thread stops an endless query, with its cause; the handle is as before. */
START_TEST(cancel_stops_a_running_query)
{
    struct canceller canceller = {.ctx = rein_with_cancel(rein_background())};
    pthread_t thread;
    rein_sqlite3 *conn = attach(open_db(":memory:"), canceller_look, &canceller);
    sqlite3_stmt *stmt = prepare(conn, ENDLESS_COUNT);
    ck_assert_int_eq(pthread_barrier_init(&canceller.running, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, canceller_run, &canceller), 0);

    ck_assert_int_eq(rein_sqlite3_step(canceller.ctx, conn, stmt), -ECANCELED);
    ck_assert_ptr_eq(rein_cause(canceller.ctx), &enough);
    const struct rein_sqlite3_outcome *last = rein_sqlite3_last(conn);
    ck_assert_int_eq(last->native, SQLITE_INTERRUPT);
    ck_assert(last->stopped && !last->txn_lost && last->state == REIN_SQLITE3_RESET);
    ck_assert(!sqlite3_stmt_busy(stmt));
    must(conn, "SELECT 1");

    pthread_join(thread, NULL);
    rein_end(canceller.ctx);
    sqlite3_finalize(stmt);
    close_all(conn);
}
END_TEST

/* A deadline is told apart from a cancel. */
START_TEST(deadline_stops_a_running_query)
{
    rein_clock *clock = rein_clock_new();
    rein_sqlite3 *conn = attach(open_db(":memory:"), pass_hour_at_look, clock);
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(clock), REIN_HOUR);

    ck_assert_int_eq(rein_sqlite3_exec(ctx, conn, ENDLESS_COUNT, NULL, NULL), -ETIMEDOUT);
    ck_assert_int_eq(rein_err(ctx), -ETIMEDOUT);
    ck_assert(rein_sqlite3_last(conn)->stopped);
    rein_end(ctx);
    rein_clock_free(clock);
    must(conn, "SELECT 1");
    close_all(conn);
}
END_TEST

/* The same on the real clock, where the statement's own thread may be the first to notice. */
START_TEST(real_deadline_stops_a_running_query)
{
    rein_sqlite3 *conn = attach(open_db(":memory:"), NULL, NULL);
    rein_ctx *ctx = rein_with_timeout(rein_background(), 5 * REIN_MILLISECOND);

    ck_assert_int_eq(rein_sqlite3_exec(ctx, conn, ENDLESS_COUNT, NULL, NULL), -ETIMEDOUT);
    ck_assert_int_eq(rein_err(ctx), -ETIMEDOUT);
    rein_end(ctx);
    close_all(conn);
}
END_TEST

/* Somebody else's sqlite3_interrupt() is SQLite's news, not the context's. */
START_TEST(foreign_interrupt_is_native)
{
    struct trip trip = {.ctx = rein_with_cancel(rein_background())};
    sqlite3 *db = open_db(":memory:");
    rein_sqlite3 *conn = attach(db, NULL, NULL);
    sqlite3_stmt *stmt = prepare(conn, ENDLESS_ROWS);

    ck_assert_int_eq(rein_sqlite3_step(trip.ctx, conn, stmt), REIN_SQLITE3_ROW);
    sqlite3_interrupt(db);
    int r;
    while ((r = rein_sqlite3_step(trip.ctx, conn, stmt)) == REIN_SQLITE3_ROW)
        ;
    ck_assert_int_eq(r, -EINTR);
    ck_assert_int_eq(rein_err(trip.ctx), 0);
    ck_assert_int_eq(rein_sqlite3_last(conn)->native, SQLITE_INTERRUPT);
    ck_assert(!rein_sqlite3_last(conn)->stopped);

    rein_end(trip.ctx);
    sqlite3_finalize(stmt);
    close_all(conn);
}
END_TEST

static int refuse(void *arg)
{
    (void)arg;
    return 1;
}

/* The program's own progress handler goes on working, is not mistaken for the context, and is in
 * place again after a detach. */
START_TEST(chained_progress_handler_is_native)
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    sqlite3 *db = open_db(":memory:");
    rein_sqlite3 *conn = attach(db, refuse, NULL);

    ck_assert_int_eq(rein_sqlite3_exec(ctx, conn, ENDLESS_COUNT, NULL, NULL), -EINTR);
    ck_assert(!rein_sqlite3_last(conn)->stopped);
    ck_assert_int_eq(sqlite3_exec(db, ENDLESS_COUNT, NULL, NULL, NULL), SQLITE_INTERRUPT);
    rein_sqlite3_detach(conn);
    ck_assert_int_eq(sqlite3_exec(db, ENDLESS_COUNT, NULL, NULL, NULL), SQLITE_INTERRUPT);
    rein_end(ctx);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}
END_TEST

/* A stopped write takes its transaction along, and the outcome says so; a stopped read does not. */
START_TEST(lost_transaction_is_reported)
{
    struct trip trip = {0};
    sqlite3 *db = open_db(":memory:");
    rein_sqlite3 *conn = attach(db, trip_look, &trip);
    must(conn, "CREATE TABLE t(x); BEGIN; INSERT INTO t VALUES (1)");

    trip = (struct trip){rein_with_cancel(rein_background()), 5};
    ck_assert_int_eq(rein_sqlite3_exec(trip.ctx, conn, ENDLESS_COUNT, NULL, NULL), -ECANCELED);
    ck_assert(!rein_sqlite3_last(conn)->txn_lost);
    ck_assert(!sqlite3_get_autocommit(db));
    rein_end(trip.ctx);

    trip = (struct trip){rein_with_cancel(rein_background()), 5};
    ck_assert_int_eq(rein_sqlite3_exec(trip.ctx, conn, ENDLESS_INSERT, NULL, NULL), -ECANCELED);
    ck_assert(rein_sqlite3_last(conn)->txn_lost);
    ck_assert(sqlite3_get_autocommit(db));
    rein_end(trip.ctx);
    close_all(conn);
}
END_TEST

static void cancel_function(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    (void)argv;
    rein_cancel(sqlite3_user_data(context));
    sqlite3_result_int(context, 1);
}

/* What was completed counts as completed, though the context ended meanwhile: also a whole script
 * with a newline and a remark behind its last statement. */
START_TEST(completed_is_kept)
{
    sqlite3 *db = open_db(":memory:");
    rein_sqlite3 *conn = attach(db, NULL, NULL);
    rein_ctx *ctx = rein_with_cancel(rein_background());
    sqlite3_create_function(db, "stop", 0, SQLITE_UTF8, ctx, cancel_function, NULL, NULL);

    ck_assert_int_eq(rein_sqlite3_exec(ctx, conn,
                                       "CREATE TABLE t(x); INSERT INTO t VALUES (stop());\n"
                                       "/* all\n done */ -- well\n",
                                       NULL, NULL),
                     0);
    ck_assert_int_eq(rein_err(ctx), -ECANCELED);
    ck_assert_int_eq(rein_sqlite3_exec(ctx, conn, "SELECT 1", NULL, NULL), -ECANCELED);
    sqlite3_stmt *stmt = prepare(conn, "SELECT count(*) FROM t");
    ck_assert_int_eq(rein_sqlite3_step(rein_background(), conn, stmt), REIN_SQLITE3_ROW);
    ck_assert_int_eq(sqlite3_column_int(stmt, 0), 1);
    rein_end(ctx);
    sqlite3_finalize(stmt);
    close_all(conn);
}
END_TEST

static int sum_row(void *arg, sqlite3_stmt *stmt)
{
    int *sum = arg;
    *sum += sqlite3_column_int(stmt, 0);
    return *sum >= 100 ? -EOVERFLOW : 0;
}

/* exec hands each row over, stops when it is told to, and at the first statement that fails. */
START_TEST(exec_runs_scripts)
{
    rein_sqlite3 *conn = attach(open_db(":memory:"), NULL, NULL);
    int sum = 0;

    ck_assert_int_eq(rein_sqlite3_exec(rein_background(), conn,
                                       "CREATE TABLE t(x UNIQUE); INSERT INTO t VALUES (1), (2);"
                                       "SELECT x FROM t; SELECT 10",
                                       sum_row, &sum),
                     0);
    ck_assert_int_eq(sum, 13);
    ck_assert_int_eq(rein_sqlite3_exec(rein_background(), conn, ENDLESS_ROWS, sum_row, &sum),
                     -EOVERFLOW);
    ck_assert_int_eq(rein_sqlite3_exec(rein_background(), conn, "SELECT nothing; SELECT 1", sum_row,
                                       &sum),
                     -EINVAL);
    ck_assert_int_eq(
        rein_sqlite3_exec(rein_background(), conn, "INSERT INTO t VALUES (1)", NULL, NULL),
        -EEXIST);
    ck_assert_int_eq(rein_sqlite3_last(conn)->native, SQLITE_CONSTRAINT_UNIQUE);
    close_all(conn);
}
END_TEST

/* No code of SQLite's is ever taken for the end of a context. */
START_TEST(native_errors_are_never_the_contexts)
{
    for (int native = 0; native < 0x10000; native++) {
        int err = rein_sqlite3_errno(native);
        ck_assert(err <= 0 && err != -ECANCELED && err != -ETIMEDOUT);
    }
    ck_assert_int_eq(rein_sqlite3_errno(SQLITE_BUSY_SNAPSHOT), -EBUSY);
}
END_TEST

START_TEST(attach_checks_its_arguments)
{
    sqlite3 *db = open_db(":memory:");
    struct rein_sqlite3_options options = {.size = 1};
    rein_sqlite3 *conn = NULL;

    ck_assert_int_eq(rein_sqlite3_attach(NULL, NULL, &conn), -EINVAL);
    ck_assert_int_eq(rein_sqlite3_attach(db, NULL, NULL), -EINVAL);
    ck_assert_int_eq(rein_sqlite3_attach(db, &options, &conn), -EINVAL);
    ck_assert_ptr_null(conn);
    rein_sqlite3_detach(NULL);
    sqlite3_close(db);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sqlite3-statement");
    TCase *tcase = new_case(suite, "statement");
    tcase_add_test(tcase, done_before_touches_nothing);
    tcase_add_test(tcase, done_between_rows_resets);
    tcase_add_test(tcase, cancel_stops_a_running_query);
    tcase_add_test(tcase, deadline_stops_a_running_query);
    tcase_add_test(tcase, real_deadline_stops_a_running_query);
    tcase_add_test(tcase, foreign_interrupt_is_native);
    tcase_add_test(tcase, chained_progress_handler_is_native);
    tcase_add_test(tcase, lost_transaction_is_reported);
    tcase_add_test(tcase, completed_is_kept);
    tcase_add_test(tcase, exec_runs_scripts);
    tcase_add_test(tcase, native_errors_are_never_the_contexts);
    tcase_add_test(tcase, attach_checks_its_arguments);
    return run(suite);
}
