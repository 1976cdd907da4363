/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/exec/test_loop.c: rein inside somebody's event loop. */
#include <fcntl.h>
#include <poll.h>
#include <rein.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault_control.h"
#include "call.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

static bool is_readable(const rein_loop *loop)
{
    struct pollfd poller = {.fd = rein_loop_fd(loop), .events = POLLIN};
    return poll(&poller, 1, 0) == 1;
}

static void block_on(const rein_loop *loop)
{
    struct pollfd poller = {.fd = rein_loop_fd(loop), .events = POLLIN};
    ck_assert_int_eq(poll(&poller, 1, -1), 1);
}

static rein_loop *loop_make(void)
{
    rein_loop *loop = NULL;
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    return loop;
}

static void cancel_it(void *ctx)
{
    rein_cancel(ctx);
}

/* After-funcs posted from another thread run on the loop's, when it is run and not before; the
 * descriptor says when. */
CASE(loop_runs_after_funcs_on_its_thread, "CTX-63", "P-LOOP")
{
    rein_loop *loop = loop_make();
    rein_after after;
    struct call is = {.err = 0};
    struct race_thread thread;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func(ctx, &after, rein_loop_executor(loop), note, &is), 0);
    ck_assert(!is_readable(loop));
    race_thread_start(&thread, 0, cancel_it, ctx);
    race_thread_join(&thread);
    ck_assert_uint_eq(race_value(&is.runs), 0);
    ck_assert(is_readable(loop));
    ck_assert_int_eq(rein_loop_run(loop), 1);
    ck_assert_uint_eq(race_value(&is.runs), 1);
    ck_assert(pthread_equal(is.thread, pthread_self()));
    ck_assert(!is_readable(loop));
    ck_assert_int_eq(rein_loop_run(loop), 0);
    rein_end(ctx);
    rein_loop_free(loop);
}

/* Cancelled on the loop's own thread it still does not run on the canceller's stack. */
CASE(loop_never_runs_on_the_canceller_s_stack, "CTX-62", "CTX-63", "P-LOOP")
{
    rein_loop *loop = loop_make();
    rein_after after;
    struct call is = {.err = 0};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_cancel(ctx);
    ck_assert_int_eq(rein_after_func(ctx, &after, rein_loop_executor(loop), note, &is), 0);
    ck_assert_uint_eq(race_value(&is.runs), 0);
    ck_assert_int_eq(rein_loop_run(loop), 1);
    ck_assert_uint_eq(race_value(&is.runs), 1);
    rein_end(ctx);
    rein_loop_free(loop);
}

struct again {
    rein_job job;
    rein_executor *executor;
    int runs;
};

static void post_again(rein_job *job)
{
    struct again *is = (struct again *)job;
    if (++is->runs < 10)
        ck_assert_int_eq(rein_post(is->executor, job), 0);
}

/* A job that posts itself again waits for the next turn: it cannot keep the program's loop. */
CASE(loop_jobs_posted_meanwhile_wait_for_the_next_turn, "TIME-8", "P-LOOP")
{
    rein_loop *loop = loop_make();
    struct again is = {{NULL, post_again}, rein_loop_executor(loop), 0};
    ck_assert_int_eq(rein_post(is.executor, &is.job), 0);
    for (int turn = 1; turn <= 10; turn++) {
        ck_assert(is_readable(loop));
        ck_assert_int_eq(rein_loop_run(loop), 1);
        ck_assert_int_eq(is.runs, turn);
    }
    ck_assert(!is_readable(loop));
    rein_loop_free(loop);
}

/* ---- keeping the time ---- */

/* A loop that keeps the time fires deadlines when it is run: its descriptor wakes it for them,
 * never early, and the callbacks run on its thread. */
CASE(loop_keeps_the_time, "CTX-52", "P-LOOP")
{
    rein_loop *loop = loop_make();
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    rein_callback callback;
    struct call is = {.err = 0};
    rein_ctx *ctx = rein_with_timeout(rein_background(), 2 * REIN_MILLISECOND);
    rein_ctx *child = rein_with_cancel(ctx);
    rein_time deadline;
    ck_assert(rein_deadline(ctx, &deadline));
    ck_assert(rein_callback_add(child, &callback, note, &is));
    while (rein_err(child) == 0) {
        block_on(loop);
        rein_loop_run(loop);
        ck_assert(rein_err(child) == 0 || rein_now(ctx).ns >= deadline.ns);
    }
    expect_expired(child);
    ck_assert_uint_eq(race_value(&is.runs), 1);
    ck_assert(pthread_equal(is.thread, pthread_self()));
    rein_end(child);
    rein_end(ctx);
    rein_loop_free(loop);
}

static void keep_or_run(void *arg, unsigned index)
{
    rein_loop *loop = arg;
    if (index == 0)
        ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    else
        rein_loop_run(loop);
}

/* Any thread may say that the loop keeps the time, also while it runs; it then looks once more. */
CASE(loop_is_told_to_keep_time_while_it_runs, "P-LOOP")
{
    for (size_t round = suite_rounds(100); round > 0; round--) {
        rein_loop *loop = loop_make();
        race_run(2, keep_or_run, loop);
        rein_ctx *ctx = rein_with_timeout(rein_background(), 1);
        while (rein_err(ctx) == 0) {
            block_on(loop);
            rein_loop_run(loop);
        }
        rein_end(ctx);
        rein_loop_free(loop);
    }
}

