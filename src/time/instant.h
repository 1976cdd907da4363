/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* time/instant.h: arithmetic on instants and spans that saturates instead of overflowing. */
#ifndef REIN_TIME_INSTANT_H
#define REIN_TIME_INSTANT_H

#include <stdint.h>

/* Later than any instant, longer than any span. */
#define NEVER INT64_MAX

static inline int64_t instant_add(int64_t t, int64_t d)
{
    int64_t sum;
    if (t == NEVER)
        return NEVER;
    if (__builtin_add_overflow(t, d, &sum))
        return d < 0 ? INT64_MIN : NEVER;
    return sum;
}

static inline int64_t instant_sub(int64_t a, int64_t b)
{
    int64_t span;
    if (a == NEVER)
        return NEVER;
    if (__builtin_sub_overflow(a, b, &span))
        return b < 0 ? NEVER : INT64_MIN;
    return span;
}

#endif
