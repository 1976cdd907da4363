/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/birth.c: how a new context comes into the tree. */
#include "base/fault.h"
#include "core/node.h"
#include "core/stripe.h"

void reini_ctx_follow(struct ctx *ctx, const struct ctx *parent)
{
    if (parent->flags & NEVER_DONE) {
        ctx->flags |= NEVER_DONE;
        return;
    }
    ctx->aux = source_of(parent);
    ctx->word = REIN_WORD_FOLLOWS;
}

/* The node is not known to anybody yet, so nothing here needs an order. */
static void born_done(struct node *node, const struct node *end)
{
    node->dep.ended = ENDED_ABOVE;
    node->origin = MISTAKE(born_done_without_cause) ? node : end;
    node->dep.word = MARKED;
    node->ctx.word = rein_err(public_of(&end->ctx));
}

/* Put a place into that list of source, which is locked and is unlocked here, unless source is
 * done: looking at word and linking are one critical section with the mark (I2), or with the taking
 * of the stripe's list (S2). Returns whether it is live. */
static ALWAYS_INLINE bool link_in(struct node *source, struct stripe *stripe, struct dep *dep,
                                  bool to_hold)
{
    bool live = load_relaxed(&source->ctx.word) == 0 || MISTAKE(link_without_recheck) ||
                (stripe && MISTAKE(stripe_link_without_recheck));
    if (live) {
        insert_dep(source, stripe, dep);
        if (to_hold)
            reini_stripe_hold(stripe, source, dep);
        /* Of a new node: nobody waits for it yet. release: who finds it LINKED before he has the
         * lock, in leave(), finds which lock that is. */
        store_release(&dep->word, LINKED);
    }
    unlock_list(source, stripe);
    return live;
}

/* Its parent is held by the stripe, unless it is a view, which has none, or one of two parents. */
static NOINLINE bool link_in_some_list(struct node *source, const struct ctx *parent,
                                       struct dep *dep)
{
    struct stripe *stripe = reini_lock_some_list(source);
    bool to_hold = stripe && parent == &source->ctx && dep->kind == DEP_CHILD &&
                   !has_two_parents(&child_of(dep)->ctx);
    return link_in(source, stripe, dep, to_hold);
}

static ALWAYS_INLINE bool link_to(const struct ctx *parent, struct dep *dep)
{
    struct node *source = source_of(parent);
    if (is_frozen(&source->ctx))
        return rein_err(public_of(parent)) == 0; /* nothing links to it */
    STEP("link");
    return lock_own_list(source) ? link_in(source, NULL, dep, false)
                                 : link_in_some_list(source, parent, dep);
}

void reini_node_link(struct node *node, const struct ctx *parent)
{
    /* Never done: no link, and so no lock that all children of a root would share. */
    if (!(parent->flags & NEVER_DONE) && !link_to(parent, &node->dep))
        born_done(node, reini_end_of(parent));
    if (LIKELY(!(node->dep.stripe & HOLDS)))
        ctx_ref(parent);
}

void reini_node_link_also(struct joined *joined)
{
    struct node *node = &joined->timed.node;
    if ((joined->also->flags & NEVER_DONE) || load_relaxed(&node->ctx.word) != 0)
        return;
    if (!link_to(joined->also, &joined->dep_also)) {
        reini_mark_above(node, reini_end_of(joined->also));
        return;
    }
    /* The first parent may have ended it before it was in the second's list; who did so looked for
     * it there in vain. By mu: either its mark is seen here, or it sees the link. */
    mutex_lock(&node->mu);
    bool done = load_relaxed(&node->ctx.word) != 0;
    mutex_unlock(&node->mu);
    if (done)
        reini_node_leave(node);
}

void reini_node_born_late(struct timed *timed)
{
    struct node *node = &timed->node;
    struct ending ending = reini_expiry(timed);
    ctx_ref(node->ctx.parent);
    node_record(node, &ending, clock_now(clock_of(&node->ctx)));
    node->dep.word = MARKED;
    node->ctx.word = ending.err;
}
