/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/calls/test_callback.c: callbacks on the canceller's stack. */
#include <rein.h>
#include <rein/testing.h>
#include <stdlib.h>

#include "base/fault_control.h"
#include "call.h"
#include "core/check.h"
#include "expect.h"
#include "hold.h"
#include "race.h"
#include "suite.h"

static const rein_reason why = REIN_REASON_INIT(-3, "why not");

static void cancel_it(void *ctx)
{
    rein_cancel(ctx);
}

/* It has run, on this thread, when cancel returns; at every level of the tree. */
CASE(callback_runs_before_cancel_returns, "CTX-14", "P-SYNC")
{
    struct call calls[4] = {{.err = 0}};
    rein_ctx *line[4];
    for (int i = 0; i < 4; i++) {
        line[i] = rein_with_cancel(i ? line[i - 1] : rein_background());
        ck_assert(rein_callback_add(line[i], &calls[i].callback, note, &calls[i]));
    }
    rein_cancel(line[1]);
    ck_assert_uint_eq(race_value(&calls[0].runs), 0);
    for (int i = 1; i < 4; i++) {
        ck_assert_uint_eq(race_value(&calls[i].runs), 1);
        ck_assert(pthread_equal(calls[i].thread, pthread_self()));
        ck_assert_int_eq(calls[i].err, -ECANCELED);
        ck_assert(!rein_callback_remove(&calls[i].callback));
    }
    ck_assert(rein_callback_remove(&calls[0].callback));
    for (int i = 4; i-- > 0;)
        rein_end(line[i]);
}

struct sees {
    rein_callback callback;
    const rein_ctx *deepest;
    int err;
};

static void look_at_the_deepest(const rein_ctx *ctx, void *arg)
{
    struct sees *is = arg;
    (void)ctx;
    is->err = rein_err(is->deepest);
}

/* No callback runs before the whole subtree is marked. */
CASE(callback_sees_all_descendants_done, "CTX-14", "CTX-64", "P-SYNC")
{
    rein_ctx *top = rein_with_cancel(rein_background()), *middle = rein_with_cancel(top);
    rein_ctx *leaf = rein_with_cancel(middle);
    struct sees is = {.deepest = leaf};
    ck_assert(rein_callback_add(top, &is.callback, look_at_the_deepest, &is));
    rein_cancel(top);
    ck_assert_int_eq(is.err, -ECANCELED);
    rein_end(leaf);
    rein_end(middle);
    rein_end(top);
}

/* On a done context it runs before add returns, which then says so. */
CASE(callback_on_a_done_context_runs_at_once, "CTX-62")
{
    struct call call = {.err = 0};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_cancel(ctx);
    ck_assert(!rein_callback_add(ctx, &call.callback, note, &call));
    ck_assert_uint_eq(race_value(&call.runs), 1);
    ck_assert(pthread_equal(call.thread, pthread_self()));
    ck_assert(!rein_callback_remove(&call.callback));
    rein_end(ctx);
}

/* Removed it never runs, and is off the context; the second removal answers false. */
CASE(callback_removed_never_runs, "CTX-66", "CTX-67")
{
    struct call call = {.err = 0};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert(rein_callback_add(ctx, &call.callback, note, &call));
    ck_assert(rein_callback_remove(&call.callback));
    ck_assert(!rein_callback_remove(&call.callback));
    ck_assert_uint_eq(reini_check_dependents(ctx), 0);
    rein_cancel(ctx);
    ck_assert_uint_eq(race_value(&call.runs), 0);
    rein_end(ctx);
}

/* On what can never be done it can be added and removed, any number of times. */
CASE(callback_on_the_never_done, "CTX-69")
{
    struct call call = {.err = 0};
    for (int i = 0; i < 3; i++) {
        ck_assert(rein_callback_add(rein_background(), &call.callback, note, &call));
        ck_assert(rein_callback_remove(&call.callback));
        ck_assert(!rein_callback_remove(&call.callback));
    }
    ck_assert_uint_eq(race_value(&call.runs), 0);
}

static void remove_it(void *arg)
{
    struct call *is = arg;
    ck_assert(!rein_callback_remove(&is->callback));
    ck_assert_uint_eq(race_value(&is->runs), 1);
}

/* Removal waits for a running call on another thread. */
CASE(callback_removal_waits, "CTX-68")
{
    struct call call = {.err = 0};
    struct race_thread canceller, remover;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert(rein_callback_add(ctx, &call.callback, block, &call));
    race_thread_start(&canceller, 0, cancel_it, ctx);
    race_await(&call.begun);
    race_thread_start(&remover, 0, remove_it, &call);
    ck_assert_int_eq(rein_sleep(rein_background(), REIN_MILLISECOND), 0);
    ck_assert(!race_thread_over(&remover));
    race_set(&call.go_on);
    race_thread_join(&remover);
    race_thread_join(&canceller);
    rein_end(ctx);
}

