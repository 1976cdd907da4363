/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/conformance/test_cancel.c: ending a context, and what that does to those around it.
 *
 * Covers CTX-10 to CTX-33, but for size, which is test_scale.c's, and for races that have to be
 * forced, which are tests/order's. */
#include <rein.h>
#include <rein/testing.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault_control.h"
#include "call.h"
#include "core/check.h"
#include "expect.h"
#include "hold.h"
#include "race.h"
#include "suite.h"

REIN_KEY_DECLARE(ticket, int)
REIN_KEY_DEFINE(ticket, int)

static rein_reason why = REIN_REASON_INIT(-EPIPE, "the client has left");
static rein_reason other = REIN_REASON_INIT(-EIO, "the disk has failed");

static void cancel_owner(void *ctx)
{
    rein_cancel(ctx);
}

static void count_drop(void *arg)
{
    race_add(arg, 1);
}

/* ---- who may ---- */

#define IS_OWNER(expression) _Generic((expression), rein_ctx *: true, const rein_ctx *: false)

/* The type says who may cancel: cancel and end take owners only; a root, a value and
 * without_cancel are views, as Go returns no cancel function for them; every derive call is
 * content with a view. */
CASE(ctx_10_const_is_the_right_to_cancel, "CTX-10", "P-CAPABILITY")
{
    ck_assert(_Generic(&rein_cancel_at, void (*)(const char *, rein_ctx *): true, default: false));
    ck_assert(_Generic(&rein_end_at, void (*)(const char *, rein_ctx *): true, default: false));
    ck_assert(_Generic(&rein_with_cancel_at,
                       rein_ctx *(*)(const char *, const rein_ctx *): true, default: false));
    ck_assert(!IS_OWNER(rein_background()));
    ck_assert(!IS_OWNER((rein_without_cancel)(rein_background())));
    ck_assert(!IS_OWNER((rein_with_value)(rein_background(), &ticket_key, NULL)));
    ck_assert(!IS_OWNER(rein_ref(rein_background())));
    ck_assert(IS_OWNER((rein_merge)(rein_background(), rein_background())));
    /* A callback gets a view. */
    ck_assert(_Generic((rein_callback_fn *)NULL, void (*)(const rein_ctx *, void *): true,
                       default: false));
}

/* ---- one context ---- */

/* After a cancel err is canceled, and so is the cause when none was given. */
CASE(ctx_11_cancel_means_canceled, "CTX-11", "CTX-35")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    expect_live(ctx);
    rein_cancel(ctx);
    expect_canceled(ctx);
    rein_end(ctx);
}

/* Cancelling again, with or without a reason, after a cancel, an expiry or the parent's end,
 * changes nothing: not the cause, not the record of who was first. */
CASE(ctx_12_cancelling_again_changes_nothing, "CTX-12", "CTX-34")
{
    rein_clock *clock = suite_clock();
    rein_ctx *parent = rein_with_cancel(rein_clock_root(clock));
    rein_ctx *ctx[] = {rein_with_cancel(parent), rein_with_timeout(parent, REIN_SECOND),
                       rein_with_timeout(parent, REIN_HOUR)};
    struct rein_event before[3], after;
    rein_cancel_cause(ctx[0], &why);
    rein_clock_advance(clock, REIN_SECOND);
    rein_cancel(parent);
    for (int i = 0; i < 3; i++)
        ck_assert(rein_event(ctx[i], &before[i]));
    for (int i = 0; i < 3; i++) {
        rein_cancel(ctx[i]);
        rein_cancel_cause(ctx[i], &other);
        rein_cancel_causef(ctx[i], -EIO, "number %d", i);
        ck_assert(rein_event(ctx[i], &after));
        ck_assert_int_eq(after.err, before[i].err);
        ck_assert_ptr_eq(after.cause, before[i].cause);
        ck_assert_str_eq(after.site, before[i].site);
        ck_assert_int_eq(after.at.ns, before[i].at.ns);
    }
    expect_end(ctx[0], -ECANCELED, &why);
    expect_expired(ctx[1]);
    expect_canceled(ctx[2]);
    for (int i = 0; i < 3; i++)
        rein_end(ctx[i]);
    rein_end(parent);
    rein_clock_free(clock);
}

