/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/order/test_link.c: coming into the tree while it is being cancelled. */
#include <rein/testing.h>
#include <signal.h>
#include <unistd.h>

#include "actor.h"
#include "core/check.h"
#include "expect.h"
#include "scene.h"
#include "suite.h"

static const rein_reason first = REIN_REASON_INIT(-1, "the first");
static const rein_reason second = REIN_REASON_INIT(-2, "the second");

struct deriver {
    const rein_ctx *parent, *also;
    rein_ctx *(*how)(const struct deriver *deriver);
    rein_ctx *child;
};

static rein_ctx *by_cancel(const struct deriver *deriver)
{
    return rein_with_cancel(deriver->parent);
}

static rein_ctx *by_timeout(const struct deriver *deriver)
{
    return rein_with_timeout(deriver->parent, REIN_HOUR);
}

static rein_ctx *by_merge(const struct deriver *deriver)
{
    return rein_merge(deriver->parent, deriver->also);
}

static rein_ctx *by_detach(const struct deriver *deriver)
{
    return rein_detach(deriver->also, deriver->parent, REIN_HOUR);
}

static void derive(void *arg)
{
    struct deriver *deriver = arg;
    deriver->child = deriver->how(deriver);
}

/* ---- children ---- */

/* A child whose parent ends between the look at it and the linking is born done, with the parent's
 * err and cause, and nothing stays linked or armed. */
CASE(ctx_22_derived_while_the_parent_ends, "CTX-22", "CTX-21", "CTX-36")
{
    static rein_ctx *(*const hows[])(const struct deriver *) = {by_cancel, by_timeout, by_merge,
                                                                by_detach};
    for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
        rein_clock *clock = suite_clock();
        rein_ctx *parent = rein_with_cancel(rein_clock_root(clock));
        rein_ctx *other = rein_with_cancel(rein_clock_root(clock));
        struct deriver deriver = {parent, other, hows[i], NULL};
        struct actor actor = {.at = "link"};
        stage();
        actor_start(&actor, derive, &deriver);
        actor_await(&actor);
        rein_cancel_cause(parent, &first);
        actor_finish(&actor);
        curtain();
        expect_end(deriver.child, -ECANCELED, &first);
        ck_assert_uint_eq(reini_check_dependents(parent), 0);
        ck_assert_uint_eq(reini_check_dependents(other), 0);
        ck_assert_uint_eq(rein_clock_armed(clock), 0);
        rein_end(deriver.child);
        rein_end(parent);
        rein_end(other);
        rein_clock_free(clock);
    }
}

/* The same while the walk is under way: the parent is marked, and what is below is not yet. */
CASE(ctx_22_derived_in_mid_walk, "CTX-22", "CTX-26")
{
    rein_ctx *parent = rein_with_cancel(rein_background()), *before = rein_with_cancel(parent);
    struct canceller by = {parent, &first, before, 0};
    struct actor canceller = {.at = "marked-top"};
    stage();
    actor_start(&canceller, cancel_and_look, &by);
    actor_await(&canceller);
    rein_ctx *late = rein_with_cancel(parent), *early = rein_with_cancel(before);
    expect_end(late, -ECANCELED, &first);
    expect_live(early);
    actor_finish(&canceller);
    curtain();
    expect_end(early, -ECANCELED, &first);
    rein_end(late);
    rein_end(early);
    rein_end(before);
    rein_end(parent);
}

static void cancel_with_first(void *arg)
{
    rein_cancel_cause((rein_ctx *)(uintptr_t)((struct deriver *)arg)->parent, &first);
}

/* And without a script: neither the signal nor the cause is lost. */
CASE_LONG(60, ctx_22_derived_at_once_many_times, "CTX-22", "CTX-36")
{
    static rein_ctx *(*const hows[])(const struct deriver *) = {by_cancel, by_timeout, by_merge,
                                                                by_detach};
    for (size_t round = suite_rounds(1000); round > 0; round--) {
        rein_ctx *parent = rein_with_cancel(rein_background());
        rein_ctx *other = rein_with_cancel(rein_background());
        struct deriver deriver = {parent, other, hows[round % 4], NULL};
        race_pair(cancel_with_first, derive, &deriver);
        ck_assert_int_eq(rein_wait(deriver.child), -ECANCELED);
        expect_end(deriver.child, -ECANCELED, &first);
        ck_assert_uint_eq(reini_check_dependents(other), 0);
        ck_assert_uint_eq(reini_check_armed(other), 0);
        rein_end(deriver.child);
        rein_end(parent);
        rein_end(other);
    }
}

