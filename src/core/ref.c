/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/ref.c: references, owners, and the last release.
 *
 * A release can come at any moment of a walk through the same tree. The last one of a node
 *   1 takes its timer off the clock, so that nobody can find it by that,
 *   2 takes it out of its parents' lists; a list that is a walker's (I3) it does not touch: it
 *     turns LINKED to HANDED and is finished; the walker revives the node for its call phase, and
 *     the release comes here again from there, with all places OUT;
 *   3 makes the calls that a mark left behind, or drops them if there was no mark; closes the
 *     descriptor, gives back what the memory holds,
 *   4 and drops the references to the parents, which may be their last: a list, not a recursion.
 *
 * Orders. Dropping a reference is acq_rel: what any holder did to the context is done before the
 * last one frees it. */
#include "base/fault.h"
#include "base/mem.h"
#include "base/panic.h"
#include "core/node.h"
#include "core/stripe.h"

bool reini_ctx_try_ref(struct ctx *ctx)
{
    uint64_t refs = load_relaxed(&ctx->refs);
    while (REFERENCES(refs) != 0)
        if (cas_relaxed(&ctx->refs, &refs, refs + ONE_VIEW))
            return true;
    return false;
}

/* ---- out of the parents' lists ---- */

/* Let the walker whose list it is have the node. Returns false if the walker is past it already. */
static bool hand_over(struct dep *dep)
{
    /* acquire, acq_rel: the walker that finds HANDED sees all we did to the node; if it was faster
     * and set OUT, we see that it is done with it. */
    uint32_t word = load_acquire(&dep->word);
    while ((word & PLACE) == LINKED)
        if (cas_acq_rel(&dep->word, &word, (word & ~(uint32_t)PLACE) | HANDED))
            return !MISTAKE(handover_ignored);
    return false;
}

/* Who takes a node out of a list: its last release, which alone knows the node or may have to share
 * it with a walker from its other parent; or whoever has marked it. */
enum leaver { RELEASE_ALONE, RELEASE_SHARED, MARKER };

/* Under the lock of the stripe that it has just left, which saves taking it again: the node need
 * not hold its parent any longer, unless somebody's code is yet to run for it. */
static inline void let_go_at_once(struct node *node, struct stripe *stripe)
{
    if (!(node->dep.stripe & HOLDS) || node->deps)
        return;
    stripe->holders -= ONE_CHILD; /* not to 0: the list has not been taken */
    node->dep.stripe = 0;
    node->ctx.parent = NULL;
}

/* Take a place of a node out of that list of source, which is locked and is unlocked here. Returns
 * whether a release has handed it over to a walker; then the node may be gone. */
static ALWAYS_INLINE bool leave_list(struct dep *dep, struct node *source, struct stripe *stripe,
                                     enum leaver leaver) UNCHECKED_LOCKING
{
    bool live = load_relaxed(&source->ctx.word) == 0;
    if (live && (load_relaxed(&dep->word) & PLACE) == LINKED) {
        dep_unlink(dep);
        if (leaver == RELEASE_ALONE) {
            store_relaxed(&dep->word, OUT);
            if (stripe)
                let_go_at_once(CONTAINER_OF(dep, struct node, dep), stripe);
        } else {
            and_relaxed(&dep->word, ~(uint32_t)PLACE);
        }
    }
    unlock_list(source, stripe); /* which may be gone, if it was let go */
    return !live && leaver != MARKER && hand_over(dep);
}

static NOINLINE bool leave_stripe(struct dep *dep, struct node *source, enum leaver leaver)
{
    return leave_list(dep, source, lock_list_of(source, dep), leaver);
}

/* The same for the list that it is in, if any. */
static ALWAYS_INLINE bool leave(struct dep *dep, const struct ctx *parent, enum leaver leaver)
    UNCHECKED_LOCKING
{
    /* acquire: pairs with the walker's exchange to OUT, after which it never looks at us again. */
    if ((load_acquire(&dep->word) & PLACE) == OUT)
        return false;
    struct node *source = source_of(parent);
    STEP("leave");
    if (UNLIKELY(dep->stripe != 0))
        return leave_stripe(dep, source, leaver);
    mutex_lock(&source->mu);
    return leave_list(dep, source, NULL, leaver);
}

void reini_node_leave(struct node *node)
{
    leave(&node->dep, node->ctx.parent, MARKER); /* a detached one is not linked there */
    if (has_two_parents(&node->ctx))
        leave(&joined_of(&node->ctx)->dep_also, joined_of(&node->ctx)->also, MARKER);
}

/* Step 2 for a node with two parents: two walkers may get it; it goes on with whoever of the two
 * and us is the last. */
