/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/oom/test_tree.c: trees grown while memory fails: what could be made is whole, and ends. */
#include <rein.h>
#include <rein/testing.h>
#include <stdio.h>

#include "expect.h"
#include "scarce.h"
#include "suite.h"

REIN_KEY_DECLARE(number, int)
REIN_KEY_DEFINE(number, int)
REIN_KEY_DECLARE_STRING(text)
REIN_KEY_DEFINE_STRING(text)

static const rein_reason why = REIN_REASON_INIT(-EPIPE, "the client left");
static const rein_reason late = REIN_REASON_INIT(-ETIME, "too slow");

static int dropped;

static void count_drop(void *object)
{
    (void)object;
    dropped++;
}

REIN_KEY_DECLARE_OWNED(owned, int)
REIN_KEY_DEFINE_OWNED(owned, int, count_drop)

static bool answer(void *self, const rein_key *key, const void **ret_value)
{
    if (key != &number_key)
        return false;
    *ret_value = self;
    return true;
}

static const rein_foreign_ops forwarding = {
    .size = sizeof forwarding, .value = answer, .drop = count_drop, .forwards = true};
static const rein_foreign_ops pushing = {.size = sizeof pushing, .drop = count_drop};

static void end_all(rein_ctx *const *ctx, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rein_end(ctx[i]);
}

/* ---- one of each kind ---- */

static void grow_each_kind(rein_ctx *top)
{
    enum { KINDS = 8 };
    int seven = 7;
    rein_time soon = rein_in(top, REIN_HOUR);
    dropped = 0;
    rein_reason *slow = rein_reason_new(-ETIME, "too slow", NULL, count_drop);
    int reasons = scarce_have(slow);
    const rein_ctx *views[] = {number_with(top, 7), text_with(top, "seven"),
                               owned_with(top, &seven), rein_with_value(top, &number_key, &seven)};
    rein_ctx *made[2 * KINDS] = {
        rein_with_cancel(views[0]),
        rein_with_timeout(views[1], REIN_HOUR),
        rein_with_deadline(views[2], soon),
        rein_with_timeout_cause(views[3], REIN_MINUTE, slow),
        rein_with_deadline_cause(top, soon, slow),
        rein_merge(top, rein_background()),
        rein_detach(rein_background(), top, REIN_HOUR),
        rein_foreign(top, &forwarding, &seven),
    };
    for (int i = 0; i < KINDS; i++)
        made[KINDS + i] = rein_with_cancel(made[i]);
    for (int i = 0; i < 2 * KINDS; i++)
        if (scarce_real(made[i]))
            expect_live(made[i]);
    ck_assert_int_eq(number_of(made[0], 0), scarce_real(made[0]) ? 7 : 0);
    ck_assert_str_eq(text_of(made[1], ""), scarce_real(made[1]) ? "seven" : "");
    ck_assert_ptr_eq(owned_of(made[2], NULL), scarce_real(made[2]) ? &seven : NULL);
    ck_assert_int_eq(number_of(made[7], 0), scarce_real(made[7]) ? 7 : 0);

    rein_cancel_cause(top, &why);
    scarce_expect_end(made, 2 * KINDS, -ECANCELED, &why);
    end_all(made, 2 * KINDS);
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        rein_unref(views[i]);
    ck_assert_int_eq(dropped, 2); /* what is owned, also if it was refused */
    rein_reason_unref(slow);
    ck_assert_int_eq(dropped, 2 + reasons);
}

/* Each kind of context is there and ends with what it hangs on, or is the failed one. */
CASE(oom_each_kind, "P-FAILED", "P-NOMEMORY", "P-LIFETIME")
{
    scarcely(grow_each_kind);
}

/* ---- those with a life of their own ---- */

static void grow_apart(rein_ctx *top)
{
    dropped = 0;
    const rein_ctx *without = rein_without_cancel(top);
    rein_ctx *other = rein_with_cancel(rein_background());
    rein_ctx *made[] = {
        rein_detach(top, other, REIN_FOREVER),
        rein_foreign(top, &pushing, top),
        rein_with_cancel(without),
        rein_merge(other, without),
    };
    rein_cancel_cause(top, &why);
    for (size_t i = 0; i < 4; i++)
        if (scarce_real(made[i]))
            expect_live(made[i]);
    rein_cancel_cause(other, &late);
    rein_foreign_done(made[1], -EPROTO, NULL); /* its cause needs memory; its end does not */
    rein_cancel_causef(made[2], -EPROTO, "for the %dnd time", 2);
    for (size_t i = 0; i < 4; i += 3)
        scarce_expect_end(&made[i], 1, -ECANCELED, &late);
    for (size_t i = 1; i < 3; i++) {
        ck_assert_int_eq(rein_err(made[i]), -ECANCELED);
        if (scarce_real(made[i]) && rein_cause(made[i])->code != -EPROTO)
            ck_assert_int_eq(rein_cause(made[i])->code, -ENOMEM);
    }
    end_all(made, 4);
    rein_end(other);
    rein_unref(without);
    ck_assert_int_eq(dropped, 1);
}

