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

/* The pool, for quiesce, forbid and fork: 0, or -EBUSY. */
int reini_pool_quiesce(void);
bool reini_pool_is_watched(void); /* a timer is armed for it, which may fire once more than needed */
int reini_pool_forbid(void);
void reini_pool_forked(void);

#endif
