/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* server.c: a daemon of libmicrohttpd's, and the order in which to shut it down.
 *
 * Stopping the daemon joins its threads and throws away what their handlers answer; so it comes
 * last, when every request has been served or told to stop. */
#include "private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rein/wait.h>

/* After the grace: how long those who were told to stop get to have their answer sent. */
#define LINGER (500 * REIN_MILLISECOND)

const rein_reason rein_mhd_shutting_down = REIN_REASON_INIT(-ESHUTDOWN, "server shutting down");

/* ---- Who is being served --------------------------------------------------------------------- */

void reini_mhd_server_enter(rein_mhd_server *server, rein_mhd_request *request)
{
    pthread_mutex_lock(&server->lock);
    server->n_active++;
    request->next = server->active;
    request->link = &server->active;
    if (request->next)
        request->next->link = &request->next;
    server->active = request;
    pthread_mutex_unlock(&server->lock);
}

void reini_mhd_server_leave(rein_mhd_server *server, rein_mhd_request *request)
{
    pthread_mutex_lock(&server->lock);
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    if (--server->n_active == 0 && server->idle)
        rein_cancel(server->idle); /* nobody's code hangs on it */
    pthread_mutex_unlock(&server->lock);
}

/* Wait until nobody is being served: 0, or an err when ctx is done first. */
static int wait_idle(const rein_ctx *ctx, rein_mhd_server *server)
{
    rein_ctx *idle = rein_with_cancel(ctx);

    pthread_mutex_lock(&server->lock);
    bool done = server->n_active == 0;
    server->idle = idle;
    pthread_mutex_unlock(&server->lock);

    int r = done ? 0 : rein_wait(idle);

    pthread_mutex_lock(&server->lock);
    server->idle = NULL;
    done = done || server->n_active == 0;
    pthread_mutex_unlock(&server->lock);
    rein_end(idle);
    return done ? 0 : r;
}

/* ---- Starting -------------------------------------------------------------------------------- */

static int start_daemon(rein_mhd_server *server)
{
    const struct rein_mhd_options *options = &server->options;
    struct sockaddr_in loopback = {
        .sin_family = AF_INET,
        .sin_port = htons(options->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const struct sockaddr *address =
        options->address ? options->address : (const struct sockaddr *)&loopback;
    unsigned flags = options->mhd_flags | MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_ITC | (address->sa_family == AF_INET6 ? MHD_USE_IPv6 : 0u) |
                     (options->threads ? MHD_ALLOW_SUSPEND_RESUME : MHD_USE_THREAD_PER_CONNECTION);
    /* A pool of one is an ordinary polling thread, and libmicrohttpd complains of it. */
    unsigned pool = options->threads > 1 ? options->threads : 0;
    const struct MHD_OptionItem none = {MHD_OPTION_END, 0, NULL};

    errno = 0;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, options->port, NULL, NULL, reini_mhd_access, server, MHD_OPTION_NOTIFY_COMPLETED,
        reini_mhd_completed, server, MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_THREAD_POOL_SIZE,
        pool, MHD_OPTION_ARRAY, options->mhd_options ? options->mhd_options : &none,
        MHD_OPTION_END);
    if (daemon) {
        pthread_mutex_lock(&server->lock); /* handlers may be running, and asking for it */
        server->daemon = daemon;
        pthread_mutex_unlock(&server->lock);
        return 0;
    }
    switch (errno) {
    case EADDRINUSE:
    case EACCES:
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return -errno;
    default:
        return -EIO;
    }
}

static void server_free(rein_mhd_server *server)
{
    rein_hangup_free(server->watcher);
    if (server->no_memory)
        MHD_destroy_response(server->no_memory);
    rein_end(server->base);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->stopped);
    free((void *)(uintptr_t)server->options.timeout_header);
    free(server);
}

static int server_make(rein_mhd_server *server, const rein_ctx *base)
{
    static const char unavailable[] = "Service Unavailable\n";

    if (server->options.timeout_header) {
        server->options.timeout_header = strdup(server->options.timeout_header);
        if (!server->options.timeout_header)
            return -ENOMEM;
    }
    server->base = rein_with_cancel(base);
    if (rein_done(server->base)) {
        int err = rein_check(base);
        return err ? err : rein_cause(server->base)->code; /* the failed context's: no memory */
    }
    server->no_memory = MHD_create_response_from_buffer(
        sizeof(unavailable) - 1, (void *)(uintptr_t)unavailable, MHD_RESPMEM_PERSISTENT);
    if (!server->no_memory || MHD_add_response_header(server->no_memory, MHD_HTTP_HEADER_CONNECTION,
                                                      "close") != MHD_YES)
        return -ENOMEM;
    if (!(server->options.flags & REIN_MHD_NO_WATCH)) {
        int r = rein_hangup_new(&server->watcher);
        if (r < 0)
            return r;
    }
    return start_daemon(server);
}