/* Cancel does not release: a context is as usable after it, also to derive from, until its end. */
CASE(ctx_12_cancel_is_not_release, "CTX-12", "P-LIFETIME")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    unsigned references = reini_check_references(ctx);
    rein_cancel(ctx);
    rein_cancel(ctx);
    ck_assert_uint_eq(reini_check_references(ctx), references);
    rein_ctx *child = rein_with_cancel(ctx);
    expect_canceled(child);
    rein_end(child);
    rein_end(ctx);
}

/* ---- many at once ---- */

enum { CANCELLERS = 8 };

struct crowd {
    rein_ctx *line[CANCELLERS]; /* each below the one before */
    rein_reason reasons[CANCELLERS];
    const rein_reason *seen[CANCELLERS];
};

static void cancel_mine(void *arg, unsigned index)
{
    struct crowd *crowd = arg;
    rein_cancel_cause(crowd->line[index], &crowd->reasons[index]);
    crowd->seen[index] = rein_cause(crowd->line[CANCELLERS - 1]);
}

/* Threads that cancel contexts of one line, each with its own reason, all return; every context
 * has one of the reasons from its own line upwards, and all threads see the same one. */
CASE(ctx_13_one_reason_is_recorded, "CTX-13", "P-STABLE")
{
    for (size_t round = 0; round < suite_rounds(200); round++) {
        struct crowd crowd;
        for (int i = 0; i < CANCELLERS; i++) {
            crowd.line[i] = rein_with_cancel(i ? crowd.line[i - 1] : rein_background());
            crowd.reasons[i] = (rein_reason)REIN_REASON_INIT(-1 - i, "mine");
        }
        race_run(CANCELLERS, cancel_mine, &crowd);
        for (int i = 0; i < CANCELLERS; i++) {
            const rein_reason *cause = rein_cause(crowd.line[i]);
            ck_assert_int_eq(rein_err(crowd.line[i]), -ECANCELED);
            ck_assert(cause >= &crowd.reasons[0] && cause <= &crowd.reasons[i]);
            ck_assert_ptr_eq(crowd.seen[i], rein_cause(crowd.line[CANCELLERS - 1]));
        }
        for (int i = CANCELLERS; i-- > 0;)
            rein_end(crowd.line[i]);
    }
}

struct same {
    rein_ctx *ctx;
    rein_reason reasons[CANCELLERS];
    const rein_reason *seen[CANCELLERS];
};

static void cancel_the_same(void *arg, unsigned index)
{
    struct same *same = arg;
    rein_cancel_cause(same->ctx, &same->reasons[index]);
    same->seen[index] = rein_cause(same->ctx);
}

/* The same for one context that all of them cancel. */
CASE(ctx_13_many_cancel_the_same, "CTX-13", "CTX-42")
{
    for (size_t round = 0; round < suite_rounds(200); round++) {
        struct same same = {.ctx = rein_with_cancel(rein_background())};
        for (int i = 0; i < CANCELLERS; i++)
            same.reasons[i] = (rein_reason)REIN_REASON_INIT(-1 - i, "mine");
        race_run(CANCELLERS, cancel_the_same, &same);
        for (int i = 0; i < CANCELLERS; i++)
            ck_assert_ptr_eq(same.seen[i], rein_cause(same.ctx));
        expect_end(same.ctx, -ECANCELED, rein_cause(same.ctx));
        rein_end(same.ctx);
    }
}

/* ---- synchronous ---- */

