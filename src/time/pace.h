/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* time/pace.h: how soon the keeper may wake again: at the exact instant while wakes are rare, and
 * for many timers at once when they fall due densely.
 *
 * A wake costs as much as firing dozens of timers. So there is a budget of wakes, of which each
 * turn spends one and of which one comes back with every step; while there is none, the next turn
 * is put off until there is. Hence nothing is ever later by this than one step, and in the long run
 * there is no more than one turn in a step. No clock is read here: all follows from instants. Why
 * these figures: docs/decisions/0008. */
#ifndef REIN_TIME_PACE_H
#define REIN_TIME_PACE_H

#include "time/instant.h"

enum { PACE_BUDGET = 8, PACE_STEP = 250000 };

struct pace {
    int64_t whole; /* when the budget will be whole again, if none is spent meanwhile */
};

/* A turn begins at `now`; also one that came sooner than it should, for a reason of its own: that
 * leaves the budget empty, not in debt. */
static inline void pace_spend(struct pace *pace, int64_t now)
{
    int64_t whole = instant_add(pace->whole > now ? pace->whole : now, PACE_STEP);
    int64_t empty = instant_add(now, PACE_BUDGET * PACE_STEP);
    pace->whole = whole < empty ? whole : empty;
}

/* From when on there is one to spend: at most a step after the latest turn. */
static inline int64_t pace_next(const struct pace *pace)
{
    return instant_sub(pace->whole, (PACE_BUDGET - 1) * PACE_STEP);
}

#endif