/* A canceller that comes second does not wait for the first one's callback, nor does an outer
 * cancel that meets the marking of it. */
CASE(callback_of_another_is_not_waited_for, "CTX-15", "CTX-16")
{
    struct call call = {.err = 0};
    struct race_thread canceller;
    rein_ctx *top = rein_with_cancel(rein_background()), *ctx = rein_with_cancel(top);
    ck_assert(rein_callback_add(ctx, &call.callback, block, &call));
    race_thread_start(&canceller, 0, cancel_it, ctx);
    race_await(&call.begun);
    rein_cancel(ctx);
    rein_cancel(top);
    ck_assert_uint_eq(race_value(&call.runs), 0);
    race_set(&call.go_on);
    race_thread_join(&canceller);
    rein_end(ctx);
    rein_end(top);
}

/* ---- from within ---- */

static void free_itself(const rein_ctx *ctx, void *arg)
{
    struct call *is = arg;
    (void)ctx;
    ck_assert(!rein_callback_remove(&is->callback));
    free(is);
}

/* From inside itself removal does not wait, and the memory is free afterwards. */
CASE(callback_may_free_itself, "CTX-65", "CTX-68")
{
    for (int done_before = 0; done_before < 2; done_before++) {
        rein_ctx *ctx = rein_with_cancel(rein_background());
        struct call *call = calloc(1, sizeof *call);
        if (done_before)
            rein_cancel(ctx);
        ck_assert(rein_callback_add(ctx, &call->callback, free_itself, call) == !done_before);
        rein_cancel(ctx);
        rein_end(ctx);
    }
}

struct several {
    struct call first, second;
};

static void remove_the_other(const rein_ctx *ctx, void *arg)
{
    struct several *is = arg;
    (void)ctx;
    bool second = rein_callback_remove(&is->second.callback),
         first = rein_callback_remove(&is->first.callback);
    race_add(&is->first.runs, (uint64_t)second + first);
}

/* One that is yet to run can be taken out by another that runs before it, on the same thread. */
CASE(callback_may_remove_another, "CTX-65", "CTX-66")
{
    struct several is = {.first = {.err = 0}};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert(rein_callback_add(ctx, &is.second.callback, remove_the_other, &is));
    ck_assert(rein_callback_add(ctx, &is.first.callback, remove_the_other, &is));
    rein_cancel(ctx);
    ck_assert_uint_eq(race_value(&is.first.runs), 1);
    rein_end(ctx);
}

struct within {
    rein_callback callback, second;
    rein_after after;
    rein_ctx *ctx;
    struct call inner;
    int wrong;
};

#define EXPECT(cond) (is->wrong = (cond) || is->wrong ? is->wrong : __LINE__)

static void use_everything(const rein_ctx *ctx, void *arg)
{
    struct within *is = arg;
    rein_cancel(is->ctx);
    EXPECT(rein_err(ctx) == -ECANCELED && rein_cause(ctx) == &why);
    EXPECT(rein_wait(ctx) == -ECANCELED);
    rein_ctx *child = rein_with_timeout(ctx, REIN_HOUR);
    EXPECT(rein_err(child) == -ECANCELED);
    rein_end(child);
    EXPECT(!rein_callback_add(ctx, &is->second, note, &is->inner));
    EXPECT(race_value(&is->inner.runs) == 1);
    EXPECT(rein_after_func(ctx, &is->after, rein_inline_executor(), note, &is->inner) == 0);
    EXPECT(race_value(&is->inner.runs) == 2);
    rein_end(is->ctx); /* the last owner but the canceller's */
}

/* From within one anything may be called on the same context. */
CASE(callback_may_call_anything, "CTX-65")
{
    struct within is = {.ctx = rein_with_cancel(rein_background())};
    rein_ctx *ctx = rein_share(is.ctx);
    ck_assert(rein_callback_add(ctx, &is.callback, use_everything, &is));
    rein_cancel_cause(ctx, &why);
    ck_assert_int_eq(is.wrong, 0);
    rein_end(ctx);
}

/* A callback that cancels a context above its own. */
static void cancel_arg(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    rein_cancel(arg);
}

CASE(callback_may_cancel_above, "CTX-27", "CTX-65")
{
    rein_callback callback;
    struct call call = {.err = 0};
    rein_ctx *top = rein_with_cancel(rein_background()), *ctx = rein_with_cancel(top);
    rein_ctx *sibling = rein_with_cancel(top);
    ck_assert(rein_callback_add(ctx, &callback, cancel_arg, top));
    ck_assert(rein_callback_add(sibling, &call.callback, note, &call));
    rein_cancel(ctx);
    expect_canceled(sibling);
    ck_assert_uint_eq(race_value(&call.runs), 1);
    rein_end(sibling);
    rein_end(ctx);
    rein_end(top);
}