/* When cancel returns, every descendant is done, through any mixture of kinds. */
CASE(ctx_14_all_below_is_done, "CTX-14", "CTX-18", "P-SYNC")
{
    rein_clock *clock = suite_clock();
    static const rein_foreign_ops forwarding = {.size = sizeof forwarding, .forwards = true};
    enum { LAYERS = 36, KINDS = 6 };
    rein_ctx *top = rein_with_cancel(rein_clock_root(clock)), *owner[LAYERS];
    const rein_ctx *line[LAYERS], *at = top;
    for (int i = 0; i < LAYERS; i++, at = line[i - 1]) {
        owner[i] = NULL;
        switch (i % KINDS) {
        case 0: line[i] = ticket_with(at, i); break;
        case 1: line[i] = owner[i] = rein_with_cancel(at); break;
        case 2: line[i] = owner[i] = rein_with_timeout(at, REIN_HOUR * 1000); break;
        case 3: line[i] = owner[i] = rein_foreign(at, &forwarding, NULL); break;
        case 4: line[i] = owner[i] = rein_merge(rein_clock_root(clock), at); break;
        case 5: line[i] = owner[i] = rein_detach(rein_clock_root(clock), at, REIN_FOREVER); break;
        }
        expect_live(line[i]);
    }
    reini_check_tree(top);
    rein_cancel_cause(top, &why);
    for (int i = 0; i < LAYERS; i++) {
        expect_end(line[i], -ECANCELED, &why);
        ck_assert(has_fired(line[i]));
    }
    ck_assert_uint_eq(rein_clock_armed(clock), 0);
    for (int i = LAYERS; i-- > 0;) {
        if (owner[i])
            rein_end(owner[i]);
        else
            rein_unref(line[i]);
    }
    rein_end(top);
    rein_clock_free(clock);
}

struct late_loser {
    rein_ctx *ctx, *leaf;
};

static void cancel_and_look(void *arg)
{
    struct late_loser *it = arg;
    rein_cancel(it->ctx);
    ck_assert_int_eq(rein_err(it->leaf), -ECANCELED);
}

/* Of two that cancel the same context, neither comes back to an undone leaf. */
CASE(ctx_15_no_loser_sees_an_undone_leaf, "CTX-15")
{
    for (size_t round = 0; round < suite_rounds(1000); round++) {
        rein_ctx *line[20];
        for (int i = 0; i < 20; i++)
            line[i] = rein_with_cancel(i ? line[i - 1] : rein_background());
        struct late_loser it = {line[0], line[19]};
        race_pair(cancel_and_look, cancel_and_look, &it);
        for (int i = 20; i-- > 0;)
            rein_end(line[i]);
    }
}

static void wait_for_flag(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    race_await(arg);
}

static void wait_then_linger(void *arg)
{
    struct {
        const rein_ctx *ctx;
        struct race_flag *go_on;
    } *it = arg;
    rein_wait(it->ctx);
    race_await(it->go_on);
}

/* Cancel tells, and waits for no work: an after-func that cannot end before cancel has returned,
 * and a woken thread that goes on working. */
CASE(ctx_16_cancel_waits_for_no_work, "CTX-16", "CTX-63")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct race_flag returned = {0};
    struct {
        const rein_ctx *ctx;
        struct race_flag *go_on;
    } it = {ctx, &returned};
    struct race_thread worker;
    rein_after after;
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, wait_for_flag, &returned), 0);
    race_thread_start(&worker, 0, wait_then_linger, &it);
    rein_cancel(ctx);
    race_set(&returned);
    race_thread_join(&worker);
    ck_assert(!rein_after_stop_wait(&after));
    rein_end(ctx);
}

/* ---- which way ---- */

/* A cancel goes down only: parent, siblings and other branches stay live. */
CASE(ctx_17_down_only, "CTX-17")
{
    rein_ctx *parent = rein_with_cancel(rein_background());
    rein_ctx *ctx = rein_with_cancel(parent), *sibling = rein_with_cancel(parent);
    rein_ctx *child = rein_with_cancel(ctx), *nephew = rein_with_cancel(sibling);
    rein_ctx *merged = rein_merge(ctx, sibling);
    rein_cancel(merged);
    expect_live(ctx);
    rein_cancel(ctx);
    expect_canceled(child);
    expect_live(parent);
    expect_live(sibling);
    expect_live(nephew);
    rein_end(merged);
    rein_end(child);
    rein_end(nephew);
    rein_end(sibling);
    rein_end(ctx);
    expect_live(parent);
    rein_end(parent);
}

