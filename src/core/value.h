/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/value.h: bindings: the values that a context carries, nearest first.
 *
 * Bindings form a chain of their own, which skips every context that has none. A lookup would be
 * linear in its length; but binding number d (from the far end, 1, 2, ...) may have an *index* of
 * the lowbit(d) bindings that end with it, a hash table from key to nearest binding. From number d
 * a lookup goes to d - lowbit(d), and so looks at popcount(d) places at most. An index is made by
 * the first lookup that comes by, if it covers MANY bindings or more: what nobody looks up costs
 * nothing, and if memory is short the lookup walks on. */
#ifndef REIN_CORE_VALUE_H
#define REIN_CORE_VALUE_H

#include <rein/value.h>

#include "core/node.h"

struct index;

struct binding {
    const rein_key *key;       /* constant; NULL: a foreign context that is to be asked */
    const struct binding *up;  /* constant; the next further away, or NULL */
    struct index *index;       /* atomic; NULL: none yet; set once */
    uint32_t number;           /* constant; 1: the farthest, or the first after one that is asked */
    uint32_t size;             /* constant; of what follows in a value's memory */
};

/* A context with a value. Behind it stands what is bound: the copy, the string (nothing, if it is
 * NULL), or the pointer. */
struct value {
    struct ctx ctx;
    struct binding binding;
    _Alignas(max_align_t) unsigned char bound[];
};

static inline struct value *value_of(const struct ctx *ctx)
{
    return (struct value *)(uintptr_t)ctx;
}

void reini_binding_init(struct binding *binding, const rein_key *key, const struct binding *up);
void reini_binding_fini(struct binding *binding);

#endif
