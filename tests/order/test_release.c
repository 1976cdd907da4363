/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/order/test_release.c: the last release of a context that a walk is at. */
#include <fcntl.h>
#include <rein/library.h>
#include <rein/testing.h>
#include <stdlib.h>
#include <unistd.h>

#include "actor.h"
#include "core/check.h"
#include "expect.h"
#include "scene.h"
#include "suite.h"

/* ---- one parent ---- */

/* Releaser first: what the walk has not passed yet stays until it has, and then goes at once. */
CASE(p_lifetime_released_ahead_of_the_walk, "CTX-25", "P-LIFETIME")
{
    struct race_count gone[3] = {{0}};
    rein_ctx *top = rein_with_cancel(rein_background()), *child[3];
    for (int i = 0; i < 3; i++)
        child[i] = counted_child(top, &gone[i]);
    struct actor walker = {.at = "pass"};
    stage();
    actor_start(&walker, cancel, top);
    actor_await(&walker); /* at the one linked last: both others are not marked yet */
    for (int i = 0; i < 3; i++)
        rein_end(child[i]);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(race_value(&gone[i]), 0);
    actor_finish(&walker);
    curtain();
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(race_value(&gone[i]), 1);
    rein_end(top);
}

/* Walker first: it has passed the child by the time its releaser looks at the list. */
CASE(p_lifetime_walk_passes_before_the_releaser_looks, "CTX-25", "P-LIFETIME")
{
    static const char *const steps[] = {"last-release", "leave"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct race_count gone = {0};
        rein_ctx *top = rein_with_cancel(rein_background()), *child = counted_child(top, &gone);
        struct actor releaser = {.at = steps[i]};
        stage();
        actor_start(&releaser, end, child);
        actor_await(&releaser);
        rein_cancel(top);
        ck_assert_uint_eq(race_value(&gone), 0);
        actor_finish(&releaser);
        curtain();
        ck_assert_uint_eq(race_value(&gone), 1);
        rein_end(top);
    }
}

/* The releaser comes between the walker's mark of the child and its passing. */
CASE(p_lifetime_released_between_mark_and_pass, "CTX-25", "P-LIFETIME")
{
    static const char *const steps[] = {"last-release", "leave"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct race_count gone = {0};
        rein_ctx *top = rein_with_cancel(rein_background()), *child = counted_child(top, &gone);
        struct actor releaser = {.at = steps[i]}, walker = {.at = "pass"};
        stage();
        actor_start(&releaser, end, child);
        actor_await(&releaser);
        actor_start(&walker, cancel, top);
        actor_await(&walker);
        actor_finish(&releaser);
        ck_assert_uint_eq(race_value(&gone), 0);
        actor_finish(&walker);
        curtain();
        ck_assert_uint_eq(race_value(&gone), 1);
        rein_end(top);
    }
}

/* The parent is live when the releaser looks, and is cancelled while it stands at the lock. */
CASE(ctx_25_released_before_the_mark, "CTX-25", "CTX-20")
{
    struct race_count gone = {0};
    rein_ctx *top = rein_with_cancel(rein_background()), *child = counted_child(top, &gone);
    struct actor walker = {.at = "marked-top"};
    rein_end(child);
    ck_assert_uint_eq(reini_check_dependents(top), 0);
    ck_assert_uint_eq(race_value(&gone), 1);
    child = counted_child(top, &gone);
    stage();
    actor_start(&walker, cancel, top);
    actor_await(&walker);
    rein_end(child);
    ck_assert_uint_eq(race_value(&gone), 1);
    actor_finish(&walker);
    curtain();
    ck_assert_uint_eq(race_value(&gone), 2);
    rein_end(top);
}

struct line {
    rein_ctx *link[1000];
    size_t n;
};

static void end_line(void *arg)
{
    struct line *line = arg;
    for (size_t i = line->n; i-- > 0;)
        rein_end(line->link[i]);
}

/* A whole line of contexts is released while the walk stands at its far end. */
CASE(p_lifetime_line_released_under_the_walk, "P-LIFETIME", "CTX-28")
{
    static const char *const steps[] = {"pass", "complete"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct race_count gone = {0};
        struct line line = {.n = sizeof line.link / sizeof *line.link};
        rein_ctx *top = rein_with_cancel(rein_background());
        for (size_t at = 0; at < line.n; at++)
            line.link[at] = counted_child(at == 0 ? top : line.link[at - 1], &gone);
        struct actor walker = {.at = steps[i]}, releaser = {.at = NULL};
        stage();
        actor_start(&walker, cancel, top);
        actor_await(&walker);
        /* The last is handed over; the one above it has a child still, so its end waits for the
         * walk. */
        actor_start(&releaser, end_line, &line);
        actor_finish(&walker);
        actor_join(&releaser);
        curtain();
        ck_assert_uint_eq(race_value(&gone), line.n);
        rein_end(top);
    }
}