/* Descendants of whatever kind get the ancestor's err and cause unchanged: a plain child of an
 * expired parent has expired too. */
CASE(ctx_18_err_and_cause_come_down_unchanged, "CTX-18", "CTX-36")
{
    rein_clock *clock = suite_clock();
    rein_ctx *late = rein_with_timeout_cause(rein_clock_root(clock), REIN_SECOND, &why);
    rein_ctx *child = rein_with_cancel(late), *timed = rein_with_timeout(late, REIN_HOUR);
    const rein_ctx *value = ticket_with(child, 1);
    rein_ctx *merged = rein_merge(rein_clock_root(clock), value);
    rein_clock_advance(clock, REIN_SECOND);
    expect_end(late, -ETIMEDOUT, &why);
    expect_end(child, -ETIMEDOUT, &why);
    expect_end(timed, -ETIMEDOUT, &why);
    expect_end(value, -ETIMEDOUT, &why);
    expect_end(merged, -ETIMEDOUT, &why);
    rein_end(merged);
    rein_unref(value);
    rein_end(timed);
    rein_end(child);
    rein_end(late);
    rein_clock_free(clock);
}

/* A context that ended first keeps its own err and cause when an ancestor ends later. */
CASE(ctx_19_the_first_end_stays, "CTX-19")
{
    rein_clock *clock = suite_clock();
    rein_ctx *parent = rein_with_cancel(rein_clock_root(clock));
    rein_ctx *cancelled = rein_with_cancel(parent), *expired = rein_with_timeout(parent, 1);
    rein_ctx *below = rein_with_cancel(cancelled);
    rein_cancel_cause(cancelled, &why);
    rein_clock_advance(clock, 1);
    rein_cancel_cause(parent, &other);
    expect_end(cancelled, -ECANCELED, &why);
    expect_end(below, -ECANCELED, &why);
    expect_expired(expired);
    expect_end(parent, -ECANCELED, &other);
    rein_end(below);
    rein_end(expired);
    rein_end(cancelled);
    rein_end(parent);
    rein_clock_free(clock);
}

/* ---- the list of dependents ---- */

/* Whatever ends by itself leaves its parent's list at once: by cancel, by end, by expiry, by
 * stop. */
CASE(ctx_20_who_ends_leaves_the_list, "CTX-20", "CTX-53", "CTX-66")
{
    rein_clock *clock = suite_clock();
    rein_ctx *parent = rein_with_cancel(rein_clock_root(clock));
    rein_after after;
    struct race_count runs = {0};

    rein_ctx *cancelled = rein_with_cancel(parent);
    ck_assert_uint_eq(reini_check_dependents(parent), 1);
    rein_cancel(cancelled);
    ck_assert_uint_eq(reini_check_dependents(parent), 0);

    rein_ctx *timed = rein_with_timeout(parent, 60 * REIN_MINUTE);
    ck_assert_uint_eq(reini_check_dependents(parent), 1);
    rein_cancel(timed);
    ck_assert_uint_eq(reini_check_dependents(parent), 0);

    rein_ctx *expiring = rein_with_timeout(parent, 1);
    ck_assert_uint_eq(reini_check_dependents(parent), 1);
    rein_clock_advance(clock, 1);
    ck_assert_uint_eq(reini_check_dependents(parent), 0);

    rein_ctx *released = rein_with_cancel(parent);
    ck_assert_uint_eq(reini_check_dependents(parent), 1);
    rein_end(released);
    ck_assert_uint_eq(reini_check_dependents(parent), 0);

    ck_assert_int_eq(rein_after_func(parent, &after, rein_inline_executor(), count_call, &runs), 0);
    ck_assert_uint_eq(reini_check_dependents(parent), 1);
    ck_assert(rein_after_stop(&after));
    ck_assert_uint_eq(reini_check_dependents(parent), 0);

    rein_end(expiring);
    rein_end(timed);
    rein_end(cancelled);
    rein_end(parent);
    ck_assert_uint_eq(race_value(&runs), 0);
    rein_clock_free(clock);
}

