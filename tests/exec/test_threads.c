/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/exec/test_threads.c: when the library starts a thread, and that it starts none where the
 * program does not want any. */
#include <rein.h>
#include <rein/testing.h>

#include "call.h"
#include "core/check.h"
#include "expect.h"
#include "hold.h"
#include "race.h"
#include "suite.h"

/* Counts; stops nobody. */
static struct hold started = {.step = "thread-start", .skip = UINT32_MAX};

/* Trees, cancels, callbacks, waits and virtual clocks need no thread; the first timer starts one,
 * and the first after-func another. */
CASE(threads_start_when_first_needed, "P-GUEST")
{
    hold_set(&started);
    rein_callback callback;
    rein_after after;
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_cancel(rein_background()), *child = rein_with_cancel(ctx);
    rein_ctx *virtual = rein_with_timeout(rein_clock_root(clock), REIN_SECOND);
    ck_assert(rein_callback_add(child, &callback, do_nothing, NULL));
    rein_cancel(ctx);
    rein_clock_advance(clock, REIN_SECOND);
    ck_assert_int_eq(rein_wait(virtual), -ETIMEDOUT);
    ck_assert_int_eq(rein_sleep(rein_background(), REIN_MICROSECOND), 0);
    rein_end(virtual);
    rein_end(child);
    rein_end(ctx);
    rein_clock_free(clock);
    rein_end(rein_with_timeout(rein_background(), 0));
    rein_end(rein_with_timeout(rein_background(), REIN_FOREVER));
    ck_assert_uint_eq(hold_seen(&started), 0);
    ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    ck_assert_uint_eq(hold_seen(&started), 1);
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), 0);
    ck_assert_uint_eq(hold_seen(&started), 2);
    for (int i = 0; i < 100; i++)
        rein_end(rein_with_timeout(ctx, REIN_MINUTE));
    ck_assert_uint_eq(hold_seen(&started), 2);
    ck_assert(rein_after_stop(&after));
    rein_end(ctx);
}

/* A loop that keeps the time serves deadlines and after-funcs, and no thread is ever started. */
CASE(threads_are_not_needed_with_a_loop, "CTX-52", "P-LOOP", "P-GUEST")
{
    hold_set(&started);
    rein_loop *loop;
    rein_after after;
    ck_assert_int_eq(rein_forbid_threads(), 0);
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    for (int i = 0; i < 20; i++) {
        rein_ctx *ctx = rein_with_timeout(rein_background(), 200 * REIN_MICROSECOND);
        ck_assert_int_eq(rein_err(ctx), 0);
        ck_assert_int_eq(rein_after_func(ctx, &after, rein_loop_executor(loop), do_nothing, NULL),
                         0);
        struct pollfd poller = {.fd = rein_loop_fd(loop), .events = POLLIN};
        int ran = 0;
        while (ran < 2) {
            ck_assert_int_eq(poll(&poller, 1, -1), 1);
            ran += rein_loop_run(loop);
        }
        expect_expired(ctx);
        ck_assert(!rein_after_stop_wait(&after));
        rein_end(ctx);
    }
    rein_loop_free(loop);
    ck_assert_uint_eq(hold_seen(&started), 0);
}

/* With threads forbidden and no loop, what would need one is a clear error: the failed context with
 * cause -EAGAIN, and -EAGAIN from the pool. What needs none works. */
CASE(threads_forbidden_are_a_clear_error, "P-GUEST", "P-FAILED", "P-ERRORS")
{
    hold_set(&started);
    rein_after after;
    ck_assert_int_eq(rein_forbid_threads(), 0);
    ck_assert_int_eq(rein_forbid_threads(), 0);
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    ck_assert_int_eq(rein_err(ctx), -ECANCELED);
    ck_assert_int_eq(rein_cause(ctx)->code, -EAGAIN);
    rein_end(ctx);
    ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), -EAGAIN);
    ck_assert_int_eq(rein_after_func(ctx, &after, rein_inline_executor(), do_nothing, NULL), 0);
    rein_executor *serial = rein_serial_new(NULL);
    rein_after second;
    ck_assert_int_eq(rein_after_func(ctx, &second, serial, do_nothing, NULL), -EAGAIN);
    rein_serial_free(serial);
    rein_cancel(ctx);
    expect_canceled(ctx);
    rein_end(ctx);
    ck_assert_uint_eq(hold_seen(&started), 0);
}

/* Blocking calls end at their deadline all the same, when the loop that kept the time has gone. */
CASE(threads_forbidden_blocking_calls_still_end, "CTX-52", "P-WAIT", "P-GUEST")
{
    hold_set(&started);
    rein_loop *loop;
    ck_assert_int_eq(rein_forbid_threads(), 0);
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    rein_ctx *ctx = rein_with_timeout(rein_background(), 2 * REIN_MILLISECOND);
    rein_loop_free(loop);
    ck_assert_int_eq(rein_sleep(ctx, REIN_HOUR), -ETIMEDOUT);
    ck_assert_int_eq(rein_sleep(rein_background(), REIN_MICROSECOND), 0);
    rein_end(ctx);
    ck_assert_uint_eq(hold_seen(&started), 0);
}

