/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* private.h: a server and its requests, for the files of this adapter.
 *
 * Threads. A request lives on the thread of libmicrohttpd's that serves its connection: the handler
 * and the hooks run there, one at a time. Others meet it in three ways, each ended before the
 * request is given back: the hang-up watcher (removed first), whoever ends its context (the
 * callback `on_done`, removed next), and whoever holds a reference.
 *
 * Locks. A server's lock before a request's; neither is held while user code runs. libmicrohttpd's
 * own locks come last: it is called with a request's lock held to resume, and never calls back with
 * one of its own held that resuming takes. */
#ifndef REIN_MHD_PRIVATE_H
#define REIN_MHD_PRIVATE_H

#include <rein/after.h>
#include <rein/microhttpd.h>

#include <pthread.h>
#include <stdatomic.h>

enum phase { SERVING, DRAINING, STOPPED };

struct rein_mhd_server {
    struct rein_mhd_options options; /* set once; strings in it are the server's */
    rein_ctx *base;                  /* set once: cancelled by a shutdown, above all requests */
    rein_hangup *watcher;            /* set once; NULL: clients are not watched */
    struct MHD_Response *no_memory;  /* set once: a 503 that needs none */
    atomic_bool draining;            /* set under the lock; read by answers without it */
    pthread_mutex_t lock;            /* guards what follows */
    struct MHD_Daemon *daemon;       /* NULL once stopped; a shutdown uses it without the lock */
    pthread_cond_t stopped;          /* phase has become STOPPED */
    enum phase phase;
    unsigned n_active;
    rein_mhd_request *active; /* list */
    rein_ctx *idle;           /* to be cancelled when n_active falls to 0; NULL: nobody waits */
};

struct rein_mhd_request {
    atomic_uint references;
    rein_mhd_server *server; /* not after the request's end */
    rein_ctx *owner;         /* set once: what a hang-up cancels */
    const rein_ctx *ctx;     /* set once: the owner with the values */
    struct MHD_Connection *connection;
    const char *url; /* in text */
    const char *method;
    bool bad_timeout; /* the serving thread's, as the four below */
    bool gave_up;     /* the handler returned MHD_NO */
    bool armed;       /* on_done is linked, or has run */
    void *user;
    rein_drop_fn *drop_user;
    rein_hangup_watch watch;
    rein_callback on_done;
    pthread_mutex_t lock; /* guards `suspended`; held while resuming */
    bool suspended;
    rein_mhd_request *next; /* in server->active, by its lock */
    rein_mhd_request **link;
    char text[]; /* the method and the url */
};

/* libmicrohttpd's callbacks; cls is the server, *request_slot the request. */
enum MHD_Result reini_mhd_access(void *cls, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_size, void **request_slot);
void reini_mhd_completed(void *cls, struct MHD_Connection *connection, void **request_slot,
                         enum MHD_RequestTerminationCode how);

/* Make the request of a connection, with its context. NULL if memory is short. */
rein_mhd_request *reini_mhd_request_new(rein_mhd_server *server, struct MHD_Connection *connection,
                                        const char *url, const char *method);

/* Take the resuming callback out before the handler runs again or the request ends. */
void reini_mhd_request_disarm(rein_mhd_request *request);

/* Count a request in and out of what a shutdown waits for. */
void reini_mhd_server_enter(rein_mhd_server *server, rein_mhd_request *request);
void reini_mhd_server_leave(rein_mhd_server *server, rein_mhd_request *request);

#endif
