/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/fork/test_views.c: what is made in the child of a fork and has no end of its own, over an
 * inherited context: values, and foreign contexts that forward. They are the child's, their end is
 * frozen. */
#include <poll.h>
#include <rein.h>
#include <rein/foreign.h>
#include <stdlib.h>

#include "child.h"
#include "core/node.h"
#include "expect.h"
#include "suite.h"

REIN_KEY_DECLARE(number, int)
REIN_KEY_DEFINE(number, int)

static const rein_reason late = REIN_REASON_INIT(-8, "too late");
static const rein_foreign_ops forwarding = {.size = sizeof forwarding, .forwards = true};

/* ---- of each kind, over each kind ---- */

typedef const rein_ctx *view_fn(const rein_ctx *ctx);

static const rein_ctx *value(const rein_ctx *ctx)
{
    return number_with(ctx, 1);
}

static const rein_ctx *forward(const rein_ctx *ctx)
{
    return rein_foreign(ctx, &forwarding, NULL);
}

/* Both, so that what is followed is not the parent. */
static const rein_ctx *value_over_forward(const rein_ctx *ctx)
{
    const rein_ctx *below = forward(ctx), *view = value(below);
    rein_end((rein_ctx *)(uintptr_t)below);
    return view;
}

static view_fn *const kinds[] = {value, forward, value_over_forward};

static void give_back(const rein_ctx *view)
{
    if (view && kind_of(ctx_of(view)) == KIND_FOREIGN)
        rein_end((rein_ctx *)(uintptr_t)view);
    else
        rein_unref(view);
}

struct inherited {
    const rein_ctx *ctx;
    view_fn *kind;
};

/* use(&inherited) in a child, for every kind, over a context that has so long, or over one
 * below. */
static void over_a_timeout(rein_duration timeout, void (*use)(void *arg))
{
    for (size_t i = 0; i < 2 * sizeof kinds / sizeof *kinds; i++) {
        rein_ctx *timed = rein_with_timeout_cause(rein_background(), timeout, &late);
        rein_ctx *inner = rein_with_cancel(timed);
        in_child(use, &(struct inherited){.ctx = i % 2 ? inner : timed, .kind = kinds[i / 2]});
        rein_end(inner);
        rein_end(timed);
    }
}

/* ---- deadlines ---- */

static void block_under(void *arg)
{
    const struct inherited *is = arg;
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const rein_ctx *view = is->kind(is->ctx);
    int slept = rein_sleep(view, REIN_MILLISECOND);
    REQUIRE(slept == 0 || slept == -ETIMEDOUT); /* on a slow machine its time is over by now */
    REQUIRE(rein_poll(view, &(struct pollfd){.fd = ends[0], .events = POLLIN}, 1) == -ETIMEDOUT);
    REQUIRE(rein_wait(view) == -ETIMEDOUT);
    REQUIRE(rein_err(view) == -ETIMEDOUT && rein_cause(view) == &late);
    give_back(view);
}

/* The inherited deadline ends blocking calls under such a one. */
CASE(fork_inherited_deadline_ends_calls_under_a_new_view, "EXEC-16", "CTX-52", "P-FORK")
{
    over_a_timeout(200 * REIN_MILLISECOND, block_under);
}

static void check_late(void *arg)
{
    const struct inherited *is = arg;
    const rein_ctx *view = is->kind(is->ctx);
    REQUIRE(rein_sleep(rein_background(), 100 * REIN_MILLISECOND) == 0);
    REQUIRE(rein_check(view) == -ETIMEDOUT && rein_err(is->ctx) == -ETIMEDOUT);
    give_back(view);
}

/* A check is enough to notice it. */
CASE(fork_inherited_deadline_is_noticed_under_a_new_view, "P-NOTICE", "P-FORK")
{
    over_a_timeout(60 * REIN_MILLISECOND, check_late);
}