/* So does what has a life of its own; and an end whose cause cannot be written is an end. */
CASE(oom_lives_of_their_own, "P-FAILED", "P-NOMEMORY", "P-DETACH")
{
    scarcely(grow_apart);
}

/* ---- reasons and reports ---- */

static void give_reasons(rein_ctx *top)
{
    char said[300];
    rein_ctx *ctx = rein_with_cancel(top);
    dropped = 0;
    rein_reason *made = rein_reason_new(-EIO, "the disk is gone", &dropped, count_drop);
    bool have = scarce_have(made), real = scarce_real(ctx);
    rein_cancel_cause(ctx, made);
    if (real)
        ck_assert_int_eq(rein_cause(ctx)->code, have ? -EIO : -ECANCELED);
    ck_assert_int_gt(rein_explain(ctx, said, sizeof said), 0);
    ck_assert_int_gt(rein_describe(ctx, said, sizeof said), 0);
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(rein_leaks_print(fileno(file)), real ? 3 : 2); /* written or not */
    fclose(file);
    rein_reason_unref(made);
    ck_assert_int_eq(dropped, 0 + (have && !real));
    rein_end(ctx);
    ck_assert_int_eq(dropped, have);
}

/* A reason is there or is not; the rest of the record needs no memory. */
CASE(oom_reasons, "P-NOMEMORY", "P-EVENT", "P-LEAKS")
{
    scarcely(give_reasons);
}

/* ---- values ---- */

enum { VALUES = 300 };

static void bind_many(rein_ctx *top)
{
    static rein_key keys[VALUES];
    const rein_ctx *line[VALUES + 1] = {top};
    for (int i = 0; i < VALUES; i++) {
        keys[i] = (rein_key){.name = "key", .kind = REIN_VALUE_COPY, .size = sizeof i};
        const rein_ctx *next = rein_with_value(line[i], &keys[i], &i);
        if (!scarce_real(next)) /* again; it fails once */
            next = rein_with_value(line[i], &keys[i], &i);
        line[i + 1] = next;
        ck_assert_int_eq(*(const int *)rein_value(next, &keys[i / 2]), i / 2);
    }
    for (int i = 0; i < VALUES; i++)
        ck_assert_int_eq(*(const int *)rein_value(line[VALUES], &keys[i]), i);
    ck_assert_ptr_null(rein_value(line[VALUES], &number_key));
    rein_cancel(top);
    for (int i = VALUES; i > 0; i--) {
        expect_canceled(line[i]);
        rein_unref(line[i]);
    }
}

/* Lookups find what is bound also where the index that makes them short has no memory. */
CASE(oom_values, "P-FAILED", "CTX-1")
{
    scarcely(bind_many);
}

/* ---- on a virtual clock ---- */

static void live_on_a_clock(rein_ctx *top)
{
    rein_clock *clock = rein_clock_new();
    (void)top;
    if (!scarce_have(clock))
        return;
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *made[] = {rein_with_timeout_cause(root, REIN_SECOND, &late),
                        rein_with_timeout_cause(root, REIN_SECOND, &late), rein_with_cancel(root)};
    rein_ctx *merged = rein_merge(made[0], made[2]);
    ck_assert_uint_eq(rein_clock_armed(clock), scarce_real(made[0]) + scarce_real(made[1]));
    rein_clock_advance(clock, REIN_SECOND);
    ck_assert_uint_eq(rein_clock_armed(clock), 0);
    scarce_expect_end(made, 2, -ETIMEDOUT, &late);
    if (scarce_real(made[2]))
        expect_live(made[2]);
    scarce_expect_end(&merged, 1, -ETIMEDOUT, &late);
    rein_end(merged);
    end_all(made, 3);
    rein_clock_free(clock);
}

/* A virtual clock is there or is not; what could be put on it goes off. */
CASE(oom_virtual_clock, "P-VIRTUAL", "P-FAILED")
{
    scarcely(live_on_a_clock);
}

/* ---- a thousand ---- */

enum { NODES = 1000 };

/* By a stream of its own, each round the same. */
static void grow_a_thousand(rein_ctx *top)
{
    static rein_ctx *made[NODES];
    uint64_t random = 1;
    for (int i = 0; i < NODES; i++) {
        const rein_ctx *above = i > 0 ? made[suite_random(&random) % (uint64_t)i] : top;
        const rein_ctx *parent = suite_random(&random) % 2 ? above : top, *view = NULL;
        switch (suite_random(&random) % 4) {
        case 0:
            made[i] = rein_with_timeout(parent, REIN_HOUR);
            break;
        case 1:
            made[i] = rein_merge(top, parent);
            break;
        case 2:
            view = number_with(parent, i);
            made[i] = rein_with_cancel(view);
            rein_unref(view);
            break;
        default:
            made[i] = rein_with_cancel(parent);
        }
    }
    rein_cancel_cause(top, &why);
    scarce_expect_end(made, NODES, -ECANCELED, &why);
    end_all(made, NODES);
}

/* Of a tree of a thousand all that could be made is told. */
CASE_LONG(120, oom_a_thousand, "P-FAILED", "P-NOMEMORY", "P-SYNC")
{
    scarcely(grow_a_thousand);
}
