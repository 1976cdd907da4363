/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/order/test_wait.c: sleeping against waking, and the threads that rein keeps. */
#include <rein/library.h>
#include <rein/testing.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"
#include "base/fault_control.h"
#include "core/check.h"
#include "expect.h"
#include "scene.h"
#include "suite.h"
#include "time/shard.h"

static void nap(long us)
{
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

/* ---- one waiter ---- */

struct waiter {
    const rein_ctx *ctx, *other;
    rein_duration span;
    int fd;
    int result;
};

static void wait_for_end(void *arg)
{
    struct waiter *waiter = arg;
    waiter->result = rein_wait(waiter->ctx);
}

static void sleep_for(void *arg)
{
    struct waiter *waiter = arg;
    waiter->result = rein_sleep(waiter->ctx, waiter->span);
}

static void poll_for(void *arg)
{
    struct waiter *waiter = arg;
    struct pollfd fd = {.fd = waiter->fd, .events = POLLIN};
    waiter->result = rein_poll(waiter->ctx, &fd, 1);
}

static void wait_for_any(void *arg)
{
    struct waiter *waiter = arg;
    rein_case cases[] = {REIN_CASE_DONE(waiter->other),
                         REIN_CASE_AT(rein_in(waiter->ctx, REIN_HOUR))};
    waiter->result = rein_wait_any(waiter->ctx, cases, 2);
}

/* Fails soon rather than hang, if a wake-up is lost. */
static void must_wake(struct actor *actor)
{
    for (int ms = 0; ms < 20000 && !actor_is_over(actor); ms++)
        nap(1000);
    ck_assert_msg(actor_is_over(actor), "a wake-up was lost");
    actor_join(actor);
}

/* Who is fast asleep is woken, whatever the call. */
CASE_LONG(60, wait_wakes_who_is_asleep, "P-WAKE")
{
    static void (*const calls[])(void *) = {wait_for_end, sleep_for, poll_for, wait_for_any,
                                            wait_for_any};
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        rein_ctx *ctx = rein_with_cancel(rein_background()),
                 *other = rein_with_cancel(rein_background());
        struct waiter waits = {.ctx = ctx, .other = other, .span = REIN_HOUR, .fd = ends[0]};
        struct actor waiter = {.at = NULL};
        stage();
        actor_start(&waiter, calls[i], &waits);
        actor_await_asleep(&waiter);
        rein_cancel(i == 4 ? other : ctx);
        must_wake(&waiter);
        curtain();
        ck_assert_int_eq(waits.result, i == 4 ? 0 : -ECANCELED);
        rein_end(other);
        rein_end(ctx);
    }
    close(ends[0]);
    close(ends[1]);
}

/* A canceller that is asleep until another one's marking is over, is woken, too. */
CASE_LONG(60, wait_wakes_a_sleeping_canceller, "P-WAKE", "CTX-15")
{
    rein_ctx *top = rein_with_cancel(rein_background()), *leaf = rein_with_cancel(top);
    struct actor winner = {.at = "marked-top"}, loser = {.at = NULL};
    stage();
    actor_start(&winner, cancel, top);
    actor_await(&winner);
    actor_start(&loser, cancel, top);
    actor_await_asleep(&loser);
    actor_finish(&winner);
    must_wake(&loser);
    curtain();
    rein_end(leaf);
    rein_end(top);
}

/* ---- time out against signal ---- */

/* The waiter's time is over when the context ends: it has been taken off its list by the walk, so
 * it stays for the signal that is on its way, and keeps its result. */
CASE(wait_stays_for_a_signal_that_is_on_its_way, "P-WAKE", "P-LIFETIME")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct waiter waits = {.ctx = ctx, .span = REIN_MILLISECOND, .result = 1};
    struct actor waiter = {.at = "waiter-unlink"}, canceller = {.at = "strand-signal"};
    stage();
    actor_start(&waiter, sleep_for, &waits);
    actor_await(&waiter); /* its time is over */
    actor_start(&canceller, cancel, ctx);
    actor_await(&canceller); /* it is about to signal */
    actor_go(&waiter);
    actor_await_asleep(&waiter);
    actor_finish(&canceller);
    must_wake(&waiter);
    curtain();
    ck_assert_int_eq(waits.result, 0);
    rein_end(ctx);
}

