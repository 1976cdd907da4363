/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* middleware.h: what every request goes through on its way to its handler.
 *
 * A chain is an array. Each member is handed the context, the exchange and the rest of the chain;
 * it does its part before and after proceed(), and what it wants to tell those further in, or to
 * forbid them, it says in the context that it proceeds with:
 *
 *     static void polite(const rein_ctx *ctx, struct exchange *exchange, const struct next *next)
 *     {
 *         const rein_ctx *named = title_with(ctx, "Dr.");
 *         proceed(named, exchange, next);
 *         rein_unref(named);
 *     }
 *
 *     static const struct next chain[] = {{polite}, {middleware_log}, {handler}};
 *     proceed(ctx, exchange, chain);
 */
#ifndef DOCSEARCH_MIDDLEWARE_H
#define DOCSEARCH_MIDDLEWARE_H

#include "exchange.h"

#include <rein/context.h>
#include <rein/value.h>

struct next;
typedef void handler_fn(const rein_ctx *ctx, struct exchange *exchange, const struct next *next);
struct next {
    handler_fn *handler;
};

/* Call the first of next, and leave it the rest. */
static inline void proceed(const rein_ctx *ctx, struct exchange *exchange, const struct next *next)
{
    next->handler(ctx, exchange, next + 1);
}

/* Who asks: the request's id, from "X-Request-Id" or made up, and the client's address. */
REIN_KEY_DECLARE_STRING(request_id)
REIN_KEY_DECLARE_STRING(client_address)
handler_fn middleware_identify;

/* One line of log for each request, when it is over. */
handler_fn middleware_log;

/* A deadline: the service's limit, or the client's if "X-Timeout: 150ms" asks for a shorter one. */
handler_fn middleware_limit;

#endif
