/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/conformance/go_context.c: what Go's own tests of its context package check, under their
 * names, written anew from a description of what each does.
 *
 * Where Go waits a millisecond, time here is virtual. Where Go wraps a context in one of its own
 * kind, there is a foreign context that forwards; where Go's kind has an end of its own, it is
 * pushed. Go's TestCustomContextAfterFunc… count registrations with a hook that a foreign context
 * may offer; rein's children link to a foreign context as to any other, so here the links are
 * counted. */
#include <rein.h>
#include <rein/testing.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault_control.h"
#include "call.h"
#include "core/check.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

static const rein_foreign_ops forwarding = {.size = sizeof forwarding, .forwards = true};
static const rein_foreign_ops own_end = {.size = sizeof own_end};

static rein_reason reason_x = REIN_REASON_INIT(-1001, "X");
static rein_reason reason_p = REIN_REASON_INIT(-1002, "parent's");
static rein_reason reason_c = REIN_REASON_INIT(-1003, "child's");

/* Two keys of one type and one of another: what tells keys apart is their address. */
REIN_KEY_DECLARE_STRING(first)
REIN_KEY_DEFINE_STRING(first)
REIN_KEY_DECLARE_STRING(second)
REIN_KEY_DEFINE_STRING(second)
REIN_KEY_DECLARE_STRING(third)
REIN_KEY_DEFINE_STRING(third)

/* Names start with "context." and that, whichever clock the root is on. */
static bool name_ends(const rein_ctx *ctx, const char *end)
{
    static char text[4096];
    int length = rein_describe(ctx, text, sizeof text);
    size_t tail = strlen(end);
    return (size_t)length >= tail && strncmp(text, "context.", 8) == 0 &&
           strcmp(text + length - tail, end) == 0;
}

static bool name_has(const rein_ctx *ctx, const char *part)
{
    static char text[16384];
    rein_describe(ctx, text, sizeof text);
    return strstr(text, part) != NULL;
}

/* ---- x_test ---- */

/* Background: there, not ready, and so called. */
CASE(TestBackground, "CTX-3", "CTX-7", "CTX-90")
{
    ck_assert_ptr_nonnull(rein_background());
    ck_assert(!has_fired(rein_background()));
    ck_assert(name_ends(rein_background(), "context.Background"));
}

/* TODO: the same under another name. */
CASE(TestTODO, "CTX-3", "CTX-8", "CTX-90")
{
    ck_assert_ptr_nonnull(rein_todo());
    ck_assert(!has_fired(rein_todo()));
    ck_assert(name_ends(rein_todo(), "context.TODO"));
}

/* A context, a wrapper of it and a child of that end with one cancel, at once. */
CASE(TestWithCancel, "CTX-11", "CTX-14", "CTX-72")
{
    rein_ctx *c1 = rein_with_cancel(rein_background());
    rein_ctx *o = rein_foreign(c1, &forwarding, NULL), *c2 = rein_with_cancel(o);
    const rein_ctx *all[] = {c1, o, c2};
    ck_assert(name_ends(c1, "context.Background.WithCancel"));
    for (int i = 0; i < 3; i++) {
        ck_assert(!has_fired(all[i]));
        ck_assert_int_eq(rein_err(all[i]), 0);
    }
    rein_cancel(c1);
    for (int i = 0; i < 3; i++) {
        ck_assert(has_fired(all[i]));
        ck_assert_int_eq(rein_err(all[i]), -ECANCELED);
    }
    rein_end(c2);
    rein_end(o);
    rein_end(c1);
}

/* Expire on a virtual clock, as far as that is needed, and look. */
static void expect_deadline(rein_clock *clock, rein_ctx *ctx)
{
    rein_clock_advance(clock, REIN_MILLISECOND);
    ck_assert(has_fired(ctx));
    expect_expired(ctx);
}

/* A deadline alone, behind a wrapper, and above a later one; one that is past, and one that is
 * now. */
CASE(TestDeadline, "CTX-18", "CTX-47", "CTX-48")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *c = rein_with_deadline(root, rein_in(root, REIN_MILLISECOND));
    ck_assert(name_has(c, ".WithDeadline("));
    expect_deadline(clock, c);
    rein_end(c);

    c = rein_with_deadline(root, rein_in(root, REIN_MILLISECOND));
    rein_ctx *o = rein_foreign(c, &forwarding, NULL);
    expect_deadline(clock, o);
    rein_end(o);
    rein_end(c);

    c = rein_with_deadline(root, rein_in(root, REIN_MILLISECOND));
    o = rein_foreign(c, &forwarding, NULL);
    rein_ctx *later = rein_with_deadline(o, rein_in(root, 1000 * REIN_HOUR));
    expect_deadline(clock, later);
    rein_end(later);
    rein_end(o);
    rein_end(c);

    c = rein_with_deadline(root, rein_in(root, -REIN_MILLISECOND));
    expect_expired(c);
    rein_end(c);
    c = rein_with_deadline(root, rein_now(root));
    expect_expired(c);
    rein_end(c);
    rein_clock_free(clock);
}

