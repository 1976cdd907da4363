/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/conformance/test_deadline.c: deadlines and timeouts.
 *
 * Covers CTX-47 to CTX-58. Time is virtual, but where the real clock itself is what is asked. */
#include <rein.h>
#include <rein/testing.h>
#include <stdlib.h>
#include <time.h>

#include "core/check.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

REIN_KEY_DECLARE(ticket, int)
REIN_KEY_DEFINE(ticket, int)

static rein_reason why = REIN_REASON_INIT(-EPIPE, "the client has left");
static rein_reason too_slow = REIN_REASON_INIT(-ETIME, "the search was too slow");

static int64_t deadline_of(const rein_ctx *ctx)
{
    rein_time deadline;
    ck_assert(rein_deadline(ctx, &deadline));
    return deadline.ns;
}

static bool prints_as_deadline(const rein_ctx *ctx)
{
    char text[400];
    rein_describe(ctx, text, sizeof text);
    const char *last = strrchr(text, ']') ? strstr(text, ".WithDeadline(") : NULL;
    for (const char *next = last; next && (next = strstr(next + 1, ".WithDeadline("));)
        last = next;
    return last && !strstr(last, ".WithCancel");
}

/* ---- what the deadline is ---- */

/* A deadline is an absolute instant, a timeout one counted from now, and both are answered as
 * such. */
CASE(ctx_47_a_timeout_is_a_deadline_from_now, "CTX-47")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_time at = rein_in(root, REIN_MINUTE);
    rein_ctx *by_instant = rein_with_deadline(root, at);
    rein_ctx *by_span = rein_with_timeout(root, REIN_MINUTE);
    ck_assert_int_eq(deadline_of(by_instant), at.ns);
    ck_assert_int_eq(deadline_of(by_span), at.ns);
    rein_clock_advance(clock, REIN_SECOND);
    ck_assert_int_eq(deadline_of(by_span), at.ns);
    ck_assert_int_eq(rein_remaining(by_span), 59 * REIN_SECOND);
    rein_end(by_span);
    rein_end(by_instant);
    rein_clock_free(clock);
}

/* A child can only shorten: the effective deadline is the earliest up the line, through every
 * kind. */
CASE(ctx_47_a_child_can_only_shorten, "CTX-47", "CTX-51")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *parent = rein_with_timeout(root, REIN_MINUTE);
    const rein_ctx *value = ticket_with(parent, 1);
    rein_ctx *longer = rein_with_timeout(value, 1000 * REIN_HOUR);
    rein_ctx *shorter = rein_with_timeout(longer, REIN_SECOND);
    rein_ctx *merged = rein_merge(longer, shorter);
    rein_ctx *none_set = rein_with_timeout(parent, REIN_FOREVER);
    ck_assert_int_eq(deadline_of(longer), deadline_of(parent));
    ck_assert_int_eq(deadline_of(none_set), deadline_of(parent));
    ck_assert_int_eq(deadline_of(shorter), rein_in(root, REIN_SECOND).ns);
    ck_assert_int_eq(deadline_of(merged), deadline_of(shorter));
    rein_clock_advance(clock, REIN_SECOND);
    expect_expired(shorter);
    expect_expired(merged);
    expect_live(longer);
    rein_clock_advance(clock, REIN_MINUTE);
    expect_expired(parent);
    expect_expired(longer);
    expect_expired(none_set);
    rein_end(none_set);
    rein_end(merged);
    rein_end(shorter);
    rein_end(longer);
    rein_unref(value);
    rein_end(parent);
    rein_clock_free(clock);
}

/* A deadline now, past or at the beginning of time, and a timeout of nothing or less: born done,
 * with the deadline's err and cause, the given instant as deadline, no timer, and harmless to
 * cancel. */
