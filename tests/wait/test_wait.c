/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/wait/test_wait.c: rein_wait and rein_sleep. */
#include <rein.h>
#include <rein/testing.h>
#include <signal.h>

#include "core/check.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

static const rein_reason why = REIN_REASON_INIT(-3, "why not");

/* ---- already done ---- */

/* Every blocking call fails at once on a done context, even one that could succeed. */
CASE(wait_done_contexts_fail_at_once, "CTX-21", "P-WAIT")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_cancel_cause(ctx, &why);
    ck_assert_int_eq(rein_wait(ctx), -ECANCELED);
    ck_assert_int_eq(rein_sleep(ctx, 0), -ECANCELED);
    ck_assert_int_eq(rein_sleep(ctx, -1), -ECANCELED);
    ck_assert_int_eq(rein_sleep(ctx, REIN_FOREVER), -ECANCELED);
    ck_assert_int_eq(rein_sleep_until(ctx, (rein_time){0}), -ECANCELED);
    rein_case cases[] = {REIN_CASE_AT(((rein_time){0}))};
    ck_assert_int_eq(rein_wait_any(ctx, cases, 1), -ECANCELED);
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    struct pollfd fd = {.fd = ends[1], .events = POLLOUT, .revents = 77};
    ck_assert_int_eq(rein_poll(ctx, &fd, 1), -ECANCELED);
    ck_assert_int_eq(fd.revents, 77);
    close(ends[0]);
    close(ends[1]);
    rein_end(ctx);
}

/* What they return is err, never the cause. */
CASE(wait_returns_err_not_the_cause, "CTX-5", "CTX-34")
{
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_timeout_cause(rein_clock_root(clock), REIN_SECOND, &why);
    rein_clock_advance(clock, REIN_SECOND);
    ck_assert_int_eq(rein_wait(ctx), -ETIMEDOUT);
    ck_assert_int_eq(rein_sleep(ctx, 1), -ETIMEDOUT);
    ck_assert_ptr_eq(rein_cause(ctx), &why);
    rein_end(ctx);
    rein_clock_free(clock);
}

/* ---- being woken ---- */

struct waiting {
    const rein_ctx *ctx;
    rein_duration nap;
    int result;
    int err;
};

static void wait_for_it(void *arg)
{
    struct waiting *is = arg;
    is->result = rein_wait(is->ctx);
    is->err = rein_err(is->ctx);
}

static void sleep_under_it(void *arg)
{
    struct waiting *is = arg;
    is->result = rein_sleep(is->ctx, is->nap);
    is->err = rein_err(is->ctx);
}

static bool has_dependents(void *arg)
{
    return reini_check_dependents(arg) > 0;
}

/* Start fn and wait until it has linked itself to ctx. */
static void start_waiter(struct race_thread *thread, void (*fn)(void *arg), struct waiting *is,
                         rein_ctx *ctx)
{
    is->ctx = ctx;
    race_thread_start(thread, 0, fn, is);
    suite_until(has_dependents, ctx);
}

/* A waiter is woken by a cancel, and err is set when it returns; its frame is off the context. */
CASE(wait_is_ended_by_cancel, "CTX-11", "CTX-4")
{
    struct race_thread thread;
    struct waiting is = {.result = 1};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    start_waiter(&thread, wait_for_it, &is, ctx);
    rein_cancel(ctx);
    race_thread_join(&thread);
    ck_assert_int_eq(is.result, -ECANCELED);
    ck_assert_int_eq(is.err, -ECANCELED);
    ck_assert_uint_eq(reini_check_dependents(ctx), 0);
    rein_end(ctx);
}

/* A sleeper too, long before its time. */
CASE(sleep_is_ended_by_cancel, "CTX-11", "P-WAIT")
{
    struct race_thread thread;
    struct waiting is = {.result = 1, .nap = REIN_FOREVER};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    start_waiter(&thread, sleep_under_it, &is, ctx);
    rein_cancel(ctx);
    race_thread_join(&thread);
    ck_assert_int_eq(is.result, -ECANCELED);
    rein_end(ctx);
}

