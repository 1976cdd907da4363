/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* sqlite3.c: calls on a SQLite connection, each under its context.
 *
 * The two handlers of the connection look at `current`, the context of the innermost call that is
 * running. A call sets it before it asks SQLite for anything and puts the outer one back after, so
 * that a context can only stop what runs inside its own call: no cancel is ever in flight, and none
 * can arrive late.
 *
 * Locking. SQLite runs handlers with the connection's own mutex held (which is recursive, and does
 * not exist in the modes where the caller promises one thread at a time). Each call holds that same
 * mutex from before it sets `current` until after it has put it back; it guards every field of an
 * attachment that changes. It is got by trying, between sleeps that end with the context: another
 * thread's statement may hold it for hours. */
#include <rein/sqlite3.h>
#include <rein/wait.h>

#include <errno.h>
#include <stdlib.h>

/* Measured on SQLite 3.40: a look each 1,000 opcodes stops a query within 0.06 ms and costs less
 * than the noise; each 10,000 takes 0.2 ms, each 1,000,000 takes 31 ms. */
#define DEFAULT_OPCODES 1000

/* How long to wait before asking for a lock again: doubling, for a lock is mostly held shortly, and
 * bounded, for nobody wakes us when it is given back. */
#define FIRST_PAUSE (250 * REIN_MICROSECOND)
#define PAUSE_DOUBLINGS 6 /* up to 16 ms */

struct rein_sqlite3 {
    sqlite3 *db;                         /* set once */
    struct rein_sqlite3_options options; /* set once */
    const rein_ctx *current;             /* the running call's; NULL outside of one */
    bool stopped;                        /* a handler has stopped the running call */
    struct rein_sqlite3_outcome last;
};

/* One running call; in the caller's frame. */
struct call {
    rein_sqlite3 *conn;
    const rein_ctx *ctx;
    const rein_ctx *outer_ctx; /* what a nested call interrupts, and puts back */
    bool outer_stopped;
    bool in_transaction; /* one was open when the call began */
};

static rein_duration pause_before(int try)
{
    return FIRST_PAUSE << (try < PAUSE_DOUBLINGS ? try : PAUSE_DOUBLINGS);
}

/* ---- Handlers: on the thread that runs the statement, with the connection's mutex held ------- */

static int on_progress(void *arg)
{
    rein_sqlite3 *conn = arg;

    /* A check, not a mere look: this thread may be the one that would have fired the deadline. */
    if (conn->current && rein_check(conn->current) != 0) {
        conn->stopped = true;
        return 1;
    }
    return conn->options.progress ? conn->options.progress(conn->options.progress_arg) : 0;
}

static int on_busy(void *arg, int calls)
{
    rein_sqlite3 *conn = arg;
    const rein_ctx *ctx = conn->current;

    if (ctx && rein_check(ctx) != 0) {
        conn->stopped = true;
        return 0;
    }
    if (conn->options.busy && !conn->options.busy(conn->options.busy_arg, calls))
        return 0;
    if (!ctx) {
        /* Nobody said how long, so the program's own handler decides alone. */
        if (!conn->options.busy)
            return 0;
        ctx = rein_background();
    }
    if (rein_sleep(ctx, pause_before(calls)) == 0)
        return 1;
    conn->stopped = true;
    return 0;
}

/* ---- One call -------------------------------------------------------------------------------- */

static int record(struct call *call, int err, int native, uint32_t state)
{
    rein_sqlite3 *conn = call->conn;
    bool lost = err < 0 && call->in_transaction && sqlite3_get_autocommit(conn->db);

    conn->last = (struct rein_sqlite3_outcome){
        .err = err < 0 ? err : 0,
        .native = native,
        .stopped = conn->stopped && err < 0,
        .txn_lost = lost,
        .state = state,
    };
    return err;
}

/* Take the connection for a call of ctx. Returns 0 with the mutex held, or ctx's err: then
 * *ret_locked says whether the mutex is held all the same, to leave a trace of the refusal. */
