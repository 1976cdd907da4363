/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* request.c: one request, from its headers to its last reference.
 *
 * The context is made of the server's base, the time limit and the values. The hang-up watcher has
 * its owner for as long as the connection is the request's, and is made to let go before the
 * descriptor is closed or goes on to the next request. */
#include "private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <rein/value.h>

static int print_id(const void *value, char *buf, size_t size)
{
    return snprintf(buf, size, "%llu", (unsigned long long)*(const uint64_t *)value);
}

static const rein_key request_id_key = {
    .name = "request",
    .kind = REIN_VALUE_COPY,
    .size = sizeof(uint64_t),
    .print = print_id,
};

uint64_t rein_mhd_request_id(const rein_ctx *ctx)
{
    const uint64_t *id = rein_value(ctx, &request_id_key);
    return id ? *id : 0;
}

/* ---- Its time -------------------------------------------------------------------------------- */

struct header_search {
    const char *name;
    const char *value;
    unsigned n_found;
};

static enum MHD_Result look_at_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    struct header_search *search = cls;

    (void)kind;
    if (strcasecmp(name, search->name) == 0) {
        search->value = value;
        search->n_found++;
    }
    return MHD_YES;
}

/* The server's limit, shortened by the client's header if the server believes one. Two headers of
 * that name contradict each other, and neither is better. */
static rein_duration time_limit(const rein_mhd_server *server, struct MHD_Connection *connection,
                                bool *ret_bad)
{
    const struct rein_mhd_options *options = &server->options;
    rein_duration limit = options->limit > 0 ? options->limit : REIN_FOREVER;
    struct header_search search = {.name = options->timeout_header};
    rein_duration asked;

    *ret_bad = false;
    if (!search.name)
        return limit;
    MHD_get_connection_values(connection, MHD_HEADER_KIND, look_at_header, &search);
    if (search.n_found == 0)
        return limit;
    int r = rein_mhd_parse_timeout(search.value,
                                   (enum rein_mhd_timeout_format)options->timeout_format, &asked);
    if (r < 0 || search.n_found > 1) {
        *ret_bad = true;
        return limit;
    }
    return asked < limit ? asked : limit;
}

/* ---- Its beginning --------------------------------------------------------------------------- */

/* The owner with the request's id and what the program adds. */
static const rein_ctx *with_values(rein_mhd_request *request)
{
    static atomic_uint_fast64_t last_id; /* by all servers of the process */
    const struct rein_mhd_options *options = &request->server->options;
    uint64_t id = atomic_fetch_add(&last_id, 1) + 1;

    const rein_ctx *numbered = rein_with_value(request->owner, &request_id_key, &id);
    if (!options->begin)
        return numbered;
    request->ctx = numbered; /* the hook may ask for it */
    const rein_ctx *ctx = options->begin(numbered, request, options->arg);
    if (!ctx)
        return numbered;
    rein_unref(numbered);
    return ctx;
}

static void watch_client(rein_mhd_request *request)
{
    rein_mhd_server *server = request->server;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    unsigned flags =
        server->options.flags & REIN_MHD_HALF_CLOSE_OK ? REIN_HANGUP_HALF_CLOSE_OK : 0u;

    if (!server->watcher || !info)
        return;
    int r = rein_hangup_add(server->watcher, &request->watch, info->connect_fd, request->owner,
                            flags);
    (void)r; /* failing to watch is no reason to refuse: the request runs to its limit then */
}

rein_mhd_request *reini_mhd_request_new(rein_mhd_server *server, struct MHD_Connection *connection,
                                        const char *url, const char *method)
{
    size_t method_size = strlen(method) + 1;
    size_t url_size = strlen(url) + 1;
    rein_mhd_request *request = calloc(1, sizeof(*request) + method_size + url_size);
    if (!request)
        return NULL;
    request->method = memcpy(request->text, method, method_size);
    request->url = memcpy(request->text + method_size, url, url_size);
    atomic_init(&request->references, 1);
    request->server = server;
    request->connection = connection;
    pthread_mutex_init(&request->lock, NULL);
    rein_duration limit = time_limit(server, connection, &request->bad_timeout);
    request->owner = rein_with_timeout(server->base, limit);
    request->ctx = with_values(request);
    watch_client(request);
    return request;
}

/* ---- Answering later ------------------------------------------------------------------------- */

void rein_mhd_resume(rein_mhd_request *request)
{
    /* The lock is held to the end of libmicrohttpd's call, so that the request cannot be over, and
     * the daemon gone, before this thread has left it: disarm() takes the lock. */
    pthread_mutex_lock(&request->lock);
    if (request->suspended) {
        request->suspended = false;
        MHD_resume_connection(request->connection);
    }
    pthread_mutex_unlock(&request->lock);
}

static void resume_when_done(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    rein_mhd_resume(arg);
}

int rein_mhd_suspend(rein_mhd_request *request)
{
    if (request->server->options.threads == 0)
        return -ENOTSUP;
    pthread_mutex_lock(&request->lock);
    MHD_suspend_connection(request->connection);
    request->suspended = true;
    pthread_mutex_unlock(&request->lock);
    reini_mhd_request_disarm(request);
    request->armed = true;
    rein_callback_add(request->ctx, &request->on_done, resume_when_done, request);
    return 0;
}

void reini_mhd_request_disarm(rein_mhd_request *request)
{
    if (request->armed) {
        request->armed = false;
        rein_callback_remove(&request->on_done);
    }
    pthread_mutex_lock(&request->lock);
    pthread_mutex_unlock(&request->lock);
}

/* ---- Its end --------------------------------------------------------------------------------- */

rein_mhd_request *rein_mhd_request_ref(rein_mhd_request *request)
{
    if (request)
        atomic_fetch_add_explicit(&request->references, 1, memory_order_relaxed);
    return request;
}

void rein_mhd_request_unref(rein_mhd_request *request)
{
    /* acq_rel: what other holders did with the request comes before it is taken apart */
    if (!request ||
        atomic_fetch_sub_explicit(&request->references, 1, memory_order_acq_rel) != 1)
        return;
    rein_mhd_set_user(request, NULL, NULL);
    rein_unref(request->ctx);
    rein_end(request->owner);
    pthread_mutex_destroy(&request->lock);
    free(request);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

void rein_mhd_set_user(rein_mhd_request *request, void *object, rein_drop_fn *drop)
{
    if (request->drop_user && request->user)
        request->drop_user(request->user);
    request->user = object;
    request->drop_user = drop;
}

void *rein_mhd_user(const rein_mhd_request *request)
{
    return request->user;
}

const rein_ctx *rein_mhd_context(const rein_mhd_request *request)
{
    return request->ctx;
}

struct MHD_Connection *rein_mhd_connection(const rein_mhd_request *request)
{
    return request->connection;
}

const char *rein_mhd_url(const rein_mhd_request *request)
{
    return request->url;
}

const char *rein_mhd_method(const rein_mhd_request *request)
{
    return request->method;
}

const char *rein_mhd_argument(const rein_mhd_request *request, const char *name)
{
    const char *value =
        MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
    if (value)
        return value;
    /* libmicrohttpd says NULL for "?name" too; ask whether it is there at all */
    return MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name,
                                         strlen(name), &value, NULL) == MHD_YES
               ? ""
               : NULL;
}

const char *rein_mhd_header(const rein_mhd_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}
