/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/time/test_keeper.c: the thread that fires timers on the real clock: what it does, and how
 * little. The clock is moved by hand; see still.h. */
#include <rein.h>

#include "call.h"
#include "core/check.h"
#include "expect.h"
#include "hold.h"
#include "race.h"
#include "shards.h"
#include "still.h"
#include "suite.h"
#include "time/pace.h"

static const rein_reason too_slow = REIN_REASON_INIT(-ETIME, "the search was too slow");

static rein_ctx *timeout_of(rein_duration d)
{
    return rein_with_timeout(rein_background(), d);
}

/* ---- a function after a timeout ---- */

/* It runs on a thread of control of its own once that time has passed, not a nanosecond less. */
CASE(time_1_a_function_after_a_timeout, "TIME-1", "CTX-52", "P-NEVER-EARLY")
{
    struct call call;
    rein_ctx *ctx = timeout_of(5 * REIN_MILLISECOND);
    rein_time deadline = rein_in(ctx, 5 * REIN_MILLISECOND);
    call_after(ctx, &call, note);
    still_pass(5 * REIN_MILLISECOND - 1);
    still_await_sleep();
    expect_live(ctx);
    ck_assert_uint_eq(race_value(&call.runs), 0);
    still_pass(1);
    race_await_value(&call.runs, 1);
    ck_assert(!rein_after_stop_wait(&call.after));
    ck_assert_int_eq(call.err, -ETIMEDOUT);
    ck_assert_int_eq(call.at.ns, deadline.ns);
    ck_assert(!pthread_equal(call.thread, pthread_self()));
    rein_end(ctx);
}

/* A timeout of nothing, or less, means now; still not on this stack. */
CASE(time_1_after_no_time_at_all, "TIME-1", "CTX-62")
{
    const rein_duration spans[] = {0, -1, -REIN_HOUR, INT64_MIN};
    for (int i = 0; i < 4; i++) {
        struct call call;
        rein_ctx *ctx = timeout_of(spans[i]);
        call_after(ctx, &call, note);
        race_await_value(&call.runs, 1);
        ck_assert(!rein_after_stop_wait(&call.after));
        ck_assert_int_eq(call.err, -ETIMEDOUT);
        ck_assert(!pthread_equal(call.thread, pthread_self()));
        rein_end(ctx);
    }
}

/* A stop in time says that it was, and the function never runs; one that comes too late says so,
 * also while the function is running, and so does a second one. */
CASE(time_2_a_stop_tells_whether_it_was_in_time, "TIME-2", "CTX-66", "CTX-68")
{
    struct call stopped, running;
    rein_ctx *ctx = timeout_of(REIN_SECOND);
    call_after(ctx, &stopped, note);
    call_after(ctx, &running, block);
    still_pass(REIN_SECOND - 1);
    still_await_sleep();
    ck_assert(rein_after_stop(&stopped.after));
    ck_assert(!rein_after_stop(&stopped.after));
    still_pass(1);
    race_await(&running.begun);
    ck_assert(!rein_after_stop(&running.after)); /* returns, though it runs */
    ck_assert_uint_eq(race_value(&running.runs), 0);
    race_set(&running.go_on);
    ck_assert(!rein_after_stop_wait(&running.after));
    ck_assert(!rein_after_stop(&running.after));
    ck_assert_uint_eq(race_value(&running.runs), 1);
    rein_end(ctx);
    ck_assert_int_eq(rein_quiesce(), 0);
    ck_assert_uint_eq(race_value(&stopped.runs), 0);
}

/* ---- what the keeper owes ---- */

enum { TIMERS = 40 };

struct order {
    int log[TIMERS], length;
};

struct numbered {
    struct order *order;
    int number;
    rein_ctx *ctx;
    rein_callback callback;
};

/* All that is due is marked before the first call, so the last is done when the first is told. */
static void log_number(const rein_ctx *ctx, void *arg)
{
    struct numbered *is = arg, *mirror = is + (TIMERS - 1 - 2 * is->number);
    (void)ctx;
    ck_assert_int_eq(rein_err(mirror->ctx), -ETIMEDOUT);
    is->order->log[is->order->length++] = is->number;
}

