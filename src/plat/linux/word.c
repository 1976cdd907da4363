/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/linux/word.c: sleep on a word by futex. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "plat/plat.h"

bool reini_word_sleep(const uint32_t *word, uint32_t expected, int64_t until)
{
    int saved = errno;
    struct timespec at = {.tv_sec = (time_t)(until / 1000000000),
                          .tv_nsec = (long)(until % 1000000000)};
    /* FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC instant; FUTEX_WAIT a span, which an
     * interrupting signal would start anew. */
    long r = syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
                     until == INT64_MAX ? NULL : &at, NULL, FUTEX_BITSET_MATCH_ANY);
    bool timed_out = r < 0 && errno == ETIMEDOUT;
    errno = saved;
    return !timed_out;
}

void reini_word_wake(const uint32_t *word, bool all)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, all ? INT_MAX : 1, NULL, NULL, 0);
    errno = saved;
}
