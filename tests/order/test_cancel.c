/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/order/test_cancel.c: cancellers against each other. */
#include <stdlib.h>

#include "actor.h"
#include "call.h"
#include "core/check.h"
#include "expect.h"
#include "scene.h"
#include "suite.h"

static const rein_reason first = REIN_REASON_INIT(-1, "the first");
static const rein_reason second = REIN_REASON_INIT(-2, "the second");

/* ---- who comes second ---- */

/* A canceller of the same context that comes second returns when the whole subtree is done. */
CASE(ctx_15_loser_waits_for_the_winner, "CTX-15", "P-SYNC")
{
    rein_ctx *top = rein_with_cancel(rein_background());
    rein_ctx *leaf = rein_with_cancel(top);
    struct canceller one = {top, &first, leaf, 0}, two = {top, &second, leaf, 0};
    struct actor winner = {.at = "marked-top"}, loser = {.at = "wait-marked"};
    stage();
    actor_start(&winner, cancel_and_look, &one);
    actor_await(&winner);
    ck_assert_int_eq(rein_err(top), -ECANCELED);
    expect_live(leaf); /* CTX-26 */
    actor_start(&loser, cancel_and_look, &two);
    actor_await(&loser);
    actor_go(&loser);
    actor_await_asleep(&loser);
    actor_finish(&winner);
    actor_join(&loser);
    ck_assert_int_eq(one.saw, -ECANCELED);
    ck_assert_int_eq(two.saw, -ECANCELED);
    expect_end(top, -ECANCELED, &first);
    expect_end(leaf, -ECANCELED, &first);
    curtain();
    rein_end(leaf);
    rein_end(top);
}

/* An outer cancel that meets an inner one returns when that one's subtree is done, too; and what
 * the inner one ended keeps its cause. */
CASE(ctx_14_outer_waits_for_the_inner, "CTX-14", "CTX-19", "P-SYNC")
{
    rein_ctx *top = rein_with_cancel(rein_background());
    rein_ctx *middle = rein_with_cancel(top), *leaf = rein_with_cancel(middle);
    rein_ctx *beside = rein_with_cancel(top);
    struct canceller one = {middle, &first, leaf, 0}, two = {top, &second, leaf, 0};
    struct actor inner = {.at = "marked-top"}, outer = {.at = "wait-marked"};
    stage();
    actor_start(&inner, cancel_and_look, &one);
    actor_await(&inner);
    expect_live(top);
    actor_start(&outer, cancel_and_look, &two);
    actor_await(&outer);
    expect_live(leaf);
    actor_finish(&inner);
    actor_finish(&outer);
    ck_assert_int_eq(two.saw, -ECANCELED);
    expect_end(middle, -ECANCELED, &first);
    expect_end(leaf, -ECANCELED, &first);
    expect_end(top, -ECANCELED, &second);
    expect_end(beside, -ECANCELED, &second);
    curtain();
    rein_end(leaf);
    rein_end(middle);
    rein_end(beside);
    rein_end(top);
}

/* The same through the second parent of a merge, which the first one's walk is just in. */
CASE(ctx_14_outer_waits_for_a_merge_being_marked, "CTX-14", "P-SYNC")
{
    for (int also = 0; also < 2; also++) {
        rein_ctx *a = rein_with_cancel(rein_background()), *b = rein_with_cancel(rein_background());
        rein_ctx *merged = also ? rein_merge(b, a) : rein_merge(a, b);
        rein_ctx *leaf = rein_with_cancel(merged), *before = rein_with_cancel(merged);
        struct canceller one = {a, &first, leaf, 0}, two = {b, &second, leaf, 0};
        struct actor walk_a = {.at = "pass"}, walk_b = {.at = "wait-marked"};
        stage();
        actor_start(&walk_a, cancel_and_look, &one);
        actor_await(&walk_a); /* at the one before the leaf */
        expect_live(leaf);
        actor_start(&walk_b, cancel_and_look, &two);
        if (actor_stands(&walk_b))
            actor_go(&walk_b);
        actor_finish(&walk_a);
        actor_join(&walk_b);
        curtain();
        ck_assert_int_eq(one.saw, -ECANCELED);
        ck_assert_int_eq(two.saw, -ECANCELED);
        expect_end(merged, -ECANCELED, &first);
        expect_end(leaf, -ECANCELED, &first);
        ck_assert_uint_eq(reini_check_dependents(b), 0);
        rein_end(before);
        rein_end(leaf);
        rein_end(merged);
        rein_end(a);
        rein_end(b);
    }
}

