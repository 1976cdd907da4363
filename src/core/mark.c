/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/mark.c: how "done" is decided once, and spread to everything below.
 *
 * The walk goes down and up by the links alone: no stack, no memory, one node's mu at a time. Of a
 * node it has just marked it takes the whole list of dependents for its own (I3); a child with
 * dependents is marked and becomes the node where the walk is, `at`; when its list is through, it
 * is MARKED, and the walk goes back to the parent it came from (dep.via) and on to the next there.
 *
 * What keeps a node in memory while the walk is at it: the top, its caller's reference; any other,
 * its place, which is not OUT before the walk is past (ref.c, step 2). A node with calls to make
 * gets a reference, which reini_run_calls() gives back; if that fails, its last release is under
 * way, and the calls are left for it to make.
 *
 * Waiting for another marker (I4) cannot be a circle: everybody waits for nodes below those he has
 * marked himself, and "below" has no circles, also where nodes have two parents. */
#include "base/fault.h"
#include "core/node.h"
#include "core/stripe.h"
#include "core/waiter.h"
#include "wait/lot.h"

struct walk {
    const struct node *top;
    int err;
    struct deferred *calls; /* nodes set aside for the call phase */
};

const struct node *reini_end_of(const struct ctx *ctx)
{
    if (rein_err(public_of(ctx)) == 0)
        return NULL;
    const struct node *node = source_of(ctx);
    return node->dep.ended == ENDED_HERE ? node : node->origin;
}

/* ---- whether all below is done ---- */

void reini_wait_marked(struct node *node)
{
    uint32_t word;
    /* acquire: pairs with the release that set MARKED; the subtree's errs are seen after it. */
    while (!((word = load_acquire(&node->dep.word)) & MARKED)) {
        if (!(word & WAITED) && !cas_relaxed(&node->dep.word, &word, word | WAITED))
            continue;
        STEP("wait-marked");
        reini_lot_wait(&node->dep.word, word | WAITED);
    }
}

static void set_marked(struct node *node)
{
    if (or_release(&node->dep.word, MARKED) & WAITED)
        reini_lot_wake(&node->dep.word);
}

/* ---- one node ---- */

/* Under mu: let the world see it. The descriptor is made readable between "settling" and err: who
 * asks in between makes it readable himself, so that err and descriptor never disagree. */
static void publish(struct node *node, int err)
{
    if (UNLIKELY(node->ctx.aux != NULL))
        reini_done_fd_settle(node, err);
    /* release: pairs with the acquire in rein_err(); the record of the end, and all that the
     * canceller did before, is seen by whoever sees err. */
    store_release(&node->ctx.word, err);
}

/* Take the list of dependents. Under mu. */
static struct dep *take_dependents(struct node *node)
{
    struct dep *deps = node->deps;
    node->deps = NULL;
    return deps;
}

static void disarm(struct node *node)
{
    if (node->ctx.flags & HAS_TIMER)
        reini_clock_disarm(clock_of(&node->ctx), &timed_of(&node->ctx)->timer);
}

/* Set a node aside for the call phase; a reference goes with it. Its own pprev is of no use any
 * more: either its parent is marked, or it has left it. */
static void set_aside(struct walk *walk, struct node *node)
{
    node->dep.deferred.next = walk->calls;
    walk->calls = &node->dep.deferred;
}

/* MARKED and OUT of the walk's list, in one step where there is but one list. Returns what its word
 * was. acq_rel: a release that comes later sees that we are past; of one that came before and
 * handed the node over, we see all it did. */
static uint32_t mark_and_take_out(struct node *node, struct dep *dep)
{
    if (UNLIKELY(has_two_parents(&node->ctx))) {
        set_marked(node);
        reini_node_leave(node); /* its other parent: not before it is marked, I4 */
        return and_acq_rel(&dep->word, ~(uint32_t)PLACE);
    }
    uint32_t before = exchange_acq_rel(&dep->word, MARKED);
    if (before & WAITED)
        reini_lot_wake(&dep->word); /* uses only the address: the node may be gone */
    return before;
}

/* The walk is past this place: all below is done. Afterwards the node may be gone. If it was handed
 * over, its release is finished in the call phase, since giving a value back is user code. */
static void pass(struct walk *walk, struct dep *dep)
{
    struct node *node = child_of(dep);
    STEP("pass");
    if ((mark_and_take_out(node, dep) & PLACE) == HANDED && reini_node_revive(node))
        set_aside(walk, node);
}

/* A marked node that has left its parents: set it aside if it has calls. */
static void set_marked_aside(struct walk *walk, struct node *node)
{
    mutex_lock(&node->mu);
    bool calls = node->deps != NULL;
    mutex_unlock(&node->mu);
    if (calls && reini_ctx_try_ref(&node->ctx))
        set_aside(walk, node);
}

/* The walk is back at node, the last of whose dependents it has passed. */
static void complete(struct walk *walk, struct node *node)
{
    STEP("complete");
    if (UNLIKELY(has_two_parents(&node->ctx))) {
        set_marked(node); /* its place with the other parent is in use until it has left that */
        reini_node_leave(node);
        set_marked_aside(walk, node);
    } else if (node->deps && reini_ctx_try_ref(&node->ctx)) {
        set_aside(walk, node);
    }
}

