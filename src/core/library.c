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

int rein_quiesce(void)
{
    int pool, keeper;
    do {
        pool = reini_pool_quiesce(); /* first: its timer keeps the keeper */
        keeper = reini_keeper_quiesce();
    } while (pool == 0 && keeper < 0 && reini_pool_is_watched());
    reini_events_close();
    return pool < 0 ? pool : keeper;
}