/* What is derived from a done context is born done with that one's cause, at any depth. */
CASE(ctx_21_born_done_has_the_cause, "CTX-21", "CTX-36")
{
    rein_ctx *parent = rein_with_cancel(rein_background());
    rein_ctx *done = rein_with_cancel(parent);
    rein_cancel_cause(parent, &first);
    rein_ctx *child = rein_with_cancel(done), *deeper = rein_with_timeout(child, REIN_HOUR);
    rein_ctx *merged = rein_merge(rein_background(), deeper);
    expect_end(child, -ECANCELED, &first);
    expect_end(deeper, -ECANCELED, &first);
    expect_end(merged, -ECANCELED, &first);
    rein_end(merged);
    rein_end(deeper);
    rein_end(child);
    rein_end(done);
    rein_end(parent);
}

/* ---- two parents ---- */

/* The first parent ends after it has been linked to and before the second one is: the merge ends
 * with it, and the second parent does not keep it. */
CASE(ctx_22_first_parent_ends_before_the_second_is_linked, "CTX-22", "CTX-20")
{
    rein_ctx *parent = rein_with_cancel(rein_background()),
             *also = rein_with_cancel(rein_background());
    struct deriver deriver = {parent, also, by_merge, NULL};
    struct actor actor = {.at = "link", .skip = 1};
    stage();
    actor_start(&actor, derive, &deriver);
    actor_await(&actor);
    rein_cancel_cause(parent, &first);
    actor_finish(&actor);
    curtain();
    expect_end(deriver.child, -ECANCELED, &first);
    ck_assert_uint_eq(reini_check_dependents(also), 0);
    rein_cancel_cause(also, &second);
    expect_end(deriver.child, -ECANCELED, &first);
    rein_end(deriver.child);
    rein_end(parent);
    rein_end(also);
}

/* The second ends before it is linked to: the first parent lets go of the merge. */
CASE(ctx_22_second_parent_ends_before_it_is_linked, "CTX-22", "CTX-20")
{
    for (uint32_t skip = 0; skip < 2; skip++) {
        rein_ctx *parent = rein_with_cancel(rein_background());
        rein_ctx *also = rein_with_cancel(rein_background());
        struct deriver deriver = {parent, also, by_merge, NULL};
        struct actor actor = {.at = "link", .skip = skip};
        stage();
        actor_start(&actor, derive, &deriver);
        actor_await(&actor);
        rein_cancel_cause(also, &second);
        actor_finish(&actor);
        curtain();
        expect_end(deriver.child, -ECANCELED, &second);
        ck_assert_uint_eq(reini_check_dependents(parent), 0);
        rein_cancel_cause(parent, &first);
        expect_end(deriver.child, -ECANCELED, &second);
        rein_end(deriver.child);
        rein_end(parent);
        rein_end(also);
    }
}

/* Both end in between, in either order: one of the two causes, for good. */
CASE(ctx_13_both_parents_end_between_the_links, "CTX-13", "CTX-22")
{
    for (int order = 0; order < 2; order++) {
        rein_ctx *parent = rein_with_cancel(rein_background());
        rein_ctx *also = rein_with_cancel(rein_background());
        struct deriver deriver = {parent, also, by_merge, NULL};
        struct actor actor = {.at = "link", .skip = 1};
        stage();
        actor_start(&actor, derive, &deriver);
        actor_await(&actor);
        rein_cancel_cause(order ? also : parent, &first);
        rein_cancel_cause(order ? parent : also, &first);
        actor_finish(&actor);
        curtain();
        expect_end(deriver.child, -ECANCELED, &first);
        rein_end(deriver.child);
        rein_end(parent);
        rein_end(also);
    }
}

/* A walk of the first parent stands before the merge while the second is being linked to. */
CASE(ctx_22_walk_stands_before_a_merge_being_linked, "CTX-22", "CTX-14")
{
    rein_ctx *parent = rein_with_cancel(rein_background()),
             *also = rein_with_cancel(rein_background());
    struct deriver deriver = {parent, also, by_merge, NULL};
    struct actor linking = {.at = "link", .skip = 1}, walk = {.at = "marked-top"};
    stage();
    actor_start(&linking, derive, &deriver);
    actor_await(&linking);
    actor_start(&walk, cancel, parent);
    actor_await(&walk);
    actor_finish(&linking);
    expect_live(deriver.child); /* CTX-26 */
    ck_assert_uint_eq(reini_check_dependents(also), 1);
    actor_finish(&walk);
    curtain();
    expect_canceled(deriver.child);
    ck_assert_uint_eq(reini_check_dependents(also), 0);
    rein_end(deriver.child);
    rein_end(parent);
    rein_end(also);
}

