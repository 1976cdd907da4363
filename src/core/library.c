/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/library.c: the library as a guest: its version, its threads, its leaving. */
#include <rein/library.h>

#include "base/fault.h"
#include "base/mem.h"
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
    /* For what is under way here the others may wait. */
    bool within = reini_clock_is_driving() || reini_pool_is_at_work();
    int pool, keeper;
    bool kept;
    do { /* the pool's timer keeps the keeper; the keeper's calls keep the pool */
        if (!within)
            reini_keeper_await(); /* its calls may be about to hand over what is to come */
        pool = reini_pool_quiesce(!within);
        kept = reini_pool_is_alive(); /* its timer may be over just after the keeper was asked */
        keeper = reini_keeper_quiesce(!within && pool == 0);
        STEP("quiesce-looks");
    } while (pool == 0 && (kept || reini_pool_is_alive()));
    reini_events_close();
    reini_give_back();
    return pool < 0 ? pool : keeper;
}
