/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* testing_microhttpd.h: a server under test on the loopback, and a client of a few lines. */
#ifndef REIN_TESTING_MICROHTTPD_H
#define REIN_TESTING_MICROHTTPD_H

#include <rein.h>
#include <rein/microhttpd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testing.h"

/* What handlers and hooks of a test leave for it. */
struct seen {
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    unsigned n_begun; /* handler calls */
    unsigned n_over;  /* completed requests */
    int err;          /* of the last completed request, as are the next two */
    const char *cause;
    unsigned status;
    uint64_t id;
    rein_mhd_request *held; /* a reference, by handlers that suspend */
};

static struct seen seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static inline void seen_begun(void)
{
    pthread_mutex_lock(&seen.lock);
    seen.n_begun++;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
}

/* Wait until so many requests have begun and so many are over. */
static inline void wait_seen(unsigned n_begun, unsigned n_over)
{
    pthread_mutex_lock(&seen.lock);
    while (seen.n_begun < n_begun || seen.n_over < n_over)
        pthread_cond_wait(&seen.changed, &seen.lock);
    pthread_mutex_unlock(&seen.lock);
}

static inline void completed(const rein_ctx *ctx, rein_mhd_request *request,
                             enum MHD_RequestTerminationCode how, void *arg)
{
    (void)request;
    (void)how;
    (void)arg;
    pthread_mutex_lock(&seen.lock);
    seen.err = rein_err(ctx);
    seen.cause = rein_cause(ctx)->text;
    seen.status = rein_mhd_status(ctx);
    seen.id = rein_mhd_request_id(ctx);
    seen.n_over++;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
}

/* Answers at once. */
static inline enum MHD_Result greet(const rein_ctx *ctx, rein_mhd_request *request,
                                    const char *upload, size_t *upload_size, void *arg)
{
    (void)ctx;
    (void)upload;
    (void)arg;
    if (*upload_size) {
        *upload_size = 0;
        return MHD_YES;
    }
    seen_begun();
    return rein_mhd_reply(request, MHD_HTTP_OK, "text/plain", "hello\n");
}

/* Works until its context is done. */
static inline enum MHD_Result work(const rein_ctx *ctx, rein_mhd_request *request,
                                   const char *upload, size_t *upload_size, void *arg)
{
    (void)upload;
    (void)upload_size;
    (void)arg;
    seen_begun();
    (void)rein_wait(ctx);
    return rein_mhd_reply_done(request);
}

static inline struct rein_mhd_options options_for(rein_mhd_handler_fn *handler, unsigned threads)
{
    signal(SIGPIPE, SIG_IGN);
    return (struct rein_mhd_options){
        .size = sizeof(struct rein_mhd_options),
        .threads = threads,
        .handler = handler,
        .completed = completed,
    };
}

static inline rein_mhd_server *start(const struct rein_mhd_options *options)
{
    rein_mhd_server *server = NULL;
    int r = rein_mhd_start(rein_background(), options, &server);
    ck_assert_msg(r == 0, "rein_mhd_start: %d", r);
    ck_assert_uint_ne(rein_mhd_port(server), 0);
    return server;
}

static inline int try_connect(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int err = errno;
    close(fd);
    return -err;
}

/* Connect and send a GET with more header lines ("Name: value\r\n"). */
static inline int ask(rein_mhd_server *server, const char *headers)
{
    char request[512];
    int fd = try_connect(rein_mhd_port(server));
    ck_assert_int_ge(fd, 0);
    int n = snprintf(request, sizeof(request),
                     "GET /page?q=one&empty HTTP/1.1\r\nHost: x\r\n%s\r\n", headers);
    ck_assert_int_eq(send(fd, request, (size_t)n, MSG_NOSIGNAL), n);
    return fd;
}

/* Read one answer, or the end; its status, or 0 if there is none. The text is kept in buf. */
static inline int answer(int fd, char *buf, size_t size)
{
    size_t n = 0;
    buf[0] = '\0';
    for (;;) {
        ssize_t r = recv(fd, buf + n, size - 1 - n, 0);
        if (r <= 0)
            break;
        n += (size_t)r;
        buf[n] = '\0';
        const char *body = strstr(buf, "\r\n\r\n");
        const char *length = strstr(buf, "Content-Length: ");
        if (body && length && strlen(body + 4) >= (size_t)atoi(length + 16))
            break;
    }
    int status = 0;
    return sscanf(buf, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

static inline int answer_status(int fd)
{
    char buf[2048];
    int status = answer(fd, buf, sizeof(buf));
    close(fd);
    return status;
}

#endif