/* The first three with timeouts. */
CASE(TestTimeout, "CTX-18", "CTX-47", "CTX-52")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *c = rein_with_timeout(root, REIN_MILLISECOND);
    ck_assert(name_has(c, ".WithDeadline("));
    expect_deadline(clock, c);
    rein_end(c);

    c = rein_with_timeout(root, REIN_MILLISECOND);
    rein_ctx *o = rein_foreign(c, &forwarding, NULL);
    expect_deadline(clock, o);
    rein_end(o);
    rein_end(c);

    c = rein_with_timeout(root, REIN_MILLISECOND);
    o = rein_foreign(c, &forwarding, NULL);
    rein_ctx *longer = rein_with_timeout(o, 1000 * REIN_HOUR);
    expect_deadline(clock, longer);
    rein_end(longer);
    rein_end(o);
    rein_end(c);
    rein_clock_free(clock);
}

/* A long timeout below a short one, cancelled: done at once, and not by a deadline. It had no
 * timer, as the short one's is sooner; that one's goes with it. */
CASE(TestCanceledTimeout, "CTX-5", "CTX-14", "CTX-53")
{
    rein_clock *clock = suite_clock();
    rein_ctx *c = rein_with_timeout(rein_clock_root(clock), REIN_SECOND);
    rein_ctx *o = rein_foreign(c, &forwarding, NULL);
    rein_ctx *longer = rein_with_timeout(o, 1000 * REIN_HOUR);
    rein_cancel(longer);
    ck_assert(has_fired(longer));
    expect_canceled(longer);
    expect_live(c);
    ck_assert_uint_eq(rein_clock_armed(clock), 1);
    rein_cancel(c);
    ck_assert_uint_eq(rein_clock_armed(clock), 0);
    rein_end(longer);
    rein_end(o);
    rein_end(c);
    rein_clock_free(clock);
}

static void expect_values(const rein_ctx *ctx, const char *one, const char *two, const char *three)
{
    const char *found[] = {first_of(ctx, ""), second_of(ctx, ""), third_of(ctx, "")};
    const char *expected[] = {one, two, three};
    for (int i = 0; i < 3; i++) {
        if (expected[i])
            ck_assert_str_eq(found[i], expected[i]);
        else
            ck_assert_ptr_null(found[i]);
    }
}

/* Keys are bound one after another, the first again and to nothing in the end; the same is seen
 * through wrappers. */
CASE(TestValues, "CTX-82", "CTX-83", "CTX-84")
{
    const rein_ctx *c0 = rein_background();
    const rein_ctx *c1 = first_with(c0, "c1k1");
    const rein_ctx *c2 = second_with(c1, "c2k2");
    const rein_ctx *c3 = third_with(c2, "c3k3");
    const rein_ctx *c4 = first_with(c3, NULL);
    expect_values(c0, "", "", "");
    expect_values(c1, "c1k1", "", "");
    expect_values(c2, "c1k1", "c2k2", "");
    expect_values(c3, "c1k1", "c2k2", "c3k3");
    expect_values(c4, NULL, "c2k2", "c3k3");
    ck_assert(name_ends(c1, "context.Background.WithValue(first)"));
    ck_assert(name_ends(c4, ".WithValue(third).WithValue(first, <nil>)"));

    rein_ctx *o0 = rein_foreign(c0, &forwarding, NULL), *o2 = rein_foreign(c2, &forwarding, NULL);
    rein_ctx *o4 = rein_foreign(c4, &forwarding, NULL);
    const rein_ctx *o1 = first_with(o0, "c1k1"), *o3 = third_with(o2, "c3k3");
    expect_values(o0, "", "", "");
    expect_values(o1, "c1k1", "", "");
    expect_values(o2, "c1k1", "c2k2", "");
    expect_values(o3, "c1k1", "c2k2", "c3k3");
    expect_values(o4, NULL, "c2k2", "c3k3");
    rein_unref(o3);
    rein_unref(o1);
    rein_end(o4);
    rein_end(o2);
    rein_end(o0);
    rein_unref(c4);
    rein_unref(c3);
    rein_unref(c2);
    rein_unref(c1);
}

/* How many allocations five operations take. */
CASE(TestAllocs, "CTX-7", "CTX-95")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock), *value;
    rein_ctx *ctx;

    reini_fault_fail_nth(0);
    (void)rein_background();
    ck_assert_int_eq(reini_fault_count(), 0);

    value = first_with(root, "value");
    ck_assert_str_eq(first_of(value, ""), "value");
    rein_unref(value);
    ck_assert_int_le(reini_fault_count(), 3);

    reini_fault_fail_nth(0);
    ctx = rein_with_timeout(root, 1);
    rein_clock_advance(clock, 1);
    ck_assert_int_eq(rein_wait(ctx), -ETIMEDOUT);
    rein_end(ctx);
    ck_assert_int_le(reini_fault_count(), 12);

    reini_fault_fail_nth(0);
    ctx = rein_with_cancel(root);
    rein_cancel(ctx);
    ck_assert_int_eq(rein_wait(ctx), -ECANCELED);
    rein_end(ctx);
    ck_assert_int_le(reini_fault_count(), 5);

    reini_fault_fail_nth(0);
    ctx = rein_with_timeout(root, 5 * REIN_MILLISECOND);
    rein_cancel(ctx);
    ck_assert_int_eq(rein_wait(ctx), -ECANCELED);
    rein_end(ctx);
    ck_assert_int_le(reini_fault_count(), 8);
    rein_clock_free(clock);
}

