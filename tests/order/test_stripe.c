/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/order/test_stripe.c: a node that many threads share, and its becoming striped.
 *
 * All other cases are run with striped nodes, too (scripts/test, legs striped and turns); here is
 * what is about the stripes themselves. */
#include <rein/library.h>
#include <rein/testing.h>
#include <sched.h>
#include <unistd.h>

#include "actor.h"
#include "base/fault_control.h"
#include "core/check.h"
#include "core/node.h"
#include "expect.h"
#include "scene.h"
#include "suite.h"

static const rein_reason why = REIN_REASON_INIT(-1, "why");

struct family {
    rein_ctx *parent, *child;
};

static void derive(void *arg)
{
    struct family *family = arg;
    family->child = rein_with_cancel(family->parent);
}

static void derive_in_stripe(void *arg)
{
    reini_fault_force_lists(FAULT_STRIPED);
    derive(arg);
}

static void cancel_parent(void *arg)
{
    rein_cancel_cause(((struct family *)arg)->parent, &why);
}

static rein_ctx *striped(void)
{
    reini_fault_force_lists(FAULT_STRIPED);
    return rein_with_cancel(rein_background());
}

/* ---- when ---- */

/* A child that is derived while the director has mu, who gives it up once somebody sleeps on it. */
static void meet(struct node *node, struct family *family)
{
    struct actor deriver = {.at = NULL};
    mutex_lock(&node->mu);
    actor_start(&deriver, derive, family);
    actor_await_asleep(&deriver);
    mutex_unlock(&node->mu);
    actor_join(&deriver);
}

static void count_processors_where_pinned(void *processors)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    *(uint32_t *)processors = reini_plat_processors();
}

/* A thread that keeps to one processor is not the only one that will use the stripes it makes. */
CASE(p_scale_as_many_stripes_for_a_pinned_thread, "P-SCALE")
{
    uint32_t processors = 0;
    struct race_thread pinned;
    race_thread_start(&pinned, 0, count_processors_where_pinned, &processors);
    race_thread_join(&pinned);
    ck_assert_uint_eq(processors, reini_plat_processors());
}

struct visits {
    struct family family;
    struct race_count comes, goes; /* how often the visitor has come to mu, and gone on */
};

static void visit(void *arg)
{
    enum { MANY = 16 };
    struct visits *visits = arg;
    for (int i = 0; i < MANY; i++) {
        while (race_value(&visits->comes) == race_value(&visits->goes))
            sched_yield();
        derive(&visits->family);
        rein_end(visits->family.child);
        race_add(&visits->goes, 1);
    }
}

/* A thread that finds mu held now and then leaves it at that; one that does so each time makes the
 * node striped, and from then on its children are in stripes. */
CASE(p_scale_striped_once_threads_keep_meeting, "P-SCALE")
{
    reini_fault_force_lists(FAULT_BY_LOAD);
    struct visits visits = {{rein_with_cancel(rein_background()), NULL}, {0}, {0}};
    struct node *node = node_of(ctx_of(visits.family.parent));
    struct family once = {visits.family.parent, NULL};
    stage();
    for (int i = 0; i < 20; i++) { /* twenty threads, each of which meets us but once */
        meet(node, &once);
        rein_end(once.child);
    }
    ck_assert_uint_eq(reini_check_stripes(once.parent), 0);
    struct actor visitor = {.at = NULL};
    actor_start(&visitor, visit, &visits);
    for (int i = 0; i < 16; i++) {
        mutex_lock(&node->mu);
        race_add(&visits.comes, 1);
        if (reini_check_stripes(once.parent) == 0)
            actor_await_asleep(&visitor);
        mutex_unlock(&node->mu);
        while (race_value(&visits.goes) <= (uint64_t)i)
            sched_yield();
    }
    actor_join(&visitor);
    curtain();
    ck_assert_uint_ge(reini_check_stripes(once.parent), 8);
    derive(&once);
    ck_assert_uint_ne(node_of(ctx_of(once.child))->dep.stripe, 0);
    rein_end(once.child);
    rein_end(once.parent);
}

/* ---- becoming striped while it ends ---- */

