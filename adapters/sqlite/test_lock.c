/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* test_lock.c: waiting for a lock is waiting on the context. */
#include "testing_sqlite3.h"

/* Two connections to one file; the second holds a lock. */
struct pair {
    char path[128];
    rein_sqlite3 *conn;
    sqlite3 *other;
};

static struct pair pair_with(const struct rein_sqlite3_options *options, const char *lock)
{
    struct pair pair;
    make_path(pair.path, sizeof(pair.path));
    pair.other = open_db(pair.path);
    ck_assert_int_eq(sqlite3_exec(pair.other, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(pair.other, lock, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(rein_sqlite3_attach(open_db(pair.path), options, &pair.conn), 0);
    return pair;
}

static void pair_close(struct pair *pair)
{
    close_all(pair->conn);
    sqlite3_close(pair->other);
    unlink(pair->path);
}

/* A clock whose hour passes as soon as a statement has to wait. */
struct late {
    rein_clock *clock;
    struct rein_sqlite3_options options;
};

static struct late late_new(void)
{
    struct late late = {.clock = rein_clock_new()};
    late.options = (struct rein_sqlite3_options){
        .size = sizeof(late.options), .busy = pass_hour_at_lock, .busy_arg = late.clock};
    return late;
}

/* A deadline ends the wait; SQLite's "busy" stays beside it. */
START_TEST(deadline_ends_a_wait_for_a_lock)
{
    struct late late = late_new();
    struct pair pair = pair_with(&late.options, "BEGIN IMMEDIATE");
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(late.clock), REIN_HOUR);

    ck_assert_int_eq(rein_sqlite3_exec(ctx, pair.conn, "INSERT INTO t VALUES (1)", NULL, NULL),
                     -ETIMEDOUT);
    ck_assert_int_eq(rein_sqlite3_last(pair.conn)->native & 0xff, SQLITE_BUSY);
    ck_assert(rein_sqlite3_last(pair.conn)->stopped);
    ck_assert_uint_eq(rein_sqlite3_last(pair.conn)->state, REIN_SQLITE3_RESET);
    rein_end(ctx);

    ck_assert_int_eq(sqlite3_exec(pair.other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    must(pair.conn, "INSERT INTO t VALUES (1)");
    pair_close(&pair);
    rein_clock_free(late.clock);
}
END_TEST

static int cancel_at_third(void *arg, int calls)
{
    if (calls == 2)
        rein_cancel_cause(arg, &enough);
    return 1;
}

/* A cancel ends it, and so does the last chance: the program's own busy handler is asked first. */
START_TEST(cancel_ends_a_wait_for_a_lock)
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct rein_sqlite3_options options = {
        .size = sizeof(options), .busy = cancel_at_third, .busy_arg = ctx};
    struct pair pair = pair_with(&options, "BEGIN IMMEDIATE");

    ck_assert_int_eq(rein_sqlite3_exec(ctx, pair.conn, "INSERT INTO t VALUES (1)", NULL, NULL),
                     -ECANCELED);
    ck_assert_ptr_eq(rein_cause(ctx), &enough);
    rein_end(ctx);
    pair_close(&pair);
}
END_TEST

static int never(void *arg, int calls)
{
    (void)arg;
    (void)calls;
    return 0;
}

/* A program that gives up by itself gets SQLite's own error: its context is live. */
START_TEST(giving_up_is_native)
{
    struct rein_sqlite3_options options = {.size = sizeof(options), .busy = never};
    struct pair pair = pair_with(&options, "BEGIN IMMEDIATE");
    rein_ctx *ctx = rein_with_cancel(rein_background());

    ck_assert_int_eq(rein_sqlite3_exec(ctx, pair.conn, "INSERT INTO t VALUES (1)", NULL, NULL),
                     -EBUSY);
    ck_assert(!rein_sqlite3_last(pair.conn)->stopped);
    rein_end(ctx);
    pair_close(&pair);
}
END_TEST

static int commit_at_third(void *arg, int calls)
{
    if (calls == 2)
        ck_assert_int_eq(sqlite3_exec(arg, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    return 1;
}

/* When the lock is given back in time the statement runs. */
START_TEST(lock_in_time_is_taken)
{
    struct rein_sqlite3_options options = {.size = sizeof(options), .busy = commit_at_third};
    struct pair pair;
    make_path(pair.path, sizeof(pair.path));
    pair.other = open_db(pair.path);
    options.busy_arg = pair.other;
    ck_assert_int_eq(sqlite3_exec(pair.other, "CREATE TABLE t(x); BEGIN IMMEDIATE", NULL, NULL,
                                  NULL),
                     SQLITE_OK);
    ck_assert_int_eq(rein_sqlite3_attach(open_db(pair.path), &options, &pair.conn), 0);
    rein_ctx *ctx = rein_with_cancel(rein_background());

    ck_assert_int_eq(rein_sqlite3_exec(ctx, pair.conn, "INSERT INTO t VALUES (1)", NULL, NULL), 0);
    rein_end(ctx);
    pair_close(&pair);
}
END_TEST

/* Compiling reads the schema, and waits for its lock under the context as well. */
START_TEST(prepare_waits_under_the_context)
{
    struct late late = late_new();
    struct pair pair = pair_with(&late.options, "BEGIN EXCLUSIVE");
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(late.clock), REIN_HOUR);
    sqlite3_stmt *stmt = NULL;

    ck_assert_int_eq(rein_sqlite3_prepare(ctx, pair.conn, "SELECT x FROM t", &stmt, NULL),
                     -ETIMEDOUT);
    ck_assert_ptr_null(stmt);
    ck_assert(rein_sqlite3_last(pair.conn)->stopped);
    rein_end(ctx);
    pair_close(&pair);
    rein_clock_free(late.clock);
}
END_TEST

/* A COMMIT that cannot get its lock in time leaves the transaction open: nothing is lost. */
START_TEST(stopped_commit_keeps_the_transaction)
{
    struct late late = late_new();
    struct pair pair = pair_with(&late.options, "BEGIN; SELECT * FROM t");
    must(pair.conn, "BEGIN; INSERT INTO t VALUES (1)");
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(late.clock), REIN_HOUR);

    ck_assert_int_eq(rein_sqlite3_exec(ctx, pair.conn, "COMMIT", NULL, NULL), -ETIMEDOUT);
    ck_assert(rein_sqlite3_last(pair.conn)->stopped);
    ck_assert(!rein_sqlite3_last(pair.conn)->txn_lost);
    rein_end(ctx);
    ck_assert_int_eq(sqlite3_exec(pair.other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    must(pair.conn, "COMMIT");
    pair_close(&pair);
    rein_clock_free(late.clock);
}
END_TEST

/* Without rein's calls nobody says how long to wait, so a raw statement does not. */
START_TEST(raw_statement_does_not_wait)
{
    struct pair pair = pair_with(NULL, "BEGIN IMMEDIATE");

    ck_assert_int_eq(sqlite3_exec(rein_sqlite3_db(pair.conn), "INSERT INTO t VALUES (1)", NULL,
                                  NULL, NULL),
                     SQLITE_BUSY);
    pair_close(&pair);
}
END_TEST

struct shared {
    rein_sqlite3 *conn;
    rein_ctx *ctx;
    int result;
};

static void *run_endless(void *arg)
{
    struct shared *shared = arg;
    shared->result = rein_sqlite3_exec(shared->ctx, shared->conn, ENDLESS_COUNT, NULL, NULL);
    return NULL;
}

/* Two threads on one connection: the second waits for the first under its own context, whose end
 * ends that wait and nothing of the first one's. */
START_TEST(connection_is_waited_for_under_the_context)
{
    struct canceller started = {.ctx = rein_with_cancel(rein_background())};
    pthread_t thread;
    ck_assert_int_eq(pthread_barrier_init(&started.running, NULL, 2), 0);
    struct shared shared = {
        .conn = attach(open_db(":memory:"), canceller_look, &started),
        .ctx = started.ctx,
    };
    ck_assert_int_eq(pthread_create(&thread, NULL, run_endless, &shared), 0);
    pthread_barrier_wait(&started.running); /* the query runs, and owns the connection */

    rein_ctx *brief = rein_with_timeout(rein_background(), 5 * REIN_MILLISECOND);
    ck_assert_int_eq(rein_sqlite3_exec(brief, shared.conn, "SELECT 1", NULL, NULL), -ETIMEDOUT);
    rein_end(brief);
    ck_assert_int_eq(rein_err(started.ctx), 0);

    rein_cancel(started.ctx);
    pthread_join(thread, NULL);
    ck_assert_int_eq(shared.result, -ECANCELED);
    must(shared.conn, "SELECT 1");
    rein_end(started.ctx);
    close_all(shared.conn);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sqlite3-lock");
    TCase *tcase = new_case(suite, "lock");
    tcase_add_test(tcase, deadline_ends_a_wait_for_a_lock);
    tcase_add_test(tcase, cancel_ends_a_wait_for_a_lock);
    tcase_add_test(tcase, giving_up_is_native);
    tcase_add_test(tcase, lock_in_time_is_taken);
    tcase_add_test(tcase, prepare_waits_under_the_context);
    tcase_add_test(tcase, stopped_commit_keeps_the_transaction);
    tcase_add_test(tcase, raw_statement_does_not_wait);
    tcase_add_test(tcase, connection_is_waited_for_under_the_context);
    return run(suite);
}
