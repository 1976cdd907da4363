/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/oom/test_calls.c: calls and waiting while memory fails: what was accepted happens, once;
 * what was refused never does. */
#include <rein.h>
#include <unistd.h>

#include "base/fault_control.h"
#include "expect.h"
#include "race.h"
#include "scarce.h"
#include "suite.h"

/* ---- callbacks and after-funcs ---- */

struct called {
    rein_after after;
    rein_callback callback;
    struct race_count runs, drops;
    bool accepted;
};

static void run(const rein_ctx *ctx, void *arg)
{
    struct called *is = arg;
    (void)ctx;
    race_add(&is->runs, 1);
}

static void drop(void *arg)
{
    struct called *is = arg;
    race_add(&is->drops, 1);
}

static void register_after(const rein_ctx *ctx, struct called *is, rein_executor *executor)
{
    *is = (struct called){.accepted = false};
    is->accepted = scarce_ok(rein_after_func_owned(ctx, &is->after, executor, run, is, drop));
}

/* That it ran and was dropped once, or if it was refused, never. */
static void expect_called(struct called *is)
{
    if (is->accepted)
        race_await_value(&is->drops, 1);
    ck_assert_uint_eq(race_value(&is->runs), is->accepted);
    ck_assert_uint_eq(race_value(&is->drops), is->accepted);
    if (is->accepted)
        ck_assert(!rein_after_stop_wait(&is->after));
}

/* Two that are called, one that is stopped, one that is registered too late. */
static void use(rein_ctx *top, rein_executor *executor, rein_loop *loop)
{
    struct called each[4];
    rein_ctx *ctx = rein_with_cancel(top);
    if (!scarce_real(ctx)) {
        rein_end(ctx);
        ctx = rein_with_cancel(top);
    }
    for (int i = 0; i < 3; i++)
        register_after(ctx, &each[i], executor);
    if (each[2].accepted) {
        ck_assert(rein_after_stop(&each[2].after));
        ck_assert_uint_eq(race_value(&each[2].drops), 1);
    }
    struct called callback = {.accepted = true};
    ck_assert(rein_callback_add(ctx, &callback.callback, run, &callback));
    rein_cancel(ctx);
    ck_assert_uint_eq(race_value(&callback.runs), 1);
    register_after(ctx, &each[3], executor);
    if (loop)
        rein_loop_run(loop);
    expect_called(&each[0]);
    expect_called(&each[1]);
    ck_assert_uint_eq(race_value(&each[2].runs), 0);
    expect_called(&each[3]);
    rein_end(ctx);
}

static void use_own_threads(rein_ctx *top)
{
    rein_executor *serial = rein_serial_new(NULL);
    use(top, rein_inline_executor(), NULL);
    use(top, rein_pool_executor(), NULL);
    if (scarce_have(serial))
        use(top, serial, NULL);
    rein_serial_free(serial);
}

/* Inline, on the pool, and one at a time on the pool. */
CASE(oom_after_funcs, "P-ERRORS", "P-ONCE", "P-EXEC")
{
    scarcely(use_own_threads);
}

static void use_a_loop(rein_ctx *top)
{
    rein_loop *loop = NULL;
    if (!scarce_ok(rein_loop_new(&loop))) {
        ck_assert_ptr_null(loop);
        return;
    }
    rein_executor *serial = rein_serial_new(rein_loop_executor(loop));
    use(top, rein_loop_executor(loop), loop);
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    rein_ctx *ctx = rein_with_timeout(top, REIN_MICROSECOND);
    bool real = scarce_real(ctx);
    struct called callback = {.accepted = true};
    rein_callback_add(ctx, &callback.callback, run, &callback);
    ck_assert_int_eq(rein_sleep(rein_background(), REIN_MILLISECOND), 0);
    rein_loop_run(loop);
    ck_assert_int_eq(rein_err(ctx), real ? -ETIMEDOUT : -ECANCELED);
    ck_assert_uint_eq(race_value(&callback.runs), 1);
    rein_end(ctx);
    if (scarce_have(serial)) {
        struct called one;
        register_after(top, &one, serial);
        rein_cancel(top);
        rein_loop_run(loop);
        expect_called(&one);
    }
    rein_serial_free(serial);
    rein_loop_free(loop);
}

/* On a loop that keeps the time, too. */
CASE(oom_loop, "P-ERRORS", "P-LOOP")
{
    scarcely(use_a_loop);
}

/* ---- jobs that wait for each other ---- */

enum { JOBS = 4 };