/* The canceller comes when the node is narrow, and marks it when it is striped. */
CASE(p_scale_striped_while_the_node_ends, "P-SCALE", "CTX-22", "P-SYNC")
{
    reini_fault_force_lists(FAULT_NARROW);
    struct family family = {rein_with_cancel(rein_background()), NULL};
    struct actor canceller = {.at = "mark"};
    stage();
    actor_start(&canceller, cancel_parent, &family);
    actor_await(&canceller);
    derive_in_stripe(&family);
    ck_assert_uint_ne(reini_check_stripes(family.parent), 0);
    expect_live(family.child);
    actor_finish(&canceller);
    curtain();
    expect_end(family.child, -ECANCELED, &why);
    rein_end(family.child);
    rein_end(family.parent);
}

/* The node ends between the making of the stripes and their hanging on it: it stays narrow. */
CASE(p_scale_ended_before_it_is_striped, "P-SCALE", "CTX-22")
{
    struct family family = {rein_with_cancel(rein_background()), NULL};
    struct actor deriver = {.at = "widen"};
    stage();
    actor_start(&deriver, derive_in_stripe, &family);
    actor_await(&deriver);
    cancel_parent(&family);
    actor_finish(&deriver);
    curtain();
    ck_assert_uint_eq(reini_check_stripes(family.parent), 0);
    expect_end(family.child, -ECANCELED, &why);
    rein_end(family.child);
    rein_end(family.parent);
}

/* Two threads make it striped at once: the stripes of one are used by both. */
CASE(p_scale_striped_by_two_at_once, "P-SCALE")
{
    struct family one = {rein_with_cancel(rein_background()), NULL}, other = one;
    struct actor deriver = {.at = "widen"};
    stage();
    actor_start(&deriver, derive_in_stripe, &one);
    actor_await(&deriver);
    derive_in_stripe(&other);
    actor_finish(&deriver);
    curtain();
    ck_assert_uint_eq(reini_check_dependents(one.parent), 2);
    cancel_parent(&one);
    expect_end(one.child, -ECANCELED, &why);
    expect_end(other.child, -ECANCELED, &why);
    rein_end(one.child);
    rein_end(other.child);
    rein_end(one.parent);
}

/* A descriptor that is asked for before, after, or at the same time hangs on the same block. */
CASE(p_scale_striped_with_a_descriptor, "P-SCALE", "CTX-32")
{
    for (int after = 0; after < 2; after++) {
        struct family family = {rein_with_cancel(rein_background()), NULL};
        if (!after)
            ck_assert(!has_fired(family.parent));
        derive_in_stripe(&family);
        ck_assert(!has_fired(family.parent));
        cancel_parent(&family);
        ck_assert(has_fired(family.parent));
        expect_end(family.child, -ECANCELED, &why);
        rein_end(family.child);
        rein_end(family.parent);
    }
}

/* ---- in a stripe ---- */

/* A child that comes to its stripe after the node was marked and the stripe's list taken. */
CASE(ctx_22_linked_to_a_stripe_while_the_node_ends, "CTX-22", "CTX-21", "P-SCALE")
{
    struct family before = {striped(), NULL}, late = before;
    derive(&before); /* so that there are stripes */
    struct actor deriver = {.at = "link"};
    stage();
    actor_start(&deriver, derive, &late);
    actor_await(&deriver);
    cancel_parent(&before);
    actor_finish(&deriver);
    curtain();
    expect_end(late.child, -ECANCELED, &why);
    expect_end(before.child, -ECANCELED, &why);
    ck_assert_uint_eq(reini_check_dependents(before.parent), 0);
    rein_end(late.child);
    rein_end(before.child);
    rein_end(before.parent);
}

/* Children come and go while the node is marked and its stripes are yet to be taken. */
CASE(p_lifetime_released_before_its_stripe_is_taken, "P-LIFETIME", "CTX-25", "P-SCALE")
{
    struct family gone = {striped(), NULL}, stays = gone, late = gone;
    derive(&gone);
    derive(&stays);
    struct actor canceller = {.at = "stripe-take"};
    stage();
    actor_start(&canceller, cancel_parent, &gone);
    actor_await(&canceller);
    rein_end(gone.child); /* handed to the walk, which is not there yet */
    derive(&late);
    expect_end(late.child, -ECANCELED, &why);
    actor_finish(&canceller);
    curtain();
    expect_end(stays.child, -ECANCELED, &why);
    rein_end(late.child);
    rein_end(stays.child);
    rein_end(gone.parent);
}