/* Arm them in any order, and in all shards. */
static void arm_all(struct numbered *each, struct order *order)
{
    uint64_t random = suite_seed();
    int turn[TIMERS];
    for (int i = 0; i < TIMERS; i++) {
        int at = (int)(suite_random(&random) % (uint64_t)(i + 1));
        turn[i] = turn[at];
        turn[at] = i;
    }
    for (int i = 0; i < TIMERS; i++) {
        struct numbered *is = &each[turn[i]];
        *is = (struct numbered){.order = order, .number = turn[i]};
        shards_go_to((unsigned)i);
        is->ctx = timeout_of(REIN_MILLISECOND + 1000 * turn[i]);
    }
    for (int i = 0; i < TIMERS; i++)
        ck_assert(rein_callback_add(each[i].ctx, &each[i].callback, log_number, &each[i]));
}

static void expect_order(struct numbered *each, const struct order *order)
{
    for (int i = 0; i < TIMERS; i++)
        rein_callback_remove(&each[i].callback); /* not before it has run */
    ck_assert_int_eq(order->length, TIMERS);
    for (int i = 0; i < TIMERS; i++) {
        ck_assert_msg(order->log[i] == i, "call %d ran in place %d", order->log[i], i);
        rein_end(each[i].ctx);
    }
}

static bool is_done(void *ctx)
{
    return rein_done(ctx);
}

/* What falls due together is done in the order of the instants, whatever the order of arming and
 * the shard; all of it is marked before the first callback runs. */
CASE(time_6_the_keeper_fires_in_order, "TIME-6", "P-PUNCTUAL")
{
    static struct numbered each[TIMERS];
    struct order order = {.length = 0};
    arm_all(each, &order);
    still_pass(REIN_SECOND);
    suite_until(is_done, each[0].ctx);
    still_await_sleep();
    expect_order(each, &order);
}

/* And by a loop that keeps the time. */
CASE(time_6_a_loop_fires_in_order, "TIME-6", "P-PUNCTUAL", "P-LOOP")
{
    static struct numbered each[TIMERS];
    struct order order = {.length = 0};
    rein_loop *loop;
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    arm_all(each, &order);
    ck_assert_int_eq(rein_loop_run(loop), 0);
    still_pass(REIN_SECOND);
    ck_assert_int_eq(rein_loop_run(loop), TIMERS);
    expect_order(each, &order);
    rein_loop_free(loop);
}

/* A sooner timer wakes the keeper, once, and it sleeps until that; a later one lets it sleep. */
CASE(time_7_a_sooner_timer_wakes_the_keeper, "TIME-7", "P-COST")
{
    rein_ctx *ctx[4];
    ctx[0] = timeout_of(10 * REIN_MILLISECOND);
    rein_time first = rein_in(ctx[0], 10 * REIN_MILLISECOND);
    ck_assert_int_le(still_await_sleep(), first.ns);
    uint64_t wakes = still_wakes(), sleeps = still_sleeps();
    ctx[1] = timeout_of(20 * REIN_MILLISECOND);
    ctx[2] = timeout_of(REIN_HOUR);
    still_await_sleep();
    ck_assert_uint_eq(still_wakes(), wakes);
    ck_assert_uint_eq(still_sleeps(), sleeps);
    ctx[3] = timeout_of(1000);
    ck_assert_uint_eq(still_wakes(), wakes + 1);
    ck_assert_int_le(still_await_sleep(), rein_in(ctx[3], 1000).ns);
    still_pass(1000);
    suite_until(is_done, ctx[3]);
    expect_expired(ctx[3]);
    expect_live(ctx[0]);
    for (int i = 0; i < 4; i++)
        rein_end(ctx[i]);
}

struct again {
    rein_ctx *ctx[100];
    rein_callback callback[100];
    struct race_count runs;
};

/* Arms the next in the same instant as it is called in. Far enough ahead for the keeper to wake for
 * each by itself. */