static void block_below(void *arg)
{
    const struct inherited *is = arg;
    const rein_ctx *view = is->kind(is->ctx);
    rein_ctx *own[] = {rein_with_cancel(view), rein_with_timeout(view, REIN_HOUR),
                       rein_merge(view, rein_background()), rein_merge(rein_background(), view),
                       rein_detach(rein_background(), view, REIN_HOUR)};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        REQUIRE(rein_sleep(own[i], REIN_HOUR) == -ETIMEDOUT);
        rein_end(own[i]);
    }
    give_back(view);
    REQUIRE(rein_quiesce() == 0);
}

/* And it ends what is derived from one, by one parent or two. */
CASE(fork_inherited_deadline_ends_what_is_below_a_new_view, "EXEC-16", "CTX-51", "P-FORK")
{
    over_a_timeout(100 * REIN_MILLISECOND, block_below);
}

/* ---- being told ---- */

static void never(const rein_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    REQUIRE(false); /* it can never come */
}

static void register_calls(void *arg)
{
    const struct inherited *is = arg;
    const rein_ctx *view = is->kind(is->ctx);
    const struct dep *before = node_of(ctx_of(is->ctx))->deps;
    /* In memory of their own: what stays linked after this is found by AddressSanitizer, or by the
     * next to be linked there. */
    for (int i = 0; i < 2; i++) {
        rein_callback *callback = malloc(sizeof *callback);
        rein_after *after = malloc(sizeof *after);
        REQUIRE(callback && after && rein_callback_add(view, callback, never, NULL));
        REQUIRE(rein_after_func(view, after, NULL, never, NULL) == 0);
        REQUIRE(node_of(ctx_of(is->ctx))->deps == before);
        REQUIRE(rein_callback_remove(callback) && rein_after_stop(after));
        free(callback);
        free(after);
    }
    give_back(view);
    REQUIRE(rein_quiesce() == 0);
}

/* Callbacks and after-funcs on it can be added and taken back; nothing inherited gets to know
 * them. */
CASE(fork_calls_on_a_new_view_touch_nothing_inherited, "EXEC-16", "CTX-66", "P-FORK")
{
    over_a_timeout(REIN_HOUR, register_calls);
}

static void end_before_taking_back(void *arg)
{
    const struct inherited *is = arg;
    const rein_ctx *view = is->kind(is->ctx);
    rein_callback callback;
    REQUIRE(rein_callback_add(view, &callback, never, NULL));
    rein_cancel((rein_ctx *)(uintptr_t)is->ctx);
    REQUIRE(rein_err(view) == -ECANCELED && rein_wait(view) == -ECANCELED);
    REQUIRE(rein_callback_remove(&callback));
    give_back(view);
}

/* A cancel of the inherited context in the child is seen by it, and calls nobody. */
CASE(fork_cancel_is_seen_by_a_new_view, "EXEC-16", "P-FORK")
{
    over_a_timeout(REIN_HOUR, end_before_taking_back);
}

static void use_locked(void *arg)
{
    const struct inherited *is = arg;
    register_calls(arg);
    const rein_ctx *view = is->kind(is->ctx);
    REQUIRE(rein_sleep(view, REIN_MILLISECOND) == 0);
    rein_ctx *own = rein_with_timeout(view, REIN_HOUR), *both = rein_merge(own, view);
    int fd;
    REQUIRE(rein_err(both) == 0 && rein_done_fd(view, &fd) == 0);
    rein_end(both);
    rein_end(own);
    give_back(view);
}

/* The inherited context's lock, held at the fork, is waited for by nobody. */
CASE(fork_new_views_over_a_locked_node, "EXEC-16", "P-FORK")
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        rein_ctx *ctx = rein_with_cancel(rein_background());
        mutex_lock(&node_of(ctx_of(ctx))->mu);
        pid_t child = child_start(use_locked, &(struct inherited){.ctx = ctx, .kind = kinds[i]});
        mutex_unlock(&node_of(ctx_of(ctx))->mu);
        child_join(child);
        rein_end(ctx);
    }
}