CASE(ctx_48_a_past_deadline_is_born_done, "CTX-48", "CTX-12")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *parent = rein_with_cancel(root);
    rein_time now = rein_now(root);
    rein_ctx *ctx[] = {
        rein_with_deadline_cause(parent, now, &too_slow),
        rein_with_deadline_cause(parent, rein_time_add(now, -REIN_HOUR), &too_slow),
        rein_with_deadline_cause(parent, (rein_time){0}, &too_slow),
        rein_with_timeout_cause(parent, 0, &too_slow),
        rein_with_timeout_cause(parent, -1, &too_slow),
    };
    const int64_t given[] = {now.ns, now.ns - REIN_HOUR, 0, now.ns, now.ns - 1};
    for (int i = 0; i < 5; i++) {
        expect_end(ctx[i], -ETIMEDOUT, &too_slow);
        ck_assert(has_fired(ctx[i]));
        ck_assert_int_eq(deadline_of(ctx[i]), given[i]);
        ck_assert_int_eq(rein_remaining(ctx[i]), 0);
        rein_cancel_cause(ctx[i], &why);
        expect_end(ctx[i], -ETIMEDOUT, &too_slow);
    }
    rein_ctx *plain = rein_with_timeout(root, 0);
    expect_expired(plain);
    expect_live(parent);
    ck_assert_uint_eq(reini_check_dependents(parent), 0);
    ck_assert_uint_eq(reini_check_armed(root), 0);
    rein_end(plain);
    for (int i = 0; i < 5; i++)
        rein_end(ctx[i]);
    rein_end(parent);
    rein_clock_free(clock);
}

/* A past deadline below an ended parent: the parent's err and cause win. */
CASE(ctx_49_an_ended_parent_wins_over_a_past_deadline, "CTX-49", "CTX-21", "P-HONEST")
{
    rein_ctx *parent = rein_with_cancel(rein_background());
    rein_cancel_cause(parent, &why);
    rein_ctx *past = rein_with_deadline_cause(parent, (rein_time){1}, &too_slow);
    rein_ctx *now = rein_with_timeout(parent, 0);
    expect_end(past, -ECANCELED, &why);
    expect_end(now, -ECANCELED, &why);
    ck_assert_int_eq(deadline_of(past), 1);
    rein_end(now);
    rein_end(past);
    rein_end(parent);
}

/* Below a strictly earlier deadline the child has no timer, reports the parent's deadline, and
 * is in name a plain cancel child; at the same deadline it has a timer and a name of its own. */
CASE(ctx_50_strictly_earlier_or_equal, "CTX-50", "CTX-92")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *parent = rein_with_timeout(root, REIN_SECOND);
    ck_assert_uint_eq(reini_check_armed(root), 1);
    rein_ctx *later = rein_with_timeout(parent, REIN_SECOND + 1);
    ck_assert_uint_eq(reini_check_armed(root), 1);
    ck_assert_int_eq(deadline_of(later), deadline_of(parent));
    ck_assert(!prints_as_deadline(later));
    rein_ctx *equal = rein_with_timeout(parent, REIN_SECOND);
    ck_assert_uint_eq(reini_check_armed(root), 2);
    ck_assert_int_eq(deadline_of(equal), deadline_of(parent));
    ck_assert(prints_as_deadline(equal));
    ck_assert(prints_as_deadline(parent));
    rein_clock_advance(clock, REIN_SECOND);
    expect_expired(later);
    expect_expired(equal);
    rein_end(equal);
    rein_end(later);
    rein_end(parent);
    rein_clock_free(clock);
}

static bool foreign_deadline(void *self, rein_time *ret_deadline)
{
    *ret_deadline = *(rein_time *)self;
    return true;
}

/* A deadline comes down through values, cancels and foreign contexts, and stays after the end,
 * be it a cancel or the deadline's own. */
