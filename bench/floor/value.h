/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* value.h: the floor's values: a list upwards, searched link by link. */
#ifndef BENCH_FLOOR_VALUE_H
#define BENCH_FLOOR_VALUE_H

#include <stdlib.h>

struct floor_value {
    struct floor_value *up;
    const void *key;
    long value;
    int references; /* from whoever holds it and from those below; the last one to go frees it */
};
static inline struct floor_value *floor_bind(struct floor_value *up, const void *key, long value)
{
    struct floor_value *bound = (struct floor_value *)malloc(sizeof *bound);
    if (!bound)
        abort();
    *bound = (struct floor_value){up, key, value, 1};
    if (up)
        __atomic_fetch_add(&up->references, 1, __ATOMIC_RELAXED);
    return bound;
}
static inline void floor_unbind(struct floor_value *bound)
{
    while (bound && __atomic_sub_fetch(&bound->references, 1, __ATOMIC_ACQ_REL) == 0) {
        struct floor_value *up = bound->up;
        free(bound);
        bound = up;
    }
}
static __attribute__((noinline)) const long *floor_find(const struct floor_value *at,
                                                        const void *key)
{
    for (; at; at = at->up)
        if (at->key == key)
            return &at->value;
    return NULL;
}

#endif
