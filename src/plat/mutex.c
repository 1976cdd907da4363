/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/mutex.c: the contended half of the short lock. */
#include "plat/mutex.h"

#include "plat/plat.h"

/* About as long as the longest critical section of a node; more only burns the holder's time. */
enum { SPINS = 100 };

/* Tell the processor that this is a spin loop. */
static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void reini_mutex_lock_slow(reini_mutex *mutex)
{
    for (int i = 0; i < SPINS; i++) {
        uint32_t unheld = 0;
        if (load_relaxed(&mutex->word) == 0 && cas_acquire(&mutex->word, &unheld, 1))
            return;
        relax();
    }
    /* Whoever gets it by 2 may wake one sleeper too many at the end; never one too few. */
    while (exchange_acquire(&mutex->word, 2) != 0)
        reini_word_sleep(&mutex->word, 2, INT64_MAX);
}

void reini_mutex_unlock_slow(reini_mutex *mutex)
{
    reini_word_wake(&mutex->word, false);
}
