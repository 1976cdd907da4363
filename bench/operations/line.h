/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* line.h: values, bound one below another. */
#ifndef BENCH_LINE_H
#define BENCH_LINE_H

#include "subject.h"

/* A line of n values under a node: key 0 is bound topmost, and what is returned, which holds the
 * others, lowest. */
static inline view line_under(node below, long n)
{
    view at = no_values(below);
    for (long i = 0; i < n; i++) {
        view lower = bind_value(at, (int)i);
        drop_values(at);
        at = lower;
    }
    return at;
}

#endif
