/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* exec/exec.h: calling an executor's table. */
#ifndef REIN_EXEC_EXEC_H
#define REIN_EXEC_EXEC_H

#include <rein/exec.h>
#include <stdbool.h>

static inline int executor_secure(rein_executor *executor)
{
    return executor->secure ? executor->secure(executor) : 0;
}

static inline void executor_forgo(rein_executor *executor)
{
    if (executor->forgo)
        executor->forgo(executor);
}

/* The pool, for quiesce, forbid and fork: 0, or -EBUSY. With `wait`, quiesce waits for what the
 * keeper is doing, and for jobs that are queued or running if no others are to come; but not while a
 * deadline is armed. */
int reini_pool_quiesce(bool wait);
bool reini_pool_is_at_work(void); /* this thread is in a job of the pool */
bool reini_pool_is_alive(void);   /* there are threads, or a timer is armed for it */
int reini_pool_forbid(void);
void reini_pool_forked(void);

#endif
