/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/call.c: claiming, making and taking back the calls that wait for a node's end.
 *
 * Calls are claimed one at a time, each under its node's mu, in the call phase: so one that is not
 * running yet can still be taken out, also by another that runs before it on the same thread. */
#include "core/call.h"

#include "base/fault.h"
#include "base/panic.h"
#include "wait/lot.h"
#include "wait/strand.h"

/* ---- linking and unlinking ---- */

bool reini_call_link(struct call *call, enum dep_kind kind, const rein_ctx *public_ctx,
                     rein_callback_fn *fn, void *arg)
{
    const struct ctx *ctx = ctx_of(public_ctx);
    *call = (struct call){.dep = {.kind = (uint8_t)kind, .word = CALL_WAITING},
                          .ctx = public_ctx, .fn = fn, .arg = arg, .birth = reini_birth};
    if (rein_err(public_ctx) != 0)
        return false;
    if ((ctx->flags & NEVER_DONE) || has_frozen_source(ctx))
        return true; /* it will never come */
    struct node *node = source_of(ctx);
    call->node = node;
    STEP("call-link");
    mutex_lock(&node->mu);
    bool live = load_relaxed(&node->ctx.word) == 0;
    if (live)
        dep_push(&node->deps, &call->dep);
    mutex_unlock(&node->mu);
    return live;
}

/* Under mu: whether the list that the call is in is mu's: before the mark, or after the walk
 * (I5). */
static bool within_reach(const struct node *node)
{
    return load_relaxed(&node->ctx.word) == 0 || (load_acquire(&node->dep.word) & MARKED);
}

/* What it is when it has been taken out: of an after-func its executor has yet to be told. */
static inline uint32_t taken(const struct call *call)
{
    return call->dep.kind == DEP_AFTER ? CALL_CLAIMED : CALL_OVER;
}

bool reini_call_unlink(struct call *call, bool wait)
{
    struct node *node = call->node;
    /* acquire: pairs with the release that made it OVER; only what is not may be touched below. */
    while ((load_acquire(&call->dep.word) & ~(uint32_t)WAITED) == CALL_WAITING) {
        if (!node || call->birth != reini_birth) { /* an inherited node, which may be gone */
            uint32_t waiting = CALL_WAITING;
            if (!call->fn)
                return false; /* nothing was ever registered with it */
            return cas_acq_rel(&call->dep.word, &waiting, taken(call));
        }
        STEP("call-unlink");
        mutex_lock(&node->mu);
        bool reach = within_reach(node);
        bool ours = reach && load_relaxed(&call->dep.word) == CALL_WAITING;
        if (ours) {
            dep_unlink(&call->dep);
            store_release(&call->dep.word, taken(call));
        }
        mutex_unlock(&node->mu);
        if (ours || (!reach && !wait))
            return ours;
        if (!reach)
            reini_wait_marked(node);
    }
    return false;
}

/* ---- running ---- */

void reini_call_over(struct call *call)
{
    /* acq_rel: what fn, or the executor, did is seen by whoever waited for it. */
    if (exchange_acq_rel(&call->dep.word, CALL_OVER) & WAITED)
        reini_lot_wake(&call->dep.word);
}

void reini_call_run(struct call *call)
{
    struct running running = {.has_left = false};
    uint16_t birth = reini_birth;
    call->running = &running;
    store_relaxed(&call->runner, reini_strand_self());
    call->fn(call->ctx, call->arg);
    if (birth != reini_birth)
        return; /* it has forked: in the child nobody waits for it, and the record may be gone */
    if (running.has_left)
        reini_left_return(&running);
    else
        reini_call_over(call);
}

void reini_call_wait(struct call *call)
{
    if (MISTAKE(stop_wait_does_not_wait) || call->birth != reini_birth)
        return; /* in the child of a fork() inherited calls do not run, nor go on */
    for (;;) {
        uint32_t state = load_acquire(&call->dep.word); /* pairs with the exchange above */
        if (state == CALL_OVER || state == CALL_WAITING)
            return;
        if (state == CALL_LEFT) {
            reini_left_wait(call);
            return;
        }
        if (load_relaxed(&call->runner) == reini_strand_self()) {
            reini_left_add(call);
            return;
        }
        if (state == CALL_CLAIMED && !cas_relaxed(&call->dep.word, &state, CALL_CLAIMED | WAITED))
            continue;
        reini_lot_wait(&call->dep.word, CALL_CLAIMED | WAITED);
    }
}

/* ---- the call phase ---- */

/* Claim one call of a marked node; NULL when there is none left. */
static struct call *claim(struct node *node)
{
    mutex_lock(&node->mu);
    struct dep *dep = node->deps;
    if (dep) {
        dep_unlink(dep);
        store_release(&dep->word, CALL_CLAIMED);
        if (MISTAKE(callback_under_lock) && dep->kind == DEP_CALLBACK)
            reini_call_run(CONTAINER_OF(dep, struct call, dep));
    }
    mutex_unlock(&node->mu);
    return dep ? CONTAINER_OF(dep, struct call, dep) : NULL;
}

void reini_run_calls(struct deferred *chain)
{
    uint16_t birth = reini_birth;
    while (chain) {
        struct node *node = CONTAINER_OF(chain, struct node, dep.deferred);
        chain = chain->next;
        /* Not in a child that the one before has forked and returned in: there node is frozen. */
        for (struct call *call; birth == reini_birth && (call = claim(node));) {
            STEP("claimed");
            if (call->dep.kind == DEP_AFTER)
                reini_after_post(CONTAINER_OF(call, struct after, call));
            else if (!MISTAKE(callback_under_lock))
                reini_call_run(call);
        }
        reini_ctx_unref(&node->ctx);
    }
}

void reini_put_off_calls(struct reini_clock *clock, struct deferred *chain)
{
    if (!chain)
        return;
    struct deferred *last = chain;
    while (last->next)
        last = last->next;
    reini_clock_defer(clock, chain, last, reini_run_calls);
}

/* ---- the last release ---- */

/* Without mu: nobody holds the node any more, and so nobody may take a call of it back. */
void reini_drop_calls(struct node *node)
{
    while (node->deps) {
        struct dep *dep = node->deps;
        if (dep->kind != DEP_AFTER)
            reini_panic("callback-outlives-context",
                        "the last reference went with a callback still linked", node);
        dep_unlink(dep);
        reini_after_dropped(CONTAINER_OF(dep, struct after, call.dep));
    }
}