/* ---- deadlines ---- */

/* A deadline's callback runs on the keeper, or on whoever advances a virtual clock; not on a
 * noticer. */
CASE(callback_of_a_deadline_is_the_keeper_s, "CTX-52", "CTX-54")
{
    struct call call = {.err = 0};
    struct hold expiry;
    rein_ctx *ctx = hold_expiry(&expiry);
    ck_assert(rein_callback_add(ctx, &call.callback, note, &call));
    ck_assert_int_eq(rein_wait(ctx), -ETIMEDOUT);
    hold_release(&expiry);
    race_await_value(&call.runs, 1);
    rein_callback_remove(&call.callback);
    ck_assert(!pthread_equal(call.thread, pthread_self()));
    hold_clear();
    rein_end(ctx);
    rein_clock *clock = suite_clock();
    struct call virtual = {.err = 0};
    ctx = rein_with_timeout(rein_clock_root(clock), REIN_SECOND);
    ck_assert(rein_callback_add(ctx, &virtual.callback, note, &virtual));
    rein_clock_advance(clock, REIN_SECOND);
    ck_assert_uint_eq(race_value(&virtual.runs), 1);
    ck_assert(pthread_equal(virtual.thread, pthread_self()));
    ck_assert_int_eq(virtual.err, -ETIMEDOUT);
    rein_end(ctx);
    rein_clock_free(clock);
}

/* A slow callback delays no other deadline's mark. */
CASE(callback_that_is_slow_delays_no_deadline, "CTX-52", "TIME-8")
{
    struct call call = {.err = 0};
    struct hold expiry;
    rein_ctx *slow = hold_expiry(&expiry);
    rein_ctx *other = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    ck_assert(rein_callback_add(slow, &call.callback, block, &call));
    hold_release(&expiry);
    race_await(&call.begun);
    ck_assert_int_eq(rein_wait(other), -ETIMEDOUT); /* while the keeper stands in the callback */
    race_set(&call.go_on);
    rein_callback_remove(&call.callback);
    hold_clear();
    rein_end(other);
    rein_end(slow);
}

/* ---- races ---- */

struct racing {
    rein_ctx *ctx;
    struct call call;
    struct race_count prevented;
};

static void cancel_or_remove(void *arg, unsigned index)
{
    struct racing *is = arg;
    if (index < 2)
        rein_cancel(is->ctx);
    else
        race_add(&is->prevented, rein_callback_remove(&is->call.callback));
}

/* Of any number of cancels and removals, exactly one removal prevents it, or it runs once. */
CASE_LONG(60, callback_one_true_removal_or_one_run, "CTX-67")
{
    for (size_t round = 0; round < suite_rounds(500); round++) {
        struct racing is = {.ctx = rein_with_cancel(rein_background())};
        ck_assert(rein_callback_add(is.ctx, &is.call.callback, note, &is.call));
        race_run(4, cancel_or_remove, &is);
        ck_assert_uint_eq(race_value(&is.prevented) + race_value(&is.call.runs), 1);
        rein_end(is.ctx);
    }
}

/* Removed after the mark but before it was claimed, it waits for the marking and is prevented. */
static void remove_in_race(void *arg)
{
    struct racing *is = arg;
    race_add(&is->prevented, rein_callback_remove(&is->call.callback));
}

CASE(callback_removed_in_the_middle_of_a_mark, "CTX-67")
{
    struct race_thread canceller, remover;
    struct hold hold = {.step = "marked-top"};
    struct racing is = {.ctx = rein_with_cancel(rein_background())};
    ck_assert(rein_callback_add(is.ctx, &is.call.callback, note, &is.call));
    hold_set(&hold);
    race_thread_start(&canceller, 0, cancel_it, is.ctx);
    hold_await(&hold);
    race_thread_start(&remover, 0, remove_in_race, &is);
    hold_release(&hold);
    race_thread_join(&remover);
    race_thread_join(&canceller);
    hold_clear();
    ck_assert_uint_eq(race_value(&is.prevented) + race_value(&is.call.runs), 1);
    rein_end(is.ctx);
}

/* Adding, cancelling and removing need no memory. */
CASE(callback_needs_no_memory, "CTX-96", "P-NOMEMORY")
{
    struct call call = {.err = 0};
    rein_after after;
    rein_ctx *ctx = rein_with_cancel(rein_background()), *child = rein_with_cancel(ctx);
    reini_fault_fail_nth(0);
    ck_assert(rein_callback_add(child, &call.callback, note, &call));
    ck_assert_int_eq(rein_after_func(child, &after, rein_inline_executor(), note, &call), 0);
    rein_cancel(ctx);
    ck_assert_int_eq(reini_fault_count(), 0);
    ck_assert_uint_eq(race_value(&call.runs), 2);
    rein_end(child);
    rein_end(ctx);
}