static void arm_again(const rein_ctx *ctx, void *arg)
{
    struct again *is = arg;
    uint64_t next = race_value(&is->runs) + 1;
    if (next < 100) {
        is->ctx[next] = timeout_of(REIN_MILLISECOND);
        rein_callback_add(is->ctx[next], &is->callback[next], arm_again, is);
    }
    (void)ctx;
    race_add(&is->runs, 1);
}

/* What arms itself again, as soon as it can, holds nobody up: neither the deadlines of others nor,
 * in the end, the keeper's sleep. */
CASE(time_8_arming_again_starves_nobody, "TIME-8", "P-PUNCTUAL")
{
    static struct again again;
    rein_ctx *other = timeout_of(50 * REIN_MILLISECOND);
    again.ctx[0] = timeout_of(REIN_MILLISECOND);
    ck_assert(rein_callback_add(again.ctx[0], &again.callback[0], arm_again, &again));
    for (uint64_t i = 1; i <= 100; i++) {
        still_await_sleep();
        still_pass(REIN_MILLISECOND);
        race_await_value(&again.runs, i);
        ck_assert_int_eq(rein_err(other), i < 50 ? 0 : -ETIMEDOUT);
    }
    still_await_sleep();
    for (int i = 0; i < 100; i++)
        rein_end(again.ctx[i]);
    rein_end(other);
}

/* While a callback stands on the keeper's stack, what was due with it is done already; for what
 * falls due meanwhile, those who ask or wait under it do the keeper's work. */
CASE(keeper_stuck_in_a_callback, "CTX-54", "P-PUNCTUAL", "P-NOTICE")
{
    struct call call = {.err = 0}, second = {.err = 0};
    rein_ctx *slow = timeout_of(REIN_MILLISECOND), *same = timeout_of(REIN_MILLISECOND);
    rein_ctx *later = timeout_of(REIN_SECOND);
    ck_assert(rein_callback_add(slow, &call.callback, block, &call));
    ck_assert(rein_callback_add(later, &second.callback, note, &second));
    still_pass(REIN_MILLISECOND);
    race_await(&call.begun);
    expect_expired(same);
    still_pass(REIN_SECOND);
    expect_live(later);
    ck_assert_int_eq(rein_check(later), -ETIMEDOUT);
    ck_assert_uint_eq(race_value(&second.runs), 0); /* who notices calls nobody */
    race_set(&call.go_on);
    race_await_value(&second.runs, 1);
    rein_callback_remove(&second.callback);
    ck_assert(pthread_equal(call.thread, second.thread));
    rein_callback_remove(&call.callback);
    rein_end(later);
    rein_end(same);
    rein_end(slow);
}

/* A keeper that is late is woken by who notices before it, for the calls that he leaves to it. */
CASE(keeper_runs_the_calls_of_who_noticed, "CTX-54", "P-NOTICE")
{
    struct call call = {.err = 0};
    rein_ctx *ctx = rein_with_timeout_cause(rein_background(), REIN_MILLISECOND, &too_slow);
    ck_assert(rein_callback_add(ctx, &call.callback, note, &call));
    still_await_sleep();
    still_pass_unnoticed(REIN_MILLISECOND);
    expect_live(ctx);
    ck_assert_int_eq(rein_interrupted(rein_arg(ctx)), 1);
    expect_end(ctx, -ETIMEDOUT, &too_slow);
    race_await_value(&call.runs, 1);
    ck_assert(!pthread_equal(call.thread, pthread_self()));
    ck_assert(!rein_callback_remove(&call.callback));
    rein_end(ctx);
}

/* ---- what it may not cost ---- */

/* Timeouts that are made and cancelled while the keeper sleeps for something sooner cost no system
 * call: it is not woken, neither to learn of them nor to forget them. */
