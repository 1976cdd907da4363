/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* lateness.c: how late timeouts fire that are about a millisecond apart, and not on whole ones;
 * beside a thread that just sleeps from one instant to the next. */
#include <sys/prctl.h>

#include "shot.h"

enum { SHOTS = 1000 };
static struct shot shots[SHOTS];

static int64_t offset(long i)
{
    return i * millisecond + i * 7919 % 1000 * microsecond;
}

static void timers(long unused)
{
    long n = sized(SHOTS);
    prepare_shots();
    node parent = new_root();
    int64_t base = now_ns() + 100 * millisecond;
    (void)unused;
    for (long i = 0; i < n; i++)
        take_aim(&shots[i], derive_deadline(parent, base + offset(i)), base + offset(i));
    let_fire(n, base + offset(n));
    double *late = lateness_of(shots, (size_t)n);
    print("lateness.min", percentile(late, (size_t)n, 0));
    print_half_and_most("lateness", late, (size_t)n);
}

/* With the least timer slack that the system allows. The subject has no part in it. */
static void sleeping(long unused)
{
    static double late[SHOTS];
    long n = sized(SHOTS);
    int64_t base = now_ns() + 100 * millisecond;
    (void)unused;
    prctl(PR_SET_TIMERSLACK, 1);
    for (long i = 0; i < n; i++) {
        sleep_until(base + offset(i));
        late[i] = (double)(now_ns() - base - offset(i));
    }
    print_half_and_most("sleep", late, (size_t)n);
}

CASES({"timers", timers}, {"sleep", sleeping})