enum { FAN = 4, TREE = 120 };

struct tree {
    rein_ctx *ctx[TREE];
    unsigned order[TREE];
};

static void cancel_one_of_tree(void *arg, unsigned index)
{
    struct tree *tree = arg;
    rein_cancel(tree->ctx[tree->order[index]]);
}

/* A tree of fan-out four, every context of it cancelled by a thread of its own, in any order. */
CASE_LONG(60, TestSimultaneousCancels, "CTX-1", "CTX-13")
{
    static struct tree tree;
    uint64_t random = suite_seed();
    for (unsigned i = 0; i < TREE; i++) {
        tree.ctx[i] = rein_with_cancel(i ? tree.ctx[(i - 1) / FAN] : rein_background());
        tree.order[i] = i;
    }
    for (unsigned i = TREE - 1; i > 0; i--) {
        unsigned j = (unsigned)(suite_random(&random) % (i + 1)), swap = tree.order[i];
        tree.order[i] = tree.order[j];
        tree.order[j] = swap;
    }
    race_run(TREE, cancel_one_of_tree, &tree);
    for (unsigned i = 0; i < TREE; i++)
        ck_assert_int_eq(rein_wait(tree.ctx[i]), -ECANCELED);
    for (unsigned i = TREE; i-- > 0;)
        rein_end(tree.ctx[i]);
}

struct interlocked {
    rein_ctx *parent, *child;
};

static void wait_then_cancel_child(void *arg)
{
    struct interlocked *it = arg;
    rein_wait(it->parent);
    rein_cancel(it->child);
}

static void cancel_parent(void *arg)
{
    rein_cancel(((struct interlocked *)arg)->parent);
}

/* One thread waits for the parent and cancels the child, while another cancels the parent. */
CASE(TestInterlockedCancels, "CTX-27")
{
    for (size_t round = 0; round < suite_rounds(100); round++) {
        struct interlocked it = {.parent = rein_with_cancel(rein_background())};
        it.child = rein_with_cancel(it.parent);
        race_pair(cancel_parent, wait_then_cancel_child, &it);
        ck_assert_int_eq(rein_wait(it.child), -ECANCELED);
        rein_end(it.child);
        rein_end(it.parent);
    }
}

/* ---- random layers ---- */

enum { LAYERS = 100 };

struct layers {
    const rein_ctx *ctx[LAYERS];
    rein_ctx *owner[LAYERS]; /* NULL for values */
    int depth;
};

REIN_KEY_DECLARE(layer, int)
REIN_KEY_DEFINE(layer, int)

/* A chain of value, cancel and timeout layers, at least thirty, at least one of each. */
static void build(struct layers *layers, const rein_ctx *root, rein_duration timeout,
                  uint64_t *random)
{
    int of_kind[3] = {0};
    *layers = (struct layers){.depth = 0};
    while (layers->depth < LAYERS &&
           (layers->depth < 30 || !of_kind[0] || !of_kind[1] || !of_kind[2])) {
        int i = layers->depth++, kind = (int)(suite_random(random) % 3);
        const rein_ctx *parent = i ? layers->ctx[i - 1] : root;
        of_kind[kind]++;
        if (kind == 0)
            layers->ctx[i] = layer_with(parent, i);
        else if (kind == 1)
            layers->ctx[i] = layers->owner[i] = rein_with_cancel(parent);
        else
            layers->ctx[i] = layers->owner[i] = rein_with_timeout(parent, timeout);
    }
}

static void check_layers(const struct layers *layers)
{
    for (int i = 0, nearest = -1; i < layers->depth; i++) {
        if (!layers->owner[i])
            nearest = i;
        ck_assert_int_eq(layer_of(layers->ctx[i], -1), nearest);
    }
    ck_assert(name_has(layers->ctx[layers->depth - 1], "context."));
}

static void tear_down(const struct layers *layers)
{
    for (int i = layers->depth; i-- > 0;) {
        if (layers->owner[i])
            rein_end(layers->owner[i]);
        else
            rein_unref(layers->ctx[i]);
    }
}

/* Cancelling any layer of a random chain ends the leaf, and the values stay as they were. */
CASE(TestLayersCancel, "CTX-2", "CTX-14", "CTX-86")
{
    uint64_t random = suite_seed();
    for (int round = 0; round < 20; round++) {
        struct layers layers;
        build(&layers, rein_background(), 1000 * REIN_HOUR, &random);
        const rein_ctx *leaf = layers.ctx[layers.depth - 1];
        char name[64];
        rein_describe(leaf, name, sizeof name);
        ck_assert_int_eq(strncmp(name, "context.Background.", 19), 0);
        check_layers(&layers);
        expect_live(leaf);
        int at = (int)(suite_random(&random) % (uint64_t)layers.depth);
        while (!layers.owner[at])
            at = (at + 1) % layers.depth;
        rein_cancel(layers.owner[at]);
        ck_assert(has_fired(leaf));
        expect_canceled(leaf);
        check_layers(&layers);
        tear_down(&layers);
    }
}

