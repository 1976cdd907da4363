/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* testing/clock.c: the public face of virtual clocks. */
#include <rein/testing.h>

#include "base/atomic.h"
#include "base/mem.h"
#include "base/panic.h"
#include "core/root.h"
#include "time/clock.h"
#include "time/instant.h"

/* The clock itself belongs to its root context and lasts as long as anything derived from it. */
struct rein_clock {
    const rein_ctx *root;
    struct reini_clock *clock;
    uint32_t advancing; /* atomic; whether a thread is */
};

/* Any will do that is far from both ends; a round one reads well in failure messages. */
static const int64_t EPOCH = 1000000 * (int64_t)REIN_SECOND;

rein_clock *rein_clock_new(void)
{
    rein_clock *clock = reini_alloc_zero(sizeof *clock);
    if (clock)
        clock->root = reini_clock_root_new(EPOCH, &clock->clock);
    if (clock && clock->root)
        return clock;
    reini_free(clock);
    return NULL;
}

void rein_clock_free(rein_clock *clock)
{
    if (!clock)
        return;
    rein_unref(clock->root);
    reini_free(clock);
}

const rein_ctx *rein_clock_root(const rein_clock *clock)
{
    return clock->root;
}

size_t rein_clock_advance_to(rein_clock *clock, rein_time when)
{
    reini_require_unfrozen(clock->root, "a virtual clock cannot be moved after a fork()");
    if (exchange_acquire(&clock->advancing, 1) != 0)
        reini_panic("one-advance", "a virtual clock is advanced by one thread at a time", clock);
    size_t fired = reini_clock_advance_to(clock->clock, when.ns);
    store_release(&clock->advancing, 0);
    return fired;
}

size_t rein_clock_advance(rein_clock *clock, rein_duration d)
{
    return rein_clock_advance_to(clock, rein_in(clock->root, d > 0 ? d : 0));
}

bool rein_clock_next(const rein_clock *clock, rein_time *ret_when)
{
    int64_t next = reini_vclock_next(clock->clock);
    if (next == NEVER)
        return false;
    *ret_when = (rein_time){next};
    return true;
}

size_t rein_clock_armed(const rein_clock *clock)
{
    return reini_clock_armed(clock->clock);
}
