/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* time/vclock.c: virtual clocks, and the small table that turns an id into a clock.
 *
 * A context carries the id of its clock in one byte: virtual time is for tests, and a pointer in
 * every context would be paid for by every program. */
#include "base/fault.h"
#include "base/mem.h"
#include "time/clock.h"
#include "time/instant.h"

enum { IDS = 256 };

/* One shard: looking for the next instant and moving to it are one critical section. */
struct vclock {
    struct reini_clock clock;
    struct shard shard;
};

static reini_mutex mu;                  /* guards the table's slots being taken and given back */
static struct reini_clock *clocks[IDS]; /* atomic; [0] stays empty: the real clock */

struct reini_clock *reini_vclock_of(uint8_t id)
{
    /* acquire: pairs with the release below; the clock was made by another thread, perhaps. */
    return load_acquire(&clocks[id]);
}

struct reini_clock *reini_clock_new_virtual(int64_t now)
{
    struct vclock *vclock = reini_alloc_aligned(CACHE_LINE, sizeof *vclock);
    if (!vclock)
        return NULL;
    struct reini_clock *clock = &vclock->clock;
    reini_clock_init(clock, &vclock->shard, 1, now);
    clock->is_virtual = true;
    clock->sleeps_until = AT_ONCE; /* nobody sleeps, so nobody is ever to be woken */
    mutex_lock(&mu);
    for (int id = 1; id < IDS && clock->id == 0; id++) {
        if (!clocks[id]) {
            clock->id = (uint8_t)id;
            store_release(&clocks[id], clock);
        }
    }
    mutex_unlock(&mu);
    if (clock->id != 0)
        return clock;
    reini_free(vclock);
    return NULL;
}

void reini_clock_free_virtual(struct reini_clock *clock)
{
    mutex_lock(&mu);
    store_relaxed(&clocks[clock->id], NULL);
    mutex_unlock(&mu);
    reini_free(CONTAINER_OF(clock, struct vclock, clock));
}

void reini_vclock_forked(void)
{
    mu = (reini_mutex){0};
    for (int id = 1; id < IDS; id++) {
        struct reini_clock *clock = clocks[id];
        if (!clock)
            continue;
        clock->mu = (reini_mutex){0};
        clock->calls = NULL;
        shard_init(clock->shards[0], clock->now);
    }
}

/* Move on to the next instant at which there is something to do, and return true; or to `when`, if
 * that comes first. Never itself never comes.
 *
 * Looking and moving are one critical section, with the look of reini_clock_arm() at the instant:
 * so a timer is either armed in time to be found here, or its owner finds that it has come. */
static bool move_on(struct reini_clock *clock, int64_t when)
{
    STEP("clock-moves");
    mutex_lock(&clock->mu);
    mutex_lock(&clock->shards[0]->mu);
    int64_t next = clock->calls ? AT_ONCE : reini_timerq_next(&clock->shards[0]->queue);
    bool due = next <= when && next != NEVER;
    int64_t now = due ? next : when;
    if (now > load_relaxed(&clock->now) && now != NEVER)
        store_release(&clock->now, now); /* pairs with the acquire in clock_now() */
    mutex_unlock(&clock->shards[0]->mu);
    mutex_unlock(&clock->mu);
    return due;
}

int64_t reini_vclock_next(struct reini_clock *clock)
{
    mutex_lock(&clock->shards[0]->mu);
    int64_t next = reini_timerq_next(&clock->shards[0]->queue);
    mutex_unlock(&clock->shards[0]->mu);
    return next;
}

size_t reini_clock_advance_to(struct reini_clock *clock, int64_t when)
{
    size_t fired = 0;
    /* From one instant to the next, so that whatever runs reads the very instant it was due at,
     * and what it arms on the way takes its turn. */
    while (move_on(clock, when))
        fired += reini_clock_fire(clock, clock_now(clock));
    return fired;
}