/* The same chain with timeouts of a millisecond: the leaf ends by them. */
CASE(TestLayersTimeout, "CTX-52", "CTX-86")
{
    uint64_t random = suite_seed() + 1;
    for (int round = 0; round < 20; round++) {
        rein_clock *clock = suite_clock();
        struct layers layers;
        build(&layers, rein_clock_root(clock), REIN_MILLISECOND, &random);
        check_layers(&layers);
        rein_clock_advance(clock, REIN_MILLISECOND);
        expect_expired(layers.ctx[layers.depth - 1]);
        check_layers(&layers);
        tear_down(&layers);
        rein_clock_free(clock);
    }
}

/* ---- ended parents ---- */

/* Derived from a context that was cancelled with a reason: born done, with it. */
CASE(TestWithCancelCanceledParent, "CTX-21", "CTX-36")
{
    rein_ctx *parent = rein_with_cancel(rein_background());
    rein_cancel_cause(parent, &reason_x);
    rein_ctx *child = rein_with_cancel(parent);
    ck_assert(has_fired(child));
    expect_end(child, -ECANCELED, &reason_x);
    rein_end(child);
    rein_end(parent);
}

static void cancel_parent_with_x(void *arg)
{
    rein_cancel_cause(((struct interlocked *)arg)->parent, &reason_x);
}

static void derive_child(void *arg)
{
    struct interlocked *it = arg;
    it->child = rein_with_cancel(it->parent);
}

/* The parent is cancelled with a reason while the child is derived. */
CASE(TestWithCancelSimultaneouslyCanceledParent, "CTX-22", "CTX-36")
{
    for (size_t round = 0; round < suite_rounds(100); round++) {
        struct interlocked it = {.parent = rein_with_cancel(rein_background())};
        race_pair(derive_child, cancel_parent_with_x, &it);
        ck_assert_int_eq(rein_wait(it.child), -ECANCELED);
        expect_end(it.child, -ECANCELED, &reason_x);
        rein_end(it.child);
        rein_end(it.parent);
    }
}

/* ---- what is refused ---- */

/* No key, no value. (Every key of rein's can be compared: it is an address.) */
CASE_PANICS("key-required", TestWithValueChecksKey, "CTX-85")
{
    rein_unref(rein_with_value(rein_background(), none(), "value"));
}

static void derive_cancel(void *parent)
{
    rein_end(rein_with_cancel(parent));
}

static void derive_deadline(void *parent)
{
    rein_end(rein_with_deadline(parent, rein_in(rein_background(), REIN_HOUR)));
}

static void derive_value(void *parent)
{
    rein_unref(first_with(parent, "value"));
}

/* No parent, no context. */
CASE(TestInvalidDerivedFail, "CTX-9")
{
    void (*derive[])(void *) = {derive_cancel, derive_deadline, derive_value};
    for (int i = 0; i < 3; i++) {
        const char *rule = suite_panic_of(derive[i], none());
        ck_assert_ptr_nonnull(rule);
        ck_assert_str_eq(rule, "context-required");
    }
}

/* The deadline's err is what the system calls a timeout, and canceled is not. */
CASE(TestDeadlineExceededSupportsTimeout, "CTX-6")
{
    rein_ctx *late = rein_with_timeout(rein_background(), 0);
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_cancel(ctx);
    ck_assert_int_eq(rein_err(late), -ETIMEDOUT);
    ck_assert_int_ne(rein_err(ctx), -ETIMEDOUT);
    rein_end(ctx);
    rein_end(late);
}

/* ---- causes ---- */

/* err and cause of a context: no reason means that the cause says what err says. */
static void expect_row(const rein_ctx *ctx, int err, const rein_reason *cause)
{
    ck_assert_int_eq(rein_err(ctx), err);
    if (cause)
        ck_assert_ptr_eq(rein_cause(ctx), cause);
    else
        ck_assert_int_eq(rein_cause(ctx)->code, err);
}

/* One context, ended in each way. */
CASE(TestCause, "CTX-11", "CTX-34", "CTX-35")
{
    expect_row(rein_background(), 0, NULL);
    expect_row(rein_todo(), 0, NULL);
    rein_ctx *ctx = rein_with_cancel(rein_background());
    expect_row(ctx, 0, NULL);
    rein_cancel(ctx);
    expect_row(ctx, -ECANCELED, NULL);
    rein_end(ctx);
    ctx = rein_with_cancel(rein_background());
    rein_cancel_cause(ctx, &reason_x);
    expect_row(ctx, -ECANCELED, &reason_x);
    rein_end(ctx);
    ctx = rein_with_cancel(rein_background());
    rein_cancel_cause(ctx, NULL);
    expect_row(ctx, -ECANCELED, NULL);
    rein_end(ctx);
}