static int call_begin(struct call *call, rein_sqlite3 *conn, const rein_ctx *ctx, bool *ret_locked)
{
    int err = rein_check(ctx);

    *ret_locked = sqlite3_mutex_try(sqlite3_db_mutex(conn->db)) == SQLITE_OK;
    for (int try = 0; !*ret_locked && err == 0; try++) {
        err = rein_sleep(ctx, pause_before(try));
        *ret_locked = sqlite3_mutex_try(sqlite3_db_mutex(conn->db)) == SQLITE_OK;
    }
    if (!*ret_locked)
        return err;
    *call = (struct call){
        .conn = conn,
        .ctx = ctx,
        .outer_ctx = conn->current,
        .outer_stopped = conn->stopped,
        .in_transaction = !sqlite3_get_autocommit(conn->db),
    };
    conn->current = ctx;
    conn->stopped = false;
    return err;
}

static void call_end(struct call *call)
{
    rein_sqlite3 *conn = call->conn;

    conn->current = call->outer_ctx;
    conn->stopped = call->outer_stopped;
    sqlite3_mutex_leave(sqlite3_db_mutex(conn->db));
}

static bool succeeded(int native)
{
    return native == SQLITE_OK || native == SQLITE_ROW || native == SQLITE_DONE;
}

/* SQLite's word for how the call went, as finely as it has it. */
static int native_of(const struct call *call, int code)
{
    if (succeeded(code))
        return code;
    int extended = sqlite3_extended_errcode(call->conn->db);
    return (extended & 0xff) == (code & 0xff) ? extended : code;
}

/* Whose failure it is. SQLite never reports a statement that it interrupted as done, so success
 * always stands. An interrupt counts as the context's only if the context is done; any other code
 * only if one of our handlers had stopped the call because of it. */
static int verdict(const struct call *call, int native)
{
    if (succeeded(native))
        return 0;
    int err = rein_err(call->ctx);
    if (err != 0 && (call->conn->stopped || (native & 0xff) == SQLITE_INTERRUPT))
        return err;
    return rein_sqlite3_errno(native);
}

static int step_refused(struct call *call, int err, sqlite3_stmt *stmt)
{
    uint32_t state = REIN_SQLITE3_REUSABLE;

    if (sqlite3_stmt_busy(stmt)) {
        /* Between two rows: the rest will not be asked for, so let go of its locks. */
        sqlite3_reset(stmt);
        state = REIN_SQLITE3_RESET;
    }
    return record(call, err, SQLITE_OK, state);
}

static int step_run(struct call *call, sqlite3_stmt *stmt)
{
    int native = native_of(call, sqlite3_step(stmt));
    int err = verdict(call, native);
    uint32_t state = REIN_SQLITE3_REUSABLE;

    if (err == -ECANCELED || err == -ETIMEDOUT) {
        sqlite3_reset(stmt);
        state = REIN_SQLITE3_RESET;
    }
    record(call, err, native, state);
    return err < 0 ? err : native == SQLITE_ROW ? REIN_SQLITE3_ROW : REIN_SQLITE3_DONE;
}

int rein_sqlite3_step(const rein_ctx *ctx, rein_sqlite3 *conn, sqlite3_stmt *stmt)
{
    int saved_errno = errno;
    struct call call;
    bool locked;

    int r = call_begin(&call, conn, ctx, &locked);
    if (locked) {
        r = r < 0 ? step_refused(&call, r, stmt) : step_run(&call, stmt);
        call_end(&call);
    }
    errno = saved_errno;
    return r;
}

static int prepare_run(struct call *call, const char *sql, sqlite3_stmt **ret_stmt,
                       const char **ret_tail)
{
    sqlite3_stmt *stmt = NULL;
    const char *tail = NULL;

    int native = native_of(call, sqlite3_prepare_v2(call->conn->db, sql, -1, &stmt, &tail));
    int err = record(call, verdict(call, native), native, REIN_SQLITE3_REUSABLE);
    if (err < 0)
        return err;
    *ret_stmt = stmt;
    if (ret_tail)
        *ret_tail = tail;
    return 0;
}