/* ---- two parents ---- */

enum when { BEFORE, BETWEEN, AFTER, NEVER_CANCELLED };

/* All ways in which two walks and the last release of a merge may meet. Each walk passes the merge
 * before the releaser looks at that place, between its look and its taking, or after it; or that
 * parent is not cancelled at all. The memory goes once, and not before all are past it. */
static void meet(enum when a, enum when b)
{
    struct race_count gone = {0};
    rein_ctx *parent[2] = {rein_with_cancel(rein_background()),
                           rein_with_cancel(rein_background())};
    const rein_ctx *value = rein_with_value(parent[0], &counted_key, &gone);
    rein_ctx *merged = rein_merge(value, parent[1]);
    rein_unref(value);
    enum when when[2] = {a, b};
    struct actor walk[2] = {{.at = "marked-top"}, {.at = "marked-top"}}, releaser = {.at = NULL};
    stage();
    for (int i = 0; i < 2; i++) {
        if (when[i] == NEVER_CANCELLED)
            continue;
        actor_start(&walk[i], cancel, parent[i]);
        actor_await(&walk[i]);
    }
    for (int i = 0; i < 2; i++)
        if (when[i] == BEFORE)
            actor_finish(&walk[i]);
    /* A place that a walk has passed, or has been taken off by the other one, is not looked at. */
    bool looks[2] = {when[0] != BEFORE && !(when[0] == NEVER_CANCELLED && when[1] == BEFORE),
                     when[1] != BEFORE && !(when[1] == NEVER_CANCELLED && when[0] == BEFORE)};
    bool started = false;
    for (int i = 0; i < 2; i++) {
        if (when[i] != BETWEEN)
            continue;
        uint32_t skip = !started && i == 1 && looks[0] ? 1 : 0;
        if (started) {
            actor_go_to(&releaser, "leave", skip);
        } else {
            releaser = (struct actor){.at = "leave", .skip = skip};
            actor_start(&releaser, end, merged);
        }
        started = true;
        actor_await(&releaser);
        ck_assert_uint_eq(race_value(&gone), 0);
        actor_finish(&walk[i]);
    }
    if (started)
        actor_finish(&releaser);
    else
        rein_end(merged);
    bool ahead = when[0] == AFTER || when[1] == AFTER;
    ck_assert_uint_eq(race_value(&gone), ahead ? 0 : 1);
    for (int i = 0; i < 2; i++)
        if (when[i] == AFTER)
            actor_finish(&walk[i]);
    curtain();
    ck_assert_uint_eq(race_value(&gone), 1);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(reini_check_dependents(parent[i]), 0);
        rein_end(parent[i]);
    }
}

CASE(p_lifetime_merge_between_two_walks_and_its_release, "P-LIFETIME", "CTX-25")
{
    for (int a = BEFORE; a <= NEVER_CANCELLED; a++)
        for (int b = BEFORE; b <= NEVER_CANCELLED; b++)
            meet((enum when)a, (enum when)b);
}

/* The same for a merge of a context with itself: two places in one list. */
CASE(p_lifetime_merge_with_itself, "P-LIFETIME", "CTX-25")
{
    for (uint32_t skip = 0; skip < 2; skip++) {
        struct race_count gone = {0};
        rein_ctx *parent = rein_with_cancel(rein_background());
        const rein_ctx *value = rein_with_value(parent, &counted_key, &gone);
        rein_ctx *merged = rein_merge(value, parent);
        rein_unref(value);
        struct actor walker = {.at = "pass", .skip = skip};
        stage();
        actor_start(&walker, cancel, parent);
        actor_await(&walker);
        rein_end(merged);
        ck_assert_uint_eq(race_value(&gone), 0);
        actor_finish(&walker);
        curtain();
        ck_assert_uint_eq(race_value(&gone), 1);
        rein_end(parent);
    }
}

/* ---- whose code runs where ---- */

static void cancel_and_drop(void *arg)
{
    rein_end(arg);
}

static const rein_key ending_key = {"ending", REIN_VALUE_OWNED, 0, cancel_and_drop,
                                    NULL,     {NULL, NULL}};

/* What a release gives back is given back when the walk is over: a drop may cancel, or end, the
 * very context that is being marked. */
