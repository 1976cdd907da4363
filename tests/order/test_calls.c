/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/order/test_calls.c: taking callbacks and after-funcs back while their context ends. */
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "core/node.h"
#include "expect.h"
#include "scene.h"
#include "suite.h"

/* ---- who stops, and who runs ---- */

struct stopper {
    rein_after *after;
    rein_callback *callback;
    bool wait;
    int prevented;
    struct race_count *over; /* raised by the function when it is over */
    uint64_t saw;
};

static void stop(void *arg)
{
    struct stopper *stopper = arg;
    if (stopper->callback)
        stopper->prevented = rein_callback_remove(stopper->callback);
    else if (stopper->wait)
        stopper->prevented = rein_after_stop_wait(stopper->after);
    else
        stopper->prevented = rein_after_stop(stopper->after);
    if (stopper->over)
        stopper->saw = race_value(stopper->over);
}

/* Any number of stops and one end, from any step of the end on: one prevents it, or it runs
 * once. */
CASE(ctx_67_stops_at_every_step_of_the_end, "CTX-67", "P-ONCE")
{
    static const char *const steps[] = {"marked-top", "complete", "pass", "claimed"};
    for (size_t i = 0; i < 2 * sizeof steps / sizeof *steps; i++) {
        struct race_count ran = {0};
        rein_after after;
        rein_ctx *top = rein_with_cancel(rein_background()), *child = rein_with_cancel(top);
        rein_ctx *grandchild = rein_with_cancel(child);
        ck_assert_int_eq(rein_after_func(child, &after, NULL, count_call, &ran), 0);
        struct actor canceller = {.at = steps[i / 2]}, waiter = {.at = "wait-marked"};
        struct stopper waits = {.after = &after, .wait = true};
        stage();
        actor_start(&canceller, cancel, top);
        actor_await(&canceller);
        int prevented = rein_after_stop(&after);
        actor_start(&waiter, stop, &waits);
        if (i % 2 == 0) {
            /* Unless it has been prevented, it waits for the mark, the call, or both. */
            if (prevented || (i / 2 < 3 && actor_stands(&waiter)))
                actor_go(&waiter);
            else
                actor_await_asleep(&waiter);
        } else {
            actor_pass(&waiter);
        }
        actor_finish(&canceller);
        actor_go(&waiter);
        actor_join(&waiter);
        prevented += waits.prevented;
        prevented += rein_after_stop_wait(&after);
        curtain();
        ck_assert_uint_eq(race_value(&ran) + (unsigned)prevented, 1);
        rein_end(grandchild);
        rein_end(child);
        rein_end(top);
    }
}

struct crowd {
    rein_ctx *ctx;
    rein_after after;
    rein_callback callback;
    struct race_count ran, called, stopped, removed;
};

static void end_or_stop(void *arg, unsigned index)
{
    struct crowd *crowd = arg;
    if (index == 0) {
        rein_cancel(crowd->ctx);
    } else {
        race_add(&crowd->removed, rein_callback_remove(&crowd->callback));
        race_add(&crowd->stopped, index % 2 ? rein_after_stop(&crowd->after)
                                            : rein_after_stop_wait(&crowd->after));
    }
}

/* And without a script. */
CASE_LONG(60, ctx_67_stops_against_one_end_many_times, "CTX-67", "P-ONCE")
{
    for (size_t round = suite_rounds(1000); round > 0; round--) {
        struct crowd crowd = {.ctx = rein_with_cancel(rein_background())};
        ck_assert_int_eq(rein_after_func(crowd.ctx, &crowd.after, NULL, count_call, &crowd.ran), 0);
        ck_assert(rein_callback_add(crowd.ctx, &crowd.callback, count_call, &crowd.called));
        race_run(4, end_or_stop, &crowd);
        ck_assert(!rein_after_stop_wait(&crowd.after));
        ck_assert_uint_eq(race_value(&crowd.ran) + race_value(&crowd.stopped), 1);
        ck_assert_uint_eq(race_value(&crowd.called) + race_value(&crowd.removed), 1);
        rein_end(crowd.ctx);
    }
}

