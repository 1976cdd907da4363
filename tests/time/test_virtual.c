/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/time/test_virtual.c: a clock that stands still until it is told to move. */
#include <rein.h>
#include <rein/testing.h>

#include "base/fault_control.h"
#include "expect.h"
#include "suite.h"

static int64_t now_of(const rein_clock *clock)
{
    return rein_now(rein_clock_root(clock)).ns;
}

/* ---- the clock ---- */

/* Every clock begins at the same instant and keeps a time of its own, which goes forward only. */
CASE(clock_goes_forward_only, "P-VIRTUAL")
{
    rein_clock *clock = rein_clock_new(), *other = rein_clock_new();
    int64_t begin = now_of(clock);
    ck_assert_int_eq(now_of(other), begin);
    rein_clock_advance(clock, REIN_HOUR);
    ck_assert_int_eq(now_of(clock), begin + REIN_HOUR);
    ck_assert_int_eq(now_of(other), begin);
    ck_assert_uint_eq(rein_clock_advance(clock, -1), 0);
    ck_assert_uint_eq(rein_clock_advance(clock, INT64_MIN), 0);
    ck_assert_uint_eq(rein_clock_advance_to(clock, (rein_time){begin}), 0);
    ck_assert_int_eq(now_of(clock), begin + REIN_HOUR);
    rein_clock_free(other);
    rein_clock_free(clock);
}

/* Sent to the end of time it does all that is to be done, but never is never now. */
CASE(clock_never_comes, "P-VIRTUAL", "CTX-56")
{
    rein_clock *clock = rein_clock_new();
    const rein_ctx *root = rein_clock_root(clock);
    int64_t begin = now_of(clock);
    rein_ctx *last = rein_with_deadline(root, (rein_time){INT64_MAX - 1});
    rein_ctx *never = rein_with_deadline(root, REIN_NEVER);
    ck_assert_uint_eq(rein_clock_advance_to(clock, (rein_time){INT64_MAX - 2}), 0);
    ck_assert_int_gt(now_of(clock), begin);
    expect_live(last);
    ck_assert_uint_eq(rein_clock_advance(clock, REIN_FOREVER), 1);
    expect_expired(last);
    expect_live(never);
    ck_assert_int_eq(now_of(clock), INT64_MAX - 1);
    rein_end(never);
    rein_end(last);
    rein_clock_free(clock);
}

/* The next instant and how many are armed: what a test can steer by. */
CASE(clock_says_what_is_next, "P-VIRTUAL")
{
    rein_clock *clock = rein_clock_new();
    const rein_ctx *root = rein_clock_root(clock);
    rein_time next = {7};
    ck_assert(!rein_clock_next(clock, &next));
    ck_assert_int_eq(next.ns, 7);
    rein_ctx *year = rein_with_timeout(root, 365 * 24 * REIN_HOUR);
    rein_ctx *second = rein_with_timeout(root, REIN_SECOND);
    rein_ctx *same = rein_with_timeout(root, REIN_SECOND);
    ck_assert_uint_eq(rein_clock_armed(clock), 3);
    ck_assert(rein_clock_next(clock, &next));
    ck_assert_int_eq(next.ns, rein_in(root, REIN_SECOND).ns);
    ck_assert_uint_eq(rein_clock_advance_to(clock, next), 2);
    ck_assert(rein_clock_next(clock, &next));
    ck_assert_int_eq(next.ns, rein_in(root, (365 * 24 * 3600 - 1) * REIN_SECOND).ns);
    rein_cancel(year);
    ck_assert(!rein_clock_next(clock, &next));
    ck_assert_uint_eq(rein_clock_armed(clock), 0);
    rein_end(same);
    rein_end(second);
    rein_end(year);
    rein_clock_free(clock);
}

/* A clock that was given back lasts as long as a context that lives on it. */
CASE(clock_outlives_its_owner, "P-VIRTUAL", "P-LIFETIME")
{
    rein_clock *clock = rein_clock_new();
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(clock), REIN_SECOND);
    int64_t begin = now_of(clock);
    rein_clock_free(clock);
    rein_ctx *below = rein_with_timeout(ctx, REIN_MILLISECOND);
    ck_assert_int_eq(rein_now(below).ns, begin);
    ck_assert_int_eq(rein_check(below), 0);
    rein_end(below);
    rein_end(ctx);
    rein_clock_free(NULL);
}