static void run_the_loop(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    rein_loop_run(arg);
    ck_assert_int_eq(rein_quiesce(), -EBUSY);
}

/* A callback that runs the loop again is running still when that returns. */
CASE(loop_runs_inside_itself, "CTX-65", "P-LOOP")
{
    rein_loop *loop = loop_make();
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    rein_callback callback;
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    ck_assert(rein_callback_add(ctx, &callback, run_the_loop, loop));
    while (rein_err(ctx) == 0) {
        block_on(loop);
        rein_loop_run(loop);
    }
    ck_assert_int_eq(rein_quiesce(), 0);
    rein_end(ctx);
    rein_loop_free(loop);
}

static void arm_earlier(void *arg)
{
    rein_ctx **ret_ctx = arg;
    *ret_ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
}

/* Armed from another thread while the loop sleeps for a later one, an earlier deadline wakes it. */
CASE(loop_is_woken_for_an_earlier_deadline, "TIME-7", "P-LOOP")
{
    rein_loop *loop = loop_make();
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    rein_ctx *late = rein_with_timeout(rein_background(), REIN_HOUR), *early = NULL;
    struct race_thread thread;
    rein_loop_run(loop);
    ck_assert(!is_readable(loop));
    race_thread_start(&thread, 0, arm_earlier, &early);
    race_thread_join(&thread);
    while (rein_err(early) == 0) {
        block_on(loop);
        rein_loop_run(loop);
    }
    expect_expired(early);
    expect_live(late);
    rein_end(early);
    rein_end(late);
    rein_loop_free(loop);
}

/* Who noticed a deadline before the loop came leaves the callbacks to it. */
CASE(loop_runs_the_callbacks_of_whoever_noticed, "CTX-54", "P-LOOP")
{
    rein_loop *loop = loop_make();
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    rein_callback callback;
    struct call is = {.err = 0};
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    ck_assert(rein_callback_add(ctx, &callback, note, &is));
    ck_assert_int_eq(rein_wait(ctx), -ETIMEDOUT);
    ck_assert_uint_eq(race_value(&is.runs), 0);
    block_on(loop);
    rein_loop_run(loop);
    ck_assert_uint_eq(race_value(&is.runs), 1);
    rein_end(ctx);
    rein_loop_free(loop);
}

/* One keeper of the time: a second loop is refused, and may take over when the first has gone.
 * Timers that the first left are the second's. */
CASE(loop_only_one_keeps_the_time, "P-LOOP", "P-ERRORS")
{
    rein_loop *first = loop_make(), *second = loop_make();
    ck_assert_int_eq(rein_loop_keep_time(first), 0);
    ck_assert_int_eq(rein_loop_keep_time(second), -EBUSY);
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    rein_loop_free(first);
    ck_assert_int_eq(rein_sleep(rein_background(), 2 * REIN_MILLISECOND), 0);
    ck_assert_int_eq(rein_err(ctx), 0);
    ck_assert_int_eq(rein_loop_keep_time(second), 0);
    while (rein_err(ctx) == 0) {
        block_on(second);
        rein_loop_run(second);
    }
    rein_end(ctx);
    rein_loop_free(second);
}

/* Once the keeper's thread is there, a loop cannot keep the time. */
CASE(loop_is_too_late_after_the_keeper, "P-LOOP", "P-ERRORS")
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    rein_loop *loop = loop_make();
    ck_assert_int_eq(rein_loop_keep_time(loop), -EBUSY);
    rein_loop_free(loop);
    rein_end(ctx);
    ck_assert_int_eq(rein_quiesce(), 0);
    loop = loop_make();
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    rein_loop_free(loop);
}

/* ---- failing ---- */

/* However few descriptors are left, making a loop fails whole: nothing stays open, nothing is
 * told. */
CASE(loop_without_descriptors, "P-LOOP", "P-ERRORS")
{
    struct rlimit before;
    size_t open_before = suite_descriptors();
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    int first_free = fcntl(0, F_DUPFD, 0);
    close(first_free);
    for (rlim_t more = 0; more < 3; more++) {
        struct rlimit few = {(rlim_t)first_free + more, before.rlim_max};
        rein_loop *loop = none();
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
        int r = rein_loop_new(&loop);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
        ck_assert_int_eq(r, -EMFILE);
        ck_assert_ptr_null(loop);
        ck_assert_uint_eq(suite_descriptors(), open_before);
    }
}

/* Without memory likewise. */
CASE(loop_without_memory, "CTX-96", "P-LOOP")
{
    rein_loop *loop = none();
    reini_fault_fail_nth(1);
    ck_assert_int_eq(rein_loop_new(&loop), -ENOMEM);
    reini_fault_fail_nth(0);
    ck_assert_ptr_null(loop);
}

/* Its descriptor is not inherited by what the program executes. */
CASE(loop_descriptor_is_closed_on_exec, "EXEC-16", "P-LOOP")
{
    rein_loop *loop = loop_make();
    ck_assert_int_eq(fcntl(rein_loop_fd(loop), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    rein_loop_free(loop);
    rein_loop_free(NULL);
}