/* The stopper looked before the mark, and comes to the lock after the call. */
CASE(ctx_66_stopper_overtaken_by_the_end, "CTX-66", "CTX-67")
{
    for (int callback = 0; callback < 2; callback++) {
        struct race_count ran = {0};
        rein_after after;
        rein_callback called;
        rein_ctx *ctx = rein_with_cancel(rein_background());
        ck_assert_int_eq(rein_after_func(ctx, &after, rein_inline_executor(), count_call, &ran), 0);
        ck_assert(rein_callback_add(ctx, &called, count_call, &ran));
        struct stopper stops = {
            .after = &after, .callback = callback ? &called : NULL, .prevented = -1};
        struct actor stopper = {.at = "call-unlink"};
        stage();
        actor_start(&stopper, stop, &stops);
        actor_await(&stopper);
        rein_cancel(ctx);
        actor_finish(&stopper);
        curtain();
        ck_assert_int_eq(stops.prevented, false);
        ck_assert_uint_eq(race_value(&ran), 2);
        ck_assert(!rein_after_stop(&after));
        ck_assert(!rein_callback_remove(&called));
        rein_end(ctx);
    }
}

/* One that is not running yet can still be taken out in the call phase; it then never runs. */
CASE(ctx_66_callback_removed_before_its_turn, "CTX-66", "P-ONCE")
{
    struct race_count ran[2] = {{0}};
    rein_callback one, two;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert(rein_callback_add(ctx, &one, count_call, &ran[0]));
    ck_assert(rein_callback_add(ctx, &two, count_call, &ran[1]));
    struct actor canceller = {.at = "claimed"};
    stage();
    actor_start(&canceller, cancel, ctx);
    actor_await(&canceller); /* one of them is claimed: the other is still to be had */
    struct stopper stops[2] = {{.callback = &one, .prevented = -1},
                               {.callback = &two, .prevented = -1}};
    struct actor stopper[2] = {{.at = "strand-sleep"}, {.at = "strand-sleep"}};
    int waiting = 0;
    for (int i = 0; i < 2; i++) {
        actor_start(&stopper[i], stop, &stops[i]);
        waiting += actor_stands(&stopper[i]);
    }
    ck_assert_int_eq(waiting, 1);
    actor_finish(&canceller);
    for (int i = 0; i < 2; i++)
        actor_finish(&stopper[i]);
    curtain();
    ck_assert_int_eq(stops[0].prevented + stops[1].prevented, 1);
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(race_value(&ran[i]), stops[i].prevented ? 0 : 1);
    rein_end(ctx);
}

/* ---- waiting for a running one ---- */

struct scene {
    struct actor *remover;
    struct race_count over;
};

/* Runs until whoever removes it is about to sleep, or has not waited at all. */
static void until_removed(const rein_ctx *ctx, void *arg)
{
    struct scene *scene = arg;
    (void)ctx;
    actor_stands(scene->remover);
    race_add(&scene->over, 1);
    actor_go(scene->remover);
}

/* The removal of a running callback returns when it is over. */
CASE(ctx_68_removal_waits_for_a_running_callback, "CTX-68", "P-LIFETIME")
{
    rein_callback callback;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct actor canceller = {.at = "claimed"}, remover = {.at = "strand-sleep"};
    struct scene scene = {.remover = &remover};
    struct stopper removes = {.callback = &callback, .prevented = -1, .over = &scene.over};
    ck_assert(rein_callback_add(ctx, &callback, until_removed, &scene));
    stage();
    actor_start(&canceller, cancel, ctx);
    actor_await(&canceller);
    actor_start(&remover, stop, &removes);
    actor_finish(&canceller);
    actor_join(&remover);
    curtain();
    ck_assert_int_eq(removes.prevented, false);
    ck_assert_uint_eq(removes.saw, 1);
    rein_end(ctx);
}

