/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/time/test_shards.c: the real clock's timers lie in several shards, its driver is one: what
 * it does in the one while something happens in another. The clock is moved by hand; see
 * still.h. */
#include <rein.h>
#include <stdio.h>

#include "call.h"
#include "core/check.h"
#include "expect.h"
#include "hold.h"
#include "race.h"
#include "shards.h"
#include "still.h"
#include "suite.h"

static rein_ctx *timeout_in(unsigned shard, rein_duration d)
{
    shards_go_to(shard);
    return rein_with_timeout(rein_background(), d);
}

static bool is_done(void *ctx)
{
    return rein_done(ctx);
}

/* ---- nothing is lost ---- */

/* A timer that is armed while the keeper finds out until when to sleep, in a shard that it has
 * looked at or in one that it has still to look at: it does not sleep for longer than that. */
CASE_LONG(60, shards_armed_while_the_keeper_settles, "P-WAKE", "TIME-7")
{
    rein_end(timeout_in(0, REIN_HOUR)); /* there is a keeper, and nothing to wake it */
    for (unsigned looked_at = 0; looked_at <= SHARDS; looked_at++) {
        for (unsigned shard = 0; shard < SHARDS; shard++) {
            struct hold hold = {.step = looked_at < SHARDS ? "settle" : "settled"};
            hold.skip = looked_at % SHARDS;
            still_pass(100 * REIN_MILLISECOND); /* so that it finds nothing left to wake for */
            still_await_sleep();
            hold_set(&hold);
            rein_ctx *soon = timeout_in(shard + 1, 50 * REIN_MILLISECOND);
            hold_await(&hold); /* it has been told of that one */
            rein_ctx *ctx = timeout_in(shard, REIN_MILLISECOND);
            rein_time deadline = rein_in(ctx, REIN_MILLISECOND);
            hold_release(&hold);
            int64_t until = still_await_sleep();
            ck_assert_msg(until <= deadline.ns, "lost: in shard %u, when %u had been looked at",
                          shard, looked_at);
            hold_clear();
            rein_end(ctx);
            rein_end(soon);
        }
    }
}

struct noticer {
    rein_ctx *ctx;
    struct race_flag noticed;
};

static void notice(void *arg)
{
    struct noticer *is = arg;
    ck_assert_int_eq(rein_check(is->ctx), -ETIMEDOUT);
    race_set(&is->noticed);
}

/* The same for calls that somebody who noticed leaves to it: they are made, though wakes for
 * timers are put off. */
CASE(shards_calls_put_off_while_the_keeper_settles, "P-WAKE", "P-NOTICE", "CTX-54")
{
    for (unsigned looked_at = 0; looked_at <= SHARDS; looked_at++) {
        struct call call = {.err = 0};
        struct race_thread thread;
        struct hold hold = {.step = looked_at < SHARDS ? "settle" : "settled"};
        hold.skip = looked_at % SHARDS;
        struct noticer noticer = {.ctx = timeout_in(0, REIN_MILLISECOND)};
        ck_assert(rein_callback_add(noticer.ctx, &call.callback, note, &call));
        still_await_sleep();
        hold_set(&hold);
        rein_ctx *soon = timeout_in(1, 1000);
        hold_await(&hold);
        still_pass_unnoticed(REIN_MILLISECOND);
        race_thread_start(&thread, 0, notice, &noticer);
        race_await(&noticer.noticed);
        hold_release(&hold);
        race_await_value(&call.runs, 1);
        race_thread_join(&thread);
        hold_clear();
        ck_assert(!rein_callback_remove(&call.callback));
        rein_end(soon);
        rein_end(noticer.ctx);
    }
}

/* ---- order ---- */

enum { TIMERS = 12 };

struct numbered {
    int *log, *length;
    int number;
    rein_ctx *ctx;
    rein_callback callback;
};

static void log_number(const rein_ctx *ctx, void *arg)
{
    struct numbered *is = arg;
    (void)ctx;
    is->log[(*is->length)++] = is->number;
}

/* Equal instants of one thread come in the order in which it armed them, whatever others arm for
 * the same instant meanwhile. */