/* Cancelling a parent empties its list; a child that only the parent knew of is held by nobody. */
CASE(ctx_20_cancel_empties_the_list, "CTX-20", "P-GUEST")
{
    rein_ctx *parent = rein_with_cancel(rein_background());
    rein_ctx *child[3];
    for (int i = 0; i < 3; i++)
        child[i] = rein_with_cancel(parent);
    ck_assert_uint_eq(reini_check_dependents(parent), 3);
    rein_cancel(parent);
    ck_assert_uint_eq(reini_check_dependents(parent), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(reini_check_references(child[i]), 1);
        rein_end(child[i]);
    }
    ck_assert_uint_eq(reini_check_references(parent), 1);
    rein_end(parent);
}

/* A context derived from an ended one is born done with the parent's err and cause, registered
 * nowhere, and no deadline of it is armed. */
CASE(ctx_21_born_done_below_an_ended_one, "CTX-21", "CTX-36")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *parent = rein_with_cancel(root);
    rein_cancel_cause(parent, &why);
    rein_ctx *owner[] = {
        rein_with_cancel(parent),
        rein_with_timeout(parent, REIN_HOUR),
        rein_with_timeout_cause(parent, REIN_HOUR, &other),
        rein_merge(parent, root),
        rein_merge(root, parent),
        rein_detach(root, parent, REIN_HOUR),
    };
    const rein_ctx *value = ticket_with(parent, 1);
    for (size_t i = 0; i < sizeof owner / sizeof *owner; i++) {
        expect_end(owner[i], -ECANCELED, &why);
        ck_assert(has_fired(owner[i]));
    }
    expect_end(value, -ECANCELED, &why);
    ck_assert_uint_eq(reini_check_dependents(parent), 0);
    ck_assert_uint_eq(reini_check_armed(root), 0);
    rein_unref(value);
    for (size_t i = 0; i < sizeof owner / sizeof *owner; i++)
        rein_end(owner[i]);
    rein_end(parent);
    rein_clock_free(clock);
}

/* Below what can never end there is no link: neither deriving, cancelling nor releasing there
 * comes to a parent's lock. */
CASE(ctx_23_no_link_below_never, "CTX-23")
{
    const rein_ctx *without = rein_without_cancel(rein_background());
    const rein_ctx *value = ticket_with(rein_todo(), 1);
    const rein_ctx *never[] = {rein_background(), rein_todo(), without, value};
    struct hold link = {.step = "link", .skip = UINT32_MAX};
    struct hold leave = {.step = "leave", .skip = UINT32_MAX};
    hold_set(&link);
    hold_set(&leave);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        rein_ctx *ctx = rein_with_cancel(never[i]);
        rein_cancel(ctx);
        rein_end(ctx);
    }
    ck_assert_uint_eq(hold_seen(&link), 0);
    ck_assert_uint_eq(hold_seen(&leave), 0);
    hold_clear();
    rein_unref(value);
    rein_unref(without);
}

/* Values are transparent: what is derived from one links to the nearest context above that can
 * end by itself, and only what can end is in its list. */
