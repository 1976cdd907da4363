/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/hold.h: holding a thread between two lines of the library, to force an interleaving.
 *
 * Works on the points that base/fault.h calls steps; so only in programs linked with rein_test_dep.
 *
 *     struct hold hold = {.step = "marked-top"};
 *     hold_set(&hold);
 *     ... a thread cancels ...
 *     hold_await(&hold);                  // it stands at the step now
 *     ...
 *     hold_release(&hold);
 *     ... join ...
 *     hold_clear();
 *
 * A hold stops one thread, once: the first to come, or the first after `skip` others. */
#ifndef TESTS_LIB_HOLD_H
#define TESTS_LIB_HOLD_H

#include <rein/context.h>
#include <stdbool.h>
#include <stdint.h>

struct hold {
    const char *step;
    uint32_t skip;
    bool only_followed;       /* count only threads that called hold_follow_me() */
    uint32_t seen;            /* atomic */
    uint32_t held, released;  /* atomic */
};

/* Up to eight at a time. */
void hold_set(struct hold *hold);
void hold_clear(void);

void hold_follow_me(void);
void hold_await(struct hold *hold);
void hold_release(struct hold *hold);

/* A context that the keeper has begun to end by its deadline, and is held before it does: whatever
 * is added to it now is added in time. hold is set by this, and to be released. */
rein_ctx *hold_expiry(struct hold *hold);

/* How many threads have come to the step so far: a hold with skip UINT32_MAX only counts. */
uint32_t hold_seen(const struct hold *hold);
void hold_await_seen(const struct hold *hold, uint32_t at_least);

#endif