/* The six orders of a parent's and a child's end. */
CASE(TestCause_orders, "CTX-19", "CTX-37")
{
    const struct {
        bool parent_with_cause, child_with_cause, child_first;
        const rein_reason *child, *parent;
    } rows[] = {
        {true, true, false, &reason_p, &reason_p},
        {true, true, true, &reason_c, &reason_p},
        {true, false, false, &reason_p, &reason_p},
        {true, false, true, NULL, &reason_p},
        {false, true, false, NULL, NULL},
        {false, true, true, &reason_c, NULL},
    };
    for (int i = 0; i < 6; i++) {
        rein_ctx *parent = rein_with_cancel(rein_background()), *child = rein_with_cancel(parent);
        for (int turn = 0; turn < 2; turn++) {
            if ((turn == 0) == rows[i].child_first)
                rein_cancel_cause(child, rows[i].child_with_cause ? &reason_c : NULL);
            else
                rein_cancel_cause(parent, rows[i].parent_with_cause ? &reason_p : NULL);
        }
        expect_row(child, -ECANCELED, rows[i].child);
        expect_row(parent, -ECANCELED, rows[i].parent);
        rein_end(child);
        rein_end(parent);
    }
}

/* Timeouts: over at once or long, with and without a cause, cancelled or not. */
CASE(TestCause_timeouts, "CTX-12", "CTX-38", "CTX-48")
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), 0);
    rein_cancel(ctx);
    expect_row(ctx, -ETIMEDOUT, NULL);
    rein_end(ctx);
    ctx = rein_with_timeout(rein_background(), 1000 * REIN_HOUR);
    rein_cancel(ctx);
    expect_row(ctx, -ECANCELED, NULL);
    rein_end(ctx);
    ctx = rein_with_timeout_cause(rein_background(), 0, &reason_x);
    rein_cancel(ctx);
    expect_row(ctx, -ETIMEDOUT, &reason_x);
    rein_end(ctx);
    ctx = rein_with_timeout_cause(rein_background(), 1000 * REIN_HOUR, &reason_x);
    rein_cancel(ctx);
    expect_row(ctx, -ECANCELED, NULL);
    rein_end(ctx);
}

/* A timeout with a cause below a parent that is cancelled with another: after and before it ran
 * out. */
CASE(TestCause_stacked, "CTX-39")
{
    rein_ctx *parent = rein_with_cancel(rein_background());
    rein_ctx *expired = rein_with_timeout_cause(parent, 0, &reason_x);
    rein_ctx *longer = rein_with_timeout_cause(parent, 1000 * REIN_HOUR, &reason_x);
    rein_cancel_cause(parent, &reason_p);
    expect_row(expired, -ETIMEDOUT, &reason_x);
    expect_row(longer, -ECANCELED, &reason_p);
    rein_end(longer);
    rein_end(expired);
    rein_end(parent);
}

/* Without cancel: no cause, whatever happens above. */
CASE(TestCause_without_cancel, "CTX-59")
{
    rein_ctx *ended = rein_with_cancel(rein_background());
    rein_ctx *reasoned = rein_with_cancel(rein_background());
    rein_ctx *expired = rein_with_timeout_cause(rein_background(), 0, &reason_x);
    rein_cancel(ended);
    const rein_ctx *without[] = {rein_without_cancel(ended), rein_without_cancel(reasoned),
                                 rein_without_cancel(expired)};
    rein_cancel_cause(reasoned, &reason_x);
    for (int i = 0; i < 3; i++) {
        expect_row(without[i], 0, NULL);
        rein_unref(without[i]);
    }
    rein_end(expired);
    rein_end(reasoned);
    rein_end(ended);
}

/* A foreign context that ends by itself below an ancestor: alone, after it, and before it. In the
 * last two rows Go reports the ancestor's reason; rein's foreign context, which is pushed, keeps
 * its own, passes that on, and cannot end twice. */
CASE(TestCause_foreign, "CTX-44", "CTX-45", "CTX-76")
{
    for (int row = 0; row < 3; row++) {
        rein_ctx *ancestor = rein_with_cancel(rein_background());
        rein_ctx *foreign = rein_foreign(ancestor, &own_end, NULL);
        rein_ctx *child = rein_with_cancel(foreign);
        if (row == 1)
            rein_cancel_cause(ancestor, &reason_p);
        expect_row(foreign, 0, NULL);
        rein_foreign_done(foreign, -ECANCELED, NULL);
        if (row == 2)
            rein_cancel_cause(ancestor, &reason_p);
        rein_foreign_done(foreign, -ETIMEDOUT, &reason_x);
        expect_row(foreign, -ECANCELED, NULL);
        expect_row(child, -ECANCELED, NULL);
        rein_end(child);
        rein_end(foreign);
        rein_end(ancestor);
    }
}

static void spin_on_cause(void *arg)
{
    const rein_ctx *ctx = ((struct interlocked *)arg)->parent;
    while (rein_cause(ctx)->code == 0)
        suite_yield();
    ck_assert_ptr_eq(rein_cause(ctx), &reason_x);
}

/* The cause is polled while it is set. */
CASE(TestCauseRace, "CTX-1", "CTX-42")
{
    for (size_t round = 0; round < suite_rounds(100); round++) {
        struct interlocked it = {.parent = rein_with_cancel(rein_background())};
        race_pair(spin_on_cause, cancel_parent_with_x, &it);
        rein_end(it.parent);
    }
}

/* Values of the parent, and nothing else. */
CASE(TestWithoutCancel, "CTX-3", "CTX-59")
{
    const rein_ctx *value = first_with(rein_background(), "value");
    const rein_ctx *without = rein_without_cancel(value);
    rein_time deadline;
    int fd;
    ck_assert(!rein_deadline(without, &deadline));
    ck_assert_int_eq(rein_done_fd(without, &fd), 0);
    ck_assert_int_eq(fd, -1);
    ck_assert_int_eq(rein_err(without), 0);
    ck_assert_str_eq(first_of(without, ""), "value");
    rein_unref(without);
    rein_unref(value);
}