/* So does stop_wait of an after-func that runs, or is queued. */
CASE(ctx_68_stop_wait_waits_for_a_running_after_func, "CTX-68", "P-LIFETIME")
{
    rein_after after;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct actor remover = {.at = "strand-sleep"};
    struct scene scene = {.remover = &remover};
    struct stopper removes = {.after = &after, .wait = true, .prevented = -1, .over = &scene.over};
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, until_removed, &scene), 0);
    stage();
    rein_cancel(ctx);
    actor_start(&remover, stop, &removes);
    actor_join(&remover);
    curtain();
    ck_assert_int_eq(removes.prevented, false);
    ck_assert_uint_eq(removes.saw, 1);
    rein_end(ctx);
}

/* And for another stop that has prevented it, but has not given back the executor's promise yet:
 * then the executor may go. */
CASE(ctx_68_stop_wait_waits_for_a_stop, "CTX-68", "P-LIFETIME")
{
    for (int live = 0; live < 2; live++) {
        rein_after after;
        struct race_count ran = {0};
        rein_executor *executor = rein_serial_new(NULL);
        rein_ctx *ctx = rein_with_cancel(rein_background());
        struct actor first = {.at = "forgo"}, second = {.at = "strand-sleep"};
        struct stopper stops = {.after = &after, .prevented = -1};
        struct stopper waits = {.after = &after, .wait = true, .prevented = -1};
        /* On background it can never come: no lock guards the record then. */
        ck_assert_int_eq(
            rein_after_func(live ? ctx : rein_background(), &after, executor, count_call, &ran), 0);
        stage();
        actor_start(&first, stop, &stops);
        actor_await(&first);
        ck_assert(!rein_after_stop(&after));
        actor_start(&second, stop, &waits);
        bool waited = actor_stands(&second);
        actor_finish(&first);
        actor_finish(&second);
        curtain();
        ck_assert_msg(waited, "it has not waited");
        ck_assert_int_eq(stops.prevented, true);
        ck_assert_int_eq(waits.prevented, false);
        ck_assert_uint_eq(race_value(&ran), 0);
        rein_serial_free(executor);
        rein_end(ctx);
    }
}

struct self {
    rein_ctx *ctx;
    rein_callback callback;
    rein_after after;
    rein_executor *executor;
    struct race_count *ran;
};

static void remove_and_free(const rein_ctx *ctx, void *arg)
{
    struct self *self = arg;
    (void)ctx;
    race_add(self->ran, 1);
    ck_assert(!rein_callback_remove(&self->callback));
    free(self);
}

static void stop_and_free(const rein_ctx *ctx, void *arg)
{
    struct self *self = arg;
    (void)ctx;
    struct race_count *ran = self->ran;
    ck_assert(!rein_after_stop_wait(&self->after));
    free(self);
    race_add(ran, 1);
}

/* From inside itself a function may take its record out and free it. */
CASE(ctx_65_function_frees_its_own_record, "CTX-65", "P-LIFETIME")
{
    struct race_count ran = {0};
    for (int i = 0; i < 3; i++) {
        rein_ctx *ctx = rein_with_cancel(rein_background());
        struct self *self = calloc(1, sizeof *self);
        self->ran = &ran;
        if (i == 0)
            ck_assert(rein_callback_add(ctx, &self->callback, remove_and_free, self));
        else
            ck_assert_int_eq(rein_after_func(ctx, &self->after,
                                             i == 1 ? NULL : rein_inline_executor(), stop_and_free,
                                             self),
                             0);
        rein_cancel(ctx);
        rein_end(ctx);
        race_await_value(&ran, (uint64_t)i + 1);
    }
}

struct leaver {
    rein_callback *callback;
    rein_after *after;
    struct actor *remover;
    struct race_count *over;
};

/* Takes its own record out; then runs on until whoever else removes it is about to sleep, or has
 * not waited at all. */