CASE(keeper_is_not_told_of_what_is_not_needed, "CTX-53", "TIME-11", "P-COST")
{
    rein_ctx *sooner = timeout_of(REIN_MILLISECOND);
    size_t armed = reini_check_armed(sooner);
    still_await_sleep();
    uint64_t wakes = still_wakes(), sleeps = still_sleeps();
    for (int64_t i = 0; i < 10000; i++) {
        rein_ctx *ctx = timeout_of(REIN_SECOND + i * REIN_MILLISECOND);
        if (i % 2)
            rein_cancel(ctx);
        rein_end(ctx);
    }
    ck_assert_uint_eq(reini_check_armed(sooner), armed);
    still_await_sleep();
    ck_assert_uint_eq(still_wakes(), wakes);
    ck_assert_uint_eq(still_sleeps(), sleeps);
    rein_end(sooner);
}

/* There is no tick: on its way to a deadline a year ahead it wakes at most as often as naps can
 * double on each level of the wheel, and then to the nanosecond. */
CASE(keeper_has_no_tick, "CTX-52", "P-NEVER-EARLY", "P-COST")
{
    enum { NAPS = 25, LEVELS = 8 }; /* 2^25 s are more than a year */
    const rein_duration year = 365 * 24 * REIN_HOUR;
    rein_ctx *ctx = timeout_of(year);
    rein_time deadline = rein_in(ctx, year);
    still_await_sleep();
    uint64_t before = still_sleeps();
    while (rein_now(ctx).ns < deadline.ns) {
        int64_t until = still_await_sleep();
        ck_assert_int_le(until, deadline.ns);
        expect_live(ctx);
        still_pass(until - rein_now(ctx).ns);
    }
    suite_until(is_done, ctx);
    ck_assert_uint_le(still_sleeps() - before, NAPS * LEVELS);
    rein_end(ctx);
}

/* What falls due densely is done by a turn for many: to the nanosecond at first, then each at most
 * a step late, none early. */
CASE(keeper_merges_what_is_dense, "P-PRECISE", "P-NEVER-EARLY", "P-COST")
{
    enum { DENSE = 1000, GAP = 2 * PACE_STEP / 100 };
    static rein_ctx *ctx[DENSE];
    still_pass(REIN_SECOND);
    rein_time base = rein_in(rein_background(), REIN_MILLISECOND);
    for (int i = 0; i < DENSE; i++)
        ctx[i] = rein_with_deadline(rein_background(), rein_time_add(base, i * GAP));
    int done = 0, exact = 0, turns = 0;
    for (; done < DENSE; turns++) {
        int64_t until = still_await_sleep(), due = base.ns + done * (int64_t)GAP;
        still_pass(until - rein_now(rein_background()).ns);
        still_await_sleep();
        exact += until == due && exact == done;
        for (; done < DENSE && rein_done(ctx[done]); done++)
            ck_assert_int_le(until - (base.ns + done * (int64_t)GAP), PACE_STEP);
        ck_assert(done == DENSE || until < base.ns + done * (int64_t)GAP);
    }
    ck_assert_int_ge(exact, PACE_BUDGET / 2); /* arming has spent some */
    ck_assert_int_le(turns, 2 * PACE_BUDGET + DENSE * GAP / PACE_STEP);
    for (int i = 0; i < DENSE; i++)
        rein_end(ctx[i]);
}

/* One deadline after another, each made when the one before is over. Returns which is the first
 * that the keeper serves late, or count if none is. */
static int first_late(rein_duration each, int count)
{
    int first = count;
    rein_end(timeout_of(REIN_HOUR)); /* there is a keeper */
    still_await_sleep();
    still_pass(100 * PACE_STEP); /* who has not looked for a while */
    for (int i = 0; i < count; i++) {
        rein_ctx *ctx = timeout_of(each);
        rein_time deadline;
        ck_assert(rein_deadline(ctx, &deadline));
        while (rein_now(ctx).ns < deadline.ns) { /* it may move to a finer wheel first */
            still_pass(still_await_sleep() - rein_now(ctx).ns);
            ck_assert_int_le(rein_now(ctx).ns - deadline.ns, PACE_STEP);
        }
        if (rein_now(ctx).ns > deadline.ns && first == count)
            first = i;
        still_await_sleep();
        expect_expired(ctx);
        rein_end(ctx);
    }
    return first;
}

