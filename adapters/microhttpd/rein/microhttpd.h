/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/microhttpd.h: an HTTP server that gives every request a context.
 *
 * The context of a request is done when its client hangs up, when its time is over, when the server
 * shuts down, or when the base context is done, whichever comes first; and at the latest when the
 * request is over. What the handler does under it stops with it.
 *
 *     static enum MHD_Result search(const rein_ctx *ctx, rein_mhd_request *request,
 *                                   const char *upload, size_t *upload_size, void *arg)
 *     {
 *         char *page;
 *         int r = find(ctx, arg, rein_mhd_argument(request, "q"), &page);
 *         if (rein_done(ctx))
 *             return rein_mhd_reply_done(request);           // 504, 503, or nobody to answer
 *         return rein_mhd_reply(request, r < 0 ? 500 : 200, "text/plain", r < 0 ? "" : page);
 *     }
 *
 *     struct rein_mhd_options options = {
 *         .size = sizeof(options), .port = 8080, .limit = 5 * REIN_SECOND, .handler = search};
 *     rein_mhd_server *server;
 *     int r = rein_mhd_start(base, &options, &server);
 *     ...
 *     rein_ctx *grace = rein_with_timeout(rein_background(), 10 * REIN_SECOND);
 *     r = rein_mhd_shutdown(grace, server);                   // 0: everybody got his answer
 *     rein_end(grace);
 *     rein_mhd_free(server);
 *
 * The server runs on threads of libmicrohttpd's: one for each connection, or a few that share them.
 * Beside these one thread watches for clients that leave (<rein/hangup.h>). The program should
 * ignore SIGPIPE, as with libmicrohttpd itself.
 *
 * Unless a function says otherwise any thread may call it, but not from a signal handler; it never
 * blocks, and leaves errno alone. Functions of a request may be called until its `completed` hook
 * has returned, or for as long as a reference to it is held. */
#ifndef REIN_MICROHTTPD_H
#define REIN_MICROHTTPD_H

#include <microhttpd.h>
#include <rein/base.h>
#include <rein/context.h>
#include <rein/hangup.h>
#include <rein/time.h>

REIN_BEGIN_DECLS

typedef struct rein_mhd_server rein_mhd_server;
typedef struct rein_mhd_request rein_mhd_request;

/* ---- A server -------------------------------------------------------------------------------- */

/* Answer a request, under its context, on a thread of the server's. Called once when there is no
 * body; else once for each piece of it, in `upload` and *upload_size, of which the handler sets
 * *upload_size to what it left over (0: nothing), and once more at its end with *upload_size 0.
 * On the call with *upload_size 0 the handler answers, with a rein_mhd_reply function, or suspends
 * the request. Not called for a request whose context is done before it begins.
 * Returns  MHD_YES, or MHD_NO to close the connection without an answer */
typedef enum MHD_Result rein_mhd_handler_fn(const rein_ctx *ctx, rein_mhd_request *request,
                                            const char *upload, size_t *upload_size, void *arg);

/* Give a new request more values, before its handler: a trace, a user.
 * Returns  a view, which the server gives back with rein_unref(): rein_with_value(ctx, ...), or
 *          rein_ref(ctx) if there is nothing to add; NULL counts as that */
typedef const rein_ctx *rein_mhd_begin_fn(const rein_ctx *ctx, rein_mhd_request *request,
                                          void *arg);

/* A request is over, however it went; for a log. ctx is as the request left it: if it is done,
 * rein_mhd_status(ctx) and rein_explain(ctx) say why. MHD_REQUEST_TERMINATED_COMPLETED_OK is no
 * proof that the client got the answer. Runs on a thread of the server's, and must be short. */
typedef void rein_mhd_completed_fn(const rein_ctx *ctx, rein_mhd_request *request,
                                   enum MHD_RequestTerminationCode how, void *arg);

/* How a header says how long the client will wait. */
enum rein_mhd_timeout_format {
    REIN_MHD_TIMEOUT_GRPC = 0,         /* "150m", "10S": grpc-timeout */
    REIN_MHD_TIMEOUT_MILLISECONDS = 1, /* "1500": x-envoy-expected-rq-timeout-ms and its like */
    REIN_MHD_TIMEOUT_SECONDS = 2,      /* "3" */
    REIN_MHD_TIMEOUT_DURATION = 3,     /* "1.5s": as rein_parse_duration() */
};

