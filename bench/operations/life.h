/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* life.h: a context's short life, over and over: what is done alone, among others and by several
 * threads at once. */
#ifndef BENCH_LIFE_H
#define BENCH_LIFE_H

#include "subject.h"

#if HAS & TREE
static NOINLINE MAYBE_UNUSED void loop_derive(uint64_t n, void *arg)
{
    node parent = *(node *)arg;
    for (uint64_t i = 0; i < n; i++)
        end(derive(parent));
}
#endif

#if HAS & TIMEOUTS
static NOINLINE MAYBE_UNUSED void loop_timeout(uint64_t n, void *arg)
{
    node parent = *(node *)arg;
    for (uint64_t i = 0; i < n; i++)
        end(derive_timeout(parent, 3600 * second));
}
#endif

#endif
