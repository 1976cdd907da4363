/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/calls/test_after.c: after-funcs: what Go's own tests leave open of CTX-61 to CTX-70. */
#include <rein.h>
#include <rein/testing.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault_control.h"
#include "call.h"
#include "core/check.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

static const rein_reason why = REIN_REASON_INIT(-3, "why not");

/* ---- that it runs ---- */

static void note_all(const rein_ctx *ctx, void *arg)
{
    ck_assert(has_fired(ctx));
    note(ctx, arg);
}

/* When it starts, err, cause and descriptor of its context are there, and it is given that
 * context. */
CASE(ctx_64_the_end_is_readable_from_within, "CTX-64")
{
    struct call call;
    static const rein_key key = {.name = "key", .kind = REIN_VALUE_STRING};
    rein_ctx *top = rein_with_cancel(rein_background());
    const rein_ctx *value = rein_with_value(top, &key, "x");
    call_after(value, &call, note_all);
    rein_cancel_cause(top, &why);
    ck_assert(!rein_after_stop_wait(&call.after));
    ck_assert_ptr_eq(call.ctx, value);
    ck_assert_int_eq(call.err, -ECANCELED);
    ck_assert_ptr_eq(call.cause, &why);
    rein_unref(value);
    rein_end(top);
}

/* Several on one context all run, each once. */
CASE(ctx_61_registrations_are_independent, "CTX-61")
{
    enum { MANY = 50 };
    static struct call calls[MANY];
    rein_ctx *ctx = rein_with_cancel(rein_background());
    for (int i = 0; i < MANY; i++)
        call_after(ctx, &calls[i], note);
    for (int i = 0; i < MANY; i += 3)
        ck_assert(rein_after_stop(&calls[i].after));
    rein_cancel(ctx);
    for (int i = 0; i < MANY; i++) {
        ck_assert(!rein_after_stop_wait(&calls[i].after));
        ck_assert_uint_eq(race_value(&calls[i].runs), i % 3 != 0);
    }
    rein_end(ctx);
}

/* Sixty at once, all of which block: none waits for another's end. */
CASE_LONG(90, ctx_63_blocked_ones_do_not_hold_up_others, "CTX-63", "P-EXEC")
{
    enum { MANY = 60 };
    static struct call calls[MANY];
    rein_ctx *ctx = rein_with_cancel(rein_background());
    for (int i = 0; i < MANY; i++)
        call_after(ctx, &calls[i], block);
    rein_cancel(ctx);
    for (int i = 0; i < MANY; i++) /* all have begun, though none has ended */
        race_await(&calls[i].begun);
    for (int i = 0; i < MANY; i++)
        race_set(&calls[i].go_on);
    for (int i = 0; i < MANY; i++)
        ck_assert(!rein_after_stop_wait(&calls[i].after));
    rein_end(ctx);
}

/* ---- from within ---- */

struct within {
    rein_ctx *ctx;
    rein_after after, second;
    struct race_count over;
    int wrong;
};

#define EXPECT(cond) (is->wrong = (cond) || is->wrong ? is->wrong : __LINE__)

static void second_fn(const rein_ctx *ctx, void *arg)
{
    struct within *is = arg;
    EXPECT(rein_err(ctx) == -ECANCELED);
    race_add(&is->over, 1);
}

static void use_everything(const rein_ctx *ctx, void *arg)
{
    struct within *is = arg;
    EXPECT(!rein_after_stop(&is->after));
    EXPECT(!rein_after_stop_wait(&is->after)); /* does not wait for itself */
    rein_cancel(is->ctx);
    EXPECT(rein_err(ctx) == -ECANCELED && rein_cause(ctx) == &why);
    rein_ctx *child = rein_with_timeout(ctx, REIN_HOUR);
    EXPECT(rein_err(child) == -ECANCELED && rein_cause(child) == &why);
    rein_end(child);
    const rein_ctx *view = rein_ref(ctx);
    rein_unref(view);
    EXPECT(rein_after_func(ctx, &is->second, NULL, second_fn, is) == 0); /* runs at once */
    EXPECT(!rein_after_stop_wait(&is->second));
    rein_end(is->ctx);
    race_add(&is->over, 1);
}