/* ---- contexts of the user's own kind ---- */

/* A foreign context with an end of its own, over a built-in one: its child ends when it is said
 * to be done, with the reason that is passed on, and not when the ancestor is. Unlike in Go, nobody
 * need wait for the child. */
CASE(TestCustomContextPropagation, "CTX-73", "CTX-75", "CTX-76")
{
    rein_ctx *ancestor = rein_with_cancel(rein_background());
    rein_ctx *foreign = rein_foreign(ancestor, &own_end, NULL), *child = rein_with_cancel(foreign);
    rein_cancel_cause(ancestor, &reason_x);
    expect_live(foreign);
    expect_live(child);
    rein_foreign_done(foreign, rein_err(ancestor), rein_cause(ancestor));
    expect_end(child, -ECANCELED, &reason_x);
    rein_end(child);
    rein_end(foreign);
    rein_end(ancestor);
}

/* A foreign context that stands alone: its own end; a child's, which it does not feel; and one
 * that ends its child itself. */
CASE(TestCustomContextCause, "CTX-17", "CTX-44", "CTX-81")
{
    rein_ctx *foreign = rein_foreign(rein_background(), &own_end, NULL);
    rein_foreign_done(foreign, -ECANCELED, NULL);
    expect_row(foreign, -ECANCELED, NULL);
    rein_end(foreign);

    foreign = rein_foreign(rein_background(), &own_end, NULL);
    rein_ctx *child = rein_with_cancel(foreign);
    rein_cancel_cause(child, &reason_c);
    expect_row(child, -ECANCELED, &reason_c);
    expect_row(foreign, 0, NULL);
    rein_foreign_done(foreign, -ECANCELED, &reason_p);
    expect_row(child, -ECANCELED, &reason_c);
    expect_row(foreign, -ECANCELED, &reason_p);
    rein_end(child);
    rein_end(foreign);

    foreign = rein_foreign(rein_background(), &own_end, NULL);
    child = rein_with_cancel(foreign);
    rein_cancel(child); /* as its owner may, on the way to its own end */
    rein_foreign_done(foreign, -ECANCELED, &reason_p);
    expect_row(child, -ECANCELED, NULL);
    expect_row(foreign, -ECANCELED, &reason_p);
    rein_end(child);
    rein_end(foreign);
}

/* ---- after-funcs ---- */

/* Called after the cancel, not before (it would find err 0), and once; then a stop is too late. */
CASE(TestAfterFuncCalledAfterCancel, "CTX-61", "CTX-64", "CTX-67")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct call call;
    call_after(ctx, &call, note);
    rein_cancel_cause(ctx, &reason_x);
    race_await_value(&call.runs, 1);
    ck_assert_int_eq(call.err, -ECANCELED);
    ck_assert_ptr_eq(call.cause, &reason_x);
    ck_assert(!rein_after_stop(&call.after));
    ck_assert(!rein_after_stop_wait(&call.after));
    rein_cancel(ctx);
    ck_assert_uint_eq(race_value(&call.runs), 1);
    rein_end(ctx);
}

/* Called after a timeout, with its err and cause. */
CASE(TestAfterFuncCalledAfterTimeout, "CTX-61", "CTX-64")
{
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_timeout_cause(rein_clock_root(clock), REIN_MILLISECOND, &reason_x);
    struct call call;
    call_after(ctx, &call, note);
    rein_clock_advance(clock, REIN_MILLISECOND);
    race_await_value(&call.runs, 1);
    ck_assert_int_eq(call.err, -ETIMEDOUT);
    ck_assert_ptr_eq(call.cause, &reason_x);
    ck_assert(!rein_after_stop_wait(&call.after));
    rein_end(ctx);
    rein_clock_free(clock);
}

/* Called at once on a context that has ended, but not on this stack. */
CASE(TestAfterFuncCalledImmediately, "CTX-62")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct call call;
    rein_cancel(ctx);
    call_after(ctx, &call, note);
    race_await_value(&call.runs, 1);
    ck_assert(!rein_after_stop_wait(&call.after));
    ck_assert(!pthread_equal(call.thread, pthread_self()));
    rein_end(ctx);
}

/* Never called after a stop, also when nothing of rein's is running any more; a second stop
 * prevents nothing. */
CASE(TestAfterFuncNotCalledAfterStop, "CTX-66", "CTX-67")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct call call;
    call_after(ctx, &call, note);
    ck_assert(rein_after_stop(&call.after));
    rein_cancel(ctx);
    ck_assert(!rein_after_stop(&call.after));
    ck_assert_int_eq(rein_quiesce(), 0);
    ck_assert_uint_eq(race_value(&call.runs), 0);
    rein_end(ctx);
}

/* One that cannot end before cancel has returned. */
CASE(TestAfterFuncCalledAsynchronously, "CTX-16", "CTX-63")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct call call;
    call_after(ctx, &call, block);
    rein_cancel(ctx);
    race_await(&call.begun);
    ck_assert_uint_eq(race_value(&call.runs), 0);
    race_set(&call.go_on);
    ck_assert(!rein_after_stop_wait(&call.after));
    ck_assert_uint_eq(race_value(&call.runs), 1);
    rein_end(ctx);
}