/* A deadline that is the next of all when it is made has the keeper look up for it: such count
 * twice. */
CASE(keeper_counts_what_it_is_told, "P-PRECISE", "P-NEVER-EARLY")
{
    enum { COUNT = 100 };
    ck_assert_int_eq(first_late(3 * PACE_STEP, COUNT), COUNT);
    ck_assert_int_lt(first_late(PACE_STEP + PACE_STEP / 4, COUNT), COUNT);
}

/* Time passes meanwhile. */
static bool is_alone(void *threads)
{
    still_pass(REIN_SECOND);
    return suite_threads() == *(size_t *)threads;
}

/* With nothing left to do it leaves after a while, by itself; the next timer starts another. */
CASE(keeper_leaves_when_idle, "P-GUEST")
{
    size_t threads = suite_threads();
    for (int round = 0; round < 3; round++) {
        rein_ctx *ctx = timeout_of(REIN_HOUR);
        ck_assert_uint_eq(suite_threads(), threads + 1);
        still_await_sleep();
        rein_end(ctx);
        suite_until(is_alone, &threads);
    }
}

static void quiesce_meanwhile(void *arg)
{
    struct call *is = arg;
    race_set(&is->begun);
    is->err = rein_quiesce();
}

/* While it leaves by itself it is there still: quiesce waits for it. */
CASE(keeper_that_leaves_is_waited_for, "P-GUEST")
{
    struct call quiescer = {.err = 1};
    struct race_thread thread;
    struct hold leaves = {.step = "keeper-leaves"};
    struct hold awaits = {.step = "keeper-awaited", .skip = UINT32_MAX};
    rein_ctx *ctx = timeout_of(REIN_HOUR);
    still_await_sleep();
    hold_set(&leaves);
    hold_set(&awaits);
    rein_end(ctx);
    for (; hold_seen(&leaves) == 0; suite_yield())
        still_pass(REIN_SECOND);
    hold_await(&leaves);
    race_thread_start(&thread, 0, quiesce_meanwhile, &quiescer);
    while (!race_thread_over(&thread) && hold_seen(&awaits) == 0)
        suite_yield();
    bool waited = hold_seen(&awaits) > 0;
    hold_release(&leaves);
    race_thread_join(&thread);
    hold_clear();
    ck_assert_msg(waited, "it has returned while a thread was there");
    ck_assert_int_eq(quiescer.err, 0);
}

/* But not while something is armed, however long nothing happens. */
CASE(keeper_stays_while_it_is_needed, "CTX-52", "P-GUEST")
{
    rein_ctx *ctx = timeout_of(24 * REIN_HOUR);
    size_t threads = suite_threads();
    for (int hour = 0; hour < 23; hour++) {
        still_await_sleep();
        still_pass(REIN_HOUR);
        ck_assert_uint_eq(suite_threads(), threads);
    }
    expect_live(ctx);
    still_pass(REIN_HOUR);
    suite_until(is_done, ctx);
    expect_expired(ctx);
    rein_end(ctx);
}

/* In the middle of a mark it is waited for, and so are the calls that the mark puts off. */
CASE(keeper_is_not_dismissed_in_a_mark, "CTX-58", "P-GUEST")
{
    struct call call = {.err = 0}, quiescer = {.err = 1};
    struct race_thread thread;
    struct hold firing = {.step = "fire"};
    rein_ctx *ctx = timeout_of(REIN_MILLISECOND);
    ck_assert(rein_callback_add(ctx, &call.callback, note, &call));
    hold_set(&firing);
    still_pass(REIN_MILLISECOND);
    hold_await(&firing);
    race_thread_start(&thread, 0, quiesce_meanwhile, &quiescer);
    race_await(&quiescer.begun);
    ck_assert(!race_thread_over(&thread));
    hold_release(&firing);
    race_thread_join(&thread);
    ck_assert_uint_eq(race_value(&call.runs), 1);
    hold_clear();
    ck_assert_int_eq(quiescer.err, 0);
    expect_expired(ctx);
    ck_assert(!rein_callback_remove(&call.callback));
    rein_end(ctx);
}