static COLD bool leave_both(struct node *node)
{
    struct joined *joined = joined_of(&node->ctx);
    uint32_t mine = 1;
    store_relaxed(&joined->handed, 3);
    if (!leave(&node->dep, node->ctx.parent, RELEASE_SHARED))
        mine++;
    if (!leave(&joined->dep_also, joined->also, RELEASE_SHARED))
        mine++;
    /* acq_rel: the last one sees what the others did. */
    return sub_acq_rel(&joined->handed, mine) == mine;
}

/* Step 2. Returns whether the node is ours still: false if some walker is to go on. */
static ALWAYS_INLINE bool leave_for_good(struct node *node)
{
    if (UNLIKELY(has_two_parents(&node->ctx)))
        return leave_both(node);
    return !leave(&node->dep, node->ctx.parent, RELEASE_ALONE);
}

/* ---- the end of the memory ---- */

/* Step 3 for a node. */
static inline void empty(struct node *node)
{
    struct ctx *ctx = &node->ctx;
    if (UNLIKELY(node->deps != NULL) && !is_frozen(ctx))
        reini_drop_calls(node);
    if (UNLIKELY(ctx->aux != NULL))
        reini_rare_free(node);
    /* Err vouches for the record: of a context that was being ended, a fork may have copied
     * half. */
    if (load_relaxed(&ctx->word) != 0 && node->dep.ended == ENDED_HERE && node->reason)
        rein_reason_unref(node->reason);
    if ((ctx->flags & HAS_TIMER) && timed_of(ctx)->cause)
        rein_reason_unref(timed_of(ctx)->cause);
}

/* Step 3 for the others. */
static COLD void empty_special(struct ctx *ctx)
{
    if (is_node(ctx))
        empty(node_of(ctx));
    if (kind_of(ctx) == KIND_FOREIGN)
        reini_foreign_drop(ctx);
    else if (kind_of(ctx) == KIND_CLOCK)
        reini_clock_free_virtual(clock_of(ctx));
}

/* A context whose last reference has gone waits in a list by its limit, which it needs no more. */
struct doomed {
    struct ctx *first;
};

static void doom(struct doomed *doomed, struct ctx *ctx)
{
    ctx->limit = (const struct timed *)(void *)doomed->first;
    doomed->first = ctx;
}

static ALWAYS_INLINE void drop(struct doomed *doomed, const struct ctx *shared)
{
    struct ctx *ctx = (struct ctx *)(uintptr_t)shared;
    if (!ctx || (ctx->flags & IMMORTAL))
        return;
    if (REFERENCES(sub_acq_rel(&ctx->refs, ONE_VIEW)) == 1)
        doom(doomed, ctx);
}

/* Done before its last release, but after the walk had no time for its calls: make them now. */
static COLD void make_calls(struct node *node)
{
    store_relaxed(&node->ctx.refs, ONE_VIEW); /* given back by run_calls; then there are none */
    node->dep.deferred.next = NULL;
    reini_run_calls(&node->dep.deferred);
}

static inline bool has_calls_to_make(struct ctx *ctx, bool plain)
{
    return (plain || is_node(ctx)) && UNLIKELY(node_of(ctx)->deps != NULL) && !is_frozen(ctx) &&
           load_relaxed(&ctx->word) != 0;
}

/* A node with one parent, of this process: nearly all that are ended. What is asked below need not
 * be asked of such again. */
static inline bool is_plain(const struct ctx *ctx)
{
    enum kind kind = kind_of(ctx);
    return (kind == KIND_CANCEL || kind == KIND_DEADLINE) && !is_frozen(ctx);
}

/* Steps 3 and 4. */
static ALWAYS_INLINE void finish(struct doomed *doomed, struct ctx *ctx, bool plain)
{
    if (has_calls_to_make(ctx, plain)) {
        make_calls(node_of(ctx));
        return;
    }
    enum kind kind = kind_of(ctx);
    const struct ctx *parent = ctx->parent, *also = NULL;
    uint8_t stripe = 0;
    if (plain || kind == KIND_CANCEL || kind == KIND_DEADLINE) {
        stripe = node_of(ctx)->dep.stripe;
        empty(node_of(ctx));
    } else if (kind == KIND_VALUE) {
        reini_value_drop(ctx);
    } else {
        empty_special(ctx);
        also = has_two_parents(ctx) ? joined_of(ctx)->also : NULL;
    }
    if (UNLIKELY(ctx->flags & LISTED))
        reini_leak_free(ctx);
    else
        reini_free(ctx);
    if (LIKELY(!(stripe & HOLDS)) || reini_stripe_let_go(node_of(parent), stripe))
        drop(doomed, parent);
    if (UNLIKELY(also != NULL))
        drop(doomed, also);
}