CASE(ctx_89_drops_run_outside_the_walk, "CTX-89", "P-SYNC")
{
    rein_ctx *top = rein_with_cancel(rein_background()), *middle = rein_with_cancel(top);
    const rein_ctx *value = rein_with_value(middle, &ending_key, rein_share(middle));
    rein_ctx *child = rein_with_cancel(value);
    rein_unref(value);
    struct actor walker = {.at = "pass"};
    stage();
    actor_start(&walker, cancel, top);
    actor_await(&walker);
    rein_end(child); /* handed to the walker, with the value, and with that an end of middle */
    actor_finish(&walker);
    curtain();
    expect_canceled(middle);
    rein_end(middle);
    rein_end(top);
}

struct noticing {
    rein_ctx *ctx;
    int saw;
    bool dropped_inside;
};

static _Thread_local struct noticing *noticing;

static void note_where(void *arg)
{
    (void)arg;
    if (noticing)
        noticing->dropped_inside = true;
}

static const rein_key noting_key = {"noting", REIN_VALUE_OWNED, 0, note_where, NULL, {NULL, NULL}};

static void notice(void *arg)
{
    noticing = arg;
    while ((noticing->saw = rein_check(noticing->ctx)) == 0)
        rein_poll_timeout(0);
    noticing = NULL;
}

/* A noticer may hold anybody's lock: it gives back nothing that a user's drop is called for. */
CASE(noticers_run_no_drops, "CTX-54", "CTX-89")
{
    rein_loop *loop;
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    ck_assert_int_eq(rein_loop_keep_time(loop), 0); /* so that nobody else notices first */
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    const rein_ctx *value = rein_with_value(ctx, &noting_key, ctx);
    rein_ctx *child = rein_with_cancel(value);
    rein_unref(value);
    struct noticing by = {.ctx = ctx};
    struct actor noticer = {.at = "pass"};
    stage();
    actor_start(&noticer, notice, &by);
    actor_await(&noticer);
    rein_end(child);
    actor_finish(&noticer);
    curtain();
    ck_assert_int_eq(by.saw, -ETIMEDOUT);
    ck_assert(!by.dropped_inside);
    rein_loop_run(loop);
    rein_end(ctx);
    rein_loop_free(loop);
}

struct late {
    const rein_ctx *other;
    rein_loop *loop;
    rein_clock *clock;
    struct race_count dropped;
    int saw;
};

static void note_other(void *arg)
{
    struct late *late = arg;
    late->saw = late->clock ? rein_err(late->other) : rein_quiesce();
    race_add(&late->dropped, 1);
}

static const rein_key late_key = {"late", REIN_VALUE_OWNED, 0, note_other, NULL, {NULL, NULL}};

static void pass_the_time(void *arg)
{
    struct late *late = arg;
    while (late->clock ? !rein_clock_advance(late->clock, REIN_SECOND) : !rein_loop_run(late->loop))
        suite_yield();
}

/* A deadline's last release met by its firing: what it gives back, it gives back when all that is
 * due is marked, and is not waited for as a mark is. */
CASE(ctx_89_drops_run_outside_the_firing, "CTX-89", "CTX-54")
{
    for (int real = 0; real < 2; real++) {
        struct late late = {.clock = real ? NULL : suite_clock(), .saw = 77,
                            .other = rein_background()};
        const rein_ctx *root = real ? rein_background() : rein_clock_root(late.clock);
        if (real) {
            ck_assert_int_eq(rein_loop_new(&late.loop), 0);
            ck_assert_int_eq(rein_loop_keep_time(late.loop), 0);
        }
        const rein_ctx *value = rein_with_value(root, &late_key, &late);
        rein_time when = rein_in(root, 100 * REIN_MILLISECOND);
        rein_ctx *ctx = rein_with_deadline(value, when), *other = rein_with_deadline(root, when);
        rein_unref(value);
        late.other = other;
        struct actor driver = {.at = "fire"};
        stage();
        actor_start(&driver, pass_the_time, &late);
        actor_await(&driver);
        rein_end(ctx); /* it is pinned, and this was its owner */
        ck_assert_uint_eq(race_value(&late.dropped), 0);
        actor_finish(&driver);
        curtain();
        ck_assert_uint_eq(race_value(&late.dropped), 1);
        ck_assert_int_eq(late.saw, real ? -EBUSY : -ETIMEDOUT);
        rein_end(other);
        rein_clock_free(late.clock);
        rein_loop_free(late.loop);
    }
}

/* ---- calls that are due ---- */

/* An after-func of a context that is done runs, though the last reference goes before the walk is
 * past it: done comes first, so it is not dropped. */
