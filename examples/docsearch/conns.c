/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* conns.c: see conns.h.
 *
 * One who waits stands in line with a context of its own, its turn, which is cancelled to say that
 * its connection has come: a context is an event that happens once, and rein_wait_any() waits for
 * it and for the end of the request at the same time.
 *
 * Locking. The mutex guards the two lists and every waiter's conn. A grant is made under it, and
 * whoever stops waiting looks under it whether one was made meanwhile. So a connection is either
 * in the idle list or in somebody's hands, also when grant and end meet, and no wake-up is lost. */
#include "conns.h"

#include "db.h"

#include <errno.h>
#include <pthread.h>
#include <rein/wait.h>
#include <stdlib.h>

struct waiter {
    rein_ctx *turn;
    struct conn *conn; /* NULL until one is granted */
    struct waiter *next;
};

struct conns {
    pthread_mutex_t mutex;
    struct conn *idle;    /* the one given back last is taken first: its cache is warm */
    struct waiter *first; /* the line; empty unless idle is */
    int n;
    struct conn all[];
};

int conns_open(const rein_ctx *ctx, const char *database, int n, struct conns **ret_conns)
{
    struct conns *conns = calloc(1, sizeof *conns + (size_t)n * sizeof conns->all[0]);
    if (!conns)
        return -ENOMEM;
    pthread_mutex_init(&conns->mutex, NULL);
    while (conns->n < n) {
        struct conn *conn = &conns->all[conns->n];
        int r = db_open(ctx, database, &conn->db);
        if (r < 0) {
            conns_close(conns);
            return r;
        }
        conn->number = ++conns->n;
        conns_give(conns, conn);
    }
    *ret_conns = conns;
    return 0;
}

void conns_close(struct conns *conns)
{
    if (!conns)
        return;
    for (int i = 0; i < conns->n; i++)
        db_close(conns->all[i].db);
    pthread_mutex_destroy(&conns->mutex);
    free(conns);
}

/* Join the end of the line. Call with the mutex held. */
static void enqueue(struct conns *conns, struct waiter *waiter)
{
    struct waiter **end = &conns->first;
    while (*end)
        end = &(*end)->next;
    *end = waiter;
}

/* Leave the line, from wherever one stands. Call with the mutex held. */
static void dequeue(struct conns *conns, struct waiter *waiter)
{
    struct waiter **at = &conns->first;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
}

/* Wait in line until a connection is granted or ctx is done. Call with the mutex held; returns
 * without it. */
static int wait_in_line(struct conns *conns, const rein_ctx *ctx, struct conn **ret_conn)
{
    struct waiter waiter = {.turn = rein_with_cancel(rein_background())};
    enqueue(conns, &waiter);
    pthread_mutex_unlock(&conns->mutex);

    rein_case turn = REIN_CASE_DONE(waiter.turn);
    int r = rein_wait_any(ctx, &turn, 1);

    pthread_mutex_lock(&conns->mutex);
    if (!waiter.conn)
        dequeue(conns, &waiter);
    pthread_mutex_unlock(&conns->mutex);
    rein_end(waiter.turn);

    /* What was granted is kept, also if ctx was done meanwhile. A turn without a connection is the
     * failed context: there was no memory for a turn. */
    if (!waiter.conn)
        return r < 0 ? r : -ENOMEM;
    *ret_conn = waiter.conn;
    return 0;
}

int conns_take(struct conns *conns, const rein_ctx *ctx, struct conn **ret_conn)
{
    if (rein_done(ctx))
        return rein_err(ctx);
    pthread_mutex_lock(&conns->mutex);
    struct conn *conn = conns->idle;
    if (!conn)
        return wait_in_line(conns, ctx, ret_conn);
    conns->idle = conn->next;
    pthread_mutex_unlock(&conns->mutex);
    *ret_conn = conn;
    return 0;
}

void conns_give(struct conns *conns, struct conn *conn)
{
    pthread_mutex_lock(&conns->mutex);
    struct waiter *waiter = conns->first;
    if (waiter) {
        dequeue(conns, waiter);
        waiter->conn = conn;
        rein_cancel(waiter->turn); /* still under the mutex: after it the waiter may be gone */
    } else {
        conn->next = conns->idle;
        conns->idle = conn;
    }
    pthread_mutex_unlock(&conns->mutex);
}
