/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* test_innocent.c: a context stops what runs under it and nothing else: not the next statement, not
 * the one that is open beside it, not the one that it runs inside of. */
#include "testing_sqlite3.h"

#define ROUNDS 2000

struct race {
    pthread_barrier_t start;
    rein_ctx *ctx;   /* of this round; NULL: leave. Handed over by the barrier */
    uint32_t delay;  /* likewise */
};

static void *late_canceller(void *arg)
{
    struct race *race = arg;

    for (;;) {
        pthread_barrier_wait(&race->start);
        if (!race->ctx)
            return NULL;
        spin(race->delay);
        rein_cancel(race->ctx);
        pthread_barrier_wait(&race->start);
    }
}

/* Completion and cancel at the same moment: each statement is either done or cancelled, and the one
 * after it, which runs while the cancel may still be arriving, is never hit. */
START_TEST(late_cancel_hits_nobody)
{
    struct race race;
    pthread_t thread;
    uint64_t seed = 1;
    unsigned n_done = 0, n_stopped = 0;
    rein_sqlite3 *conn = attach(open_db(":memory:"), NULL, NULL);
    sqlite3_stmt *stmt = prepare(conn, ENDLESS "SELECT count(*) FROM (SELECT x FROM c LIMIT 2000)");
    sqlite3_stmt *innocent = prepare(conn, "SELECT 1");
    ck_assert_int_eq(pthread_barrier_init(&race.start, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, late_canceller, &race), 0);

    for (unsigned round = 0; round < rounds(ROUNDS); round++) {
        rein_ctx *ctx = rein_with_cancel(rein_background());
        race.ctx = ctx;
        race.delay = next_random(&seed) % 400000;
        pthread_barrier_wait(&race.start);
        int r = rein_sqlite3_step(ctx, conn, stmt);
        ck_assert_msg(r == REIN_SQLITE3_ROW || r == -ECANCELED, "round %u: %d", round, r);
        n_done += r == REIN_SQLITE3_ROW;
        n_stopped += r == -ECANCELED;
        ck_assert_int_eq(rein_sqlite3_step(rein_background(), conn, innocent), REIN_SQLITE3_ROW);
        ck_assert_int_eq(rein_sqlite3_step(rein_background(), conn, innocent), REIN_SQLITE3_DONE);
        sqlite3_reset(innocent);
        sqlite3_reset(stmt);
        pthread_barrier_wait(&race.start);
        rein_end(ctx);
    }
    race.ctx = NULL;
    pthread_barrier_wait(&race.start);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(n_done + n_stopped, rounds(ROUNDS));
    sqlite3_finalize(stmt);
    sqlite3_finalize(innocent);
    close_all(conn);
}
END_TEST

/* A reader that is open while another statement is stopped goes on where it was. */
START_TEST(open_reader_survives)
{
    struct trip trip = {0};
    rein_sqlite3 *conn = attach(open_db(":memory:"), trip_look, &trip);
    must(conn, "CREATE TABLE t(x); INSERT INTO t VALUES (1), (2), (3)");
    sqlite3_stmt *reader = prepare(conn, "SELECT x FROM t ORDER BY rowid");
    rein_ctx *live = rein_with_cancel(rein_background());

    ck_assert_int_eq(rein_sqlite3_step(live, conn, reader), REIN_SQLITE3_ROW);
    for (int i = 2; i <= 3; i++) {
        const char *endless = i == 2 ? ENDLESS_COUNT : ENDLESS_INSERT;
        trip = (struct trip){rein_with_cancel(rein_background()), 3};
        ck_assert_int_eq(rein_sqlite3_exec(trip.ctx, conn, endless, NULL, NULL), -ECANCELED);
        rein_end(trip.ctx);
        ck_assert_int_eq(rein_sqlite3_step(live, conn, reader), REIN_SQLITE3_ROW);
        ck_assert_int_eq(sqlite3_column_int(reader, 0), i);
    }
    ck_assert_int_eq(rein_sqlite3_step(live, conn, reader), REIN_SQLITE3_DONE);
    rein_end(live);
    sqlite3_finalize(reader);
    close_all(conn);
}
END_TEST