/* By its own deadline each wakes by itself, marks, and finds err set: no timer thread is needed. */
CASE(wait_ends_at_the_deadline_by_itself, "CTX-52", "CTX-54", "P-WAIT")
{
    rein_loop *loop; /* which keeps the time, and is never run: nothing but the waiter can notice */
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    rein_ctx *ctx = rein_with_timeout_cause(rein_background(), 5 * REIN_MILLISECOND, &why);
    rein_ctx *inner = rein_with_cancel(ctx);
    rein_time deadline;
    ck_assert(rein_deadline(ctx, &deadline));
    ck_assert_int_eq(rein_wait(inner), -ETIMEDOUT);
    ck_assert(rein_now(ctx).ns >= deadline.ns);
    expect_end(inner, -ETIMEDOUT, &why);
    expect_end(ctx, -ETIMEDOUT, &why);
    rein_ctx *second = rein_with_timeout(rein_background(), 5 * REIN_MILLISECOND);
    ck_assert_int_eq(rein_sleep(second, REIN_HOUR), -ETIMEDOUT);
    expect_expired(second);
    rein_end(second);
    rein_end(inner);
    rein_end(ctx);
    rein_loop_free(loop);
}

/* On a virtual clock a waiter sleeps until the clock is moved to the deadline. */
CASE(wait_on_a_virtual_clock, "CTX-52", "P-VIRTUAL")
{
    struct race_thread thread;
    struct waiting is = {.result = 1};
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(clock), REIN_HOUR);
    start_waiter(&thread, wait_for_it, &is, ctx);
    rein_clock_advance(clock, REIN_HOUR - 1);
    ck_assert(!race_thread_over(&thread));
    rein_clock_advance(clock, 1);
    race_thread_join(&thread);
    ck_assert_int_eq(is.result, -ETIMEDOUT);
    rein_end(ctx);
    rein_clock_free(clock);
}

static bool two_armed(void *arg)
{
    return rein_clock_armed(arg) == 2;
}

/* A sleep ends at its instant with 0, and leaves nothing armed; a deadline that is earlier wins. */
CASE(sleep_on_a_virtual_clock, "TIME-5", "CTX-52", "P-VIRTUAL")
{
    struct race_thread thread;
    struct waiting is = {.result = 1, .nap = REIN_MINUTE};
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(clock), REIN_HOUR);
    is.ctx = ctx;
    race_thread_start(&thread, 0, sleep_under_it, &is);
    suite_until(two_armed, clock);
    rein_clock_advance(clock, REIN_MINUTE - 1);
    ck_assert(!race_thread_over(&thread));
    rein_clock_advance(clock, 1);
    race_thread_join(&thread);
    ck_assert_int_eq(is.result, 0);
    ck_assert_uint_eq(rein_clock_armed(clock), 1);

    is.nap = 2 * REIN_HOUR;
    race_thread_start(&thread, 0, sleep_under_it, &is);
    suite_until(two_armed, clock);
    rein_clock_advance(clock, REIN_HOUR);
    race_thread_join(&thread);
    ck_assert_int_eq(is.result, -ETIMEDOUT);
    ck_assert_int_eq(is.err, -ETIMEDOUT);
    ck_assert_uint_eq(rein_clock_armed(clock), 0);
    rein_end(ctx);
    rein_clock_free(clock);
}

/* A sleep of nothing or less returns at once; so does one until an instant that has passed. */
CASE(sleep_of_nothing_returns_at_once, "TIME-5")
{
    const rein_ctx *root = rein_background();
    ck_assert_int_eq(rein_sleep(root, 0), 0);
    ck_assert_int_eq(rein_sleep(root, -REIN_HOUR), 0);
    ck_assert_int_eq(rein_sleep(root, INT64_MIN), 0);
    ck_assert_int_eq(rein_sleep_until(root, rein_now(root)), 0);
    ck_assert_int_eq(rein_sleep_until(root, (rein_time){INT64_MIN}), 0);
}