static void spin_on_err(void *arg)
{
    const rein_ctx *ctx = ((struct interlocked *)arg)->parent;
    while (rein_err(ctx) == 0)
        suite_yield();
    ck_assert(has_fired(ctx));
}

/* The handle that was fetched before has fired as soon as err is set. */
CASE(TestContextErrDoneRace, "CTX-1", "CTX-4")
{
    for (int round = 0; round < 10; round++) {
        struct interlocked it = {.parent = rein_with_cancel(rein_background())};
        ck_assert(!has_fired(it.parent));
        race_pair(spin_on_err, cancel_parent, &it);
        rein_end(it.parent);
    }
}

/* ---- context_test ---- */

/* A parent with a cancel child, a timeout behind a value and an after-func: three in its list;
 * its end ends all, empties the list, and a value made then is born done. */
CASE(XTestParentFinishesChild, "CTX-20", "CTX-24", "CTX-87")
{
    rein_ctx *parent = rein_with_cancel(rein_background()), *child = rein_with_cancel(parent);
    const rein_ctx *value = first_with(parent, "value");
    rein_ctx *timed = rein_with_timeout(value, 10 * REIN_HOUR);
    struct call call;
    call_after(parent, &call, note);
    ck_assert_uint_eq(reini_check_dependents(parent), 3);
    ck_assert_uint_eq(reini_check_dependents(value), 3); /* its own list is the parent's */
    ck_assert_uint_eq(reini_check_dependents(child), 0);
    ck_assert_uint_eq(reini_check_dependents(timed), 0);
    rein_cancel(parent);
    ck_assert_uint_eq(reini_check_dependents(parent), 0);
    const rein_ctx *late = first_with(parent, "late"), *all[] = {parent, child, value, timed, late};
    for (int i = 0; i < 5; i++) {
        ck_assert(has_fired(all[i]));
        expect_canceled(all[i]);
    }
    race_await_value(&call.runs, 1);
    ck_assert(!rein_after_stop_wait(&call.after));
    rein_unref(late);
    rein_end(timed);
    rein_unref(value);
    rein_end(child);
    rein_end(parent);
}

/* A child that ends first leaves its parent's list, and the parent live; under background there
 * is no list to leave. */
CASE(XTestChildFinishesFirst, "CTX-17", "CTX-20", "CTX-23")
{
    rein_ctx *cancellable = rein_with_cancel(rein_background());
    const rein_ctx *parents[] = {rein_background(), cancellable};
    for (int i = 0; i < 2; i++) {
        rein_ctx *child = rein_with_cancel(parents[i]);
        ck_assert(!has_fired(parents[i]) && !has_fired(child));
        if (i == 1)
            ck_assert_uint_eq(reini_check_dependents(cancellable), 1);
        rein_cancel(child);
        if (i == 1)
            ck_assert_uint_eq(reini_check_dependents(cancellable), 0);
        expect_canceled(child);
        expect_live(parents[i]);
        rein_end(child);
    }
    rein_end(cancellable);
}

/* The list's length goes 0, 1, 0 with a cancel, a long timeout and a stopped after-func. */
CASE(XTestCancelRemoves, "CTX-20", "CTX-53", "CTX-66")
{
    rein_ctx *ctx = rein_with_cancel(rein_background()), *child;
    struct call call;
    size_t armed = reini_check_armed(ctx);
    for (int kind = 0; kind < 2; kind++) {
        ck_assert_uint_eq(reini_check_dependents(ctx), 0);
        child = kind ? rein_with_timeout(ctx, 60 * REIN_MINUTE) : rein_with_cancel(ctx);
        ck_assert_uint_eq(reini_check_dependents(ctx), 1);
        ck_assert_uint_eq(reini_check_armed(ctx), armed + (kind == 1));
        rein_cancel(child);
        ck_assert_uint_eq(reini_check_dependents(ctx), 0);
        ck_assert_uint_eq(reini_check_armed(ctx), armed);
        rein_end(child);
    }
    call_after(ctx, &call, note);
    ck_assert_uint_eq(reini_check_dependents(ctx), 1);
    ck_assert(rein_after_stop(&call.after));
    ck_assert_uint_eq(reini_check_dependents(ctx), 0);
    rein_end(ctx);
}

/* Nothing watches a foreign context: a hundred children cost what a hundred children cost, whether
 * it forwards or has an end of its own, and below an ended one nothing is registered. */
