/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/mutex.h: the short internal lock, four bytes.
 *
 *   0 free    1 held    2 held, and somebody may be asleep on it
 *
 * Held for a few dozen instructions and never across a park, so a contender spins a little first.
 * acquire in lock pairs with release in unlock: what was written under the lock is seen under
 * it. */
#ifndef REIN_PLAT_MUTEX_H
#define REIN_PLAT_MUTEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/attr.h"

typedef struct CAPABILITY("mutex") reini_mutex {
    uint32_t word;
} reini_mutex;

void reini_mutex_lock_slow(reini_mutex *mutex);
void reini_mutex_unlock_slow(reini_mutex *mutex);

static inline void mutex_lock(reini_mutex *mutex) ACQUIRES(*mutex) UNCHECKED_LOCKING
{
    uint32_t unheld = 0;
    if (UNLIKELY(!cas_acquire(&mutex->word, &unheld, 1)))
        reini_mutex_lock_slow(mutex);
}

static inline bool mutex_try_lock(reini_mutex *mutex) UNCHECKED_LOCKING
{
    uint32_t unheld = 0;
    return cas_acquire(&mutex->word, &unheld, 1);
}

static inline void mutex_unlock(reini_mutex *mutex) RELEASES(*mutex) UNCHECKED_LOCKING
{
    if (UNLIKELY(exchange_release(&mutex->word, 0) == 2))
        reini_mutex_unlock_slow(mutex);
}

#endif