CASE(ctx_51_a_deadline_is_inherited_and_stays, "CTX-51")
{
    static const rein_foreign_ops forwarding = {.size = sizeof forwarding, .forwards = true};
    static const rein_foreign_ops own = {.size = sizeof own, .deadline = foreign_deadline};
    for (int expire = 0; expire < 2; expire++) {
        rein_clock *clock = suite_clock();
        const rein_ctx *root = rein_clock_root(clock);
        rein_time later = rein_in(root, REIN_HOUR);
        rein_ctx *top = rein_with_timeout(root, REIN_SECOND), *child = rein_with_cancel(top);
        const rein_ctx *value = ticket_with(child, 1);
        rein_ctx *foreign = rein_foreign(value, &forwarding, NULL);
        rein_ctx *leaf = rein_with_cancel(foreign);
        rein_ctx *others = rein_foreign(root, &own, &later), *below = rein_with_cancel(others);
        int64_t deadline = deadline_of(top);
        for (int round = 0; round < 2; round++) {
            ck_assert_int_eq(deadline_of(child), deadline);
            ck_assert_int_eq(deadline_of(value), deadline);
            ck_assert_int_eq(deadline_of(foreign), deadline);
            ck_assert_int_eq(deadline_of(leaf), deadline);
            ck_assert_int_eq(deadline_of(below), later.ns);
            if (expire)
                rein_clock_advance(clock, REIN_SECOND);
            else
                rein_cancel(top);
            ck_assert(rein_done(leaf));
        }
        rein_end(below);
        rein_end(others);
        rein_end(leaf);
        rein_end(foreign);
        rein_unref(value);
        rein_end(child);
        rein_end(top);
        rein_clock_free(clock);
    }
}

/* ---- when it fires ---- */

/* On a virtual clock a deadline fires at its instant, to the nanosecond, and leaves its parent. */
CASE(ctx_52_never_early, "CTX-52", "CTX-20", "P-NEVER-EARLY")
{
    rein_clock *clock = suite_clock();
    rein_ctx *parent = rein_with_cancel(rein_clock_root(clock));
    rein_ctx *ctx = rein_with_timeout(parent, REIN_MINUTE);
    struct rein_event event;
    ck_assert_uint_eq(rein_clock_advance(clock, REIN_MINUTE - 1), 0);
    expect_live(ctx);
    ck_assert_int_eq(rein_remaining(ctx), 1);
    ck_assert_uint_eq(reini_check_dependents(parent), 1);
    ck_assert_uint_eq(rein_clock_advance(clock, 1), 1);
    expect_expired(ctx);
    expect_live(parent);
    ck_assert_uint_eq(reini_check_dependents(parent), 0);
    ck_assert(rein_event(ctx, &event));
    ck_assert_int_eq(event.at.ns, deadline_of(ctx));
    rein_end(ctx);
    rein_end(parent);
    rein_clock_free(clock);
}

/* On the real clock no deadline fires before its instant, whoever notices it. */
CASE(ctx_52_never_early_on_the_real_clock, "CTX-52", "P-NEVER-EARLY", "P-NOTICE")
{
    uint64_t random = suite_seed();
    for (size_t round = 0; round < suite_rounds(60); round++) {
        rein_duration d = (rein_duration)(suite_random(&random) % (2 * REIN_MILLISECOND));
        rein_ctx *ctx = rein_with_timeout(rein_background(), d), *below = rein_with_cancel(ctx);
        struct rein_event event;
        switch (round % 3) {
        case 0: /* a blocking call, by its own sleep or the keeper's */
            ck_assert_int_eq(rein_wait(below), -ETIMEDOUT);
            break;
        case 1: /* the keeper alone */
            while (rein_err(below) == 0)
                suite_yield();
            break;
        case 2: /* whoever looks at the clock */
            while (rein_check(below) == 0)
                ;
            break;
        }
        ck_assert_int_ge(rein_now(below).ns, deadline_of(ctx));
        expect_expired(below);
        expect_expired(ctx);
        ck_assert(rein_event(below, &event));
        ck_assert_int_ge(event.at.ns, deadline_of(ctx));
        rein_end(below);
        rein_end(ctx);
    }
}

/* A cancel before the deadline takes the timer off the clock there and then; so does the last
 * release, and so does the parent's end. */
