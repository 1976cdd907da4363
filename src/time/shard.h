/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* time/shard.h: some of a clock's timers, behind a lock of their own.
 *
 * Every timeout is armed and disarmed, so threads that only share a clock should not meet there.
 * The real clock has several shards; a thread puts its timers into one of them, and they stay in
 * it, whoever disarms them. A virtual clock has one: there the order of all counts, and nobody is
 * in a hurry. */
#ifndef REIN_TIME_SHARD_H
#define REIN_TIME_SHARD_H

#include <assert.h>
#include <stdint.h>

#include "base/attr.h"
#include "plat/mutex.h"
#include "time/timerq.h"

enum { SHARDS = 8, CACHE_LINE = 64 };

struct shard {
    reini_mutex mu; /* guards the queue, and the state and slot of every timer in it */
    struct timerq queue;
    char apart[40]; /* to whole lines: neighbours share none */
};

static_assert(sizeof(void *) != 8 || sizeof(struct shard) % CACHE_LINE == 0,
              "two shards in one line of the cache would be one again to the processor");

/* The number of the thread's shard, from 1 on; 0: it has none yet. */
extern THREAD_LOCAL_FAST uint8_t reini_shard_taken;
uint8_t reini_shard_take(void);

/* Which of a clock's places for shards a timer that this thread makes belongs to. */
static inline uint8_t shard_of_thread(void)
{
    uint8_t taken = reini_shard_taken;
    return (LIKELY(taken != 0) ? taken : reini_shard_take()) % SHARDS;
}

static inline void shard_init(struct shard *shard, int64_t now)
{
    shard->mu = (reini_mutex){0};
    reini_timerq_init(&shard->queue, now);
}

#endif
