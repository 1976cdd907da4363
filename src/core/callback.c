/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/callback.c: callbacks on the canceller's stack. */
#include "base/panic.h"
#include "core/call.h"

static struct call *call_of(rein_callback *callback)
{
    return (struct call *)(void *)callback;
}

bool rein_callback_add(const rein_ctx *ctx, rein_callback *callback, rein_callback_fn *fn,
                       void *arg)
{
    REQUIRE_CONTEXT(ctx);
    struct call *call = call_of(callback);
    if (reini_call_link(call, DEP_CALLBACK, ctx, fn, arg))
        return true;
    store_relaxed(&call->dep.word, CALL_CLAIMED);
    reini_call_run(call);
    return false;
}

bool rein_callback_remove(rein_callback *callback)
{
    struct call *call = call_of(callback);
    if (reini_call_unlink(call, true))
        return true;
    reini_call_wait(call);
    return false;
}
