/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/waiter.c: a strand's place in the list of the context that it waits for. */
#include "core/waiter.h"

#include "base/fault.h"
#include "core/stripe.h"

void reini_waiter_link(struct waiter *waiter, const struct ctx *ctx, struct strand *strand)
{
    *waiter = (struct waiter){.dep = {.kind = DEP_WAITER}, .strand = strand};
    if ((ctx->flags & NEVER_DONE) || has_frozen_source(ctx) || rein_err(public_of(ctx)) != 0)
        return;
    struct node *node = source_of(ctx);
    STEP("waiter-link");
    struct stripe *stripe = lock_own_list(node) ? NULL : reini_lock_some_list(node);
    if (load_relaxed(&node->ctx.word) == 0) {
        insert_dep(node, stripe, &waiter->dep);
        waiter->node = node;
    }
    unlock_list(node, stripe);
}

uint32_t reini_waiter_unlink(struct waiter *waiter)
{
    struct node *node = waiter->node;
    if (!node)
        return 0;
    STEP("waiter-unlink");
    struct stripe *stripe = lock_list_of(node, &waiter->dep);
    bool live = load_relaxed(&node->ctx.word) == 0;
    if (live)
        dep_unlink(&waiter->dep);
    unlock_list(node, stripe);
    return live ? 0 : 1; /* done: the list is the marker's, who signals everyone in it once */
}

void reini_waiter_signal(struct dep *dep)
{
    reini_strand_signal(CONTAINER_OF(dep, struct waiter, dep)->strand);
}
