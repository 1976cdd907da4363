/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/library.c: the library as a guest: its version, its threads, its leaving. */
#include <rein/library.h>

#include "core/node.h"
#include "exec/exec.h"
#include "time/keeper.h"
#include "wait/events.h"

const char *rein_version(void)
{
    return REIN_VERSION_STRING;
}

int rein_forbid_threads(void)
{
    return reini_keeper_forbid(reini_pool_forbid);
}

/* The failed contexts are static: nobody else ever closes a descriptor of theirs. */
static void close_failed(struct node *failed)
{
    mutex_lock(&failed->mu);
    reini_done_fd_close(failed);
    mutex_unlock(&failed->mu);
}

int rein_quiesce(void)
{
    int pool, keeper;
    do {
        pool = reini_pool_quiesce(); /* first: its timer keeps the keeper */
        keeper = reini_keeper_quiesce();
    } while (pool == 0 && keeper < 0 && reini_pool_is_watched());
    reini_events_close();
    close_failed(&reini_failed_memory);
    close_failed(&reini_failed_thread);
    return pool < 0 ? pool : keeper;
}