/* A merge with a callback, ended by the walk of one parent while others come and go on the list of
 * the other: that list stays whole. */
CASE(ctx_20_merge_with_calls_leaves_the_other_parent, "CTX-20", "P-LIFETIME")
{
    for (int also = 0; also < 2; also++) {
        rein_ctx *a = rein_with_cancel(rein_background()), *b = rein_with_cancel(rein_background());
        rein_ctx *before = rein_with_cancel(b);
        rein_ctx *merged = also ? rein_merge(b, a) : rein_merge(a, b);
        rein_ctx *after = rein_with_cancel(b), *leaf = rein_with_cancel(merged);
        rein_callback callback;
        ck_assert(rein_callback_add(merged, &callback, do_nothing, NULL));
        struct actor walk = {.at = "complete"};
        stage();
        actor_start(&walk, cancel, a);
        actor_await(&walk);
        actor_go_to(&walk, "pass", 0);
        actor_await(&walk);
        rein_end(after);
        after = rein_with_cancel(b);
        actor_finish(&walk);
        curtain();
        ck_assert_uint_eq(reini_check_dependents(b), 2);
        ck_assert_uint_eq(reini_check_tree(b), 3);
        ck_assert(!rein_callback_remove(&callback));
        rein_end(leaf);
        rein_end(merged);
        rein_end(after);
        rein_end(before);
        rein_end(a);
        rein_end(b);
    }
}

/* Both parents of a merge are cancelled at once: each walk has its list before either gets to the
 * merge; it has one cause, and so has all below it. */
CASE(ctx_13_both_parents_of_a_merge_at_once, "CTX-13", "CTX-14", "P-SYNC")
{
    for (int order = 0; order < 2; order++) {
        rein_ctx *parent[2] = {rein_with_cancel(rein_background()),
                               rein_with_cancel(rein_background())};
        rein_ctx *merged = rein_merge(parent[0], parent[1]), *leaf = rein_with_cancel(merged);
        struct canceller by[2] = {{parent[0], &first, leaf, 0}, {parent[1], &second, leaf, 0}};
        struct actor walk[2] = {{.at = "marked-top"}, {.at = "marked-top"}};
        stage();
        for (int i = 0; i < 2; i++) {
            actor_start(&walk[i], cancel_and_look, &by[i]);
            actor_await(&walk[i]);
        }
        actor_go_to(&walk[order], "complete", 0);
        actor_await(&walk[order]);
        actor_go_to(&walk[!order], "wait-marked", 0);
        actor_await(&walk[!order]);
        actor_finish(&walk[order]);
        actor_finish(&walk[!order]);
        ck_assert_int_eq(by[0].saw, -ECANCELED);
        ck_assert_int_eq(by[1].saw, -ECANCELED);
        expect_end(merged, -ECANCELED, by[order].reason);
        expect_end(leaf, -ECANCELED, by[order].reason);
        curtain();
        rein_end(leaf);
        rein_end(merged);
        rein_end(parent[0]);
        rein_end(parent[1]);
    }
}

/* A diamond is one subtree, reached twice: its bottom is marked once, and both sides wait for
 * it. */
CASE(ctx_14_diamond, "CTX-14", "P-SYNC")
{
    for (int side = 0; side < 2; side++) {
        rein_ctx *top = rein_with_cancel(rein_background());
        rein_ctx *left = rein_with_cancel(top), *right = rein_with_cancel(top);
        rein_ctx *bottom = rein_merge(left, right), *leaf = rein_with_cancel(bottom);
        struct canceller one = {side ? left : right, &first, leaf, 0},
                         two = {top, &second, leaf, 0};
        struct actor inner = {.at = "complete"}, outer = {.at = "wait-marked"};
        stage();
        actor_start(&inner, cancel_and_look, &one);
        actor_await(&inner);
        actor_start(&outer, cancel_and_look, &two);
        actor_await(&outer);
        actor_finish(&inner);
        actor_finish(&outer);
        ck_assert_int_eq(two.saw, -ECANCELED);
        expect_end(bottom, -ECANCELED, &first);
        expect_end(leaf, -ECANCELED, &first);
        expect_end(side ? right : left, -ECANCELED, &second);
        curtain();
        rein_end(leaf);
        rein_end(bottom);
        rein_end(left);
        rein_end(right);
        rein_end(top);
    }
}

