/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/after.c: after-funcs: calls that an executor makes.
 *
 * A registration holds its place with the executor (secure); claiming turns that into a job that
 * cannot fail, and takes the reference to the context that fn runs under. One on a context that
 * only decorates its source holds that context as well, since the source's end is what it waits
 * for. */
#include <rein/after.h>

#include "base/fault.h"
#include "base/panic.h"
#include "core/call.h"
#include "exec/exec.h"

static struct after *after_of(rein_after *after)
{
    return (struct after *)(void *)after;
}

/* Whether a linked registration holds a reference to ctx. */
static bool holds(const struct after *after)
{
    return after->call.node && &after->call.node->ctx != ctx_of(after->call.ctx);
}

static void let_go(struct ctx *held, rein_drop_fn *drop, void *arg)
{
    if (held)
        reini_ctx_unref(held);
    if (drop)
        drop(arg);
}

static void run(rein_job *job)
{
    struct after *after = CONTAINER_OF(job, struct after, job);
    struct ctx *ctx = ctx_of(after->call.ctx);
    rein_drop_fn *drop = after->drop;
    void *arg = after->call.arg;
    reini_call_run(&after->call); /* after which the record may be gone */
    let_go(ctx, drop, arg);
}

void reini_after_post(struct after *after)
{
    if (!holds(after)) /* else what the registration held is now what the job holds */
        ctx_ref(ctx_of(after->call.ctx));
    after->executor->post(after->executor, &after->job);
}

/* fn was prevented. The executor is told before anybody may take the call for over, and free
 * that. */
static void forgo(struct after *after, struct ctx *held)
{
    rein_drop_fn *drop = after->drop;
    void *arg = after->call.arg;
    STEP("forgo");
    if (after->call.birth == reini_birth) /* else what was secured is the parent process's */
        executor_forgo(after->executor);
    reini_call_over(&after->call); /* after which the record may be gone */
    let_go(held, drop, arg);
}

void reini_after_dropped(struct after *after)
{
    store_relaxed(&after->call.dep.word, CALL_CLAIMED); /* nobody may look before it is OVER */
    forgo(after, NULL);
}

int rein_after_func_owned(const rein_ctx *ctx, rein_after *public_after, rein_executor *executor,
                          rein_callback_fn *fn, void *arg, rein_drop_fn *drop)
{
    REQUIRE_CONTEXT(ctx);
    struct after *after = after_of(public_after);
    after->job.run = run;
    after->executor = executor ? executor : rein_pool_executor();
    after->drop = drop;
    int r = executor_secure(after->executor);
    if (r < 0) {
        after->call = (struct call){.dep.word = CALL_OVER}; /* it may be stopped */
        return r;
    }
    /* Held before it is linked, as it may be claimed at once. */
    bool decorated = !(ctx_of(ctx)->flags & NEVER_DONE) && !has_frozen_source(ctx_of(ctx)) &&
                     &source_of(ctx_of(ctx))->ctx != ctx_of(ctx);
    if (decorated)
        ctx_ref(ctx_of(ctx));
    if (reini_call_link(&after->call, DEP_AFTER, ctx, fn, arg))
        return 0;
    if (decorated && !holds(after))
        reini_ctx_unref(ctx_of(ctx));
    store_relaxed(&after->call.dep.word, CALL_CLAIMED);
    reini_after_post(after);
    return 0;
}

int rein_after_func(const rein_ctx *ctx, rein_after *after, rein_executor *executor,
                    rein_callback_fn *fn, void *arg)
{
    return rein_after_func_owned(ctx, after, executor, fn, arg, NULL);
}

/* It was prevented, by us. */
static void stopped(struct after *after)
{
    forgo(after, holds(after) ? ctx_of(after->call.ctx) : NULL);
}

bool rein_after_stop(rein_after *public_after)
{
    struct after *after = after_of(public_after);
    if (!reini_call_unlink(&after->call, false))
        return false;
    stopped(after);
    return true;
}

bool rein_after_stop_wait(rein_after *public_after)
{
    struct after *after = after_of(public_after);
    if (reini_call_unlink(&after->call, true)) {
        stopped(after);
        return true;
    }
    reini_call_wait(&after->call);
    return false;
}
