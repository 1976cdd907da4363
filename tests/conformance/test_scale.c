/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/conformance/test_scale.c: depth, width and number have no limit, and the stack does not
 * grow.
 *
 * Covers CTX-28 and CTX-29, and CTX-88 and CTX-94 for size. A million of each, unless
 * REIN_TEST_SCALE says less; everything deep runs on a stack of 256 KiB, which a recursion over a
 * million would not survive, nor one over ten thousand. */
#include <rein.h>
#include <rein/testing.h>
#include <stdlib.h>

#include "core/check.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

enum { STACK = 256 * 1024, PATIENCE = 240 };

REIN_KEY_DECLARE(ticket, int)
REIN_KEY_DEFINE(ticket, int)
REIN_KEY_DECLARE(other, int)
REIN_KEY_DEFINE(other, int)

static rein_reason why = REIN_REASON_INIT(-EPIPE, "the client has left");

static size_t many(void)
{
    return suite_scale(1000 * 1000);
}

static rein_ctx **room_for(size_t n)
{
    rein_ctx **room = malloc(n * sizeof *room);
    ck_assert_ptr_nonnull(room);
    return room;
}

/* How many of n have that cause. (Check writes down each assertion, which is too many here.) */
static size_t ended_with(rein_ctx *const *ctx, size_t n, const rein_reason *reason)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += rein_err(ctx[i]) == -ECANCELED && rein_cause(ctx[i]) == reason;
    return count;
}

static rein_ctx **chain_of(const rein_ctx *top, size_t n)
{
    rein_ctx **chain = room_for(n);
    for (size_t i = 0; i < n; i++)
        chain[i] = rein_with_cancel(i ? chain[i - 1] : top);
    return chain;
}

static void cancel_a_chain(void *arg)
{
    size_t n = many();
    rein_ctx **chain = chain_of(rein_background(), n);
    (void)arg;
    ck_assert_uint_eq(reini_check_tree(chain[0]), n);
    rein_cancel_cause(chain[0], &why);
    ck_assert_uint_eq(ended_with(chain, n, &why), n);
    for (size_t i = n; i-- > 0;)
        rein_end(chain[i]);
    free(chain);
}

/* A chain of a million ends in one call. */
CASE_LONG(PATIENCE, ctx_28_a_deep_chain_is_cancelled, "CTX-28", "CTX-14", "P-DEPTH")
{
    race_on_stack(STACK, cancel_a_chain, NULL);
}

static void release_a_chain(void *arg)
{
    size_t n = many();
    rein_ctx **chain = chain_of(rein_background(), n);
    const rein_ctx *leaf = rein_ref(chain[n - 1]);
    (void)arg;
    for (size_t i = 0; i < n; i++) /* the first of these ends all; none of them frees */
        rein_end(chain[i]);
    free(chain);
    expect_canceled(leaf);
    rein_unref(leaf); /* and with this the whole line goes */
    ck_assert_uint_eq(rein_leaks_print(-1), 0);
}

/* The last reference to the leaf of a chain of a million releases it all, iteratively. */
CASE_LONG(PATIENCE, ctx_28_a_deep_chain_is_released_by_its_leaf, "CTX-28", "P-DEPTH", "P-LIFETIME")
{
    race_on_stack(STACK, release_a_chain, NULL);
}

static void release_from_below(void *arg)
{
    size_t n = many();
    rein_ctx **chain = chain_of(rein_background(), n);
    (void)arg;
    for (size_t i = n; i-- > 0;)
        rein_end(chain[i]);
    free(chain);
}

/* A live chain of a million that is ended from below upwards never sees a cancel. */
CASE_LONG(PATIENCE, ctx_28_a_deep_chain_is_ended_from_below, "CTX-28", "CTX-25", "P-DEPTH")
{
    race_on_stack(STACK, release_from_below, NULL);
}