CASE(ctx_24_values_are_transparent, "CTX-24", "CTX-20")
{
    rein_clock *clock = suite_clock();
    rein_ctx *parent = rein_with_cancel(rein_clock_root(clock));
    struct race_count runs = {0};
    rein_after after;
    rein_ctx *child = rein_with_cancel(parent);
    const rein_ctx *value = ticket_with(parent, 1), *value2 = ticket_with(value, 2);
    rein_ctx *timed = rein_with_timeout(value2, REIN_HOUR);
    ck_assert_int_eq(rein_after_func(value, &after, rein_inline_executor(), count_call, &runs), 0);
    ck_assert_uint_eq(reini_check_dependents(parent), 3);
    ck_assert_uint_eq(reini_check_dependents(value2), 3);
    ck_assert_uint_eq(reini_check_dependents(child), 0);
    rein_cancel(parent);
    ck_assert_uint_eq(reini_check_dependents(parent), 0);
    expect_canceled(child);
    expect_canceled(value);
    expect_canceled(value2);
    expect_canceled(timed);
    ck_assert_uint_eq(race_value(&runs), 1);
    rein_end(timed);
    rein_unref(value2);
    rein_unref(value);
    rein_end(child);
    rein_end(parent);
    rein_clock_free(clock);
}

/* ---- forgotten ---- */

/* The last release of a context that was never cancelled: it leaves its parent silently, its
 * timer is disarmed, its after-funcs never run, and who owns their arguments is told, once. */
CASE(ctx_25_last_release_leaves_silently, "CTX-25", "CTX-70", "P-LIFETIME")
{
    rein_clock *clock = suite_clock();
    rein_ctx *parent = rein_with_cancel(rein_clock_root(clock));
    rein_ctx *ctx = rein_with_timeout(parent, REIN_HOUR);
    rein_after plain, owned;
    struct race_count runs = {0}, dropped = {0};
    ck_assert_int_eq(rein_after_func(ctx, &plain, NULL, count_call, &runs), 0);
    int r = rein_after_func_owned(ctx, &owned, NULL, count_call, &dropped, count_drop);
    ck_assert_int_eq(r, 0);
    rein_end(ctx);
    ck_assert_uint_eq(race_value(&dropped), 1); /* dropped once, and did not run besides */
    ck_assert_uint_eq(reini_check_dependents(parent), 0);
    ck_assert_uint_eq(rein_clock_armed(clock), 0);
    rein_cancel(parent);
    rein_clock_advance(clock, REIN_HOUR);
    ck_assert_uint_eq(race_value(&runs), 0);
    ck_assert_uint_eq(race_value(&dropped), 1);
    rein_end(parent);
    rein_clock_free(clock);
}

/* A forgotten context stays in its parent's list until the parent ends, and is done then. */
CASE(ctx_25_forgotten_until_the_parent_ends, "CTX-25")
{
    rein_ctx *parent = rein_with_cancel(rein_background()), *forgotten = rein_with_cancel(parent);
    const rein_ctx *view = rein_ref(forgotten);
    ck_assert_uint_eq(reini_check_dependents(parent), 1);
    rein_cancel(parent);
    expect_canceled(view);
    rein_unref(view);
    rein_end(forgotten);
    rein_end(parent);
}

/* A context that goes with a callback linked is a caller's bug. */
CASE_PANICS("callback-outlives-context", ctx_25_last_release_with_a_callback_panics, "CTX-25",
            "P-RULES")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_callback callback;
    struct race_count runs = {0};
    rein_callback_add(ctx, &callback, count_call, &runs);
    rein_end(ctx);
}

/* End with others still holding the context is a cancel; alone, a mere release that nobody can
 * see. */
CASE(ctx_25_end_cancels_only_for_others, "CTX-25", "CTX-12")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    const rein_ctx *view = rein_ref(ctx);
    rein_end(ctx);
    expect_canceled(view);
    rein_unref(view);

    ctx = rein_with_cancel(rein_background());
    rein_ctx *second = rein_share(ctx);
    rein_end(ctx);
    expect_canceled(second);
    rein_end(second);
}

/* ---- who sees what ---- */

struct published {
    rein_ctx *ctx;
    int fd;
    int way;
    int data; /* not atomic: its order is what is tested */
};

static void write_and_cancel(void *arg)
{
    struct published *it = arg;
    it->data = 42;
    rein_cancel(it->ctx);
}