/* A sleep is never short. */
CASE(sleep_is_never_short, "CTX-52", "P-WAIT")
{
    const rein_ctx *root = rein_background();
    for (int i = 0; i < 20; i++) {
        rein_time before = rein_now(root);
        ck_assert_int_eq(rein_sleep(root, 300 * REIN_MICROSECOND), 0);
        ck_assert_int_ge(rein_time_sub(rein_now(root), before), 300 * REIN_MICROSECOND);
    }
}

/* A thousand waiters on one context are all woken by one cancel. */
static void wait_all(void *arg, unsigned index)
{
    struct waiting *is = (struct waiting *)arg + index;
    if (index == 0) {
        rein_cancel((rein_ctx *)(uintptr_t)is->ctx);
        is->result = -ECANCELED;
        return;
    }
    wait_for_it(is);
}

CASE_LONG(120, wait_many_waiters_are_all_woken, "CTX-33", "P-WAIT")
{
    enum { WAITERS = 200 };
    static struct waiting waiters[WAITERS];
    unsigned n = (unsigned)suite_scale(WAITERS);
    for (size_t round = 0; round < suite_rounds(10); round++) {
        rein_ctx *ctx = rein_with_cancel(rein_background());
        for (unsigned i = 0; i < n; i++)
            waiters[i] = (struct waiting){.ctx = ctx, .result = 1};
        race_run(n, wait_all, waiters);
        for (unsigned i = 0; i < n; i++)
            ck_assert_int_eq(waiters[i].result, -ECANCELED);
        rein_end(ctx);
    }
}

/* ---- signals ---- */

#ifdef __SANITIZE_THREAD__
enum { HANDLED_AT_ONCE = false }; /* the race detector keeps a signal until the call is over */
#else
enum { HANDLED_AT_ONCE = true };
#endif

static struct race_count handled;

static void on_signal(int number)
{
    (void)number;
    race_add(&handled, 1);
}

/* Interrupting signals restart a wait and a sleep, handlers or not. */
CASE(wait_is_restarted_by_signals, "P-WAIT", "P-GUEST")
{
    struct race_thread thread;
    struct waiting is = {.result = 1, .nap = REIN_FOREVER};
    void (*calls[])(void *) = {wait_for_it, sleep_under_it};
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_signal}, NULL);
    for (int i = 0; i < 2; i++) {
        rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
        start_waiter(&thread, calls[i], &is, ctx);
        for (uint64_t n = 1; n <= 20; n++) {
            uint64_t before = race_value(&handled);
            ck_assert_int_eq(pthread_kill(thread.id, SIGUSR1), 0);
            if (HANDLED_AT_ONCE)
                race_await_value(&handled, before + 1);
        }
        ck_assert(!race_thread_over(&thread));
        rein_cancel(ctx);
        race_thread_join(&thread);
        ck_assert_int_eq(is.result, -ECANCELED);
        rein_end(ctx);
    }
}

/* A value, a merge and a detached context are waited for like any other. */
CASE(wait_on_every_kind_of_context, "CTX-24", "CTX-87")
{
    static const rein_key key = {.name = "key", .kind = REIN_VALUE_STRING};
    for (int kind = 0; kind < 4; kind++) {
        struct race_thread thread;
        rein_ctx *top = rein_with_cancel(rein_background()),
                 *other = rein_with_cancel(rein_background());
        rein_ctx *merged = rein_merge(other, top), *off = rein_detach(other, top, REIN_FOREVER);
        const rein_ctx *value = rein_with_value(top, &key, "x");
        const rein_ctx *each[] = {top, merged, off, value};
        size_t before = reini_check_dependents(each[kind]);
        struct waiting is = {.ctx = each[kind], .result = 1};
        race_thread_start(&thread, 0, wait_for_it, &is);
        while (reini_check_dependents(each[kind]) == before)
            suite_yield();
        rein_cancel(top);
        race_thread_join(&thread);
        ck_assert_int_eq(is.result, -ECANCELED);
        rein_unref(value);
        rein_end(off);
        rein_end(merged);
        rein_end(other);
        rein_end(top);
    }
}