static void search_a_chain(void *arg)
{
    size_t n = many();
    rein_ctx *top = rein_with_cancel(rein_background());
    const rein_ctx *first = other_with(top, -1), *leaf = first;
    (void)arg;
    for (size_t i = 0; i < n; i++) {
        const rein_ctx *next = ticket_with(leaf, (int)i);
        if (leaf != first)
            rein_unref(leaf);
        leaf = next;
    }
    ck_assert_int_eq(ticket_of(leaf, -7), (int)(n - 1));
    ck_assert_int_eq(other_of(leaf, -7), -1);
    ck_assert_ptr_null(rein_value(leaf, NULL));
    ck_assert_uint_eq(reini_check_dependents(leaf), 0);
    rein_cancel_cause(top, &why);
    expect_end(leaf, -ECANCELED, &why);
    rein_unref(leaf);
    rein_unref(first);
    rein_end(top);
}

/* A lookup through a million values finds the nearest and the farthest, and their last release
 * takes them all. */
CASE_LONG(PATIENCE, ctx_28_a_deep_chain_is_searched, "CTX-28", "CTX-88", "P-DEPTH")
{
    race_on_stack(STACK, search_a_chain, NULL);
}

static void describe_a_chain(void *arg)
{
    static const char root[] = "context.Background", part[] = ".WithCancel";
    size_t n = many(), length = sizeof root - 1 + n * (sizeof part - 1);
    rein_ctx **chain = chain_of(rein_background(), n);
    char *text = malloc(length + 1), little[40];
    (void)arg;
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq((size_t)rein_describe(chain[n - 1], NULL, 0), length);
    ck_assert_uint_eq((size_t)rein_describe(chain[n - 1], little, sizeof little), length);
    ck_assert_str_eq(little, "context.Background.WithCancel.WithCance");
    ck_assert_uint_eq((size_t)rein_describe(chain[n - 1], text, length + 1), length);
    ck_assert_uint_eq(strlen(text), length);
    ck_assert_int_eq(memcmp(text, root, sizeof root - 1), 0);
    size_t parts = 0;
    for (const char *at = text + sizeof root - 1; *at; at += sizeof part - 1)
        parts += memcmp(at, part, sizeof part - 1) == 0;
    ck_assert_uint_eq(parts, n);
    free(text);
    for (size_t i = n; i-- > 0;)
        rein_end(chain[i]);
    free(chain);
}

/* The name of the leaf of a chain of a million is a text of that length, or as much of it as
 * fits. */
CASE_LONG(PATIENCE, ctx_28_a_deep_chain_is_described, "CTX-28", "CTX-94", "P-DEPTH")
{
    race_on_stack(STACK, describe_a_chain, NULL);
}

static void cancel_a_crowd(void *arg)
{
    size_t n = many();
    rein_ctx *parent = rein_with_cancel(rein_background()), **child = room_for(n);
    (void)arg;
    for (size_t i = 0; i < n; i++)
        child[i] = rein_with_cancel(parent);
    ck_assert_uint_eq(reini_check_dependents(parent), n);
    rein_cancel_cause(parent, &why);
    ck_assert_uint_eq(reini_check_dependents(parent), 0);
    ck_assert_uint_eq(ended_with(child, n, &why), n);
    for (size_t i = 0; i < n; i++)
        rein_end(child[i]);
    rein_end(parent);
    free(child);
}

/* A parent of a million children ends them all. */
CASE_LONG(PATIENCE, ctx_28_a_wide_tree_is_cancelled, "CTX-28", "CTX-29", "P-DEPTH")
{
    race_on_stack(STACK, cancel_a_crowd, NULL);
}

