/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* middleware.c: see middleware.h. */
#include "middleware.h"

#include "log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

REIN_KEY_DEFINE_STRING(request_id)
REIN_KEY_DEFINE_STRING(client_address)

/* ---- identify -------------------------------------------------------------------------------- */

static void write_address(struct MHD_Connection *connection, char *text, size_t size)
{
    char host[INET_ADDRSTRLEN] = "?";
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    if (!address || address->sa_family != AF_INET) {
        snprintf(text, size, "?");
        return;
    }
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    snprintf(text, size, "%s:%u", host, (unsigned)ntohs(in->sin_port));
}

void middleware_identify(const rein_ctx *ctx, struct exchange *exchange, const struct next *next)
{
    char number[24], address[INET_ADDRSTRLEN + 8];
    snprintf(number, sizeof number, "%llu", (unsigned long long)rein_mhd_request_id(ctx));
    write_address(rein_mhd_connection(exchange->request), address, sizeof address);
    const char *id = rein_mhd_header(exchange->request, "X-Request-Id");

    const rein_ctx *identified = request_id_with(ctx, id ? id : number);
    const rein_ctx *addressed = client_address_with(identified, address);
    proceed(addressed, exchange, next);
    rein_unref(addressed);
    rein_unref(identified);
}

/* ---- log ------------------------------------------------------------------------------------- */

static double ms_since(const struct exchange *exchange, rein_time when)
{
    return (double)rein_time_sub(when, exchange->began) / 1e6;
}

void middleware_log(const rein_ctx *ctx, struct exchange *exchange, const struct next *next)
{
    proceed(ctx, exchange, next);

    struct json line = {0};
    json_raw(&line, "event=request id=");
    json_string(&line, request_id_of(ctx, "?"));
    json_format(&line, " client=%s method=", client_address_of(ctx, "?"));
    json_string(&line, rein_mhd_method(exchange->request));
    json_raw(&line, " path=");
    json_string(&line, rein_mhd_url(exchange->request));
    json_format(&line, " status=%u conn=%d ms=%.3f", exchange->status, exchange->conn,
                ms_since(exchange, rein_now(ctx)));
    if (exchange->why[0]) {
        /* Both in milliseconds from the beginning; between them the database was still at it. */
        json_format(&line, " noticed=%.3f stopped=%.3f why=", ms_since(exchange, exchange->noticed),
                    ms_since(exchange, exchange->stopped));
        json_string(&line, exchange->why);
    }
    log_write(&line);
}

/* ---- limit ----------------------------------------------------------------------------------- */

static const rein_reason service_limit = REIN_REASON_INIT(-ETIMEDOUT, "service's limit exceeded");
static const rein_reason client_deadline = REIN_REASON_INIT(-ETIMEDOUT, "client's limit exceeded");

void middleware_limit(const rein_ctx *ctx, struct exchange *exchange, const struct next *next)
{
    rein_duration limit = exchange->service->limit, asked = REIN_FOREVER;
    const char *header = rein_mhd_header(exchange->request, "X-Timeout");
    if (header && rein_mhd_parse_timeout(header, REIN_MHD_TIMEOUT_DURATION, &asked) < 0) {
        exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, "X-Timeout is no duration, like 150ms");
        return;
    }
    rein_ctx *limited = asked < limit ? rein_with_timeout_cause(ctx, asked, &client_deadline)
                                      : rein_with_timeout_cause(ctx, limit, &service_limit);
    proceed(limited, exchange, next);
    rein_end(limited);
}