/* The same for one that sleeps in poll: its descriptor is not given on before the signal has
 * come. */
CASE(wait_poll_stays_for_a_signal_that_is_on_its_way, "P-WAKE", "P-LIFETIME")
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct waiter waits = {.ctx = ctx, .fd = ends[0]};
    struct actor waiter = {.at = "waiter-unlink"}, canceller = {.at = "strand-signal"};
    stage();
    actor_start(&waiter, poll_for, &waits);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    actor_await(&waiter); /* it has a result */
    actor_start(&canceller, cancel, ctx);
    actor_await(&canceller);
    actor_go(&waiter);
    actor_await_asleep(&waiter);
    actor_finish(&canceller);
    must_wake(&waiter);
    curtain();
    ck_assert_int_eq(waits.result, 1);
    /* The event that is kept for reuse is not raised from then. */
    rein_ctx *timed = rein_with_timeout(rein_background(), 2 * REIN_MILLISECOND);
    struct waiter again = {.ctx = timed, .fd = ends[0]};
    ck_assert_int_eq(read(ends[0], &(char){0}, 1), 1);
    poll_for(&again);
    ck_assert_int_eq(again.result, -ETIMEDOUT);
    rein_end(timed);
    rein_end(ctx);
    close(ends[0]);
    close(ends[1]);
}

static void advance(void *arg)
{
    rein_clock_advance(arg, REIN_HOUR);
}

/* On a virtual clock: the context ends while the sleeper's own timer is about to fire. */
CASE(wait_stays_for_a_timer_about_to_fire, "P-WAKE", "P-LIFETIME")
{
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_cancel(rein_clock_root(clock));
    struct waiter waits = {.ctx = ctx, .span = REIN_MINUTE, .result = 1};
    struct actor waiter = {.at = "strand-sleep"}, driver = {.at = "fire"};
    stage();
    actor_start(&waiter, sleep_for, &waits);
    actor_await(&waiter);
    actor_start(&driver, advance, clock);
    actor_await(&driver);
    rein_cancel(ctx);
    actor_go(&waiter);
    actor_await_asleep(&waiter);
    actor_finish(&driver);
    must_wake(&waiter);
    curtain();
    ck_assert_int_eq(waits.result, -ECANCELED);
    rein_end(ctx);
    rein_clock_free(clock);
}

struct derivation {
    const rein_ctx *parent;
    rein_ctx *ctx;
};

static void derive_timeout(void *arg)
{
    struct derivation *derivation = arg;
    derivation->ctx = rein_with_timeout(derivation->parent, REIN_MINUTE);
}

/* A virtual clock is moved past a deadline that is about to be armed: nobody would come by again to
 * end that context, nor to wake who waits for it. */
CASE(clock_moved_past_a_deadline_about_to_be_armed, "P-VIRTUAL", "P-WAKE")
{
    rein_clock *clock = suite_clock();
    struct derivation derivation = {.parent = rein_clock_root(clock)};
    struct actor deriver = {.at = "arm"};
    stage();
    actor_start(&deriver, derive_timeout, &derivation);
    actor_await(&deriver);
    rein_clock_advance(clock, REIN_HOUR);
    actor_finish(&deriver);
    curtain();
    ck_assert_uint_eq(rein_clock_armed(clock), 0);
    ck_assert_int_eq(rein_remaining(derivation.ctx), 0);
    expect_expired(derivation.ctx);
    rein_end(derivation.ctx);
    rein_clock_free(clock);
}

/* It has nothing to fire and is about to be moved, when a thread falls asleep until an instant on
 * the way. */
CASE(clock_moved_as_somebody_falls_asleep, "P-VIRTUAL", "P-WAKE")
{
    rein_clock *clock = suite_clock();
    struct waiter waits = {.ctx = rein_clock_root(clock), .span = REIN_MINUTE, .result = 1};
    struct actor waiter = {.at = "strand-sleep"}, driver = {.at = "clock-moves"};
    stage();
    actor_start(&driver, advance, clock);
    actor_await(&driver);
    actor_start(&waiter, sleep_for, &waits);
    actor_await(&waiter);
    actor_go(&waiter);
    actor_finish(&driver);
    must_wake(&waiter);
    curtain();
    ck_assert_int_eq(waits.result, 0);
    rein_clock_free(clock);
}

