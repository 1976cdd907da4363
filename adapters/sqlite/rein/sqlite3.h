/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/sqlite3.h: SQLite statements that stop with a context.
 *
 * An attachment makes one SQLite connection obey the context of the call that is running on it:
 * between two of SQLite's steps the thread that runs the statement looks at the context, and where
 * it would wait for a lock it waits on the context instead.
 *
 *     rein_sqlite3 *conn;
 *     int r = rein_sqlite3_attach(db, NULL, &conn);
 *
 *     while ((r = rein_sqlite3_step(ctx, conn, stmt)) == REIN_SQLITE3_ROW)
 *         use(sqlite3_column_text(stmt, 0));
 *     if (r < 0)                        // -ECANCELED, -ETIMEDOUT, or SQLite's own error as errno
 *         log(r, rein_sqlite3_last(conn)->native);
 *
 * Nobody ever calls sqlite3_interrupt(): that call hits whatever happens to run on the connection
 * when it arrives, which may be the next, innocent statement, and every reader that is open beside
 * it. Here the look is taken by the very thread that runs the statement, at the context it runs
 * under: a cancel that comes late hits nothing, and a statement that another one interrupts by
 * running (an open reader) goes on afterwards.
 *
 * What the context cannot stop: one long opcode (a huge replace(), DELETE without WHERE), a user
 * function that does not look itself, the disk. Such a call returns when SQLite comes back.
 *
 * Results. A call that was stopped by its context returns rein_err(ctx), -ECANCELED or -ETIMEDOUT.
 * Any other failure is SQLite's own, as a negative errno (see rein_sqlite3_errno()): somebody
 * else's sqlite3_interrupt() is -EINTR, never -ECANCELED. What SQLite itself said is kept beside
 * it, in rein_sqlite3_last(). What was completed is reported as completed, although the context
 * became done meanwhile; and a context that is done beforehand is refused before SQLite is asked.
 *
 * Threads. An attachment belongs to its connection and follows the connection's own rule: in
 * SQLite's serialized mode (the default) any thread may call at any time, and a call waits under
 * its context for the statement of another; in the other modes one thread at a time. The context
 * may be cancelled by anybody. No call may be made from a signal handler; none changes errno or
 * starts a thread. */
#ifndef REIN_SQLITE3_H
#define REIN_SQLITE3_H

#include <rein/base.h>
#include <rein/context.h>
#include <sqlite3.h>

REIN_BEGIN_DECLS

/* What ties a connection to contexts. */
typedef struct rein_sqlite3 rein_sqlite3;

/* How to attach. Zero in a field is the default; size must be sizeof(struct rein_sqlite3_options).
 *
 * A SQLite connection has one slot for a progress handler and one for a busy handler, and nobody
 * can ask what is in them. The attachment owns both; a program that has handlers of its own passes
 * them here, and must not call sqlite3_progress_handler(), sqlite3_busy_handler(),
 * sqlite3_busy_timeout() or PRAGMA busy_timeout while attached. */
struct rein_sqlite3_options {
    size_t size;
    int opcodes; /* virtual machine steps between two looks at the context; default 1000 */
    uint32_t reserved;
    /* Called after each look that found the context live, and for statements run without rein;
     * other than 0 interrupts the statement (-EINTR). */
    int (*progress)(void *arg);
    void *progress_arg;
    /* Called when a lock is taken, with the number of earlier calls for it; 0 gives up (-EBUSY),
     * anything else has the attachment wait a moment and try again. Need not sleep itself. Default:
     * under a context, try until it is done; without one, give up at once. */
    int (*busy)(void *arg, int calls);
    void *busy_arg;
};

/* Attach to db. options may be NULL. Attach once only: nothing in SQLite tells that it was done.
 *
 * Returns  0; *ret_conn is to be given back with rein_sqlite3_detach()
 * Errors   -EINVAL  db or ret_conn is NULL, or options->size is none that is known
 *          -ENOMEM */
REIN_API REIN_NODISCARD int rein_sqlite3_attach(sqlite3 *db,
                                                const struct rein_sqlite3_options *options,
                                                rein_sqlite3 **ret_conn);

/* Detach, before sqlite3_close(): the slots are given back, to the program's own handlers if they
 * were passed. NULL is fine. No call may be running on conn; open statements stay as they are. */
REIN_API void rein_sqlite3_detach(rein_sqlite3 *conn);

/* The connection. */
REIN_API sqlite3 *rein_sqlite3_db(const rein_sqlite3 *conn);

/* What rein_sqlite3_step() found. */
enum rein_sqlite3_step_result { REIN_SQLITE3_DONE = 0, REIN_SQLITE3_ROW = 1 };

