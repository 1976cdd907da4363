/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* exchange.c: see exchange.h. */
#include "exchange.h"

#include <errno.h>

void exchange_refuse(struct exchange *exchange, unsigned status, const char *why)
{
    exchange->status = status;
    json_free(&exchange->body);
    json_raw(&exchange->body, "{\"error\":");
    json_string(&exchange->body, why);
    json_raw(&exchange->body, "}\n");
}

/* The work was stopped by its context, whose cause says what to answer: 504 for a deadline, 503 for
 * a shutdown or a shortage of memory, 499 for a client that has left. */
static void answer_stopped(struct exchange *exchange, const rein_ctx *ctx)
{
    struct rein_event event;
    exchange->stopped = rein_now(ctx);
    exchange->noticed = rein_event(ctx, &event) ? event.at : exchange->stopped;
    rein_explain(ctx, exchange->why, sizeof exchange->why);
    exchange_refuse(exchange, rein_mhd_status(ctx), rein_cause(ctx)->text);
}

void exchange_fail(struct exchange *exchange, const rein_ctx *ctx, int err)
{
    if (rein_done(ctx) && err == rein_err(ctx))
        answer_stopped(exchange, ctx);
    else if (err == -EINVAL)
        exchange->status = MHD_HTTP_BAD_REQUEST; /* the body says what is wrong */
    else if (err == -ENOMEM)
        exchange_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
    else
        exchange_refuse(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR, rein_strerror(err));
}