enum { CONTEXTS = 8 };

struct many {
    rein_ctx *ctx[CONTEXTS];
};

static void cancel_one(void *arg, unsigned index)
{
    struct many *many = arg;
    if (index < 3) {
        for (unsigned i = index; i < CONTEXTS; i += 3)
            rein_cancel(many->ctx[i]);
        return;
    }
    rein_case cases[CONTEXTS - 1];
    for (unsigned i = 1; i < CONTEXTS; i++)
        cases[i - 1] = REIN_CASE_DONE(many->ctx[i]);
    int r = rein_wait_any(many->ctx[0], cases, CONTEXTS - 1);
    ck_assert(r == -ECANCELED ? rein_err(many->ctx[0]) != 0 : rein_err(many->ctx[r + 1]) != 0);
}

/* Many contexts that one thread waits for are ended at once by others. */
CASE_LONG(60, wait_any_of_many_that_end_at_once, "P-WAKE", "P-LIFETIME")
{
    for (size_t round = suite_rounds(500); round > 0; round--) {
        struct many many;
        for (int i = 0; i < CONTEXTS; i++)
            many.ctx[i] = rein_with_cancel(rein_background());
        race_run(5, cancel_one, &many);
        for (int i = 0; i < CONTEXTS; i++)
            rein_end(many.ctx[i]);
    }
}

/* ---- noticers and the keeper ---- */

static void check_until_done(void *arg)
{
    while (rein_check(arg) == 0)
        suite_yield();
}

static void quiesce(void *result)
{
    *(int *)result = rein_quiesce();
}

/* A noticer has marked, and the keeper is asked to leave before it has been told of the calls: it
 * stays for them, so that they need no memory for another. */
CASE_LONG(60, ctx_61_keeper_stays_between_a_noticers_mark_and_its_calls, "CTX-61", "P-ONCE",
          "P-NOMEMORY")
{
    struct race_count ran = {0};
    rein_after after;
    static struct actor keeper;
    keeper = (struct actor){.at = "marked-top"};
    stage();
    stage_stranger(&keeper);
    rein_ctx *soon = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    actor_await(&keeper); /* it is busy with that one, and sees no other */
    rein_ctx *ctx = rein_with_timeout(rein_background(), 5 * REIN_MILLISECOND);
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, count_call, &ran), 0);
    struct actor noticer = {.at = "noticed"};
    actor_start(&noticer, check_until_done, ctx);
    actor_await(&noticer);
    actor_go(&keeper);
    (void)rein_wait(soon);
    rein_end(soon);
    int quiesced = 1;
    struct actor quiescer = {.at = NULL};
    actor_start(&quiescer, quiesce, &quiesced);
    actor_await_asleep(&quiescer);
    reini_fault_fail_nth(1);
    actor_finish(&noticer);
    race_await_value(&ran, 1);
    actor_join(&quiescer);
    ck_assert_int_eq(quiesced, 0);
    ck_assert_int_eq(reini_fault_count(), 0);
    reini_fault_fail_nth(0);
    curtain();
    rein_end(ctx);
}

/* ---- who keeps the time ---- */

/* In whatever shard this thread arms in: nobody waits, so it takes the driver to end them. */
static void arm_and_see(void)
{
    for (int i = 0; i < 5; i++) {
        rein_ctx *ctx = rein_with_timeout(rein_background(), 50 * REIN_MICROSECOND);
        rein_end(rein_with_timeout(rein_background(), REIN_MINUTE));
        while (rein_err(ctx) == 0)
            suite_yield();
        rein_end(ctx);
    }
}

/* A loop that keeps the time for a while; a keeper has to go on from there. */
static void keep_for_a_while(rein_loop *loop)
{
    for (int turn = 0; turn < 100; turn++) {
        rein_loop_run(loop);
        suite_yield();
    }
    rein_loop_free(loop);
    rein_end(rein_with_timeout(rein_background(), REIN_MINUTE)); /* starts one if there is none */
}