CASE(ctx_61_released_when_done_still_calls, "CTX-61", "P-ONCE")
{
    static const char *const steps[] = {"complete", "pass", "claimed"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct race_count ran = {0};
        rein_after after;
        rein_ctx *top = rein_with_cancel(rein_background()), *child = rein_with_cancel(top);
        ck_assert_int_eq(rein_after_func(child, &after, NULL, count_call, &ran), 0);
        struct actor walker = {.at = steps[i]}, releaser = {.at = "wait-marked"};
        stage();
        actor_start(&walker, cancel, top);
        actor_await(&walker);
        ck_assert_int_eq(rein_err(child), -ECANCELED);
        actor_start(&releaser, end, child);
        if (actor_stands(&releaser)) /* not the sole holder any more: it waits for the mark */
            actor_go(&releaser);
        actor_finish(&walker);
        actor_join(&releaser);
        curtain();
        race_await_value(&ran, 1);
        rein_end(top);
    }
}

static void asks_for_everything(const rein_ctx *ctx, void *arg)
{
    rein_time when;
    ck_assert_int_eq(rein_err(ctx), -ECANCELED);
    ck_assert(rein_deadline(ctx, &when));
    ck_assert_int_ge(rein_remaining(ctx), 0);
    rein_ctx *child = rein_with_cancel(ctx);
    ck_assert_int_eq(rein_err(child), -ECANCELED);
    ck_assert(rein_deadline(child, &when));
    ck_assert_ptr_eq(rein_value(ctx, &noting_key), ctx ? rein_value(child, &noting_key) : NULL);
    rein_end(child);
    race_add(arg, 1);
}

/* Such a call gets a context that still answers everything; whichever thread makes it. */
CASE(ctx_64_released_when_done_still_answers, "CTX-64", "CTX-51")
{
    static const char *const steps[] = {"last-release", "leave"};
    for (size_t i = 0; i < 2 * sizeof steps / sizeof *steps; i++) {
        struct race_count ran = {0};
        rein_after after;
        rein_ctx *top = rein_with_cancel(rein_background());
        const rein_ctx *value = rein_with_value(top, &noting_key, top);
        rein_ctx *child = rein_with_timeout(value, REIN_HOUR);
        rein_unref(value);
        ck_assert_int_eq(rein_after_func(child, &after, i < 2 ? NULL : rein_inline_executor(),
                                         asks_for_everything, &ran), 0);
        struct actor walker = {.at = "complete"}, releaser = {.at = steps[i % 2]};
        stage();
        actor_start(&walker, cancel, top);
        actor_await(&walker);
        actor_start(&releaser, end, child);
        actor_await(&releaser);
        actor_finish(&walker);
        actor_finish(&releaser);
        curtain();
        race_await_value(&ran, 1);
        rein_end(top);
    }
}

/* A stop that came too late, since the walk was there, was too late for good: the function runs. */
CASE(ctx_67_too_late_means_that_it_runs, "CTX-67", "P-ONCE")
{
    struct race_count ran = {0};
    rein_after after;
    rein_ctx *top = rein_with_cancel(rein_background()), *child = rein_with_cancel(top);
    ck_assert_int_eq(rein_after_func(child, &after, NULL, count_call, &ran), 0);
    struct actor walker = {.at = "complete"};
    stage();
    actor_start(&walker, cancel, top);
    actor_await(&walker);
    ck_assert(!rein_after_stop(&after));
    rein_end(child);
    actor_finish(&walker);
    curtain();
    race_await_value(&ran, 1);
    rein_end(top);
}

/* ---- timers ---- */

static void advance(void *arg)
{
    rein_clock_advance(arg, REIN_HOUR);
}

/* The timer is about to fire, and the last reference goes: the firing holds the context till it is
 * over. */
CASE(ctx_58_last_release_against_a_firing_timer, "CTX-58", "P-LIFETIME")
{
    static const char *const steps[] = {"fire", "marked-top"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct race_count gone = {0};
        rein_clock *clock = suite_clock();
        const rein_ctx *value = rein_with_value(rein_clock_root(clock), &counted_key, &gone);
        rein_ctx *ctx = rein_with_timeout(value, REIN_MINUTE);
        rein_unref(value);
        struct actor driver = {.at = steps[i]}, releaser = {.at = "wait-marked"};
        stage();
        actor_start(&driver, advance, clock);
        actor_await(&driver);
        actor_start(&releaser, end, ctx);
        if (actor_stands(&releaser)) /* it waits for the mark */
            actor_go(&releaser);
        ck_assert_uint_eq(race_value(&gone), 0);
        actor_finish(&driver);
        actor_join(&releaser);
        curtain();
        ck_assert_uint_eq(race_value(&gone), 1);
        rein_clock_free(clock);
    }
}