/* From within it anything may be called on the same context, its last release included. */
CASE(ctx_65_anything_may_be_called_from_within, "CTX-65", "CTX-68")
{
    struct within is = {.ctx = rein_with_cancel(rein_background())};
    rein_ctx *ctx = rein_share(is.ctx);
    ck_assert_int_eq(rein_after_func(ctx, &is.after, NULL, use_everything, &is), 0);
    rein_cancel_cause(ctx, &why);
    rein_end(ctx);
    race_await_value(&is.over, 2);
    ck_assert_int_eq(is.wrong, 0);
    ck_assert_int_eq(rein_quiesce(), 0);
}

/* ---- stop ---- */

/* stop does not wait for a running one; stop_wait does. */
CASE(ctx_68_stop_does_not_wait, "CTX-68")
{
    struct call call;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    call_after(ctx, &call, block);
    rein_cancel(ctx);
    race_await(&call.begun);
    ck_assert(!rein_after_stop(&call.after));
    ck_assert_uint_eq(race_value(&call.runs), 0);
    race_set(&call.go_on);
    ck_assert(!rein_after_stop_wait(&call.after));
    ck_assert_uint_eq(race_value(&call.runs), 1);
    rein_end(ctx);
}

static void stop_and_wait(void *arg)
{
    struct call *is = arg;
    ck_assert(!rein_after_stop_wait(&is->after));
    ck_assert_uint_eq(race_value(&is->runs), 1);
}

/* Several may wait for it at once. */
CASE(ctx_68_many_may_wait, "CTX-68")
{
    struct call call;
    struct race_thread waiters[4];
    rein_ctx *ctx = rein_with_cancel(rein_background());
    call_after(ctx, &call, block);
    rein_cancel(ctx);
    race_await(&call.begun);
    for (int i = 0; i < 4; i++)
        race_thread_start(&waiters[i], 0, stop_and_wait, &call);
    ck_assert(!race_thread_over(&waiters[0]));
    race_set(&call.go_on);
    for (int i = 0; i < 4; i++)
        race_thread_join(&waiters[i]);
    rein_end(ctx);
}

/* The freed argument: after stop_wait nobody touches it any more, whichever way it went. */
static void write_to(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    ((struct call *)arg)->err++;
}

static void cancel_shared(void *arg)
{
    rein_cancel(arg);
}

CASE_LONG(60, ctx_68_stop_wait_frees_the_argument, "CTX-68")
{
    for (size_t round = 0; round < suite_rounds(500); round++) {
        struct race_thread thread;
        rein_ctx *ctx = rein_with_cancel(rein_background());
        struct call *call = calloc(1, sizeof *call);
        call_after(ctx, call, write_to);
        race_thread_start(&thread, 0, cancel_shared, ctx);
        rein_after_stop_wait(&call->after);
        memset(call, 0xee, sizeof *call);
        free(call);
        race_thread_join(&thread);
        rein_end(ctx);
    }
}

/* One that the executor has refused is not registered: stopping it, in either way, prevents nothing
 * and gives nothing back, whatever its memory held before. */
CASE(ctx_66_stop_of_one_that_was_refused, "CTX-66", "P-ERRORS")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    for (int byte = 0; byte < 256; byte += 255) {
        struct call call = {.err = 0};
        memset(&call.after, byte, sizeof call.after);
        reini_fault_fail_nth(1); /* of the thread's start */
        ck_assert_int_eq(rein_after_func_owned(ctx, &call.after, NULL, note, &call, note_drop),
                         -EAGAIN);
        reini_fault_fail_nth(0);
        ck_assert(!rein_after_stop(&call.after));
        ck_assert(!rein_after_stop_wait(&call.after));
        ck_assert_uint_eq(race_value(&call.drops), 0);
        ck_assert_int_eq(rein_quiesce(), 0);
    }
    rein_end(ctx);
}

/* ---- what never ends ---- */

/* On a context that can never be done it never runs; the first stop is true, later ones false. */
CASE(ctx_69_on_the_never_done, "CTX-69")
{
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_cancel(rein_background());
    const rein_ctx *without = rein_without_cancel(ctx);
    const rein_ctx *each[] = {rein_background(), rein_todo(), rein_clock_root(clock), without};
    rein_cancel(ctx);
    for (int i = 0; i < 4; i++) {
        struct call call;
        call_after(each[i], &call, note);
        ck_assert(rein_after_stop(&call.after));
        ck_assert(!rein_after_stop(&call.after));
        ck_assert_uint_eq(race_value(&call.runs), 0);
    }
    rein_unref(without);
    rein_end(ctx);
    rein_clock_free(clock);
}

/* ---- the argument's owner ---- */

