/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* serve.c: what libmicrohttpd calls: a request begins, goes on, is over. */
#include "private.h"

#include <errno.h>

const rein_reason rein_mhd_connection_timeout =
    REIN_REASON_INIT(-ETIMEDOUT, "connection timed out");

/* The first call: the headers are there. */
static enum MHD_Result begin(rein_mhd_server *server, struct MHD_Connection *connection,
                             const char *url, const char *method, void **request_slot)
{
    rein_mhd_request *request = reini_mhd_request_new(server, connection, url, method);

    if (!request)
        return MHD_queue_response(connection, MHD_HTTP_SERVICE_UNAVAILABLE, server->no_memory);
    reini_mhd_server_enter(server, request);
    *request_slot = request;
    if (request->bad_timeout && (server->options.flags & REIN_MHD_STRICT_TIMEOUT))
        return rein_mhd_reply(request, MHD_HTTP_BAD_REQUEST, "text/plain", "Bad timeout header\n");
    if (rein_done(request->ctx))
        return rein_mhd_reply_done(request);
    return MHD_YES;
}

enum MHD_Result reini_mhd_access(void *cls, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_size, void **request_slot)
{
    rein_mhd_server *server = cls;
    rein_mhd_request *request = *request_slot;

    (void)version;
    if (!request)
        return begin(server, connection, url, method, request_slot);
    reini_mhd_request_disarm(request);
    enum MHD_Result r =
        server->options.handler(request->ctx, request, upload, upload_size, server->options.arg);
    request->gave_up = r == MHD_NO;
    return r;
}

/* Why the context of a request ends that libmicrohttpd is through with; NULL: it is simply over. */
static const rein_reason *reason_of(const rein_mhd_request *request,
                                    enum MHD_RequestTerminationCode how)
{
    switch (how) {
    case MHD_REQUEST_TERMINATED_COMPLETED_OK:
        return NULL;
    case MHD_REQUEST_TERMINATED_TIMEOUT_REACHED:
        return &rein_mhd_connection_timeout;
    case MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN:
        return &rein_mhd_shutting_down;
    case MHD_REQUEST_TERMINATED_WITH_ERROR:
    case MHD_REQUEST_TERMINATED_READ_ERROR:
    case MHD_REQUEST_TERMINATED_CLIENT_ABORT:
    default:
        /* unless it was the handler that hung up */
        return request->gave_up ? NULL : &rein_hangup_client_gone;
    }
}

void reini_mhd_completed(void *cls, struct MHD_Connection *connection, void **request_slot,
                         enum MHD_RequestTerminationCode how)
{
    rein_mhd_server *server = cls;
    rein_mhd_request *request = *request_slot;

    (void)connection;
    if (!request)
        return;
    *request_slot = NULL;
    rein_hangup_remove(&request->watch);
    reini_mhd_request_disarm(request);
    const rein_reason *reason = reason_of(request, how);
    if (reason)
        rein_cancel_cause(request->owner, reason);
    if (server->options.completed)
        server->options.completed(request->ctx, request, how, server->options.arg);
    reini_mhd_server_leave(server, request);
    /* Whoever still works for it is to stop; if nobody does, there is nothing to cancel. */
    if (atomic_load(&request->references) > 1)
        rein_cancel(request->owner);
    rein_mhd_request_unref(request);
}