static void look_and_read(void *arg)
{
    struct published *it = arg;
    struct pollfd poller = {.fd = it->fd, .events = POLLIN};
    switch (it->way) {
    case 0:
        while (!rein_done(it->ctx))
            suite_yield();
        break;
    case 1:
        while (rein_cause(it->ctx)->code == 0)
            suite_yield();
        break;
    case 2:
        while (poll(&poller, 1, -1) != 1)
            ;
        /* That an order comes with poll() is unknown to race detectors, so err is asked as well. */
        ck_assert_int_eq(rein_err(it->ctx), -ECANCELED);
        break;
    case 3:
        rein_wait(it->ctx);
        break;
    }
    ck_assert_int_eq(it->data, 42);
}

/* What was written before a cancel is seen by whoever sees err, cause or descriptor, or is
 * woken. */
CASE(ctx_30_what_was_written_before_is_seen, "CTX-30")
{
    for (size_t round = 0; round < suite_rounds(400); round++) {
        struct published it = {.ctx = rein_with_cancel(rein_background()), .way = (int)(round % 4)};
        ck_assert_int_eq(rein_done_fd(it.ctx, &it.fd), 0);
        race_pair(look_and_read, write_and_cancel, &it);
        rein_end(it.ctx);
    }
}

static void read_in_callback(const rein_ctx *ctx, void *arg)
{
    struct published *it = arg;
    ck_assert_int_eq(rein_err(ctx), -ECANCELED);
    ck_assert_int_eq(it->data, 42);
}

/* And by after-funcs. */
CASE(ctx_30_what_was_written_before_is_seen_by_after_funcs, "CTX-30", "CTX-64")
{
    for (size_t round = 0; round < suite_rounds(100); round++) {
        struct published it = {.ctx = rein_with_cancel(rein_background())};
        rein_after after;
        ck_assert_int_eq(rein_after_func(it.ctx, &after, NULL, read_in_callback, &it), 0);
        write_and_cancel(&it);
        rein_after_stop_wait(&after);
        rein_end(it.ctx);
    }
}

/* ---- the price of asking ---- */

static const rein_ctx *asked_by_signal;
static struct race_count asked_times;

static void ask_in_signal(int number)
{
    (void)number;
    (void)rein_err(asked_by_signal);
    (void)rein_done(asked_by_signal);
    race_add(&asked_times, 1);
}

struct bombing {
    pthread_t target;
    struct race_flag over;
};

static void bomb(void *arg)
{
    struct bombing *bombing = arg;
    while (!race_is_set(&bombing->over)) {
        pthread_kill(bombing->target, SIGUSR1);
        suite_yield();
    }
}

/* Asking takes no lock: it may be done in a signal handler that has interrupted a derive, a wait
 * for or a cancel of that very context on the same thread. */
CASE(ctx_31_asking_takes_no_lock, "CTX-31", "P-COST")
{
    struct sigaction action = {.sa_handler = ask_in_signal, .sa_flags = SA_RESTART}, old;
    struct bombing bombing = {.target = pthread_self()};
    struct race_thread thread;
    rein_ctx *parent = rein_with_cancel(rein_background());
    asked_by_signal = parent;
    sigaction(SIGUSR1, &action, &old);
    race_thread_start(&thread, 0, bomb, &bombing);
    for (int ended = 0; ended < 2; ended++) {
        uint64_t enough = race_value(&asked_times) + suite_rounds(2000);
        while (race_value(&asked_times) < enough) {
            rein_ctx *child = rein_with_cancel(parent);
            rein_cancel(child);
            rein_end(child);
        }
        rein_cancel(parent);
    }
    race_set(&bombing.over);
    race_thread_join(&thread);
    sigaction(SIGUSR1, &old, NULL);
    rein_end(parent);
}