CASE(XTestCustomContextGoroutines, "CTX-72", "CTX-74", "CTX-21")
{
    reini_fault_force_lists(FAULT_BY_LOAD); /* stripes would be counted, too */
    rein_clock *clock = suite_clock(); /* whose timeouts need no keeper */
    rein_ctx *ancestor = rein_with_cancel(rein_clock_root(clock));
    rein_ctx *foreign[] = {rein_foreign(ancestor, &forwarding, NULL),
                           rein_foreign(ancestor, &own_end, NULL)};
    size_t threads = suite_threads(), descriptors = suite_descriptors();
    for (int i = 0; i < 2; i++) {
        rein_ctx *child[100];
        reini_fault_fail_nth(0);
        for (int j = 0; j < 100; j++)
            child[j] = j % 2 ? rein_with_timeout(foreign[i], REIN_HOUR)
                             : rein_with_cancel(foreign[i]);
        ck_assert_int_eq(reini_fault_count(), 100);
        ck_assert_uint_eq(suite_threads(), threads);
        ck_assert_uint_eq(suite_descriptors(), descriptors);
        ck_assert_uint_eq(reini_check_dependents(foreign[i]), 100);
        for (int j = 0; j < 100; j++)
            rein_end(child[j]);
        ck_assert_uint_eq(reini_check_dependents(foreign[i]), 0);
    }
    rein_cancel(ancestor);
    rein_foreign_done(foreign[1], -ECANCELED, NULL);
    for (int i = 0; i < 2; i++) {
        rein_ctx *child = rein_with_timeout(foreign[i], REIN_HOUR);
        expect_canceled(child);
        ck_assert_uint_eq(reini_check_dependents(foreign[i]), 0);
        rein_end(child);
    }
    rein_end(foreign[1]);
    rein_end(foreign[0]);
    rein_end(ancestor);
    rein_clock_free(clock);
}

/* ---- afterfunc_test, in its pushed form ---- */

/* A foreign context that is said to be done ends its cancel child. */
CASE(TestCustomContextAfterFuncCancel, "CTX-75", "CTX-79")
{
    rein_ctx *foreign = rein_foreign(rein_background(), &own_end, NULL);
    rein_ctx *child = rein_with_cancel(foreign);
    rein_foreign_done(foreign, -ECANCELED, NULL);
    expect_canceled(child);
    rein_end(child);
    rein_end(foreign);
}

/* The same for a long timeout. */
CASE(TestCustomContextAfterFuncTimeout, "CTX-79")
{
    rein_ctx *foreign = rein_foreign(rein_background(), &own_end, NULL);
    rein_ctx *child = rein_with_timeout(foreign, 1000 * REIN_HOUR);
    rein_foreign_done(foreign, -ECANCELED, NULL);
    expect_canceled(child);
    rein_end(child);
    rein_end(foreign);
}

/* The same for an after-func. */
CASE(TestCustomContextAfterFuncAfterFunc, "CTX-79")
{
    rein_ctx *foreign = rein_foreign(rein_background(), &own_end, NULL);
    struct call call;
    call_after(foreign, &call, note);
    rein_foreign_done(foreign, -ECANCELED, &reason_x);
    race_await_value(&call.runs, 1);
    ck_assert_ptr_eq(call.cause, &reason_x);
    ck_assert(!rein_after_stop_wait(&call.after));
    rein_end(foreign);
}

/* Two children: two registrations; none when they are cancelled. */
CASE(TestCustomContextAfterFuncUnregisterCancel, "CTX-79")
{
    rein_ctx *foreign = rein_foreign(rein_background(), &own_end, NULL);
    rein_ctx *child[] = {rein_with_cancel(foreign), rein_with_cancel(foreign)};
    ck_assert_uint_eq(reini_check_dependents(foreign), 2);
    rein_cancel(child[0]);
    rein_cancel(child[1]);
    ck_assert_uint_eq(reini_check_dependents(foreign), 0);
    rein_end(child[1]);
    rein_end(child[0]);
    rein_end(foreign);
}

/* One timeout: one registration; none when it is cancelled. */
CASE(TestCustomContextAfterFuncUnregisterTimeout, "CTX-79")
{
    rein_ctx *foreign = rein_foreign(rein_background(), &own_end, NULL);
    rein_ctx *child = rein_with_timeout(foreign, 1000 * REIN_HOUR);
    ck_assert_uint_eq(reini_check_dependents(foreign), 1);
    rein_cancel(child);
    ck_assert_uint_eq(reini_check_dependents(foreign), 0);
    rein_end(child);
    rein_end(foreign);
}

/* One after-func: one registration; none when it is stopped. */
CASE(TestCustomContextAfterFuncUnregisterAfterFunc, "CTX-79")
{
    rein_ctx *foreign = rein_foreign(rein_background(), &own_end, NULL);
    struct call call;
    call_after(foreign, &call, note);
    ck_assert_uint_eq(reini_check_dependents(foreign), 1);
    ck_assert(rein_after_stop(&call.after));
    ck_assert_uint_eq(reini_check_dependents(foreign), 0);
    rein_foreign_done(foreign, -ECANCELED, NULL);
    ck_assert_uint_eq(race_value(&call.runs), 0);
    rein_end(foreign);
}

/* ---- net_test ---- */

/* The deadline's err is the same number that sockets time out with, so that callers who look for
 * that find it; the context's cause tells the two apart. */
CASE(TestDeadlineExceededIsNetError, "CTX-6")
{
    rein_ctx *late = rein_with_timeout(rein_background(), 0);
    ck_assert_int_eq(-rein_err(late), ETIMEDOUT);
    ck_assert_str_eq(rein_cause(late)->text, rein_strerror(-ETIMEDOUT));
    ck_assert_str_ne(rein_cause(late)->text, strerror(ETIMEDOUT));
    rein_end(late);
}