/* Flags of struct rein_mhd_options. */
enum {
    REIN_MHD_HALF_CLOSE_OK = 1,  /* a client that only stopped sending has not left */
    REIN_MHD_STRICT_TIMEOUT = 2, /* an unreadable timeout header is answered 400, not ignored */
    REIN_MHD_NO_WATCH = 4,       /* do not watch for clients that leave; saves the thread */
};

/* How to serve. Zero in a field is its default; only size and handler are needed. What pointers
 * point to is copied, except the args and what mhd_options point to. */
struct rein_mhd_options {
    size_t size; /* sizeof(struct rein_mhd_options) */
    uint32_t flags;
    uint16_t port; /* 0: any; see rein_mhd_port(). Not looked at if there is an address */
    uint16_t reserved;
    /* 0: one thread for each connection, so that handlers may block. n: n threads that share the
     * connections; a handler that blocks holds up the others of its thread. Requests can be
     * suspended only with n > 0. */
    unsigned threads;
    uint32_t timeout_format; /* enum rein_mhd_timeout_format */
    /* A header by which a client may shorten (never lengthen) its limit: "grpc-timeout". NULL: none
     * is believed. One that appears twice is unreadable. */
    const char *timeout_header;
    rein_duration limit; /* the most a request may take, from its headers on. 0: no limit */
    rein_mhd_handler_fn *handler;
    rein_mhd_begin_fn *begin;         /* NULL: no more values */
    rein_mhd_completed_fn *completed; /* NULL: nothing to do */
    void *arg;                        /* for the three of them */
    const struct sockaddr *address;   /* NULL: 127.0.0.1 */
    unsigned mhd_flags;               /* more MHD_FLAGs: MHD_USE_TLS, MHD_USE_ERROR_LOG */
    uint32_t reserved_flags;
    const struct MHD_OptionItem *mhd_options; /* more options, up to MHD_OPTION_END. Not
                                               * MHD_OPTION_NOTIFY_COMPLETED, and none about
                                               * threads or addresses */
};

/* Start a server whose requests live under base, of which it holds a view.
 *
 * Returns  0; *ret_server is to be given back with rein_mhd_free()
 * Errors   -ECANCELED, -ETIMEDOUT  base is done
 *          -EINVAL  an argument is NULL, options->size none that is known, or no handler is given
 *          -ENOMEM, -EMFILE, -ENFILE, -EAGAIN (no thread to be had)
 *          -EADDRINUSE, -EACCES or -EIO as libmicrohttpd could not be started */
REIN_API REIN_NODISCARD int rein_mhd_start(const rein_ctx *base,
                                           const struct rein_mhd_options *options,
                                           rein_mhd_server **ret_server);

/* The port it listens on; 0 after a shutdown. Not while another thread shuts down. */
REIN_API uint16_t rein_mhd_port(rein_mhd_server *server);

/* The daemon, for libmicrohttpd's own calls; not to be stopped or quiesced. NULL after a
 * shutdown. */
REIN_API struct MHD_Daemon *rein_mhd_daemon(rein_mhd_server *server);

/* How many requests are being served. */
REIN_API unsigned rein_mhd_active(rein_mhd_server *server);

/* Whether a shutdown has begun; answers from then on close their connection. */
REIN_API bool rein_mhd_draining(const rein_mhd_server *server);

/* Shut down: take no new connection (they are refused at once), serve what is being served until
 * ctx is done, then cancel the rest with cause rein_mhd_shutting_down, give it a moment to
 * send its 503, and stop. ctx is the grace, so that a done one grants none. Of several calls one
 * does it; the others wait for that. Not from a handler or hook.
 *
 * Returns  0, all requests were served
 * Errors   -ECANCELED, -ETIMEDOUT  ctx was done first, and what was left has been cut off. The
 *          server has stopped all the same
 * Blocks   until the server has stopped: longer than ctx if handlers do not obey theirs */
REIN_API int rein_mhd_shutdown(const rein_ctx *ctx, rein_mhd_server *server);

/* Give a server back, shutting it down without grace if that was not done. NULL is fine. No other
 * call may be using the server; references to requests stay valid.
 * Blocks   as rein_mhd_shutdown() */
REIN_API void rein_mhd_free(rein_mhd_server *server);

/* The cause of a shutdown: "server shutting down", -ESHUTDOWN. Static; compare addresses. */
REIN_API extern const rein_reason rein_mhd_shutting_down;

