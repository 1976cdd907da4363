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

#include <stdint.h>

#include "base/mem.h"
#include "plat/mutex.h"
#include "plat/number.h"
#include "time/timerq.h"

enum { SHARDS = 8 };

struct shard {
    _Alignas(CACHE_LINE) reini_mutex mu; /* guards the queue, and state and slot of its timers */
    struct timerq queue;
};

/* The place in clock->shards for a timer that this thread makes. */
static inline uint8_t shard_of_thread(void)
{
    return thread_number() % SHARDS;
}

static inline void shard_init(struct shard *shard, int64_t now)
{
    shard->mu = (reini_mutex){0};
    reini_timerq_init(&shard->queue, now);
}

#endif