/* It is refused while the keeper runs, and then nothing is forbidden: neither thread. */
CASE(threads_forbidden_too_late_changes_nothing, "P-GUEST", "P-ERRORS")
{
    rein_after after;
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    ck_assert_int_eq(rein_forbid_threads(), -EBUSY);
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), 0);
    ck_assert_int_eq(rein_forbid_threads(), -EBUSY);
    ck_assert(rein_after_stop(&after));
    rein_end(ctx);
    ck_assert_int_eq(rein_quiesce(), 0);
    ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    expect_live(ctx);
    rein_end(ctx);
}

/* And while a worker runs. */
CASE(threads_forbidden_while_a_worker_runs, "P-GUEST", "P-ERRORS")
{
    rein_after after;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), 0);
    ck_assert_int_eq(rein_forbid_threads(), -EBUSY);
    rein_ctx *timed = rein_with_timeout(ctx, REIN_HOUR);
    expect_live(timed);
    rein_end(timed);
    ck_assert(rein_after_stop(&after));
    rein_end(ctx);
}

/* Quiesce lets idle threads go, and rein starts anew when it is used again. */
CASE(threads_quiesce_and_start_anew, "P-GUEST")
{
    hold_set(&started);
    for (uint32_t round = 1; round <= 3; round++) {
        rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
        ck_assert_int_eq(rein_quiesce(), -EBUSY);
        ck_assert_uint_eq(hold_seen(&started), round);
        rein_end(ctx);
        ck_assert_int_eq(rein_quiesce(), 0);
    }
}

static void quiesce(void *arg)
{
    (void)arg;
    ck_assert_int_eq(rein_quiesce(), 0);
}

/* A keeper that is dismissed just as it looks for work does not sleep over it. */
CASE(threads_quiesce_is_not_slept_over, "P-GUEST", "P-WAKE")
{
    struct hold looks = {.step = "keeper-looks"}, dismissed = {.step = "keeper-dismissed"};
    struct hold sleeps = {.step = "keeper-sleeps", .skip = UINT32_MAX};
    struct race_thread other;
    hold_set(&looks);
    hold_set(&dismissed);
    hold_set(&sleeps);
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    hold_await(&looks);
    rein_end(ctx);
    race_thread_start(&other, 0, quiesce, NULL);
    hold_await(&dismissed);
    hold_release(&looks);
    hold_release(&dismissed);
    race_thread_join(&other);
    ck_assert_uint_eq(hold_seen(&sleeps), 0);
    hold_clear();
}

static void quiesce_on_the_keeper(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    struct race_count *result = arg;
    race_add(result, rein_quiesce() == -EBUSY ? 1 : 1000);
}

/* Called by a callback that the keeper runs, it refuses: that very call is running. */
CASE(threads_quiesce_on_the_keeper_itself, "P-GUEST", "P-ERRORS")
{
    rein_callback callback;
    struct hold expiry;
    struct race_count result = {0};
    rein_ctx *ctx = hold_expiry(&expiry);
    ck_assert(rein_callback_add(ctx, &callback, quiesce_on_the_keeper, &result));
    hold_release(&expiry);
    race_await_value(&result, 1);
    ck_assert_uint_eq(race_value(&result), 1);
    rein_callback_remove(&callback);
    hold_clear();
    rein_end(ctx);
}

struct standing {
    struct race_flag begun, go_on;
    struct race_count armed;
};

static void stand_then_arm(const rein_ctx *ctx, void *arg)
{
    struct standing *is = arg;
    (void)ctx;
    race_set(&is->begun);
    race_await(&is->go_on);
    rein_ctx *later = rein_with_timeout(rein_background(), REIN_HOUR);
    race_add(&is->armed, rein_err(later) == 0);
    rein_end(later);
}

/* It waits for a callback on the keeper, which may arm a timer where there was none left. */
CASE(threads_quiesce_while_a_callback_runs, "P-GUEST", "P-ERRORS")
{
    struct standing is = {.armed = {0}};
    struct hold expiry, awaits = {.step = "keeper-awaited"};
    struct race_thread other;
    rein_callback callback;
    rein_ctx *ctx = hold_expiry(&expiry);
    ck_assert(rein_callback_add(ctx, &callback, stand_then_arm, &is));
    hold_release(&expiry);
    race_await(&is.begun);
    hold_set(&awaits);
    race_thread_start(&other, 0, quiesce, NULL);
    hold_await(&awaits);
    hold_release(&awaits);
    race_set(&is.go_on);
    race_thread_join(&other);
    ck_assert_uint_eq(race_value(&is.armed), 1);
    ck_assert(!rein_callback_remove(&callback));
    hold_clear();
    rein_end(ctx);
}