/* ---- many below ---- */

struct forest {
    rein_ctx *top, *child, **leaves;
    size_t n;
};

static void all_are_done(const struct forest *forest)
{
    for (size_t i = 0; i < forest->n; i++)
        ck_assert_int_eq(rein_err(forest->leaves[i]), -ECANCELED);
}

static void cancel_child(void *arg)
{
    struct forest *forest = arg;
    rein_cancel_cause(forest->child, &first);
    all_are_done(forest);
}

static void cancel_top(void *arg)
{
    struct forest *forest = arg;
    rein_cancel_cause(forest->top, &second);
    all_are_done(forest);
}

/* A child with 100,000 descendants is cancelled while its parent is: at each return all are
 * done. */
CASE_LONG(120, ctx_14_hundred_thousand_below_two_cancellers, "CTX-14", "CTX-15", "P-SYNC")
{
    size_t rounds = suite_rounds(10);
    for (size_t round = 0; round < rounds; round++) {
        struct forest forest = {.n = suite_scale(100000)};
        uint64_t random = suite_seed() + round;
        forest.top = rein_with_cancel(rein_background());
        forest.child = rein_with_cancel(forest.top);
        forest.leaves = malloc(forest.n * sizeof *forest.leaves);
        for (size_t i = 0; i < forest.n; i++) { /* wide and deep by turns */
            bool deeper = i > 0 && suite_random(&random) % 3 != 0;
            size_t under = i > 100 && suite_random(&random) % 2 ? suite_random(&random) % i : i - 1;
            forest.leaves[i] = rein_with_cancel(deeper ? forest.leaves[under] : forest.child);
        }
        race_pair(round % 2 ? cancel_child : cancel_top, round % 2 ? cancel_top : cancel_child,
                  &forest);
        ck_assert_uint_eq(reini_check_dependents(forest.top), 0);
        for (size_t i = 0; i < forest.n; i++)
            rein_end(forest.leaves[i]);
        free(forest.leaves);
        rein_end(forest.child);
        rein_end(forest.top);
    }
}

/* ---- callbacks that cancel ---- */

static void cancel_arg(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    rein_cancel(arg);
}

/* A callback may cancel the very context that is being cancelled. */
CASE(ctx_65_callback_cancels_its_own_context, "CTX-65")
{
    rein_ctx *ctx = rein_with_cancel(rein_background()), *child = rein_with_cancel(ctx);
    rein_callback callback, below;
    ck_assert(rein_callback_add(ctx, &callback, cancel_arg, ctx));
    ck_assert(rein_callback_add(child, &below, cancel_arg, ctx));
    rein_cancel(ctx);
    ck_assert(!rein_callback_remove(&callback));
    ck_assert(!rein_callback_remove(&below));
    rein_end(child);
    rein_end(ctx);
}

/* A callback may cancel an ancestor that another thread is just cancelling; it waits for that one's
 * marking, which waits for nobody's callback. */
CASE(ctx_65_callback_cancels_an_ancestor_being_cancelled, "CTX-65", "CTX-16")
{
    rein_ctx *top = rein_with_cancel(rein_background()), *child = rein_with_cancel(top);
    rein_callback callback;
    ck_assert(rein_callback_add(child, &callback, cancel_arg, top));
    struct actor inner = {.at = "claimed"}, outer = {.at = "marked-top"};
    stage();
    actor_start(&inner, cancel, child);
    actor_await(&inner);
    actor_start(&outer, cancel, top);
    actor_await(&outer);
    actor_go_to(&inner, "wait-marked", 0); /* within the callback */
    actor_await(&inner);
    actor_finish(&outer);
    actor_finish(&inner);
    ck_assert(!rein_callback_remove(&callback));
    curtain();
    rein_end(child);
    rein_end(top);
}