CASE(ctx_53_cancel_disarms_at_once, "CTX-53", "CTX-58")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_time next;
    rein_ctx *parent = rein_with_cancel(root);
    rein_ctx *cancelled = rein_with_timeout(parent, REIN_HOUR);
    rein_ctx *released = rein_with_timeout(parent, 2 * REIN_HOUR);
    rein_ctx *by_parent = rein_with_timeout(parent, 3 * REIN_HOUR);
    ck_assert_uint_eq(reini_check_armed(root), 3);
    rein_cancel(cancelled);
    ck_assert_uint_eq(reini_check_armed(root), 2);
    rein_end(released);
    ck_assert_uint_eq(reini_check_armed(root), 1);
    ck_assert(rein_clock_next(clock, &next) && next.ns == deadline_of(by_parent));
    rein_cancel(parent);
    ck_assert_uint_eq(reini_check_armed(root), 0);
    ck_assert_uint_eq(rein_clock_advance(clock, 4 * REIN_HOUR), 0);
    expect_canceled(by_parent);
    rein_end(by_parent);
    rein_end(cancelled);
    rein_end(parent);
    rein_clock_free(clock);
}

/* On the real clock, too. */
CASE(ctx_53_cancel_disarms_the_keepers_timer, "CTX-53")
{
    size_t before = reini_check_armed(rein_background());
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    ck_assert_uint_eq(reini_check_armed(rein_background()), before + 1);
    rein_cancel(ctx);
    ck_assert_uint_eq(reini_check_armed(rein_background()), before);
    rein_end(ctx);
}

static void pass_deadline(const rein_ctx *ctx)
{
    while (rein_now(ctx).ns <= deadline_of(ctx))
        nanosleep(&(struct timespec){.tv_nsec = 100 * 1000}, NULL);
}

/* Expiry is an event, not a look at the clock: while nobody noticed, err is 0 though the instant
 * has passed, and a cancel may still win; then everything says canceled. */
CASE(ctx_54_expiry_is_an_event, "CTX-54", "CTX-4", "P-HONEST")
{
    rein_loop *loop; /* keeps the time, and is not run */
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    rein_ctx *ctx = rein_with_timeout_cause(rein_background(), REIN_MILLISECOND, &too_slow);
    rein_ctx *below = rein_with_cancel(ctx);
    pass_deadline(ctx);
    expect_live(ctx);
    expect_live(below);
    ck_assert(!has_fired(below));
    ck_assert_int_eq(rein_remaining(below), 0);
    rein_cancel(ctx);
    expect_canceled(ctx);
    expect_canceled(below);
    rein_loop_run(loop);
    ck_assert_int_eq(rein_check(below), -ECANCELED);
    expect_canceled(ctx);
    rein_end(below);
    rein_end(ctx);
    rein_loop_free(loop);
}

static void set_flag(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    race_set(arg);
}

/* Whoever asks the clock marks what has expired, for the context whose deadline it is and all
 * below, but runs nobody's callback; whoever keeps the time does that. */
CASE(ctx_54_a_noticer_marks_and_calls_nobody, "CTX-54", "P-NOTICE")
{
    rein_loop *loop;
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    rein_ctx *ctx = rein_with_timeout_cause(rein_background(), REIN_MILLISECOND, &too_slow);
    rein_ctx *below = rein_with_cancel(ctx), *sibling = rein_with_cancel(ctx);
    struct race_flag called = {0};
    rein_callback callback;
    ck_assert(rein_callback_add(ctx, &callback, set_flag, &called));
    pass_deadline(ctx);
    expect_live(sibling);
    ck_assert_int_eq(rein_interrupted(rein_arg(below)), 1);
    expect_end(below, -ETIMEDOUT, &too_slow);
    expect_end(sibling, -ETIMEDOUT, &too_slow);
    expect_end(ctx, -ETIMEDOUT, &too_slow);
    ck_assert(!race_is_set(&called));
    rein_loop_run(loop);
    ck_assert(race_is_set(&called));
    ck_assert(!rein_callback_remove(&callback));
    rein_end(sibling);
    rein_end(below);
    rein_end(ctx);
    rein_loop_free(loop);
}

/* No blocking call returns -ETIMEDOUT while err is still 0: without anybody to fire timers, each
 * marks before it returns. */
