/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/waiter.h: a strand that waits for a context: its place in the context's list. */
#ifndef REIN_CORE_WAITER_H
#define REIN_CORE_WAITER_H

#include "core/node.h"
#include "wait/strand.h"

struct waiter {
    struct dep dep;
    struct node *node;     /* NULL: it can never be done, or is done already */
    struct strand *strand; /* the waiter's own; signalled once when the node is done */
};

/* Be signalled when ctx is done. If it is done already, or never can be, nothing is linked. */
void reini_waiter_link(struct waiter *waiter, const struct ctx *ctx, struct strand *strand);

/* Take it back. Returns how many signals have been committed to: 0 or 1. */
uint32_t reini_waiter_unlink(struct waiter *waiter);

/* For the marker, who has taken the list: signal the strand whose place this is. */
void reini_waiter_signal(struct dep *dep);

#endif