/* Two trees whose callbacks cancel each other, both cancelled at once. */
CASE(ctx_65_trees_that_cancel_each_other, "CTX-65", "CTX-13")
{
    for (int claimed = 0; claimed < 2; claimed++) {
        rein_ctx *a = rein_with_cancel(rein_background()), *b = rein_with_cancel(rein_background());
        rein_ctx *below_a = rein_with_cancel(a), *below_b = rein_with_cancel(b);
        rein_callback on_a, on_b;
        ck_assert(rein_callback_add(below_a, &on_a, cancel_arg, b));
        ck_assert(rein_callback_add(below_b, &on_b, cancel_arg, a));
        struct actor cancels_a = {.at = claimed ? "claimed" : "marked-top"};
        struct actor cancels_b = {.at = "marked-top"};
        stage();
        actor_start(&cancels_a, cancel, a);
        actor_await(&cancels_a);
        actor_start(&cancels_b, cancel, b);
        actor_await(&cancels_b);
        if (claimed) {
            actor_go_to(&cancels_a, "wait-marked", 0);
            actor_await(&cancels_a);
            actor_finish(&cancels_b);
            actor_finish(&cancels_a);
        } else {
            actor_go(&cancels_a);
            actor_finish(&cancels_b);
            actor_join(&cancels_a);
        }
        expect_canceled(below_a);
        expect_canceled(below_b);
        ck_assert(!rein_callback_remove(&on_a));
        ck_assert(!rein_callback_remove(&on_b));
        curtain();
        rein_end(below_a);
        rein_end(below_b);
        rein_end(a);
        rein_end(b);
    }
}

/* ---- CTX-27 ---- */

/* Whoever is told of the parent's end may cancel the child at once, whatever the parent's canceller
 * is at. */
CASE(ctx_27_woken_by_the_parent_cancels_the_child, "CTX-27")
{
    static const char *const steps[] = {"marked-top", "pass", "complete"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        rein_ctx *parent = rein_with_cancel(rein_background());
        rein_ctx *child = rein_with_cancel(parent), *leaf = rein_with_cancel(child);
        struct actor canceller = {.at = steps[i]};
        struct canceller woken = {child, &second, leaf, 0};
        struct actor watcher = {.at = "wait-marked"};
        stage();
        actor_start(&canceller, cancel, parent);
        actor_await(&canceller);
        ck_assert_int_eq(rein_err(parent), -ECANCELED);
        actor_start(&watcher, cancel_and_look, &woken);
        if (actor_stands(&watcher))
            actor_go(&watcher);
        actor_finish(&canceller);
        actor_join(&watcher);
        ck_assert_int_eq(woken.saw, -ECANCELED);
        if (i == 0)
            expect_end(child, -ECANCELED, &second);
        else
            expect_canceled(child);
        curtain();
        rein_end(leaf);
        rein_end(child);
        rein_end(parent);
    }
}

/* The same the other way round: the parent's canceller comes to a child that is just being
 * cancelled by whoever was woken. */
CASE(ctx_27_canceller_meets_the_woken_one, "CTX-27", "CTX-14")
{
    rein_ctx *parent = rein_with_cancel(rein_background());
    rein_ctx *child = rein_with_cancel(parent), *leaf = rein_with_cancel(child);
    struct canceller outer = {parent, &first, leaf, 0}, inner = {child, &second, leaf, 0};
    struct actor canceller = {.at = "marked-top"}, watcher = {.at = "marked-top"};
    stage();
    actor_start(&canceller, cancel_and_look, &outer);
    actor_await(&canceller);
    actor_start(&watcher, cancel_and_look, &inner);
    actor_await(&watcher);
    actor_go_to(&canceller, "wait-marked", 0);
    actor_await(&canceller);
    actor_finish(&watcher);
    actor_finish(&canceller);
    ck_assert_int_eq(outer.saw, -ECANCELED);
    expect_end(leaf, -ECANCELED, &second);
    curtain();
    rein_end(leaf);
    rein_end(child);
    rein_end(parent);
}

/* And to one that is marked, and about to leave its list. */
CASE(ctx_27_child_leaves_while_the_parent_ends, "CTX-27")
{
    rein_ctx *parent = rein_with_cancel(rein_background()), *child = rein_with_cancel(parent);
    struct actor leaver = {.at = "leave"};
    stage();
    actor_start(&leaver, cancel, child);
    actor_await(&leaver);
    rein_cancel(parent);
    actor_finish(&leaver);
    curtain();
    expect_canceled(parent);
    expect_canceled(child);
    rein_end(child);
    rein_end(parent);
}

struct interlocked {
    rein_ctx *parent, *child;
};

static void cancel_parent(void *arg)
{
    rein_cancel(((struct interlocked *)arg)->parent);
}