CASE(ctx_54_blocking_calls_mark_before_they_return, "CTX-54", "P-NOTICE")
{
    rein_loop *loop;
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    for (int call = 0; call < 5; call++) {
        rein_ctx *ctx = rein_with_timeout(rein_background(), 2 * REIN_MILLISECOND);
        rein_ctx *below = rein_with_cancel(ctx);
        struct pollfd poller = {.fd = rein_loop_fd(loop), .events = POLLPRI};
        rein_case cases[] = {REIN_CASE_AT(rein_in(below, REIN_HOUR))};
        int r = 0;
        switch (call) {
        case 0: r = rein_wait(below); break;
        case 1: r = rein_sleep(below, REIN_HOUR); break;
        case 2: r = rein_sleep_until(below, REIN_NEVER); break;
        case 3: r = rein_poll(below, &poller, 1); break;
        case 4: r = rein_wait_any(below, cases, 1); break;
        }
        ck_assert_int_eq(r, -ETIMEDOUT);
        expect_expired(below);
        expect_expired(ctx);
        rein_end(below);
        rein_end(ctx);
    }
    rein_loop_free(loop);
}

/* ---- arming ---- */

struct arming {
    rein_ctx *parent;
    rein_ctx *child;
};

static void arm_one(void *arg)
{
    struct arming *it = arg;
    it->child = rein_with_timeout(it->parent, REIN_HOUR);
}

static void end_parent(void *arg)
{
    rein_cancel(((struct arming *)arg)->parent);
}

/* If the parent ends while a timeout is being linked and armed, no timer stays armed. */
CASE(ctx_55_no_timer_below_an_ended_parent, "CTX-55", "CTX-22")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    for (size_t round = 0; round < suite_rounds(2000); round++) {
        struct arming it = {.parent = rein_with_cancel(root)};
        race_pair(arm_one, end_parent, &it);
        ck_assert_uint_eq(reini_check_armed(root), 0);
        expect_canceled(it.child);
        rein_end(it.child);
        rein_end(it.parent);
    }
    rein_clock_free(clock);
}

/* ---- the ends of the number line ---- */

/* Very large and very small spans and instants saturate: those are live, these born done. */
CASE(ctx_56_durations_saturate, "CTX-56")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *roots[] = {rein_background(), rein_clock_root(clock)};
    for (int i = 0; i < 2; i++) {
        rein_ctx *live[] = {rein_with_timeout(roots[i], INT64_MAX),
                            rein_with_timeout(roots[i], INT64_MAX - 1),
                            rein_with_timeout(roots[i], REIN_FOREVER / 2),
                            rein_with_deadline(roots[i], REIN_NEVER),
                            rein_with_deadline(roots[i], (rein_time){INT64_MAX - 1})};
        rein_ctx *done[] = {rein_with_timeout(roots[i], INT64_MIN),
                            rein_with_timeout(roots[i], -INT64_MAX),
                            rein_with_deadline(roots[i], (rein_time){INT64_MIN})};
        rein_time deadline;
        rein_clock_advance(clock, 100 * 365 * 24 * REIN_HOUR);
        for (int j = 0; j < 5; j++) {
            ck_assert_int_eq(rein_check(live[j]), 0);
            ck_assert_int_gt(rein_remaining(live[j]), REIN_HOUR);
        }
        ck_assert(!rein_deadline(live[0], &deadline));
        ck_assert(!rein_deadline(live[3], &deadline));
        for (int j = 0; j < 3; j++) {
            expect_expired(done[j]);
            ck_assert_int_eq(rein_remaining(done[j]), 0);
            rein_end(done[j]);
        }
        for (int j = 0; j < 5; j++)
            rein_end(live[j]);
    }
    rein_clock_free(clock);
}

static int64_t ns_of(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * REIN_SECOND + now.tv_nsec;
}

/* Timeouts follow the system's monotonic clock. */
CASE(ctx_57_timeouts_are_monotonic, "CTX-57")
{
    int64_t before = ns_of(CLOCK_MONOTONIC);
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    int64_t after = ns_of(CLOCK_MONOTONIC);
    ck_assert_int_ge(deadline_of(ctx), before + REIN_HOUR);
    ck_assert_int_le(deadline_of(ctx), after + REIN_HOUR);
    rein_end(ctx);
}

/* A wall-clock time becomes an instant of the monotonic clock once, and what was made from it
 * stays. */