/* Run a statement to its next row, as sqlite3_step().
 *
 * A statement that its context stops has been reset when this returns, so that it holds no lock and
 * can be run again; that goes for one that is refused between two rows too. One that is refused
 * before its first row has not been touched. After an error of SQLite's own the statement is as
 * sqlite3_step() leaves it.
 *
 * Returns  REIN_SQLITE3_ROW, REIN_SQLITE3_DONE
 * Errors   -ECANCELED, -ETIMEDOUT  ctx is done
 *          as rein_sqlite3_errno() for the rest
 * Blocks   while the statement runs, and while others hold its locks */
REIN_API REIN_NODISCARD int rein_sqlite3_step(const rein_ctx *ctx, rein_sqlite3 *conn,
                                              sqlite3_stmt *stmt);

/* Compile the first statement of sql, as sqlite3_prepare_v2(): this too reads the database and may
 * have to wait for a lock. ret_tail (may be NULL) gets what follows the statement. For a comment or
 * blanks *ret_stmt is NULL.
 *
 * Returns  0; *ret_stmt is to be given back with sqlite3_finalize()
 * Errors, Blocks  as rein_sqlite3_step(); the outputs are untouched */
REIN_API REIN_NODISCARD int rein_sqlite3_prepare(const rein_ctx *ctx, rein_sqlite3 *conn,
                                                 const char *sql, sqlite3_stmt **ret_stmt,
                                                 const char **ret_tail);

/* Called for each row of rein_sqlite3_exec(), to read stmt with sqlite3_column_text() and its kin.
 * 0 goes on; a negative errno ends the whole call, which returns it. */
typedef int rein_sqlite3_row_fn(void *arg, sqlite3_stmt *stmt);

/* Run all statements of sql, one after the other. row may be NULL: then rows are skipped. The first
 * failure ends it; earlier statements stay done.
 *
 * Returns  0
 * Errors, Blocks  as rein_sqlite3_step(); or what row returned */
REIN_API REIN_NODISCARD int rein_sqlite3_exec(const rein_ctx *ctx, rein_sqlite3 *conn,
                                              const char *sql, rein_sqlite3_row_fn *row, void *arg);

/* How the handle stands after a call. */
enum rein_sqlite3_state {
    REIN_SQLITE3_REUSABLE = 0, /* as SQLite left it; untouched if SQLite was not asked */
    REIN_SQLITE3_RESET = 1,    /* the statement was reset: running it again begins anew */
};

/* How the last call on an attachment went. */
struct rein_sqlite3_outcome {
    int err;       /* what the call returned if that was negative, else 0 */
    int native;    /* SQLite's extended result code; SQLITE_OK if SQLite was not asked */
    bool stopped;  /* the context stopped a running statement, or its wait for a lock */
    bool txn_lost; /* the failing statement took the open transaction with it: SQLite has rolled
                    * back all of it, and ROLLBACK is an error now. A stopped INSERT, UPDATE or
                    * DELETE does this; a stopped SELECT does not. */
    uint32_t state; /* enum rein_sqlite3_state */
    uint64_t reserved[4];
};

/* How the last call went: the inner one, if calls are nested.
 * Returns  never NULL; valid until the next call on conn, or rein_sqlite3_detach() */
REIN_API REIN_RETURNS_NONNULL const struct rein_sqlite3_outcome *
rein_sqlite3_last(const rein_sqlite3 *conn);

/* SQLite's result code, plain or extended, as a negative errno; 0 for SQLITE_OK, SQLITE_ROW and
 * SQLITE_DONE. Never -ECANCELED or -ETIMEDOUT: those say that a context ended.
 *
 *   SQLITE_INTERRUPT -EINTR            SQLITE_NOMEM    -ENOMEM    SQLITE_FULL     -ENOSPC
 *   SQLITE_BUSY, SQLITE_LOCKED -EBUSY  SQLITE_READONLY -EROFS     SQLITE_CANTOPEN -ENOENT
 *   SQLITE_PERM, SQLITE_AUTH   -EACCES SQLITE_TOOBIG   -E2BIG     SQLITE_RANGE    -ERANGE
 *   SQLITE_CONSTRAINT          -EEXIST SQLITE_CORRUPT, SQLITE_NOTADB -EBADMSG
 *   SQLITE_ERROR, SQLITE_MISUSE, SQLITE_MISMATCH, SQLITE_SCHEMA -EINVAL
 *   SQLITE_ABORT               -ESTALE (somebody rolled back under this statement)
 *   SQLITE_IOERR, SQLITE_PROTOCOL and anything else -EIO */
REIN_API int rein_sqlite3_errno(int native);

REIN_END_DECLS

#endif