int rein_sqlite3_prepare(const rein_ctx *ctx, rein_sqlite3 *conn, const char *sql,
                         sqlite3_stmt **ret_stmt, const char **ret_tail)
{
    int saved_errno = errno;
    struct call call;
    bool locked;

    int r = call_begin(&call, conn, ctx, &locked);
    if (locked) {
        r = r < 0 ? record(&call, r, SQLITE_OK, REIN_SQLITE3_REUSABLE)
                  : prepare_run(&call, sql, ret_stmt, ret_tail);
        call_end(&call);
    }
    errno = saved_errno;
    return r;
}

/* ---- Whole scripts --------------------------------------------------------------------------- */

/* What follows a statement, without blanks and comments. A script whose last statement is done is
 * done, and must not be refused for the sake of the newline at its end. */
static const char *next_statement(const char *sql)
{
    for (;;) {
        if (*sql == ' ' || (*sql >= '\t' && *sql <= '\r') || *sql == ';') {
            sql++;
        } else if (sql[0] == '-' && sql[1] == '-') {
            while (*sql && *sql != '\n')
                sql++;
        } else if (sql[0] == '/' && sql[1] == '*') {
            for (sql += 2; *sql && !(sql[0] == '*' && sql[1] == '/'); sql++)
                ;
            sql += *sql ? 2 : 0;
        } else {
            return sql;
        }
    }
}

static int run_statement(const rein_ctx *ctx, rein_sqlite3 *conn, sqlite3_stmt *stmt,
                         rein_sqlite3_row_fn *row, void *arg)
{
    int r;

    while ((r = rein_sqlite3_step(ctx, conn, stmt)) == REIN_SQLITE3_ROW) {
        if (row && (r = row(arg, stmt)) < 0)
            break;
    }
    sqlite3_finalize(stmt);
    return r;
}

int rein_sqlite3_exec(const rein_ctx *ctx, rein_sqlite3 *conn, const char *sql,
                      rein_sqlite3_row_fn *row, void *arg)
{
    int saved_errno = errno;
    int r;

    do {
        sqlite3_stmt *stmt;
        r = rein_sqlite3_prepare(ctx, conn, sql, &stmt, &sql);
        if (r == 0 && stmt)
            r = run_statement(ctx, conn, stmt, row, arg);
        if (r == 0)
            sql = next_statement(sql);
    } while (r == 0 && *sql);
    errno = saved_errno;
    return r;
}

/* ---- Attachments ----------------------------------------------------------------------------- */

int rein_sqlite3_attach(sqlite3 *db, const struct rein_sqlite3_options *options,
                        rein_sqlite3 **ret_conn)
{
    static const struct rein_sqlite3_options defaults = {.size = sizeof(defaults)};

    if (!options)
        options = &defaults;
    if (!db || !ret_conn || options->size != sizeof(*options) || options->opcodes < 0)
        return -EINVAL;
    int saved_errno = errno;
    rein_sqlite3 *conn = calloc(1, sizeof(*conn));
    errno = saved_errno;
    if (!conn)
        return -ENOMEM;
    conn->db = db;
    conn->options = *options;
    if (conn->options.opcodes == 0)
        conn->options.opcodes = DEFAULT_OPCODES;
    sqlite3_progress_handler(db, conn->options.opcodes, on_progress, conn);
    sqlite3_busy_handler(db, on_busy, conn);
    *ret_conn = conn;
    return 0;
}

void rein_sqlite3_detach(rein_sqlite3 *conn)
{
    if (!conn)
        return;
    const struct rein_sqlite3_options *options = &conn->options;
    sqlite3_progress_handler(conn->db, options->progress ? options->opcodes : 0, options->progress,
                             options->progress_arg);
    sqlite3_busy_handler(conn->db, options->busy, options->busy_arg);
    free(conn);
}

sqlite3 *rein_sqlite3_db(const rein_sqlite3 *conn)
{
    return conn->db;
}

const struct rein_sqlite3_outcome *rein_sqlite3_last(const rein_sqlite3 *conn)
{
    return &conn->last;
}