CASE(ctx_57_wall_time_is_converted_once, "CTX-57")
{
    struct timespec wall;
    int64_t before = ns_of(CLOCK_MONOTONIC);
    clock_gettime(CLOCK_REALTIME, &wall);
    wall.tv_sec += 3600;
    rein_time at = rein_from_wall(wall);
    int64_t after = ns_of(CLOCK_MONOTONIC);
    /* The clocks are read one after the other; a wall clock that is slewed is off by little. */
    ck_assert_int_ge(at.ns, before + REIN_HOUR - REIN_MILLISECOND - (after - before));
    ck_assert_int_le(at.ns, after + REIN_HOUR + REIN_MILLISECOND + (after - before));
    rein_ctx *ctx = rein_with_deadline(rein_background(), at);
    ck_assert_int_eq(deadline_of(ctx), at.ns);
    expect_live(ctx);
    rein_end(ctx);
    rein_ctx *past = rein_with_deadline(rein_background(), rein_from_wall((struct timespec){0, 0}));
    expect_expired(past);
    rein_end(past);
}

/* ---- firing against releasing ---- */

struct firing {
    rein_clock *clock;
    rein_ctx *ctx;
};

static void fire(void *arg)
{
    rein_clock_advance(((struct firing *)arg)->clock, REIN_SECOND);
}

static void give_back(void *arg)
{
    rein_end(((struct firing *)arg)->ctx);
}

/* Fired, cancelled or just released at the same moment, each context is freed once. */
CASE(ctx_58_firing_against_the_last_release, "CTX-58", "CTX-53")
{
    struct firing it = {.clock = suite_clock()};
    const rein_ctx *root = rein_clock_root(it.clock);
    for (size_t round = 0; round < suite_rounds(2000); round++) {
        it.ctx = rein_with_timeout(root, REIN_SECOND);
        const rein_ctx *view = round % 2 ? rein_ref(it.ctx) : NULL;
        race_pair(fire, give_back, &it);
        ck_assert(!view || rein_done(view));
        rein_unref(view);
        ck_assert_uint_eq(reini_check_armed(root), 0);
    }
    rein_clock_free(it.clock);
}

/* And with the keeper's own thread. */
CASE(ctx_58_the_keeper_against_the_last_release, "CTX-58")
{
    uint64_t random = suite_seed();
    for (size_t round = 0; round < suite_rounds(300); round++) {
        rein_duration d = (rein_duration)(suite_random(&random) % (200 * REIN_MICROSECOND));
        rein_ctx *ctx = rein_with_timeout(rein_background(), d);
        rein_time until = rein_in(ctx, (rein_duration)(suite_random(&random) %
                                                       (200 * REIN_MICROSECOND)));
        while (rein_now(ctx).ns < until.ns)
            suite_yield();
        rein_end(ctx);
    }
}

/* ---- one slow callback ---- */

struct slow {
    const rein_ctx *others[2];
    int errs[2];
};

static void look_at_others(const rein_ctx *ctx, void *arg)
{
    struct slow *slow = arg;
    (void)ctx;
    for (int i = 0; i < 2; i++)
        slow->errs[i] = rein_err(slow->others[i]);
}

/* All that is due is marked before any callback runs, so that a slow callback delays no
 * deadline. */
CASE(deadlines_due_together_are_marked_before_callbacks, "P-PUNCTUAL")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *ctx[3];
    rein_callback callback[3];
    struct slow slow[3];
    for (int i = 0; i < 3; i++)
        ctx[i] = rein_with_timeout(root, REIN_SECOND);
    for (int i = 0; i < 3; i++) {
        slow[i] = (struct slow){.others = {ctx[(i + 1) % 3], ctx[(i + 2) % 3]}};
        ck_assert(rein_callback_add(ctx[i], &callback[i], look_at_others, &slow[i]));
    }
    rein_clock_advance(clock, REIN_SECOND);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(slow[i].errs[0], -ETIMEDOUT);
        ck_assert_int_eq(slow[i].errs[1], -ETIMEDOUT);
        ck_assert(!rein_callback_remove(&callback[i]));
        rein_end(ctx[i]);
    }
    rein_clock_free(clock);
}
