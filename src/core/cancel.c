/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/cancel.c: the calls that end a context: mark, then make the calls this one claimed. */
#include <errno.h>
#include <stdarg.h>

#include "base/panic.h"
#include "core/node.h"
#include "core/reason.h"

/* reason: a reference that is consumed. */
static void cancel(const char *site, rein_ctx *owner, const rein_reason *reason)
{
    REQUIRE_CONTEXT_AT(site, owner);
    struct ctx *ctx = ctx_of(owner);
    struct ending ending = {.err = -ECANCELED, .reason = reason, .site = site};
    if (!is_node(ctx)) {
        rein_reason_unref(reason);
        if (!is_failed(ctx))
            reini_panic_at(site, "cannot-be-cancelled",
                           "a foreign context that forwards has no end of its own", ctx);
    } else if (is_frozen(ctx)) {
        reini_frozen_end(ctx, ending);
    } else {
        reini_run_calls(reini_mark(node_of(ctx), ending));
    }
}

void rein_cancel_at(const char *site, rein_ctx *ctx)
{
    cancel(site, ctx, NULL);
}

void rein_cancel_cause_at(const char *site, rein_ctx *ctx, const rein_reason *reason)
{
    REQUIRE_CONTEXT_AT(site, ctx);
    cancel(site, ctx, rein_reason_ref(reason));
}

static void cancel_causef(const char *site, rein_ctx *ctx, int code, const char *format,
                          va_list args) REIN_PRINTF(4, 0);
static void cancel_causef(const char *site, rein_ctx *ctx, int code, const char *format,
                          va_list args)
{
    REQUIRE_CONTEXT_AT(site, ctx);
    cancel(site, ctx, rein_err(ctx) ? NULL : reini_reason_vnewf(code, format, args));
}

void rein_cancel_causef_at(const char *site, rein_ctx *ctx, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cancel_causef(site, ctx, code, format, args);
    va_end(args);
}

void(rein_cancel)(rein_ctx *ctx)
{
    cancel("rein_cancel", ctx, NULL);
}

void(rein_cancel_cause)(rein_ctx *ctx, const rein_reason *reason)
{
    rein_cancel_cause_at("rein_cancel_cause", ctx, reason);
}

void(rein_cancel_causef)(rein_ctx *ctx, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cancel_causef("rein_cancel_causef", ctx, code, format, args);
    va_end(args);
}
