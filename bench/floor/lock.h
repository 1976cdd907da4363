/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* lock.h: the least of a mutex: one word, no system call unless somebody waits. */
#ifndef BENCH_FLOOR_LOCK_H
#define BENCH_FLOOR_LOCK_H

#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sleep while *word is `expected`, at most until an instant of CLOCK_MONOTONIC if there is one. */
static inline void floor_sleep(const int *word, int expected, const struct timespec *until)
{
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, until, NULL,
            FUTEX_BITSET_MATCH_ANY);
}
static inline void floor_wake(const int *word, int how_many)
{
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, how_many, NULL, NULL, 0);
}
static inline void floor_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* 0: free, 1: taken, 2: taken and somebody may sleep. Who takes it sees what the last holder
 * wrote. */
typedef int floor_mutex;
enum { FLOOR_SPINS = 100 };

static __attribute__((noinline)) void floor_lock_slowly(floor_mutex *m)
{
    for (int i = 0; i < FLOOR_SPINS; i++) {
        int free = 0;
        if (__atomic_load_n(m, __ATOMIC_RELAXED) == 0 &&
            __atomic_compare_exchange_n(m, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
        floor_pause();
    }
    while (__atomic_exchange_n(m, 2, __ATOMIC_ACQUIRE) != 0)
        floor_sleep(m, 2, NULL);
}
static inline void floor_lock(floor_mutex *m)
{
    int free = 0;
    if (!__atomic_compare_exchange_n(m, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        floor_lock_slowly(m);
}
static inline void floor_unlock(floor_mutex *m)
{
    if (__atomic_exchange_n(m, 0, __ATOMIC_RELEASE) == 2)
        floor_wake(m, 1);
}

#endif