static void cancel_merges(void *arg)
{
    size_t n = many();
    rein_ctx *top = rein_with_cancel(rein_background()), **chain = room_for(n);
    rein_ctx *first_parent = rein_with_cancel(rein_background());
    (void)arg;
    for (size_t i = 0; i < n; i++)
        chain[i] = rein_merge(first_parent, i ? chain[i - 1] : top);
    ck_assert_uint_eq(reini_check_dependents(first_parent), n);
    rein_cancel_cause(top, &why);
    ck_assert_uint_eq(reini_check_dependents(first_parent), 0);
    ck_assert_uint_eq(ended_with(chain, n, &why), n);
    const rein_ctx *leaf = rein_ref(chain[n - 1]);
    for (size_t i = 0; i < n; i++)
        rein_end(chain[i]);
    rein_end(top);
    rein_end(first_parent);
    rein_unref(leaf);
    ck_assert_uint_eq(rein_leaks_print(-1), 0);
    free(chain);
}

/* A million merges, each the second parent of the next, end in one call, leave their first
 * parent, and are released by the last of them. */
CASE_LONG(PATIENCE, ctx_28_a_chain_of_merges_is_cancelled_and_released, "CTX-28", "CTX-20",
          "P-DEPTH", "P-MERGE")
{
    race_on_stack(STACK, cancel_merges, NULL);
}

static void end_merges_from_below(void *arg)
{
    size_t n = many();
    rein_ctx **chain = room_for(n);
    (void)arg;
    for (size_t i = 0; i < n; i++)
        chain[i] = rein_merge(rein_background(), i ? chain[i - 1] : rein_todo());
    for (size_t i = n; i-- > 0;)
        rein_end(chain[i]);
    free(chain);
}

/* The same without a cancel. */
CASE_LONG(PATIENCE, ctx_28_a_chain_of_merges_is_ended_from_below, "CTX-28", "P-MERGE")
{
    race_on_stack(STACK, end_merges_from_below, NULL);
}

/* Hundreds of thousands of live timeouts on one root, cancelled in any order or fired, leave
 * nothing armed. */
CASE_LONG(PATIENCE, ctx_29_many_live_timeouts, "CTX-29", "CTX-53", "TIME-11")
{
    size_t n = suite_scale(400 * 1000);
    uint64_t random = suite_seed();
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx **ctx = room_for(n);
    for (size_t i = 0; i < n; i++)
        ctx[i] = rein_with_timeout(root, 1 + (rein_duration)(suite_random(&random) % REIN_HOUR));
    ck_assert_uint_eq(reini_check_armed(root), n);
    for (size_t i = 0; i < n; i += 2)
        rein_cancel(ctx[i]);
    ck_assert_uint_eq(reini_check_armed(root), n - (n + 1) / 2);
    ck_assert_uint_eq(rein_clock_advance(clock, REIN_HOUR), n - (n + 1) / 2);
    ck_assert_uint_eq(reini_check_armed(root), 0);
    size_t right = 0;
    for (size_t i = 0; i < n; i++) {
        right += rein_err(ctx[i]) == (i % 2 ? -ETIMEDOUT : -ECANCELED);
        rein_end(ctx[i]);
    }
    ck_assert_uint_eq(right, n);
    free(ctx);
    rein_clock_free(clock);
}

static void hammer(void *arg, unsigned index)
{
    size_t n = suite_scale(20 * 1000);
    for (size_t i = 0; i < n; i++) {
        const rein_ctx *value = ticket_with(arg, (int)index);
        rein_ctx *ctx = i % 2 ? rein_with_cancel(value) : rein_with_timeout(value, REIN_HOUR);
        if (ticket_of(ctx, -1) != (int)index)
            ck_abort_msg("another thread's value");
        if (i % 4 < 2)
            rein_cancel(ctx);
        rein_unref(value);
        rein_end(ctx);
    }
}

/* One shared parent, on which many threads derive, look up and cancel, ends with an empty list. */
CASE_LONG(PATIENCE, ctx_29_a_busy_parent, "CTX-29", "CTX-20")
{
    rein_ctx *parent = rein_with_cancel(rein_background());
    race_run(4, hammer, parent);
    ck_assert_uint_eq(reini_check_dependents(parent), 0);
    ck_assert_uint_eq(reini_check_references(parent), 1);
    expect_live(parent);
    rein_end(parent);
}