static void leave_and_run_on(const rein_ctx *ctx, void *arg)
{
    struct leaver *leaver = arg;
    (void)ctx;
    for (int i = 0; i < 2; i++)
        ck_assert(leaver->after ? !rein_after_stop_wait(leaver->after)
                                : !rein_callback_remove(leaver->callback));
    actor_stands(leaver->remover);
    race_add(leaver->over, 1);
    actor_go(leaver->remover);
}

static void stop_and_forget(void *arg)
{
    struct stopper *stopper = arg;
    stop(stopper);
    if (stopper->callback)
        memset(stopper->callback, 0xff, sizeof *stopper->callback);
    else
        memset(stopper->after, 0xff, sizeof *stopper->after);
}

/* Whoever else removes it, before or after that, still waits for the function; the memory is
 * his. */
CASE(ctx_68_removal_waits_for_a_function_that_took_itself_out, "CTX-68", "CTX-65", "P-LIFETIME")
{
    for (int i = 0; i < 4; i++) {
        rein_callback callback;
        rein_after after;
        struct race_count over = {0};
        rein_ctx *ctx = rein_with_cancel(rein_background());
        struct actor remover = {.at = "strand-sleep"}, canceller = {.at = "leaves"};
        struct stopper stops = {.prevented = -1, .over = &over, .wait = true};
        struct leaver leaver = {.remover = &remover, .over = &over};
        if (i < 2) {
            stops.callback = leaver.callback = &callback;
            ck_assert(rein_callback_add(ctx, &callback, leave_and_run_on, &leaver));
        } else {
            stops.after = leaver.after = &after;
            ck_assert_int_eq(rein_after_func(ctx, &after, rein_inline_executor(), leave_and_run_on,
                                             &leaver), 0);
        }
        if (i % 2)
            canceller.at = "left";
        stage();
        actor_start(&canceller, cancel, ctx);
        actor_await(&canceller); /* its own removal is under way, before or after it shows */
        actor_start(&remover, stop_and_forget, &stops);
        ck_assert_msg(actor_stands(&remover), "it has not waited");
        actor_finish(&canceller);
        actor_join(&remover);
        curtain();
        ck_assert_int_eq(stops.prevented, false);
        ck_assert_uint_eq(stops.saw, 1);
        rein_end(ctx);
    }
}

struct staying {
    rein_callback *callback;
    struct actor *at_last; /* whom it stays for, or NULL */
};

static void take_out_and_stay(const rein_ctx *ctx, void *arg)
{
    struct staying *is = arg;
    (void)ctx;
    ck_assert(!rein_callback_remove(is->callback));
    if (is->at_last)
        actor_stands(is->at_last);
}

/* A function has taken its record out and runs on, and the memory is used anew. Whoever takes that
 * out, after its function has done the same, does not wait for the first, which may wait for
 * him. */
CASE(ctx_65_record_used_anew_while_its_first_function_runs, "CTX-65", "CTX-68", "P-LIFETIME")
{
    rein_callback callback;
    struct race_count over = {0};
    rein_ctx *ctx[2] = {rein_with_cancel(rein_background()), rein_with_cancel(rein_background())};
    struct actor first = {.at = "left"}, remover = {.at = "strand-sleep"};
    struct staying stays = {&callback, &remover}, returns = {&callback, NULL};
    struct stopper removes = {.callback = &callback, .prevented = -1, .over = &over};
    ck_assert(rein_callback_add(ctx[0], &callback, take_out_and_stay, &stays));
    stage();
    actor_start(&first, cancel, ctx[0]);
    actor_await(&first);
    ck_assert(rein_callback_add(ctx[1], &callback, take_out_and_stay, &returns));
    rein_cancel(ctx[1]);
    actor_start(&remover, stop, &removes);
    bool waited = actor_stands(&remover);
    actor_finish(&first);
    if (waited)
        actor_go(&remover);
    actor_join(&remover);
    curtain();
    ck_assert_msg(!waited, "it has waited for another function");
    ck_assert_int_eq(removes.prevented, false);
    rein_end(ctx[0]);
    rein_end(ctx[1]);
}

