/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* testing_sqlite3.h: a connection under test, and queries that take for ever. */
#ifndef REIN_TESTING_SQLITE3_H
#define REIN_TESTING_SQLITE3_H

#include <rein.h>
#include <rein/sqlite3.h>
#include <rein/testing.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "testing.h"

/* Counts without end, and writes without end. */
#define ENDLESS "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
#define ENDLESS_COUNT ENDLESS "SELECT count(*) FROM c"
#define ENDLESS_ROWS ENDLESS "SELECT x FROM c"
#define ENDLESS_INSERT "INSERT INTO t " ENDLESS "SELECT x FROM c"

static const rein_reason enough = REIN_REASON_INIT(-EPERM, "enough");

/* Cancels `ctx` from inside a statement, at the n-th look at the context. */
struct trip {
    rein_ctx *ctx;
    int looks_left;
};

static inline int trip_look(void *arg)
{
    struct trip *trip = arg;
    if (--trip->looks_left == 0)
        rein_cancel_cause(trip->ctx, &enough);
    return 0;
}

/* A virtual clock that passes a deadline inside a statement: at its third look at the context, or
 * when it has to wait for a lock. */
static inline int pass_hour_at_look(void *clock)
{
    static int looks;
    if (++looks == 3)
        rein_clock_advance(clock, REIN_HOUR);
    return 0;
}

static inline int pass_hour_at_lock(void *clock, int calls)
{
    if (calls == 0)
        rein_clock_advance(clock, REIN_HOUR);
    return 1;
}

/* Cancels `ctx` from another thread once the statement is seen to run. */
struct canceller {
    rein_ctx *ctx;
    pthread_barrier_t running;
    bool met;
};

static inline int canceller_look(void *arg)
{
    struct canceller *canceller = arg;
    if (!canceller->met) {
        canceller->met = true;
        pthread_barrier_wait(&canceller->running);
    }
    return 0;
}

static inline void *canceller_run(void *arg)
{
    struct canceller *canceller = arg;
    pthread_barrier_wait(&canceller->running);
    rein_cancel_cause(canceller->ctx, &enough);
    return NULL;
}

static inline sqlite3 *open_db(const char *path)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static inline rein_sqlite3 *attach(sqlite3 *db, int (*progress)(void *), void *arg)
{
    struct rein_sqlite3_options options = {
        .size = sizeof(options), .progress = progress, .progress_arg = arg};
    rein_sqlite3 *conn;
    ck_assert_int_eq(rein_sqlite3_attach(db, &options, &conn), 0);
    return conn;
}

/* Run a script that has to work. */
static inline void must(rein_sqlite3 *conn, const char *sql)
{
    int r = rein_sqlite3_exec(rein_background(), conn, sql, NULL, NULL);
    ck_assert_msg(r == 0, "%s: %d, native %d", sql, r, rein_sqlite3_last(conn)->native);
}

static inline sqlite3_stmt *prepare(rein_sqlite3 *conn, const char *sql)
{
    sqlite3_stmt *stmt;
    int r = rein_sqlite3_prepare(rein_background(), conn, sql, &stmt, NULL);
    ck_assert_msg(r == 0, "%s: %d", sql, r);
    return stmt;
}

static inline void close_all(rein_sqlite3 *conn)
{
    sqlite3 *db = rein_sqlite3_db(conn);
    rein_sqlite3_detach(conn);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* A database file of this process that two connections can open; gone with unlink_file(). */
static inline void make_path(char *path, size_t size)
{
    const char *dir = getenv("TMPDIR");
    snprintf(path, size, "%s/rein-sqlite3-%ld.db", dir ? dir : "/tmp", (long)getpid());
    unlink(path);
}

#endif
