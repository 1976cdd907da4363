/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/foreign.h: the context of a user's own kind. */
#ifndef REIN_CORE_FOREIGN_H
#define REIN_CORE_FOREIGN_H

#include <rein/foreign.h>

#include "core/value.h"

struct foreign {
    struct timed timed; /* the node only if it has an end of its own; timer.when: its deadline */
    struct binding binding;
    rein_foreign_ops ops;
    void *self;
};

static inline struct foreign *foreign_of(const struct ctx *ctx)
{
    return (struct foreign *)(uintptr_t)ctx;
}

#endif