static void wait_and_cancel_child(void *arg)
{
    struct interlocked *both = arg;
    ck_assert_int_eq(rein_wait(both->parent), -ECANCELED);
    rein_cancel(both->child);
    ck_assert_int_eq(rein_err(both->child), -ECANCELED);
}

/* And without a script, a good many times. */
CASE_LONG(60, ctx_27_interlocked_many_times, "CTX-27")
{
    for (size_t round = suite_rounds(2000); round > 0; round--) {
        rein_ctx *parent = rein_with_cancel(rein_background());
        struct interlocked both = {parent, rein_with_cancel(parent)};
        race_pair(cancel_parent, wait_and_cancel_child, &both);
        rein_end(both.child);
        rein_end(both.parent);
    }
}

/* ---- err and cause ---- */

static const rein_ctx *looked_at[3];
static int looks;

/* Whoever sees err sees the cause: at whatever step the canceller is. */
static void look_for_cause(const char *step)
{
    for (size_t i = 0; i < sizeof looked_at / sizeof *looked_at; i++) {
        if (rein_err(looked_at[i]) == 0)
            continue;
        ck_assert_msg(rein_cause(looked_at[i]) == &first, "err without its cause at %s", step);
        looks++;
    }
}

CASE(ctx_42_err_never_comes_before_its_cause, "CTX-42", "CTX-43")
{
    rein_ctx *top = rein_with_cancel(rein_background());
    rein_ctx *child = rein_with_cancel(top), *leaf = rein_with_cancel(child);
    int fd;
    ck_assert_int_eq(rein_done_fd(child, &fd), 0);
    looked_at[0] = top;
    looked_at[1] = child;
    looked_at[2] = leaf;
    looks = 0;
    stage();
    stage_look(look_for_cause);
    rein_cancel_cause(top, &first);
    curtain();
    ck_assert_int_gt(looks, 3);
    rein_end(leaf);
    rein_end(child);
    rein_end(top);
}

static void cancel_with_first(void *arg)
{
    rein_cancel_cause(arg, &first);
}

static void spin_on_cause(void *arg)
{
    const rein_reason *cause;
    while ((cause = rein_cause(arg))->code == 0)
        suite_yield();
    ck_assert_ptr_eq(cause, &first);
    ck_assert_int_eq(rein_err(arg), -ECANCELED);
}

/* Whoever polls the cause sees none or the final one, many times. */
CASE_LONG(60, ctx_42_polled_cause_is_final, "CTX-42", "CTX-1")
{
    for (size_t round = suite_rounds(2000); round > 0; round--) {
        rein_ctx *ctx = rein_with_cancel(rein_background());
        race_pair(cancel_with_first, spin_on_cause, ctx);
        rein_end(ctx);
    }
}

/* ---- a thread for every node ---- */

enum { FANOUT = 4, NODES = 85, THREADS = 17 };

struct crowd {
    rein_ctx *nodes[NODES];
    unsigned order[NODES];
};

static void cancel_some(void *arg, unsigned index)
{
    struct crowd *crowd = arg;
    for (unsigned i = index; i < NODES; i += THREADS) {
        unsigned node = crowd->order[i];
        rein_cancel(crowd->nodes[node]);
        for (unsigned below = node * FANOUT + 1; below < NODES && below <= node * FANOUT + FANOUT;
             below++)
            ck_assert_int_eq(rein_err(crowd->nodes[below]), -ECANCELED);
    }
}

/* All nodes of a tree are cancelled at once, in random order. */
CASE_LONG(60, ctx_13_all_nodes_at_once, "CTX-13", "CTX-15")
{
    uint64_t random = suite_seed();
    for (size_t round = suite_rounds(100); round > 0; round--) {
        struct crowd crowd;
        for (unsigned i = 0; i < NODES; i++) {
            crowd.nodes[i] =
                rein_with_cancel(i == 0 ? rein_background() : crowd.nodes[(i - 1) / FANOUT]);
            crowd.order[i] = i;
        }
        for (unsigned i = NODES - 1; i > 0; i--) {
            unsigned j = (unsigned)(suite_random(&random) % (i + 1)), swapped = crowd.order[i];
            crowd.order[i] = crowd.order[j];
            crowd.order[j] = swapped;
        }
        race_run(THREADS, cancel_some, &crowd);
        for (unsigned i = 0; i < NODES; i++)
            rein_end(crowd.nodes[i]);
    }
}