static void keep_or_arm(void *arg, unsigned index)
{
    if (index == 0)
        keep_for_a_while(arg);
    else
        arm_and_see();
}

/* From a loop to a keeper while threads arm in all shards: no timer is forgotten. */
CASE_LONG(120, clock_is_handed_on_while_threads_arm, "P-LOOP", "P-WAKE")
{
    for (size_t round = suite_rounds(100); round > 0; round--) {
        rein_loop *loop;
        ck_assert_int_eq(rein_loop_new(&loop), 0);
        ck_assert_int_eq(rein_loop_keep_time(loop), 0);
        race_run(SHARDS + 1, keep_or_arm, loop);
        ck_assert_int_eq(rein_quiesce(), 0);
    }
}

/* ---- the pool ---- */

struct chain_of_jobs {
    rein_ctx *waited_for;
    rein_after second;
    struct race_flag parked;
    struct race_count ran;
};

static void free_the_first(const rein_ctx *ctx, void *arg)
{
    struct chain_of_jobs *jobs = arg;
    (void)ctx;
    rein_cancel(jobs->waited_for);
    race_add(&jobs->ran, 1);
}

static void wait_for_the_second(const rein_ctx *ctx, void *arg)
{
    struct chain_of_jobs *jobs = arg;
    (void)ctx;
    race_set(&jobs->parked);
    (void)rein_wait(jobs->waited_for);
    race_add(&jobs->ran, 1);
}

/* All workers are parked, the job that would free them is queued, and the thread for it cannot be
 * had at that moment: it comes later. */
CASE_LONG(60, pool_tries_again_for_a_thread, "P-EXEC", "P-WAKE")
{
    struct chain_of_jobs jobs = {.waited_for = rein_with_cancel(rein_background())};
    rein_after first;
    rein_ctx *a = rein_with_cancel(rein_background()), *b = rein_with_cancel(rein_background());
    static struct actor worker;
    ck_assert_int_eq(rein_after_func(a, &first, NULL, wait_for_the_second, &jobs), 0);
    ck_assert_int_eq(rein_after_func(b, &jobs.second, NULL, free_the_first, &jobs), 0);
    worker = (struct actor){.at = "waiter-link"};
    stage();
    stage_stranger(&worker);
    rein_cancel(a);
    actor_await(&worker);
    actor_go_to(&worker, "strand-sleep", 0); /* where it counts as parked */
    actor_await(&worker);
    reini_fault_fail_nth(1); /* the next allocation is the thread's */
    rein_cancel(b);
    actor_go(&worker);
    race_await_value(&jobs.ran, 2);
    reini_fault_fail_nth(0);
    curtain();
    rein_end(jobs.waited_for);
    rein_end(a);
    rein_end(b);
}

/* The last worker leaves while a job is secured and posted: there is a worker for it. */
CASE_LONG(60, pool_last_worker_leaves_as_a_job_comes, "P-EXEC", "P-ONCE")
{
    struct race_count ran = {0};
    rein_after first, after;
    static struct actor worker;
    worker = (struct actor){.at = "strand-sleep"};
    rein_ctx *ctx = rein_with_cancel(rein_background()),
             *next = rein_with_cancel(rein_background());
    stage();
    stage_stranger(&worker);
    ck_assert_int_eq(rein_after_func(ctx, &first, NULL, count_call, &ran), 0);
    actor_await(&worker); /* idle, so that nobody comes to think that it needs help */
    actor_go_to(&worker, "worker-leaves", 0);
    rein_cancel(ctx);
    race_await_value(&ran, 1);
    actor_await(&worker); /* when it has been idle for a while */
    reini_fault_fail_nth(1);
    int r = rein_after_func(next, &after, NULL, count_call, &ran);
    ck_assert_int_eq(r, -EAGAIN); /* none is there, so one had to be started, which failed */
    reini_fault_fail_nth(0);
    ck_assert_int_eq(rein_after_func(next, &after, NULL, count_call, &ran), 0);
    rein_cancel(next);
    race_await_value(&ran, 2);
    actor_go(&worker);
    curtain();
    rein_end(ctx);
    rein_end(next);
}
