/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/exec.h: executors: whose thread runs a callback.
 *
 *   rein_inline_executor()   the thread that posts, at once (for an after-func: the canceller's)
 *   rein_pool_executor()     a few threads of rein's: the first starts when somebody needs one,
 *                            more when all are parked or make no progress; they leave when idle
 *   rein_serial_new(over)    one job at a time, in order, on another executor
 *   rein_loop_executor(loop) the thread of your own event loop (<rein/loop.h>)
 *   your own                 fill in a rein_executor
 *
 * Any thread may call these at any time, but not from a signal handler; none blocks, none changes
 * errno. */
#ifndef REIN_EXEC_H
#define REIN_EXEC_H

#include <rein/base.h>

REIN_BEGIN_DECLS

/* A piece of work, in the storage of whoever posts it; free again as soon as run has been
 * called. */
typedef struct rein_job {
    struct rein_job *next; /* the executor's, while it holds the job */
    void (*run)(struct rein_job *job);
} rein_job;

/* An executor's promises, for those who write one:
 *
 *   secure   make sure that a thread will be there for one job to come; called before every post,
 *            may be long before. Returns 0 or -EAGAIN. NULL: nothing to do.
 *   forgo    that job will not come. NULL: nothing to do.
 *   post     run the job once, soon, on a thread of the executor's choosing. Cannot fail, must not
 *            block and must not run it on the caller's stack (only the inline executor does). */
struct rein_executor {
    size_t size; /* sizeof(rein_executor): the table may grow */
    const char *name;
    int (*secure)(rein_executor *executor);
    void (*forgo)(rein_executor *executor);
    void (*post)(rein_executor *executor, rein_job *job);
};

REIN_API REIN_RETURNS_NONNULL rein_executor *rein_inline_executor(void);
REIN_API REIN_RETURNS_NONNULL rein_executor *rein_pool_executor(void);

/* An executor that runs one job at a time, first come first served, on `over` (NULL: the pool).
 * Returns  it, or NULL if memory is short. Give it back with rein_serial_free() when no job of it
 *          is still to come [rule: serial-busy]; from its own last job is fine. */
REIN_API REIN_NODISCARD rein_executor *rein_serial_new(rein_executor *over);
REIN_API void rein_serial_free(rein_executor *serial);

/* Secure a thread and post a job that you hold: 0, or -EAGAIN and nothing happened. */
REIN_API REIN_NODISCARD int rein_post(rein_executor *executor, rein_job *job);

REIN_END_DECLS

#endif