/* The cause when libmicrohttpd gave up on a slow connection: "connection timed out", -ETIMEDOUT. */
REIN_API extern const rein_reason rein_mhd_connection_timeout;

/* ---- A request ------------------------------------------------------------------------------- */

/* Its context (borrowed), the connection, and what the client asked for. Strings are the
 * request's; url is without what follows the question mark. */
REIN_API REIN_RETURNS_NONNULL const rein_ctx *rein_mhd_context(const rein_mhd_request *request);
REIN_API struct MHD_Connection *rein_mhd_connection(const rein_mhd_request *request);
REIN_API const char *rein_mhd_url(const rein_mhd_request *request);
REIN_API const char *rein_mhd_method(const rein_mhd_request *request);

/* The first argument of that name behind the question mark, and the first header; NULL if there is
 * none, "" for an argument without a value. From the handler and the hooks only. */
REIN_API const char *rein_mhd_argument(const rein_mhd_request *request, const char *name);
REIN_API const char *rein_mhd_header(const rein_mhd_request *request, const char *name);

/* The number of the request that ctx works for, counted from 1 in each process; 0 if ctx is not
 * below the context of a request. It travels as a value: any derived context knows it. */
REIN_API uint64_t rein_mhd_request_id(const rein_ctx *ctx);

/* The handler's own object for the request, such as a half-read body; drop (may be NULL) gets it
 * with the last reference, or when another takes its place. From the handler and the hooks only. */
REIN_API void rein_mhd_set_user(rein_mhd_request *request, void *object, rein_drop_fn *drop);
REIN_API void *rein_mhd_user(const rein_mhd_request *request);

/* ---- Answers --------------------------------------------------------------------------------- */

/* The HTTP status for what ended ctx: 504 for a deadline; 503 for a shutdown and for a shortage
 * (cause code -ENOMEM or -EAGAIN); 499 for a client that left, which nobody can be told and is for
 * the log; 500 for any other cancel; 0 while ctx is live. */
REIN_API unsigned rein_mhd_status(const rein_ctx *ctx);

/* Queue an answer, from the handler. `text` is copied. Returns what the handler is to return;
 * MHD_NO if memory is short. */
REIN_API enum MHD_Result rein_mhd_reply(rein_mhd_request *request, unsigned status,
                                        const char *content_type, const char *text);

/* The same with a response of your own, which stays yours; while the server is draining it gets a
 * "Connection: close", so it must not be shared with other requests. */
REIN_API enum MHD_Result rein_mhd_queue(rein_mhd_request *request, unsigned status,
                                        struct MHD_Response *response);

/* The answer of a request whose context is done: rein_mhd_status() with its name as text, or, for a
 * client that left, the end of the connection. A request that was cancelled because the server's
 * base was, for whatever reason, is answered 503; one whose context is live, 500. */
REIN_API enum MHD_Result rein_mhd_reply_done(rein_mhd_request *request);

/* ---- Answering later ------------------------------------------------------------------------- */

/* Give the server's thread free while others work for the request; from the handler, which then
 * returns MHD_YES and is called again (with *upload_size 0) after a resume. A request whose context
 * becomes done is resumed by itself. A resume is no promise that the handler runs again: the client
 * may be gone. Whoever resumes holds a reference.
 *
 * Returns  0
 * Errors   -ENOTSUP  the server runs one thread for each connection */
REIN_API REIN_NODISCARD int rein_mhd_suspend(rein_mhd_request *request);

/* Resume it; does nothing if it is not suspended (any more). */
REIN_API void rein_mhd_resume(rein_mhd_request *request);

/* A reference to keep a request and its context valid beyond its end, for another thread; never
 * its connection. Both accept NULL. */
REIN_API rein_mhd_request *rein_mhd_request_ref(rein_mhd_request *request);
REIN_API void rein_mhd_request_unref(rein_mhd_request *request);

/* ---- Timeouts in headers --------------------------------------------------------------------- */

/* Read a timeout as a header carries it; blanks around it are skipped. Needs no server.
 *
 * Returns  0; *ret_timeout is at least 0, and REIN_FOREVER if it is longer than can be said
 * Errors   -EINVAL  text is NULL, not of that format, or negative; *ret_timeout is untouched */
REIN_API REIN_NODISCARD int rein_mhd_parse_timeout(const char *text,
                                                   enum rein_mhd_timeout_format format,
                                                   rein_duration *ret_timeout);

REIN_END_DECLS

#endif
