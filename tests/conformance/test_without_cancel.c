/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/conformance/test_without_cancel.c: a new life with the old values.
 *
 * Covers CTX-59 and CTX-60, and rein_detach(), which is the same with a bound. */
#include <rein.h>
#include <rein/testing.h>

#include "core/check.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

REIN_KEY_DECLARE(ticket, int)
REIN_KEY_DEFINE(ticket, int)

static rein_reason why = REIN_REASON_INIT(-EPIPE, "the client has left");
static rein_reason own = REIN_REASON_INIT(-EIO, "the disk has failed");

static void expect_only_values(const rein_ctx *ctx)
{
    rein_time deadline = {4711};
    int fd;
    expect_live(ctx);
    ck_assert(!rein_deadline(ctx, &deadline) && deadline.ns == 4711);
    ck_assert_int_eq(rein_remaining(ctx), REIN_FOREVER);
    ck_assert_int_eq(rein_done_fd(ctx, &fd), 0);
    ck_assert_int_eq(fd, -1);
    ck_assert_int_eq(ticket_of(ctx, 0), 7);
}

/* It has the parent's values and nothing else, whether the parent ended before or ends later, by
 * cancel or by deadline. */
CASE(ctx_59_values_and_nothing_else, "CTX-59", "CTX-43")
{
    for (int way = 0; way < 2; way++) {
        rein_clock *clock = suite_clock();
        rein_ctx *parent = rein_with_timeout_cause(rein_clock_root(clock), REIN_SECOND, &why);
        const rein_ctx *value = ticket_with(parent, 7), *before = rein_without_cancel(value);
        expect_only_values(before);
        if (way)
            rein_clock_advance(clock, REIN_SECOND);
        else
            rein_cancel_cause(parent, &why);
        const rein_ctx *after = rein_without_cancel(value);
        expect_only_values(before);
        expect_only_values(after);
        ck_assert(rein_done(value));
        rein_unref(after);
        rein_unref(before);
        rein_unref(value);
        rein_end(parent);
        rein_clock_free(clock);
    }
}

/* Below it a new life begins: no link to anything above, values from above, no cause before an
 * end of its own, and no deadline from above. */
CASE(ctx_60_a_new_life_begins, "CTX-60", "CTX-82")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *parent = rein_with_timeout(root, REIN_SECOND);
    const rein_ctx *value = ticket_with(parent, 7), *without = rein_without_cancel(value);
    rein_ctx *child = rein_with_cancel(without), *timed = rein_with_timeout(without, REIN_HOUR);
    rein_time deadline;
    ck_assert_uint_eq(reini_check_dependents(parent), 0);
    ck_assert(!rein_deadline(child, &deadline));
    ck_assert(rein_deadline(timed, &deadline));
    ck_assert_int_eq(deadline.ns, rein_in(root, REIN_HOUR).ns);
    rein_cancel_cause(parent, &why);
    rein_clock_advance(clock, REIN_MINUTE);
    expect_live(child);
    expect_live(timed);
    ck_assert_int_eq(ticket_of(child, 0), 7);
    rein_cancel_cause(child, &own);
    expect_end(child, -ECANCELED, &own);
    rein_clock_advance(clock, REIN_HOUR);
    expect_expired(timed);
    expect_live(without);
    rein_end(timed);
    rein_end(child);
    rein_unref(without);
    rein_unref(value);
    rein_end(parent);
    rein_clock_free(clock);
}

static void count_drop(void *object)
{
    race_add(object, 1);
}

REIN_KEY_DECLARE_OWNED(owned, struct race_count)
REIN_KEY_DEFINE_OWNED(owned, struct race_count, count_drop)

/* It keeps the line above alive, for its values, and lets go of it with its own last reference. */
CASE(ctx_60_it_keeps_the_line_above, "CTX-60", "CTX-89", "P-LIFETIME")
{
    struct race_count dropped = {0};
    rein_ctx *parent = rein_with_cancel(rein_background());
    const rein_ctx *value = owned_with(parent, &dropped), *without = rein_without_cancel(value);
    rein_ctx *child = rein_with_cancel(without);
    rein_end(parent);
    rein_unref(value);
    rein_unref(without);
    ck_assert_uint_eq(race_value(&dropped), 0);
    ck_assert_ptr_eq(owned_of(child, NULL), &dropped);
    rein_end(child);
    ck_assert_uint_eq(race_value(&dropped), 1);
}

/* Detached: values of one context, life of another, and a bound. */
CASE(detach_has_the_life_of_another, "P-DETACH", "CTX-60")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *request = rein_with_timeout(root, REIN_SECOND), *server = rein_with_cancel(root);
    const rein_ctx *value = ticket_with(request, 7);
    rein_ctx *detached = rein_detach(value, server, REIN_MINUTE);
    rein_ctx *second = rein_detach(value, server, REIN_HOUR);
    ck_assert_uint_eq(reini_check_dependents(request), 0);
    ck_assert_uint_eq(reini_check_dependents(server), 2);
    rein_cancel(request);
    expect_live(detached);
    ck_assert_int_eq(ticket_of(detached, 0), 7);
    ck_assert_int_eq(rein_remaining(detached), REIN_MINUTE);
    rein_clock_advance(clock, REIN_MINUTE);
    expect_expired(detached);
    expect_live(second);
    rein_cancel_cause(server, &own);
    expect_end(second, -ECANCELED, &own);
    rein_end(second);
    rein_end(detached);
    rein_unref(value);
    rein_end(server);
    rein_end(request);
    rein_clock_free(clock);
}

/* To detach onto a context below itself is a caller's bug: it would not outlive anything. */
CASE_PANICS("detach-below-itself", detach_below_itself_panics, "P-DETACH", "P-RULES")
{
    rein_ctx *ctx = rein_with_cancel(rein_background()), *below = rein_with_cancel(ctx);
    rein_end(rein_detach(ctx, below, REIN_SECOND));
}

/* A merge is done with either of two, with the cause of the first; it has the values of its
 * parent and the earlier of the deadlines. */
CASE(merge_ends_with_either, "P-MERGE", "CTX-71")
{
    for (int which = 0; which < 3; which++) {
        rein_clock *clock = suite_clock();
        const rein_ctx *root = rein_clock_root(clock);
        rein_ctx *a = rein_with_timeout(root, REIN_HOUR), *b = rein_with_timeout(root, REIN_SECOND);
        const rein_ctx *a7 = ticket_with(a, 7), *b8 = ticket_with(b, 8);
        rein_ctx *merged = rein_merge(a7, b8), *child = rein_with_cancel(merged);
        ck_assert_int_eq(ticket_of(child, 0), 7);
        ck_assert_int_eq(rein_remaining(child), REIN_SECOND);
        if (which == 2)
            rein_clock_advance(clock, REIN_SECOND);
        else
            rein_cancel_cause(which ? b : a, &why);
        if (which == 2)
            expect_expired(child);
        else
            expect_end(child, -ECANCELED, &why);
        expect_live(which ? a : b);
        ck_assert_uint_eq(reini_check_dependents(a), 0);
        ck_assert_uint_eq(reini_check_dependents(b), 0);
        rein_end(child);
        rein_end(merged);
        rein_unref(b8);
        rein_unref(a7);
        rein_end(b);
        rein_end(a);
        rein_clock_free(clock);
    }
}