/* There may be 255 at a time; each that goes makes room. Without memory there is none either. */
CASE(clock_ids_are_used_again, "P-VIRTUAL", "P-ERRORS")
{
    rein_clock *clocks[255];
    for (int i = 0; i < 255; i++)
        ck_assert_ptr_nonnull(clocks[i] = rein_clock_new());
    ck_assert_ptr_null(rein_clock_new());
    rein_clock_free(clocks[100]);
    ck_assert_ptr_nonnull(clocks[100] = rein_clock_new());
    ck_assert_ptr_null(rein_clock_new());
    for (int i = 0; i < 255; i++)
        rein_clock_free(clocks[i]);
    for (long n = 1;; n++) {
        reini_fault_fail_nth(n);
        rein_clock *clock = rein_clock_new();
        reini_fault_fail_nth(0);
        rein_clock_free(clock);
        if (clock)
            break;
    }
}

/* ---- what happens on the way ---- */

enum { MOST = 4000 };

/* What a program of random deadlines did, and when. */
struct program {
    rein_clock *clock;
    uint64_t random;
    int made, calls;
    rein_ctx *ctx[MOST];
    rein_callback callback[MOST];
    int64_t when[MOST]; /* the deadline of each */
    struct {
        int which;
        int64_t at;
    } log[MOST];
};

static void happen(const rein_ctx *ctx, void *arg);

static struct program *program; /* the one that is running */

static void make(int64_t when)
{
    int i = program->made;
    if (i == MOST)
        return;
    program->made++;
    program->when[i] = when;
    program->ctx[i] = rein_with_deadline(rein_clock_root(program->clock), (rein_time){when});
    rein_callback_add(program->ctx[i], &program->callback[i], happen, &program->when[i]);
}

static uint64_t below(uint64_t n)
{
    return suite_random(&program->random) % n;
}

/* Notes itself, and now and then arms another, or ends one that is still to come. */
static void happen(const rein_ctx *ctx, void *arg)
{
    int which = (int)((int64_t *)arg - program->when), other = (int)below((uint64_t)program->made);
    program->log[program->calls].which = which;
    program->log[program->calls++].at = rein_now(ctx).ns;
    switch (below(4)) {
    case 0: make(now_of(program->clock) + 1 + (int64_t)below(REIN_SECOND)); break;
    case 1: rein_callback_remove(&program->callback[other]); break;
    }
}

static void run(struct program *it, uint64_t seed, rein_duration step)
{
    program = it;
    *it = (struct program){.clock = rein_clock_new(), .random = seed};
    int64_t begin = now_of(it->clock);
    for (int i = 0; i < 500; i++)
        make(begin + 1 + (int64_t)below(300) * (int64_t)below(100 * REIN_MILLISECOND));
    for (int64_t end = begin + 100 * REIN_SECOND; now_of(it->clock) < end;)
        rein_clock_advance(it->clock, step);
    ck_assert_uint_eq(rein_clock_armed(it->clock), 0);
    for (int i = 0; i < it->made; i++) {
        expect_expired(it->ctx[i]);
        rein_callback_remove(&it->callback[i]);
        rein_end(it->ctx[i]);
    }
    rein_clock_free(it->clock);
}

/* Everything happens at its very instant and in the order of the instants, also what is armed on
 * the way; what is taken back on the way does not happen. */
CASE_LONG(60, virtual_time_is_exact, "TIME-6", "TIME-8", "P-VIRTUAL")
{
    static struct program it;
    run(&it, suite_seed(), 1000 * REIN_SECOND);
    ck_assert_int_gt(it.made, 500);
    ck_assert_int_gt(it.calls, 400);
    ck_assert_int_lt(it.calls, it.made);
    for (int i = 0; i < it.calls; i++) {
        ck_assert_int_eq(it.log[i].at, it.when[it.log[i].which]);
        ck_assert_int_ge(it.log[i].at, it.log[i > 0 ? i - 1 : 0].at);
    }
}

/* The same program does the same, to the nanosecond, in one stride or in many steps. */
CASE_LONG(60, virtual_time_is_deterministic, "P-VIRTUAL")
{
    static struct program first, again;
    run(&first, suite_seed(), 1000 * REIN_SECOND);
    for (int i = 0; i < 2; i++) {
        run(&again, suite_seed(), i == 0 ? 1000 * REIN_SECOND : 37 * REIN_MILLISECOND);
        ck_assert_int_eq(again.calls, first.calls);
        ck_assert_mem_eq(again.log, first.log, sizeof first.log);
    }
}
