/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/linux/clock.c: the monotonic clock, and who runs. */
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/attr.h"
#include "plat/plat.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now); /* cannot fail for these clocks, so errno stays */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t reini_plat_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t reini_plat_from_wall(int64_t s, long ns)
{
    int64_t wall, span, instant;
    if (__builtin_mul_overflow(s, INT64_C(1000000000), &wall) ||
        __builtin_add_overflow(wall, (int64_t)ns, &wall))
        return s < 0 ? INT64_MIN : INT64_MAX;
    /* Neither clock is ever negative, so each step can overflow to one side only. */
    if (__builtin_sub_overflow(wall, read_clock(CLOCK_REALTIME), &span))
        return INT64_MIN;
    if (__builtin_add_overflow(span, reini_plat_now(), &instant))
        return INT64_MAX;
    return instant;
}

static _Thread_local int thread_id; /* 0: not asked yet */

int reini_plat_thread_id(void)
{
    if (UNLIKELY(thread_id == 0))
        thread_id = (int)syscall(SYS_gettid);
    return thread_id;
}

uint32_t reini_plat_processors(void)
{
    cpu_set_t allowed;
    int saved = errno;
    /* Of the first thread, as the calling one may be pinned to a processor of its own. Fails on a
     * machine of more processors than the set has room for. */
    int count = sched_getaffinity(getpid(), sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed)
                                                                           : CPU_SETSIZE;
    errno = saved;
    return count > 0 ? (uint32_t)count : 1;
}

void reini_plat_forked(void)
{
    thread_id = 0; /* the one thread that went on in the child has a new id */
}