/* Steps 1 and 2; whether to go on. */
static bool retire(struct ctx *ctx)
{
    if (!is_node(ctx) || is_frozen(ctx))
        return true;
    if (ctx->flags & HAS_TIMER)
        reini_clock_disarm(clock_of(ctx), &timed_of(ctx)->timer);
    STEP("last-release");
    return leave_for_good(node_of(ctx));
}

static void bury(struct doomed *doomed)
{
    while (doomed->first) {
        struct ctx *ctx = doomed->first;
        doomed->first = (struct ctx *)(uintptr_t)ctx->limit;
        if (retire(ctx))
            finish(doomed, ctx, false);
    }
}

bool reini_node_revive(struct node *node)
{
    if (has_two_parents(&node->ctx) && sub_acq_rel(&joined_of(&node->ctx)->handed, 1) != 1)
        return false;
    store_relaxed(&node->ctx.refs, ONE_VIEW); /* nobody else knows it any more */
    return true;
}

void reini_ctx_unref(const struct ctx *ctx)
{
    struct doomed doomed = {NULL};
    drop(&doomed, ctx);
    bury(&doomed);
}

/* ---- the public calls ---- */

rein_ctx *rein_share(rein_ctx *shared)
{
    REQUIRE_CONTEXT(shared);
    struct ctx *ctx = ctx_of(shared);
    if (!(ctx->flags & IMMORTAL))
        add_relaxed(&ctx->refs, ONE_OWNER);
    return shared;
}

const rein_ctx *rein_ref(const rein_ctx *ctx)
{
    REQUIRE_CONTEXT(ctx);
    ctx_ref(ctx_of(ctx));
    return ctx;
}

void rein_unref(const rein_ctx *view)
{
    if (!view)
        return;
    struct ctx *ctx = ctx_of(view);
    if (ctx->flags & IMMORTAL)
        return;
    uint64_t refs = load_relaxed(&ctx->refs);
    if (UNLIKELY(REFERENCES(refs) <= OWNERS(refs)))
        reini_panic("unref-without-view", "given back more often than taken", ctx);
    reini_ctx_unref(ctx);
}

/* Besides its one owner, who is ending it; these give up their references. */
static COLD bool is_held_by_idle_stripes(struct ctx *ctx)
{
    if (!is_node(ctx) || is_frozen(ctx))
        return false;
    unsigned idle = reini_stripes_rest(node_of(ctx));
    if (idle > 0)
        reini_stripes_drop(node_of(ctx), idle);
    return load_relaxed(&ctx->refs) == ONE_OWNER;
}

/* In one step, for a walker or the keeper may just be about to take a reference, and after it a
 * last release has no other to meet. */
static ALWAYS_INLINE bool release_as(struct ctx *ctx, bool plain)
{
    uint64_t sole = ONE_OWNER;
    if ((ctx->flags & HAS_TIMER) && (plain || !is_frozen(ctx)))
        reini_clock_disarm(clock_of(ctx), &timed_of(ctx)->timer);
    if (!cas_acq_rel(&ctx->refs, &sole, 0))
        return false;
    struct doomed doomed = {NULL};
    STEP("last-release");
    bool ours = plain ? !leave(&node_of(ctx)->dep, ctx->parent, RELEASE_ALONE)
                      : !is_node(ctx) || is_frozen(ctx) || leave_for_good(node_of(ctx));
    if (LIKELY(ours))
        finish(&doomed, ctx, plain);
    if (UNLIKELY(doomed.first != NULL))
        bury(&doomed);
    return true;
}

static NOINLINE bool release_special(struct ctx *ctx)
{
    return release_as(ctx, false);
}

/* Nobody else holds it: a mere release. */
static inline bool release_sole(struct ctx *ctx)
{
    if (load_relaxed(&ctx->refs) != ONE_OWNER && !is_held_by_idle_stripes(ctx))
        return false;
    return LIKELY(is_plain(ctx)) ? release_as(ctx, true) : release_special(ctx);
}

void rein_end_at(const char *site, rein_ctx *owner)
{
    if (!owner)
        return;
    struct ctx *ctx = ctx_of(owner);
    if ((ctx->flags & IMMORTAL) || LIKELY(release_sole(ctx)))
        return;
    if (UNLIKELY(OWNERS(load_relaxed(&ctx->refs)) == 0))
        reini_panic_at(site, "end-without-owner", "ended more often than there are owners", ctx);
    if (is_node(ctx))
        rein_cancel_at(site, owner);
    struct doomed doomed = {NULL};
    if (REFERENCES(sub_acq_rel(&ctx->refs, ONE_OWNER)) == 1)
        doom(&doomed, ctx);
    bury(&doomed);
}

void(rein_end)(rein_ctx *ctx)
{
    rein_end_at("rein_end", ctx);
}
