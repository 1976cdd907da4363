/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/call.h: what callbacks and after-funcs do in cases: nothing, count, or note what they
 * find. */
#ifndef TESTS_LIB_CALL_H
#define TESTS_LIB_CALL_H

#include <rein.h>

#include "race.h"
#include "suite.h"

static inline void do_nothing(const rein_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
}

/* arg: a race_count */
static inline void count_call(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    race_add(arg, 1);
}

/* A call, and what it found. */
struct call {
    rein_callback callback;
    rein_after after;
    struct race_flag begun, go_on; /* of one that blocks */
    struct race_count runs, drops;
    pthread_t thread;
    const rein_ctx *ctx;
    const rein_reason *cause;
    rein_time at;
    int err;
};

/* arg, of these: a call */
static inline void note(const rein_ctx *ctx, void *arg)
{
    struct call *is = arg;
    is->thread = pthread_self();
    is->ctx = ctx;
    is->cause = rein_cause(ctx);
    is->at = rein_now(ctx);
    is->err = rein_err(ctx);
    race_add(&is->runs, 1);
}

static inline void block(const rein_ctx *ctx, void *arg)
{
    struct call *is = arg;
    race_set(&is->begun);
    race_await(&is->go_on);
    note(ctx, arg);
}

static inline void note_drop(void *arg)
{
    race_add(&((struct call *)arg)->drops, 1);
}

/* Have fn called with a new call, by the pool. */
static inline void call_after(const rein_ctx *ctx, struct call *call, rein_callback_fn *fn)
{
    *call = (struct call){.err = 0};
    ck_assert_int_eq(rein_after_func(ctx, &call->after, NULL, fn, call), 0);
}

#endif