/* ---- timers ---- */

/* The parent ends between the linking and the arming: nothing is armed. */
CASE(ctx_55_nothing_is_armed_after_the_parents_end, "CTX-55")
{
    for (int real = 0; real < 2; real++) {
        rein_clock *clock = suite_clock();
        rein_ctx *parent = rein_with_cancel(real ? rein_background() : rein_clock_root(clock));
        size_t before = reini_check_armed(parent);
        struct deriver deriver = {parent, parent, by_timeout, NULL};
        struct actor actor = {.at = "arm"};
        stage();
        actor_start(&actor, derive, &deriver);
        actor_await(&actor);
        rein_cancel_cause(parent, &first);
        actor_finish(&actor);
        curtain();
        expect_end(deriver.child, -ECANCELED, &first);
        ck_assert_uint_eq(reini_check_armed(parent), before);
        rein_end(deriver.child);
        rein_end(parent);
        rein_clock_free(clock);
    }
}

/* A cancel takes the timer off the clock at once. */
CASE(ctx_53_cancelled_timers_are_disarmed_at_once, "CTX-53")
{
    rein_clock *clock = suite_clock();
    rein_ctx *parent = rein_with_cancel(rein_clock_root(clock));
    rein_ctx *own = rein_with_timeout(parent, REIN_HOUR),
             *below = rein_with_timeout(own, REIN_MINUTE);
    ck_assert_uint_eq(rein_clock_armed(clock), 2);
    rein_cancel(own);
    ck_assert_uint_eq(rein_clock_armed(clock), 0);
    rein_end(below);
    rein_end(own);
    rein_end(parent);
    rein_clock_free(clock);
}

/* ---- calls and waiters ---- */

struct registrant {
    const rein_ctx *ctx;
    rein_callback callback;
    rein_after after;
    struct race_count calls;
    int result;
};

static void add_callback(void *arg)
{
    struct registrant *registrant = arg;
    registrant->result =
        rein_callback_add(registrant->ctx, &registrant->callback, count_call, &registrant->calls);
}

static void add_after(void *arg)
{
    struct registrant *registrant = arg;
    registrant->result =
        rein_after_func(registrant->ctx, &registrant->after, NULL, count_call, &registrant->calls);
}

/* A callback added while the context ends runs once, before the adding returns. */
CASE(ctx_62_callback_added_while_the_context_ends, "CTX-62", "P-ONCE")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct registrant registrant = {.ctx = ctx, .result = -1};
    struct actor actor = {.at = "call-link"};
    stage();
    actor_start(&actor, add_callback, &registrant);
    actor_await(&actor);
    rein_cancel(ctx);
    ck_assert_uint_eq(race_value(&registrant.calls), 0);
    actor_finish(&actor);
    curtain();
    ck_assert_int_eq(registrant.result, false);
    ck_assert_uint_eq(race_value(&registrant.calls), 1);
    ck_assert(!rein_callback_remove(&registrant.callback));
    rein_end(ctx);
}

/* An after-func registered while the context ends runs once. */
CASE(ctx_62_after_func_added_while_the_context_ends, "CTX-62", "P-ONCE")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    const rein_ctx *value = rein_with_value(ctx, &counted_key, NULL);
    for (int below = 0; below < 2; below++) {
        rein_ctx *child = rein_with_cancel(value);
        const rein_ctx *view = rein_with_value(child, &counted_key, NULL);
        struct registrant registrant = {.ctx = below ? view : child, .result = -1};
        struct actor actor = {.at = "call-link"};
        stage();
        actor_start(&actor, add_after, &registrant);
        actor_await(&actor);
        rein_cancel(child);
        actor_finish(&actor);
        curtain();
        ck_assert_int_eq(registrant.result, 0);
        ck_assert(!rein_after_stop_wait(&registrant.after));
        ck_assert_uint_eq(race_value(&registrant.calls), 1);
        rein_unref(view);
        rein_end(child);
    }
    rein_unref(value);
    rein_end(ctx);
}

static void wait_for(void *arg)
{
    struct canceller *waiter = arg;
    waiter->saw = rein_wait(waiter->look_at);
}