/* A child in a stripe keeps its parent, which has been ended, and with it the parent's cause. */
CASE(p_lifetime_a_child_in_a_stripe_keeps_its_parent, "P-LIFETIME", "P-SCALE")
{
    struct race_count gone = {0};
    reini_fault_force_lists(FAULT_STRIPED);
    struct family family = {counted_child(rein_background(), &gone), NULL}, also = family;
    derive(&family);
    derive(&also);
    cancel_parent(&family);
    rein_end(family.parent);
    ck_assert_uint_eq(race_value(&gone), 0);
    expect_end(family.child, -ECANCELED, &why);
    rein_end(family.child);
    ck_assert_uint_eq(race_value(&gone), 0);
    expect_end(also.child, -ECANCELED, &why);
    rein_end(also.child);
    ck_assert_uint_eq(race_value(&gone), 1);
}

/* The last children of an ended parent go on two threads at once. */
CASE(p_lifetime_the_last_two_of_a_stripe_go_at_once, "P-LIFETIME", "P-SCALE")
{
    struct race_count gone = {0};
    reini_fault_force_lists(FAULT_STRIPED);
    struct family one = {counted_child(rein_background(), &gone), NULL}, other = one;
    derive(&one);
    derive(&other);
    rein_end(one.parent);
    struct actor ender = {.at = "last-release"};
    stage();
    actor_start(&ender, end, one.child);
    actor_await(&ender);
    rein_end(other.child);
    ck_assert_uint_eq(race_value(&gone), 0);
    actor_finish(&ender);
    curtain();
    ck_assert_uint_eq(race_value(&gone), 1);
}

/* A child whose last release is on its way to its stripe, whose parent has been ended by then: the
 * parent stays until the child has been there. */
CASE(p_lifetime_released_from_the_stripe_of_an_ended_node, "P-LIFETIME", "P-SCALE")
{
    struct race_count gone = {0};
    reini_fault_force_lists(FAULT_STRIPED);
    struct family family = {counted_child(rein_background(), &gone), NULL};
    derive(&family);
    struct actor ender = {.at = "leave"};
    stage();
    actor_start(&ender, end, family.child);
    actor_await(&ender);
    rein_end(family.parent);
    ck_assert_uint_eq(race_value(&gone), 0);
    actor_finish(&ender);
    curtain();
    ck_assert_uint_eq(race_value(&gone), 1);
}

static void come_and_go(void *arg, unsigned index)
{
    struct family mine = {arg, NULL};
    (void)index;
    derive(&mine);
    rein_end(mine.child);
}

/* A node that idle stripes hold is ended while a walk from above takes their lists: whichever of
 * the two lets a stripe go, it goes once, and the node when the walk is past. */
CASE(p_lifetime_ended_while_its_idle_stripes_are_taken, "P-LIFETIME", "CTX-25", "P-SCALE")
{
    enum { THREADS = 5 };
    for (uint32_t taken = 0; taken < 8; taken++) {
        struct race_count gone = {0};
        reini_fault_force_lists(FAULT_NARROW);
        rein_ctx *top = rein_with_cancel(rein_background());
        rein_ctx *middle = counted_child(top, &gone);
        reini_fault_force_lists(FAULT_STRIPED);
        race_run(THREADS, come_and_go, middle);
        ck_assert_uint_gt(reini_check_references(middle), 1);
        struct actor canceller = {.at = "stripe-take", .skip = taken};
        stage();
        actor_start(&canceller, cancel, top);
        actor_await(&canceller);
        rein_end(middle);
        ck_assert_uint_eq(race_value(&gone), 0);
        actor_finish(&canceller);
        curtain();
        ck_assert_uint_eq(race_value(&gone), 1);
        rein_end(top);
    }
}

/* A node is ended by its first parent, and given back, while the second is marked and its stripes
 * are yet to be taken: the second's walk still finds it there. */
CASE(p_merge_ended_by_one_before_the_stripe_of_the_other_is_taken, "P-MERGE", "P-LIFETIME",
     "P-SCALE")
{
    struct race_count gone = {0};
    rein_ctx *one = striped(), *other = rein_with_cancel(rein_background());
    const rein_ctx *value = rein_with_value(one, &counted_key, &gone);
    rein_ctx *merged = rein_merge(value, other);
    rein_unref(value);
    struct actor canceller = {.at = "stripe-take"};
    stage();
    actor_start(&canceller, cancel, other);
    actor_await(&canceller);
    expect_live(merged);
    rein_cancel_cause(one, &why);
    expect_end(merged, -ECANCELED, &why);
    rein_end(merged);
    ck_assert_uint_eq(race_value(&gone), 0);
    actor_finish(&canceller);
    curtain();
    ck_assert_uint_eq(race_value(&gone), 1);
    rein_end(one);
    rein_end(other);
}