struct job {
    rein_job job;
    const rein_ctx *ctx;
    struct race_count *begun, *woken;
};

static void wait_in_job(rein_job *job)
{
    struct job *is = (struct job *)(void *)job;
    race_add(is->begun, 1);
    rein_wait(is->ctx);
    race_add(is->woken, 1);
}

static void block_the_pool(rein_ctx *top)
{
    struct race_count begun = {0}, woken = {0};
    struct job jobs[JOBS];
    uint64_t accepted = 0;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    (void)top;
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){{NULL, wait_in_job}, ctx, &begun, &woken};
        accepted += scarce_ok(rein_post(rein_pool_executor(), &jobs[i].job));
    }
    race_await_value(&begun, accepted);
    rein_cancel(ctx);
    race_await_value(&woken, accepted);
    rein_end(ctx);
}

/* A pool whose workers are all parked gets on, though there was no memory for another at first. */
CASE(oom_pool, "P-ERRORS", "P-EXEC")
{
    scarcely(block_the_pool);
}

/* ---- waiting ---- */

struct waiting {
    const rein_ctx *ctx;
    int r;
};

static void wait_on_thread(void *arg)
{
    struct waiting *is = arg;
    is->r = rein_wait(is->ctx);
}

static void wait_in_every_way(rein_ctx *top)
{
    int fd = -2, ends[2];
    struct race_thread thread;
    rein_ctx *ctx = rein_with_cancel(top);
    rein_ctx *timed = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    bool real = scarce_real(ctx), expires = scarce_real(timed);
    bool handle = scarce_ok(rein_done_fd(ctx, &fd));
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    struct waiting waiting = {.ctx = ctx};
    race_thread_start(&thread, 0, wait_on_thread, &waiting);

    long asked = reini_fault_count(); /* what follows asks for none */
    struct pollfd poller = {.fd = ends[0], .events = POLLIN}, done = {.fd = fd, .events = POLLIN};
    rein_case cases[] = {REIN_CASE_DONE(timed), REIN_CASE_FD(ends[0], POLLIN)};
    ck_assert_int_eq(rein_poll(ctx, &poller, 1), real ? 1 : -ECANCELED);
    ck_assert_int_ge(rein_wait_any(ctx, cases, 2), real ? 0 : -ECANCELED);
    ck_assert_int_eq(rein_sleep(ctx, REIN_MICROSECOND), real ? 0 : -ECANCELED);
    ck_assert_int_eq(rein_wait(timed), expires ? -ETIMEDOUT : -ECANCELED);
    if (real && handle)
        ck_assert_int_eq(poll(&done, 1, 0), 0);
    rein_cancel(ctx);
    ck_assert_int_eq(rein_wait(ctx), -ECANCELED);
    if (handle)
        ck_assert_int_eq(poll(&done, 1, 0), 1);
    else
        ck_assert_int_eq(fd, -2);
    race_thread_join(&thread);
    ck_assert_int_eq(waiting.r, -ECANCELED);
    ck_assert_int_eq(reini_fault_count(), asked);
    rein_end(timed);
    rein_end(ctx);
    close(ends[0]);
    close(ends[1]);
}

/* Waiting needs no memory, and is ended by cancel and by the deadline as ever. */
CASE(oom_waiting, "P-ERRORS", "P-NOMEMORY", "P-WAIT")
{
    scarcely(wait_in_every_way);
}

/* ---- deadlines ---- */

static void let_deadlines_pass(rein_ctx *top)
{
    enum { DEADLINES = 5 };
    struct called each[DEADLINES];
    rein_ctx *ctx[DEADLINES];
    (void)top;
    for (int i = 0; i < DEADLINES; i++) {
        ctx[i] = rein_with_timeout(rein_background(), (i + 1) * 100 * REIN_MICROSECOND);
        each[i] = (struct called){.accepted = true};
        rein_callback_add(ctx[i], &each[i].callback, run, &each[i]);
    }
    for (int i = 0; i < DEADLINES; i++) {
        race_await_value(&each[i].runs, 1);
        ck_assert_int_eq(rein_err(ctx[i]), scarce_real(ctx[i]) ? -ETIMEDOUT : -ECANCELED);
        ck_assert(!rein_callback_remove(&each[i].callback));
        rein_end(ctx[i]);
    }
}

/* The keeper fires what could be armed, though another attempt to start it has failed. */
CASE(oom_deadlines, "P-FAILED", "P-ONCE", "TIME-1")
{
    scarcely(let_deadlines_pass);
}