/* Asking neither waits for a canceller that is in the midst of its work, nor allocates. */
CASE(ctx_31_asking_waits_for_nobody, "CTX-31", "CTX-1")
{
    rein_ctx *parent = rein_with_cancel(rein_background()), *child = rein_with_cancel(parent);
    struct hold between = {.step = "marked-top"};
    struct race_thread thread;
    hold_set(&between);
    race_thread_start(&thread, 0, cancel_owner, parent);
    hold_await(&between);
    reini_fault_fail_nth(0);
    ck_assert_int_eq(rein_err(parent), -ECANCELED);
    ck_assert_int_eq(rein_cause(parent)->code, -ECANCELED);
    expect_live(child);
    ck_assert_int_eq(reini_fault_count(), 0);
    hold_release(&between);
    race_thread_join(&thread);
    hold_clear();
    rein_end(child);
    rein_end(parent);
}

/* ---- the handle ---- */

static void wait_on(void *ctx)
{
    rein_wait(ctx);
}

/* Neither making, waiting for, cancelling nor ending a context opens a descriptor; asking for
 * one opens it, once. */
CASE(ctx_32_no_descriptor_before_it_is_asked_for, "CTX-32", "P-GUEST")
{
    size_t before = suite_descriptors();
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR), *below = rein_with_cancel(ctx);
    struct race_thread thread;
    int fd, again;
    race_thread_start(&thread, 0, wait_on, below);
    rein_cancel(ctx);
    race_thread_join(&thread);
    ck_assert_uint_eq(suite_descriptors(), before);
    ck_assert_int_eq(rein_done_fd(ctx, &fd), 0);
    ck_assert_int_eq(rein_done_fd(ctx, &again), 0);
    ck_assert_int_eq(fd, again);
    ck_assert_uint_eq(suite_descriptors(), before + 1);
    rein_end(below);
    rein_end(ctx);
    ck_assert_uint_eq(suite_descriptors(), before);
}

/* A value shares the descriptor of the context it lives and dies with: a handle is no identity. */
CASE(ctx_32_a_handle_is_no_identity, "CTX-32", "CTX-87")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    const rein_ctx *value = ticket_with(ctx, 1);
    int fd, of_value;
    ck_assert_int_eq(rein_done_fd(ctx, &fd), 0);
    ck_assert_int_eq(rein_done_fd(value, &of_value), 0);
    ck_assert_int_eq(fd, of_value);
    rein_unref(value);
    rein_end(ctx);
}

/* A fired descriptor stays readable, however often and by whomever it is read. */
CASE(ctx_33_the_handle_cannot_be_drained, "CTX-33")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    uint64_t drained;
    int fd;
    ck_assert_int_eq(rein_done_fd(ctx, &fd), 0);
    ck_assert(!has_fired(ctx));
    rein_cancel(ctx);
    for (int i = 0; i < 100; i++) {
        ck_assert(has_fired(ctx));
        ck_assert_int_eq(read(fd, &drained, sizeof drained), sizeof drained);
    }
    ck_assert(has_fired(ctx));
    rein_end(ctx);
}

struct audience {
    rein_ctx *ctx;
    struct race_count seated, woken;
};

static void be_told(void *arg, unsigned index)
{
    struct audience *audience = arg;
    struct pollfd poller = {.events = POLLIN};
    if (index == 0) {
        race_await_value(&audience->seated, 8);
        rein_cancel(audience->ctx);
        return;
    }
    ck_assert_int_eq(rein_done_fd(audience->ctx, &poller.fd), 0);
    race_add(&audience->seated, 1);
    if (index % 2)
        ck_assert_int_eq(rein_wait(audience->ctx), -ECANCELED);
    else
        ck_assert_int_eq(poll(&poller, 1, -1), 1);
    race_add(&audience->woken, 1);
}

/* The end is a broadcast: all who wait, blocked in a call or on the descriptor, are told. */
CASE(ctx_33_the_end_is_a_broadcast, "CTX-33", "P-WAKE")
{
    for (size_t round = 0; round < suite_rounds(50); round++) {
        struct audience audience = {.ctx = rein_with_cancel(rein_background())};
        race_run(9, be_told, &audience);
        ck_assert_uint_eq(race_value(&audience.woken), 8);
        ck_assert_int_eq(rein_wait(audience.ctx), -ECANCELED); /* and all who come later */
        rein_end(audience.ctx);
    }
}
