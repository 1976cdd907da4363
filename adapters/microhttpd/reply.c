/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* reply.c: answers, and what to say for a context that is done. */
#include "private.h"

#include <errno.h>
#include <string.h>

#define STATUS_CLIENT_GONE 499 /* nginx's word, for logs; never sent */

unsigned rein_mhd_status(const rein_ctx *ctx)
{
    int err = rein_err(ctx);
    const rein_reason *cause = rein_cause(ctx);

    if (err == 0)
        return 0;
    if (cause == &rein_hangup_client_gone)
        return STATUS_CLIENT_GONE;
    if (err == -ETIMEDOUT || cause == &rein_mhd_connection_timeout)
        return MHD_HTTP_GATEWAY_TIMEOUT;
    if (cause == &rein_mhd_shutting_down || cause->code == -ENOMEM || cause->code == -EAGAIN)
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    return MHD_HTTP_INTERNAL_SERVER_ERROR;
}

enum MHD_Result rein_mhd_queue(rein_mhd_request *request, unsigned status,
                               struct MHD_Response *response)
{
    /* After a quiesce libmicrohttpd goes on serving connections that are kept alive; only this
     * makes their clients go elsewhere. */
    if (rein_mhd_draining(request->server))
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    return MHD_queue_response(request->connection, status, response);
}

enum MHD_Result rein_mhd_reply(rein_mhd_request *request, unsigned status, const char *content_type,
                               const char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    enum MHD_Result r = MHD_YES;
    if (content_type)
        r = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    if (r == MHD_YES)
        r = rein_mhd_queue(request, status, response);
    MHD_destroy_response(response);
    return r;
}

enum MHD_Result rein_mhd_reply_done(rein_mhd_request *request)
{
    unsigned status = rein_mhd_status(request->ctx);

    if (status == MHD_HTTP_INTERNAL_SERVER_ERROR && rein_done(request->server->base))
        status = MHD_HTTP_SERVICE_UNAVAILABLE;
    switch (status) {
    case STATUS_CLIENT_GONE:
        return MHD_NO;
    case MHD_HTTP_GATEWAY_TIMEOUT:
        return rein_mhd_reply(request, status, "text/plain", "Gateway Timeout\n");
    case MHD_HTTP_SERVICE_UNAVAILABLE:
        return rein_mhd_reply(request, status, "text/plain", "Service Unavailable\n");
    default:
        return rein_mhd_reply(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "text/plain",
                              "Internal Server Error\n");
    }
}
