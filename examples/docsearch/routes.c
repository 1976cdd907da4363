/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* routes.c: see routes.h. */
#include "routes.h"

#include "search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROUNDS = 1000000 };

/* How often to go through all texts: once, unless the client wants to see us sweat. */
static int rounds_of(const struct exchange *exchange)
{
    const char *text = rein_mhd_argument(exchange->request, "rounds");
    int rounds = text ? atoi(text) : 1;
    return rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : rounds;
}

static void answer_health(const rein_ctx *ctx, struct exchange *exchange, const struct next *next)
{
    (void)ctx, (void)next;
    exchange->status = MHD_HTTP_OK;
    json_format(&exchange->body, "{\"status\":\"ok\",\"asking\":%d}\n",
                atomic_load(&exchange->service->asking));
}

/* Ask the database what the client asked, on a connection that is had for as long as it takes. */
static int ask(const rein_ctx *ctx, struct exchange *exchange, const char *words,
               const char *pattern)
{
    struct conn *conn;
    int r = conns_take(exchange->service->conns, ctx, &conn);
    if (r < 0)
        return r;
    exchange->conn = conn->number;
    if (words)
        r = search_words(ctx, conn, words, &exchange->body);
    else
        r = search_pattern(ctx, conn, pattern, rounds_of(exchange), &exchange->body);
    conns_give(exchange->service->conns, conn);
    return r;
}

static void answer_question(const rein_ctx *ctx, struct exchange *exchange, const char *words,
                            const char *pattern)
{
    if (!words && !pattern) {
        exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, "/search wants ?q=, /grep wants ?re=");
        return;
    }
    atomic_fetch_add(&exchange->service->asking, 1);
    int r = ask(ctx, exchange, words, pattern);
    atomic_fetch_sub(&exchange->service->asking, 1);
    if (r < 0)
        exchange_fail(exchange, ctx, r);
    else
        exchange->status = MHD_HTTP_OK;
}

static void answer_search(const rein_ctx *ctx, struct exchange *exchange, const struct next *next)
{
    (void)next;
    answer_question(ctx, exchange, rein_mhd_argument(exchange->request, "q"), NULL);
}

static void answer_grep(const rein_ctx *ctx, struct exchange *exchange, const struct next *next)
{
    (void)next;
    answer_question(ctx, exchange, NULL, rein_mhd_argument(exchange->request, "re"));
}

static const struct {
    const char *url;
    handler_fn *handler;
} routes[] = {
    {"/search", answer_search},
    {"/grep", answer_grep},
    {"/healthz", answer_health},
};

void route(const rein_ctx *ctx, struct exchange *exchange, const struct next *next)
{
    if (strcmp(rein_mhd_method(exchange->request), MHD_HTTP_METHOD_GET) != 0) {
        exchange_refuse(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET");
        return;
    }
    /* A client that keeps its connection could go on asking while we wait for the others. */
    if (rein_done(exchange->service->stop)) {
        exchange_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "shutting down");
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(rein_mhd_url(exchange->request), routes[i].url) == 0) {
            routes[i].handler(ctx, exchange, next);
            return;
        }
    }
    exchange_refuse(exchange, MHD_HTTP_NOT_FOUND, "there is /search?q=, /grep?re= and /healthz");
}