/* An innocent statement that runs while the reader of a done context is open beside it. */
START_TEST(done_reader_harms_nobody)
{
    rein_sqlite3 *conn = attach(open_db(":memory:"), NULL, NULL);
    sqlite3_stmt *reader = prepare(conn, ENDLESS_ROWS);
    rein_ctx *ctx = rein_with_cancel(rein_background());

    ck_assert_int_eq(rein_sqlite3_step(ctx, conn, reader), REIN_SQLITE3_ROW);
    rein_cancel(ctx);
    must(conn, ENDLESS "SELECT x FROM c LIMIT 20000");
    ck_assert_int_eq(sqlite3_exec(rein_sqlite3_db(conn), ENDLESS "SELECT x FROM c LIMIT 20000",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(rein_sqlite3_step(ctx, conn, reader), -ECANCELED);
    rein_end(ctx);
    sqlite3_finalize(reader);
    close_all(conn);
}
END_TEST

struct inner {
    rein_sqlite3 *conn;
    struct trip *trip;
    int result;
};

static void inner_function(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct inner *inner = sqlite3_user_data(context);

    (void)argc;
    (void)argv;
    *inner->trip = (struct trip){rein_with_cancel(rein_background()), 3};
    inner->result =
        rein_sqlite3_exec(inner->trip->ctx, inner->conn, ENDLESS_COUNT, NULL, NULL);
    rein_end(inner->trip->ctx);
    *inner->trip = (struct trip){0};
    sqlite3_result_int(context, 1);
}

/* A function of the program's runs a statement inside a statement: the inner one's context stops
 * the inner one only, and the outer one's is in force again after. */
START_TEST(inner_statement_dies_alone)
{
    struct trip trip = {0};
    sqlite3 *db = open_db(":memory:");
    rein_sqlite3 *conn = attach(db, trip_look, &trip);
    struct inner inner = {.conn = conn, .trip = &trip};
    sqlite3_create_function(db, "nested", 0, SQLITE_UTF8, &inner, inner_function, NULL, NULL);
    rein_ctx *outer = rein_with_cancel(rein_background());

    ck_assert_int_eq(
        rein_sqlite3_exec(outer, conn, ENDLESS "SELECT nested() FROM c LIMIT 10", NULL, NULL), 0);
    ck_assert_int_eq(inner.result, -ECANCELED);
    ck_assert_int_eq(rein_sqlite3_last(conn)->err, 0);

    rein_ctx *brief = rein_with_timeout(outer, 5 * REIN_MILLISECOND);
    ck_assert_int_eq(
        rein_sqlite3_exec(brief, conn, ENDLESS "SELECT count(nested()) FROM c", NULL, NULL),
        -ETIMEDOUT);
    rein_end(brief);
    rein_end(outer);
    close_all(conn);
}
END_TEST

/* Many rounds of everything leave no descriptor, thread or memory behind (the sanitizers look). */
START_TEST(nothing_grows)
{
    unsigned descriptors = 0, threads = 0;

    for (unsigned round = 0; round < rounds(300); round++) {
        struct trip trip = {rein_with_cancel(rein_background()), 1 + (int)round % 3};
        rein_sqlite3 *conn = attach(open_db(":memory:"), trip_look, &trip);
        ck_assert_int_eq(rein_sqlite3_exec(trip.ctx, conn, ENDLESS_COUNT, NULL, NULL), -ECANCELED);
        rein_end(trip.ctx);
        close_all(conn);
        if (round == 10) {
            descriptors = count_of_own("fd");
            threads = count_of_own("task");
        }
    }
    wait_count("fd", descriptors);
    wait_count("task", threads);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sqlite3-innocent");
    TCase *tcase = new_case(suite, "innocent");
    tcase_add_test(tcase, late_cancel_hits_nobody);
    tcase_add_test(tcase, open_reader_survives);
    tcase_add_test(tcase, done_reader_harms_nobody);
    tcase_add_test(tcase, inner_statement_dies_alone);
    tcase_add_test(tcase, nothing_grows);
    return run(suite);
}