static rein_callback *others[2];
static int took;

static void remove_the_other(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    took += rein_callback_remove(others[(uintptr_t)arg]);
}

/* A callback may take out another one of the same context: whichever comes first prevents the
 * other. */
CASE(ctx_66_callback_removes_its_neighbour, "CTX-66", "P-ONCE")
{
    rein_callback one, two;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    others[0] = &one;
    others[1] = &two;
    took = 0;
    ck_assert(rein_callback_add(ctx, &one, remove_the_other, (void *)1));
    ck_assert(rein_callback_add(ctx, &two, remove_the_other, (void *)0));
    rein_cancel(ctx);
    ck_assert_int_eq(took, 1);
    rein_end(ctx);
}

/* ---- where they run ---- */

static void no_lock_is_held(const rein_ctx *ctx, void *arg)
{
    struct race_count *ran = arg;
    ck_assert_msg(load_relaxed(&node_of(ctx_of(ctx))->mu.word) == 0, "called under a lock");
    int fd;
    ck_assert_int_eq(rein_done_fd(ctx, &fd), 0); /* takes it */
    rein_callback callback;
    ck_assert(!rein_callback_add(ctx, &callback, count_call, ran));
    rein_after after;
    ck_assert_int_eq(rein_after_func(ctx, &after, rein_inline_executor(), count_call, ran), 0);
    rein_cancel((rein_ctx *)(uintptr_t)ctx);
    race_add(ran, 1);
}

/* No lock of rein's is held while they run: they may call anything on the same context. */
CASE(ctx_65_calls_run_without_a_lock, "CTX-65", "CTX-64")
{
    struct race_count ran = {0};
    rein_callback callback, below;
    rein_after after;
    rein_ctx *ctx = rein_with_cancel(rein_background()), *child = rein_with_cancel(ctx);
    ck_assert(rein_callback_add(ctx, &callback, no_lock_is_held, &ran));
    ck_assert(rein_callback_add(child, &below, no_lock_is_held, &ran));
    ck_assert_int_eq(rein_after_func(ctx, &after, rein_inline_executor(), no_lock_is_held, &ran),
                     0);
    rein_cancel(ctx);
    ck_assert_uint_eq(race_value(&ran), 9);
    rein_end(child);
    rein_end(ctx);
}

struct blocked {
    struct race_flag running, cancelled;
};

static void until_cancelled(const rein_ctx *ctx, void *arg)
{
    struct blocked *blocked = arg;
    (void)ctx;
    race_set(&blocked->running);
    race_await(&blocked->cancelled);
}

/* A cancel waits for no after-func, and for no callback that another canceller claimed. */
CASE(ctx_16_cancel_waits_for_nobodys_code, "CTX-16", "CTX-63")
{
    struct blocked in_after = {{0}, {0}}, in_callback = {{0}, {0}};
    rein_after after;
    rein_callback callback;
    rein_ctx *top = rein_with_cancel(rein_background()), *child = rein_with_cancel(top);
    rein_ctx *leaf = rein_with_cancel(child);
    ck_assert_int_eq(rein_after_func(top, &after, NULL, until_cancelled, &in_after), 0);
    ck_assert(rein_callback_add(child, &callback, until_cancelled, &in_callback));
    struct actor inner = {.at = NULL};
    stage();
    actor_start(&inner, cancel, child);
    race_await(&in_callback.running);
    rein_cancel(child);
    rein_cancel(top);
    curtain();
    expect_canceled(leaf);
    race_await(&in_after.running);
    race_set(&in_after.cancelled);
    race_set(&in_callback.cancelled);
    actor_join(&inner);
    ck_assert(!rein_after_stop_wait(&after));
    ck_assert(!rein_callback_remove(&callback));
    rein_end(leaf);
    rein_end(child);
    rein_end(top);
}