CASE(shards_equal_instants_of_a_thread_keep_their_order, "TIME-6")
{
    static struct numbered each[TIMERS];
    int log[TIMERS], length = 0, seen[3] = {0};
    for (int i = 0; i < TIMERS; i++) {
        each[i] = (struct numbered){.log = log, .length = &length, .number = i};
        each[i].ctx = timeout_in((unsigned)i % 3, REIN_MILLISECOND);
        ck_assert(rein_callback_add(each[i].ctx, &each[i].callback, log_number, &each[i]));
    }
    still_pass(REIN_MILLISECOND);
    suite_until(is_done, each[0].ctx);
    still_await_sleep(); /* all have been called */
    ck_assert_int_eq(length, TIMERS);
    for (int i = 0; i < TIMERS; i++) {
        ck_assert(!rein_callback_remove(&each[i].callback));
        ck_assert_int_eq(log[i] / 3, seen[log[i] % 3]);
        seen[log[i] % 3]++;
        rein_end(each[i].ctx);
    }
}

/* ---- who drives ---- */

/* A timer in whatever shard keeps the keeper, and makes quiesce say that it is there. */
CASE(shards_all_count, "P-GUEST", "CTX-52")
{
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        rein_ctx *ctx = timeout_in(shard, REIN_HOUR);
        size_t threads = suite_threads();
        ck_assert_uint_eq(reini_check_armed(ctx), 1);
        ck_assert_int_eq(rein_quiesce(), -EBUSY);
        for (int nap = 0; nap < 5; nap++) {
            still_await_sleep();
            still_pass(REIN_MINUTE);
        }
        ck_assert_uint_eq(suite_threads(), threads);
        expect_live(ctx);
        still_pass(REIN_HOUR);
        suite_until(is_done, ctx);
        expect_expired(ctx);
        rein_end(ctx);
        ck_assert_int_eq(rein_quiesce(), 0);
    }
}

struct arming {
    unsigned shard;
    rein_ctx *ctx;
};

static void arm(void *arg)
{
    struct arming *is = arg;
    is->ctx = timeout_in(is->shard, REIN_MILLISECOND);
}

/* A thread that is about to arm a timer. */
static void begin_to_arm(struct arming *is, struct hold *hold, struct race_thread *thread)
{
    *hold = (struct hold){.step = "arm"};
    hold_set(hold);
    race_thread_start(thread, 0, arm, is);
    hold_await(hold);
}

static rein_ctx *finish_arming(struct arming *is, struct hold *hold, struct race_thread *thread)
{
    hold_release(hold);
    race_thread_join(thread);
    hold_clear();
    return is->ctx;
}

/* From the keeper to a loop and back to a keeper, while a thread is about to arm in this shard or
 * that: who drives by then is told, and what the one has left is the next one's. */
CASE(shards_driver_changes_while_a_thread_arms, "P-LOOP", "P-WAKE", "P-GUEST")
{
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        struct arming is = {.shard = shard};
        struct hold hold;
        struct race_thread thread;
        rein_loop *loop;
        rein_end(timeout_in(shard, REIN_HOUR));
        begin_to_arm(&is, &hold, &thread); /* there is a keeper */
        ck_assert_int_eq(rein_quiesce(), 0);
        ck_assert_int_eq(rein_loop_new(&loop), 0);
        ck_assert_int_eq(rein_loop_keep_time(loop), 0);
        ck_assert_int_eq(rein_loop_run(loop), 0);
        rein_ctx *ctx = finish_arming(&is, &hold, &thread);
        still_pass(REIN_MILLISECOND);
        expect_live(ctx);
        ck_assert_int_eq(rein_loop_run(loop), 1);
        expect_expired(ctx);
        rein_end(ctx);

        rein_ctx *left = timeout_in(shard + 1, REIN_MILLISECOND);
        begin_to_arm(&is, &hold, &thread); /* there is a loop */
        rein_loop_free(loop);
        ctx = finish_arming(&is, &hold, &thread);
        still_pass(REIN_MILLISECOND);
        suite_until(is_done, left);
        suite_until(is_done, ctx);
        expect_expired(left);
        rein_end(left);
        rein_end(ctx);
        ck_assert_int_eq(rein_quiesce(), 0);
    }
}
