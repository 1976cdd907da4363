/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/fork/test_storm.c: thousands of forks while other threads do everything at once. Each child
 * uses what it inherited and makes its own; none may hang. */
#include <rein.h>
#include <rein/testing.h>

#include "child.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

enum { FORKS = 10000, BUSY = 3 };

REIN_KEY_DECLARE(number, int)
REIN_KEY_DEFINE(number, int)

struct storm {
    struct race_flag over;
    rein_ctx *top;       /* a parent that all threads hammer */
    const rein_ctx *deep;
    uint64_t seed;
};

static void count(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    race_add(arg, 1);
}

/* One round of a busy thread: a small tree, ended from a random place. */
static void churn(struct storm *storm, uint64_t *random, struct race_count *calls)
{
    rein_ctx *a = rein_with_timeout(storm->top, (rein_duration)(suite_random(random) % 100000) + 1);
    rein_ctx *b = rein_with_cancel(a), *c = rein_merge(b, storm->top);
    const rein_ctx *value = number_with(c, 1);
    rein_callback callback;
    rein_after after;
    int fd;
    rein_callback_add(b, &callback, count, calls);
    bool registered = rein_after_func(c, &after, NULL, count, calls) == 0;
    if (suite_random(random) % 8 == 0)
        ck_assert_int_eq(rein_done_fd(value, &fd), 0);
    switch (suite_random(random) % 4) {
    case 0:
        rein_cancel(a);
        break;
    case 1:
        rein_cancel_causef(c, -5, "round %d", 1);
        break;
    case 2:
        ck_assert_int_le(rein_sleep(value, (rein_duration)(suite_random(random) % 50000)), 0);
        break;
    }
    rein_callback_remove(&callback);
    if (registered)
        rein_after_stop_wait(&after);
    rein_unref(value);
    rein_end(a);
    rein_end(b);
    rein_end(c);
}

/* What the process's clocks and texts do meanwhile. */
static void chatter(struct storm *storm)
{
    char text[200];
    ck_assert_int_gt(rein_describe(storm->deep, text, sizeof text), 0);
    rein_clock *clock = rein_clock_new();
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(clock), REIN_SECOND);
    rein_clock_advance(clock, REIN_SECOND);
    rein_end(ctx);
    rein_clock_free(clock);
    ck_assert_uint_gt(rein_leaks_print(-1), 0);
}

static void be_busy(void *arg)
{
    struct storm *storm = arg;
    struct race_count calls = {0};
    uint64_t random = __atomic_add_fetch(&storm->seed, 1, __ATOMIC_RELAXED);
    while (!race_is_set(&storm->over)) {
        churn(storm, &random, &calls);
        if (suite_random(&random) % 2)
            chatter(storm);
    }
}

/* What a child does; everything it touches may have been half changed. */
static void use_everything(void *arg)
{
    struct storm *storm = arg;
    char text[200];
    REQUIRE(rein_err(storm->deep) == 0 && rein_check(storm->deep) == 0);
    REQUIRE(number_of(storm->deep, 0) == 7);
    REQUIRE(rein_describe(storm->deep, text, sizeof text) > 0);
    REQUIRE(rein_explain(storm->deep, text, sizeof text) > 0);
    rein_ctx *own = rein_with_timeout(storm->deep, 200 * REIN_MICROSECOND);
    REQUIRE(rein_wait(own) == -ETIMEDOUT);
    rein_end(own);
    rein_clock *clock = rein_clock_new();
    REQUIRE(clock);
    rein_clock_free(clock);
    rein_ctx *fresh = rein_with_cancel(rein_background());
    rein_ctx *below = rein_with_cancel(fresh);
    rein_cancel(fresh);
    REQUIRE(rein_err(below) == -ECANCELED);
    rein_end(below);
    rein_end(fresh);
    rein_cancel(storm->top);
    REQUIRE(rein_err(storm->top) == -ECANCELED);
    rein_unref(storm->deep);
    rein_end(storm->top);
    REQUIRE(rein_quiesce() == 0);
}

/* However many forks, and at whatever moment: no child hangs, and each finds a world in order. */
CASE_LONG(600, fork_storm_hangs_nobody, "EXEC-16", "P-FORK")
{
    struct storm storm = {.top = rein_with_timeout(rein_background(), REIN_HOUR),
                          .seed = suite_seed()};
    struct race_thread busy[BUSY];
    storm.deep = number_with(storm.top, 7);
    for (int i = 0; i < BUSY; i++)
        race_thread_start(&busy[i], 0, be_busy, &storm);
    size_t forks = suite_scale(suite_rounds(FORKS));
    for (size_t i = 0; i < forks; i++)
        child_join(child_run(fork(), use_everything, &storm)); /* at any moment */
    race_set(&storm.over);
    for (int i = 0; i < BUSY; i++)
        race_thread_join(&busy[i]);
    expect_live(storm.top);
    rein_unref(storm.deep);
    rein_end(storm.top);
}