/* ---- the walk ---- */

/* The next list of a marked node: that of the first of its stripes from number `stripe` + 1 on that
 * is not empty; 0: its own list was the last. NULL if there is none. By S1 they are known by
 * now. */
static inline struct dep *next_list(struct node *node, unsigned stripe)
{
    struct stripes *stripes = stripes_of(node);
    return UNLIKELY(stripes != NULL) ? reini_stripes_take(node, stripes, stripe) : NULL;
}

/* Mark a child, unless it was done already; then wait until its subtree is, too. Returns the first
 * list of dependents to go on with, or NULL when the subtree is done. */
static struct dep *mark_child(struct walk *walk, struct node *node, struct dep *via)
{
    struct dep *deps = NULL;
    mutex_lock(&node->mu);
    bool first = load_relaxed(&node->ctx.word) == 0;
    if (first) {
        if (MISTAKE(err_before_cause)) {
            publish(node, walk->err);
            STEP("err-before-cause");
        }
        node->dep.ended = ENDED_ABOVE;
        node->origin = walk->top;
        node->dep.via = via->kind;
        publish(node, walk->err);
        deps = take_dependents(node);
    }
    mutex_unlock(&node->mu);
    if (!first && !MISTAKE(loser_returns_early))
        reini_wait_marked(node);
    if (first)
        disarm(node);
    return deps || !first ? deps : next_list(node, 0);
}

/* Where the walk came from to node: its place in the list, and the node whose list that is. */
static struct dep *place_of(struct node *node)
{
    return node->dep.via == DEP_CHILD ? &node->dep : &joined_of(&node->ctx)->dep_also;
}

static struct node *above(struct node *node)
{
    return source_of(node->dep.via == DEP_CHILD ? node->ctx.parent : joined_of(&node->ctx)->also);
}

/* Go through the subtree below top, whose first list of dependents is deps. */
static void spread(struct walk *walk, struct node *top, struct dep *deps)
{
    struct node *at = top;
    unsigned stripe = stripe_number(deps->stripe); /* in whose list dep is; of at */
    for (struct dep *dep = deps;;) {
        if (!dep && (dep = next_list(at, stripe)))
            stripe = stripe_number(dep->stripe);
        if (!dep) {
            if (at == top)
                return;
            complete(walk, at);
            struct dep *place = place_of(at);
            at = above(at);
            dep = place->next;
            stripe = stripe_number(place->stripe);
            pass(walk, place);
            continue;
        }
        struct dep *next = dep->next;
        if (dep->kind == DEP_WAITER) {
            reini_waiter_signal(dep);
        } else if (dep->kind >= DEP_CALLBACK) {
            dep_push(&at->deps, dep); /* ours until we complete `at`; then mu's again, I5 */
        } else {
            if (next)
                __builtin_prefetch(next, 1);
            struct node *child = child_of(dep);
            struct dep *below = mark_child(walk, child, dep);
            if (below) {
                at = child;
                dep = below;
                stripe = stripe_number(below->stripe);
                continue;
            }
            pass(walk, dep);
        }
        dep = next;
    }
}

void reini_mark_above(struct node *node, const struct node *end)
{
    int err = rein_err(public_of(&end->ctx));
    mutex_lock(&node->mu);
    if (load_relaxed(&node->ctx.word) == 0) {
        node->dep.ended = ENDED_ABOVE;
        node->origin = end;
        publish(node, err);
    }
    mutex_unlock(&node->mu);
    set_marked(node);
    reini_node_leave(node);
}

struct deferred *reini_mark(struct node *node, struct ending ending)
{
    struct walk walk = {.top = node, .err = ending.err};
    struct dep *deps = NULL;
    int64_t now = load_relaxed(&node->ctx.word) == 0 ? clock_now(clock_of(&node->ctx)) : 0;
    if (MISTAKE(leaves_parent_before_marking))
        reini_node_leave(node);
    bool narrow = MISTAKE(stripes_looked_for_too_soon) && !stripes_of(node);
    STEP("mark");
    mutex_lock(&node->mu);
    bool first = load_relaxed(&node->ctx.word) == 0;
    if (first) {
        if (MISTAKE(err_before_cause)) {
            publish(node, ending.err);
            STEP("err-before-cause");
        }
        node_record(node, &ending, now);
        publish(node, ending.err);
        deps = take_dependents(node);
    }
    mutex_unlock(&node->mu);
    STEP("marked-top");
    if (!first) {
        rein_reason_unref(ending.reason);
        if (!MISTAKE(loser_returns_early))
            reini_wait_marked(node);
        return NULL;
    }
    struct dep *first_list = deps || narrow ? deps : next_list(node, 0);
    if (first_list)
        spread(&walk, node, first_list);
    set_marked(node);
    disarm(node);
    reini_node_leave(node);
    if (deps)
        set_marked_aside(&walk, node); /* not sooner: its place was in use until it had left */
    return walk.calls;
}
