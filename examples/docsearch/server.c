/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* server.c: see server.h. */
#include "server.h"

#include "log.h"
#include "routes.h"

#include <rein.h>
#include <rein/microhttpd.h>
#include <stdio.h>

static const struct next chain[] = {
    {middleware_identify}, {middleware_log}, {middleware_limit}, {route}};

/* Send the answer off. */
static enum MHD_Result send_answer(struct exchange *exchange)
{
    struct json *body = &exchange->body;
    if (exchange->status == 499)
        return MHD_NO; /* nobody is there any more: just close */
    if (body->failed)
        exchange->status = MHD_HTTP_SERVICE_UNAVAILABLE;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body->failed ? 0 : body->length, body->text, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    char conn[16];
    snprintf(conn, sizeof conn, "%d", exchange->conn);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    MHD_add_response_header(response, "X-Connection", conn);
    enum MHD_Result result = rein_mhd_queue(exchange->request, exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

/* libmicrohttpd calls this on the client's own thread, so that all below may block. */
static enum MHD_Result handle(const rein_ctx *ctx, rein_mhd_request *request, const char *upload,
                              size_t *upload_size, void *service)
{
    (void)upload;
    if (*upload_size > 0) { /* a body, for which we have no use */
        *upload_size = 0;
        return MHD_YES;
    }
    struct exchange exchange = {.request = request, .service = service, .began = rein_now(ctx)};
    proceed(ctx, &exchange, chain);
    enum MHD_Result result = send_answer(&exchange);
    json_free(&exchange.body);
    return result;
}

/* Let the requests that run finish, within the grace. */
static void drain(const rein_ctx *stop, rein_mhd_server *server, rein_duration grace)
{
    struct json line = {0};
    json_format(&line, "event=draining running=%u why=", rein_mhd_active(server));
    json_string(&line, rein_cause(stop)->text);
    log_write(&line);

    rein_ctx *within = rein_with_timeout(rein_background(), grace);
    int r = rein_mhd_shutdown(within, server);
    rein_end(within);
    log_event("event=stopped running=%s", r == 0 ? "finished" : "cut-off");
}

int serve(const rein_ctx *stop, const struct options *options)
{
    struct service service = {.stop = stop, .limit = options->limit};
    int r = conns_open(stop, options->database, options->connections, &service.conns);
    if (r < 0)
        return r;
    const struct rein_mhd_options http = {
        .size = sizeof http, .port = options->port, .handler = handle, .arg = &service};
    rein_mhd_server *server;
    r = rein_mhd_start(rein_background(), &http, &server);
    if (r < 0) {
        log_event("event=no-server port=%u why=\"%s\"", options->port, rein_strerror(r));
    } else {
        log_event("event=serving address=127.0.0.1:%u connections=%d", rein_mhd_port(server),
                  options->connections);
        rein_wait(stop);
        drain(stop, server, options->grace);
        rein_mhd_free(server);
    }
    conns_close(service.conns);
    return r;
}