int rein_mhd_start(const rein_ctx *base, const struct rein_mhd_options *options,
                   rein_mhd_server **ret_server)
{
    if (!options || !ret_server || options->size != sizeof(*options) || !options->handler)
        return -EINVAL;
    int err = rein_check(base);
    if (err)
        return err;
    int saved_errno = errno;
    rein_mhd_server *server = calloc(1, sizeof(*server));
    int r = server ? 0 : -ENOMEM;
    if (server) {
        server->options = *options;
        pthread_mutex_init(&server->lock, NULL);
        pthread_cond_init(&server->stopped, NULL);
        r = server_make(server, base);
        if (r < 0)
            server_free(server);
        else
            *ret_server = server;
    }
    errno = saved_errno;
    return r;
}

/* ---- Shutting down --------------------------------------------------------------------------- */

/* Refuse new connections, at once and with a word. Quiescing alone leaves the socket listening, and
 * its backlog takes clients in that nobody will ever answer. Closing it has to wait: threads of the
 * daemon's may still be looking at it. */
static int stop_listening(rein_mhd_server *server)
{
    int fd = MHD_quiesce_daemon(server->daemon);
    if (fd >= 0)
        shutdown(fd, SHUT_RD);
    return fd;
}

/* libmicrohttpd aborts the process when a daemon is stopped while a connection is suspended. The
 * cancel has resumed all of them, or another thread is about to; after this none is left. */
static void resume_all(rein_mhd_server *server)
{
    pthread_mutex_lock(&server->lock);
    for (rein_mhd_request *request = server->active; request; request = request->next)
        rein_mhd_resume(request);
    pthread_mutex_unlock(&server->lock);
}

static void stop_serving(rein_mhd_server *server)
{
    rein_cancel_cause(server->base, &rein_mhd_shutting_down);
    resume_all(server);

    if (rein_mhd_active(server) > 0) {
        rein_ctx *linger = rein_with_timeout(rein_background(), LINGER);
        (void)wait_idle(linger, server);
        rein_end(linger);
    }
    MHD_stop_daemon(server->daemon);
}

/* Whether it is this call that shuts down; if not, the server has stopped when this returns. */
static bool shutdown_begin(rein_mhd_server *server)
{
    pthread_mutex_lock(&server->lock);
    bool ours = server->phase == SERVING;
    if (ours) {
        server->phase = DRAINING;
        atomic_store(&server->draining, true);
    }
    while (!ours && server->phase != STOPPED)
        pthread_cond_wait(&server->stopped, &server->lock);
    pthread_mutex_unlock(&server->lock);
    return ours;
}

int rein_mhd_shutdown(const rein_ctx *ctx, rein_mhd_server *server)
{
    if (!shutdown_begin(server))
        return 0;
    int saved_errno = errno;
    int listening = stop_listening(server);
    int r = wait_idle(ctx, server);
    stop_serving(server);
    if (listening >= 0)
        close(listening);

    pthread_mutex_lock(&server->lock);
    server->daemon = NULL;
    server->phase = STOPPED;
    pthread_cond_broadcast(&server->stopped);
    pthread_mutex_unlock(&server->lock);
    errno = saved_errno;
    return r;
}

void rein_mhd_free(rein_mhd_server *server)
{
    if (!server)
        return;
    rein_ctx *no_grace = rein_with_cancel(rein_background());
    rein_cancel(no_grace);
    (void)rein_mhd_shutdown(no_grace, server);
    rein_end(no_grace);
    server_free(server);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

struct MHD_Daemon *rein_mhd_daemon(rein_mhd_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct MHD_Daemon *daemon = server->daemon;
    pthread_mutex_unlock(&server->lock);
    return daemon;
}

uint16_t rein_mhd_port(rein_mhd_server *server)
{
    struct MHD_Daemon *daemon = rein_mhd_daemon(server);
    const union MHD_DaemonInfo *info =
        daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    return info ? info->port : 0;
}

unsigned rein_mhd_active(rein_mhd_server *server)
{
    pthread_mutex_lock(&server->lock);
    unsigned n = server->n_active;
    pthread_mutex_unlock(&server->lock);
    return n;
}

bool rein_mhd_draining(const rein_mhd_server *server)
{
    return atomic_load(&server->draining);
}