/* drop is called exactly once: after it ran, by the stop that prevented it, or when its context
 * went without being done. */
CASE(ctx_70_drop_runs_exactly_once, "CTX-70")
{
    struct call call = {.err = 0};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func_owned(ctx, &call.after, NULL, note, &call, note_drop), 0);
    rein_cancel(ctx);
    race_await_value(&call.drops, 1);
    ck_assert_uint_eq(race_value(&call.runs), 1);
    ck_assert_int_eq(rein_quiesce(), 0);
    rein_end(ctx);

    struct call stopped = {.err = 0};
    ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func_owned(ctx, &stopped.after, NULL, note, &stopped, note_drop),
                     0);
    ck_assert(rein_after_stop(&stopped.after));
    ck_assert_uint_eq(race_value(&stopped.drops), 1);
    rein_cancel(ctx);
    rein_end(ctx);
    ck_assert_uint_eq(race_value(&stopped.drops), 1);
    ck_assert_uint_eq(race_value(&stopped.runs), 0);

    struct call gone = {.err = 0};
    ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func_owned(ctx, &gone.after, NULL, note, &gone, note_drop), 0);
    rein_end(ctx); /* nobody else holds it: it goes without being done */
    ck_assert_uint_eq(race_value(&gone.drops), 1);
    ck_assert_uint_eq(race_value(&gone.runs), 0);
    ck_assert_uint_eq(race_value(&call.drops), 1);
}

/* The record itself may be in what drop frees. */
static void free_call(void *arg)
{
    race_add(((struct call *)arg)->cause->payload, 1);
    free(arg);
}

CASE(ctx_70_drop_may_free_the_record, "CTX-70", "CTX-89")
{
    static struct race_count dropped;
    rein_reason counter = {.payload = &dropped};
    for (int way = 0; way < 4; way++) {
        struct call *call = calloc(1, sizeof *call);
        call->cause = &counter;
        rein_ctx *ctx = rein_with_cancel(rein_background());
        if (way == 3)
            rein_cancel(ctx);
        ck_assert_int_eq(rein_after_func_owned(ctx, &call->after, NULL, write_to, call, free_call),
                         0);
        if (way == 0)
            rein_cancel(ctx);
        else if (way == 1) /* on a failed context it may have run already, and the record be gone */
            ck_assert(!rein_done(ctx) && rein_after_stop(&call->after));
        rein_end(ctx);
        race_await_value(&dropped, (uint64_t)way + 1);
    }
    ck_assert_int_eq(rein_quiesce(), 0);
    ck_assert_uint_eq(race_value(&dropped), 4);
}

/* A stop within the drop's own function, and many races of drops: the sum is right. */
struct dropping {
    rein_ctx *ctx;
    struct call call;
};

static void cancel_or_stop(void *arg, unsigned index)
{
    struct dropping *is = arg;
    if (index == 0)
        rein_cancel(is->ctx);
    else
        rein_after_stop(&is->call.after);
}

CASE_LONG(60, ctx_70_drop_in_races, "CTX-67", "CTX-70")
{
    for (size_t round = 0; round < suite_rounds(300); round++) {
        struct dropping is = {.ctx = rein_with_cancel(rein_background())};
        ck_assert_int_eq(
            rein_after_func_owned(is.ctx, &is.call.after, NULL, note, &is.call, note_drop), 0);
        race_run(3, cancel_or_stop, &is);
        race_await_value(&is.call.drops, 1);
        rein_end(is.ctx);
        ck_assert_uint_eq(race_value(&is.call.drops), 1);
    }
}

/* A deep tree goes without being done: every registration in it is dropped, none runs. */
CASE(ctx_70_dropped_with_a_whole_line, "CTX-25", "CTX-70")
{
    enum { DEEP = 100 };
    static struct call calls[DEEP];
    rein_ctx *line[DEEP];
    for (int i = 0; i < DEEP; i++) {
        line[i] = rein_with_cancel(i ? line[i - 1] : rein_background());
        ck_assert_int_eq(rein_after_func_owned(line[i], &calls[i].after, rein_inline_executor(),
                                               note, &calls[i], note_drop),
                         0);
    }
    for (int i = DEEP; i-- > 0;)
        rein_end(line[i]); /* from the leaf: at each, nobody else holds it */
    for (int i = 0; i < DEEP; i++) {
        ck_assert_uint_eq(race_value(&calls[i].drops), 1);
        ck_assert_uint_eq(race_value(&calls[i].runs), 0);
    }
}