/* A context that ends while somebody is about to wait for it, at each point on the way, wakes
 * him. */
CASE(wait_ends_wherever_the_waiter_is, "CTX-4", "P-WAKE")
{
    static const char *const steps[] = {"waiter-link", "strand-sleep", "waiter-unlink"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        rein_ctx *ctx = rein_with_cancel(rein_background());
        struct canceller waits = {.look_at = ctx};
        struct actor waiter = {.at = steps[i]};
        stage();
        actor_start(&waiter, wait_for, &waits);
        if (i < 2) {
            actor_await(&waiter);
            rein_cancel(ctx);
        } else {
            rein_cancel(ctx);
            actor_stands(&waiter); /* not if it came after the end */
        }
        actor_finish(&waiter);
        curtain();
        ck_assert_int_eq(waits.saw, -ECANCELED);
        rein_end(ctx);
    }
}

/* ---- descriptors ---- */

struct asker {
    const rein_ctx *ctx;
    int fd;
};

static void ask_fd(void *arg)
{
    struct asker *asker = arg;
    ck_assert_int_eq(rein_done_fd(asker->ctx, &asker->fd), 0);
}

static bool readable(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    return poll(&poller, 1, 0) == 1;
}

/* Two threads ask for the descriptor at once: they get the same one, and it works. */
CASE(ctx_32_descriptor_asked_for_twice_at_once, "CTX-32", "CTX-33")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct asker one = {ctx, -1}, two = {ctx, -1};
    struct actor slow = {.at = "attach"};
    stage();
    actor_start(&slow, ask_fd, &one);
    actor_await(&slow);
    ask_fd(&two);
    actor_finish(&slow);
    curtain();
    ck_assert_int_eq(one.fd, two.fd);
    ck_assert(!readable(one.fd));
    rein_cancel(ctx);
    ck_assert(readable(one.fd));
    rein_end(ctx);
}

/* The context ends while its descriptor is being made: it is readable from the start. */
CASE(ctx_04_descriptor_made_while_the_context_ends, "CTX-4")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct asker asker = {ctx, -1};
    struct actor actor = {.at = "attach"};
    stage();
    actor_start(&actor, ask_fd, &asker);
    actor_await(&actor);
    rein_cancel(ctx);
    actor_finish(&actor);
    curtain();
    ck_assert(readable(asker.fd));
    rein_end(ctx);
}

static rein_ctx *settling;
static int settling_fd, settled;

static void handler(int signal)
{
    (void)signal;
    settled = rein_err(settling);
}

static void interrupt_settling(const char *step)
{
    if (strcmp(step, "settling") != 0)
        return;
    ck_assert(readable(settling_fd));
    raise(SIGUSR1);
    ck_assert_int_eq(settled, -ECANCELED);
}

/* Err and the descriptor never disagree; and rein_err() may be asked by a signal handler, also by
 * one that interrupts the canceller between the two. */
CASE(ctx_04_signal_handler_asks_between_descriptor_and_err, "CTX-4", "CTX-1")
{
    settling = rein_with_cancel(rein_background());
    rein_ctx *top = rein_with_cancel(rein_background()), *other = settling;
    for (int below = 0; below < 2; below++) {
        ck_assert_int_eq(rein_done_fd(settling, &settling_fd), 0);
        signal(SIGUSR1, handler);
        settled = 0;
        stage();
        stage_look(interrupt_settling);
        rein_cancel(below ? top : settling);
        curtain();
        ck_assert_int_eq(settled, -ECANCELED);
        if (!below)
            settling = rein_with_cancel(top);
    }
    rein_end(settling);
    rein_end(other);
    rein_end(top);
}

/* A thread asks while the canceller stands between the two: it does not wait for it. */
CASE(ctx_04_nobody_waits_between_descriptor_and_err, "CTX-4")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    const rein_ctx *value = rein_with_value(ctx, &counted_key, NULL);
    struct asker asker = {ctx, -1};
    ask_fd(&asker);
    struct actor canceller = {.at = "settling"};
    stage();
    actor_start(&canceller, cancel, ctx);
    actor_await(&canceller);
    ck_assert(readable(asker.fd));
    ck_assert_int_eq(rein_err(ctx), -ECANCELED);
    ck_assert_int_eq(rein_err(value), -ECANCELED);
    ck_assert_int_eq(rein_cause(value)->code, -ECANCELED);
    actor_finish(&canceller);
    curtain();
    rein_unref(value);
    rein_end(ctx);
}