/* ---- waiters ---- */

struct poller {
    const rein_ctx *ctx;
    int fd, said;
};

static void poll_fd(void *arg)
{
    struct poller *poller = arg;
    struct pollfd fd = {.fd = poller->fd, .events = POLLIN};
    poller->said = rein_poll(poller->ctx, &fd, 1);
}

/* One who waits in a stripe is awoken by something else when the node is marked, and the list yet
 * to be taken: he stays for the signal that is bound to come. */
CASE(wait_leaves_a_stripe_that_is_yet_to_be_taken, "P-WAKE", "P-SCALE")
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    rein_ctx *ctx = striped();
    struct poller is = {.ctx = ctx, .fd = ends[0]};
    struct actor poller = {.at = NULL}, canceller = {.at = "stripe-take"};
    stage();
    actor_start(&poller, poll_fd, &is);
    while (reini_check_dependents(ctx) == 0)
        suite_yield();
    actor_start(&canceller, cancel, ctx);
    actor_await(&canceller);
    ck_assert_int_eq((int)write(ends[1], "x", 1), 1);
    actor_await_asleep(&poller);
    ck_assert(!actor_is_over(&poller));
    actor_finish(&canceller);
    actor_join(&poller);
    curtain();
    ck_assert_int_eq(is.said, 1);
    close(ends[0]);
    close(ends[1]);
    rein_end(ctx);
}

/* ---- the owner ---- */

/* An ended node with a child in a stripe is not taken for one that only its stripes hold. */
CASE(p_lifetime_ended_by_a_walk_with_one_child_in_a_stripe, "P-LIFETIME", "P-SCALE")
{
    struct race_count gone = {0};
    rein_ctx *top = striped();
    struct family middle = {counted_child(top, &gone), NULL};
    derive(&middle);
    rein_cancel(top);
    rein_end(middle.parent);
    ck_assert_uint_eq(race_value(&gone), 0);
    rein_end(middle.child);
    ck_assert_uint_eq(race_value(&gone), 1);
    rein_end(top);
}

/* To end a striped node that no child is left of is a mere release, as of any other: its after-func
 * does not run, and nobody is told. */
static void set(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    race_add(arg, 1);
}

CASE(ctx_25_a_striped_node_without_children_is_released, "CTX-25", "P-SCALE", "CTX-70")
{
    struct race_count runs = {0};
    struct family family = {striped(), NULL};
    rein_after after;
    derive(&family);
    ck_assert_uint_eq(reini_check_references(family.parent), 2);
    ck_assert_int_eq(rein_after_func(family.parent, &after, rein_inline_executor(), set, &runs), 0);
    rein_end(family.child);
    rein_end(family.parent);
    ck_assert_uint_eq(race_value(&runs), 0);
}

/* The whole tree keeps the rules, with nodes of either kind, and such as have children in lists of
 * both, with one or two parents. */
CASE(p_scale_trees_of_both_kinds, "P-SCALE", "CTX-26", "P-MERGE")
{
    enum { NODES = 300 };
    rein_ctx *top = rein_with_cancel(rein_background()), *node[NODES] = {top};
    uint64_t state = suite_seed();
    reini_fault_force_lists(FAULT_IN_TURN);
    for (int i = 1; i < NODES; i++) {
        rein_ctx *parent = node[suite_random(&state) % (uint64_t)i];
        rein_ctx *other = node[suite_random(&state) % (uint64_t)i];
        node[i] = suite_random(&state) % 4 ? rein_with_cancel(parent) : rein_merge(parent, other);
    }
    ck_assert_uint_eq(reini_check_tree(top), NODES);
    int narrow = 0, of_both = 0;
    for (int i = 0; i < NODES; i++) {
        bool is_striped = reini_check_stripes(node[i]) > 0;
        narrow += !is_striped;
        of_both += is_striped && node_of(ctx_of(node[i]))->deps;
    }
    ck_assert(narrow > 0 && of_both > 0);
    rein_cancel_cause(top, &why);
    ck_assert_uint_eq(reini_check_tree(top), 1);
    for (int i = 0; i < NODES; i++) {
        expect_end(node[i], -ECANCELED, &why);
        rein_end(node[i]);
    }
}