/* The last reference goes first, and the timer falls due while its owner is on the way to disarm
 * it. */
CASE(ctx_58_firing_timer_against_a_last_release, "CTX-58", "P-LIFETIME")
{
    struct race_count gone = {0};
    rein_clock *clock = suite_clock();
    const rein_ctx *value = rein_with_value(rein_clock_root(clock), &counted_key, &gone);
    rein_ctx *ctx = rein_with_timeout(value, REIN_MINUTE);
    rein_unref(value);
    struct actor releaser = {.at = "last-release"};
    stage();
    actor_start(&releaser, end, ctx);
    actor_await(&releaser);
    rein_clock_advance(clock, REIN_HOUR);
    ck_assert_uint_eq(race_value(&gone), 0);
    actor_finish(&releaser);
    curtain();
    ck_assert_uint_eq(race_value(&gone), 1);
    rein_clock_free(clock);
}

/* A cancel comes while the timer is about to fire: it wins, and the firing changes nothing. */
CASE(ctx_54_cancel_wins_over_a_timer_about_to_fire, "CTX-54", "CTX-12")
{
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(clock), REIN_MINUTE);
    struct actor driver = {.at = "fire"};
    stage();
    actor_start(&driver, advance, clock);
    actor_await(&driver);
    expect_live(ctx);
    rein_cancel(ctx);
    expect_canceled(ctx);
    actor_finish(&driver);
    curtain();
    expect_canceled(ctx);
    rein_end(ctx);
    rein_clock_free(clock);
}

/* The same with the keeper's own thread. */
CASE(ctx_58_last_release_against_the_keeper, "CTX-58", "P-LIFETIME")
{
    static const char *const steps[] = {"fire", "marked-top"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct race_count gone = {0};
        static struct actor keepers[2]; /* one each: who stood may still look at its own */
        struct actor *keeper = &keepers[i];
        keeper->at = steps[i];
        stage();
        stage_stranger(keeper);
        const rein_ctx *value = rein_with_value(rein_background(), &counted_key, &gone);
        rein_ctx *ctx = rein_with_timeout(value, REIN_MILLISECOND);
        rein_unref(value);
        actor_await(keeper);
        struct actor releaser = {.at = "wait-marked"};
        actor_start(&releaser, end, ctx);
        if (actor_stands(&releaser))
            actor_go(&releaser);
        ck_assert_uint_eq(race_value(&gone), 0);
        actor_go(keeper);
        actor_join(&releaser);
        race_await_value(&gone, 1);
        curtain();
    }
}

/* ---- reports ---- */

/* A leak report may be asked for while contexts are on their way out: it names them all the
 * same. */
CASE(leak_report_in_the_middle_of_a_release, "P-LIFETIME")
{
    char text[4096];
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    rein_ctx *top = rein_with_cancel(rein_background());
    rein_ctx *a = rein_with_cancel(top), *b = rein_with_cancel(top);
    rein_ctx *merged = rein_merge(a, b);
    rein_end(a);
    rein_end(b);
    struct actor releaser = {.at = "leave", .skip = 2}; /* after the merge: its first parent */
    stage();
    actor_start(&releaser, end, merged);
    if (actor_stands(&releaser)) {
        rein_leaks_print(ends[1]);
        ssize_t n = read(ends[0], text, sizeof text - 1);
        ck_assert_int_gt(n, 0);
        text[n] = '\0';
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
            ck_assert_msg(strncmp(line, "rein: live context test_release.c:", 34) == 0, "%s", line);
    }
    actor_finish(&releaser);
    curtain();
    rein_end(top);
    close(ends[0]);
    close(ends[1]);
}

static void churn(void *arg)
{
    const struct race_flag *enough = arg;
    while (!race_is_set(enough)) {
        rein_ctx *top = rein_with_cancel(rein_background()), *child = rein_with_cancel(top);
        rein_end(child);
        rein_end(top);
    }
}

/* And while they are made and go, from another thread. */
CASE(leak_report_beside_other_threads, "P-LIFETIME")
{
    struct race_flag enough = {0};
    struct race_thread thread;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    race_thread_start(&thread, 0, churn, &enough);
    for (size_t round = suite_rounds(300); round > 0; round--)
        rein_leaks_print(fd);
    race_set(&enough);
    race_thread_join(&thread);
    close(fd);
}
