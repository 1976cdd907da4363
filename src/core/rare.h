/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/rare.h: what only few nodes have, in a block of its own that hangs on them by ctx.aux: hung
 * there once, under mu, and never taken away before the node goes. */
#ifndef REIN_CORE_RARE_H
#define REIN_CORE_RARE_H

#include "core/node.h"

struct rare {
    /* First: called by the inlined rein_err(); see done.c. Whoever shares the node reads what is
     * here, so it is on a line that no neighbour in the heap writes to. */
    _Alignas(CACHE_LINE) int (*settled)(const void *node);
    int fd;  /* of a descriptor, or -1; guarded by mu */
    int err; /* written before word says "settling" */
    struct stripes *stripes; /* or NULL; atomic, set once, under mu; see stripe.h */
};

/* The node's; made now if it has none yet. NULL if memory is short. */
struct rare *reini_rare_of(struct node *node);

/* With the node's last release. */
void reini_rare_free(struct node *node);

#endif
