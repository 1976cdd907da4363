/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* test_conns.c: however grants and ends meet, no connection is lost and none is had by two.
 *
 * More threads than connections take one for a moment, under deadlines that are about as long as
 * the line. In the end all connections must be there to be taken. */
#include "conns.h"

#include <errno.h>
#include <pthread.h>
#include <rein.h>
#include <stdatomic.h>
#include <stdio.h>

enum { CONNECTIONS = 2, THREADS = 8, ROUNDS = 400 };

static struct conns *conns;
static atomic_int users[CONNECTIONS + 1]; /* of each connection, by its number */
static atomic_int granted, ended, wrong;

static void use(const struct conn *conn, rein_duration d)
{
    if (atomic_fetch_add(&users[conn->number], 1) != 0)
        atomic_fetch_add(&wrong, 1);
    if (rein_sleep(rein_background(), d) != 0)
        atomic_fetch_add(&wrong, 1);
    atomic_fetch_sub(&users[conn->number], 1);
}

static void *take_and_give(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct conn *conn = NULL;
        rein_ctx *ctx = rein_with_timeout(rein_background(), (i % 20) * 20 * REIN_MICROSECOND);
        int r = conns_take(conns, ctx, &conn);
        atomic_fetch_add(r == 0 ? &granted : &ended, 1);
        if ((r == 0) != (conn != NULL) || (r != 0 && r != -ETIMEDOUT))
            atomic_fetch_add(&wrong, 1);
        if (conn) {
            use(conn, 50 * REIN_MICROSECOND);
            conns_give(conns, conn);
        }
        rein_end(ctx);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    struct conn *all[CONNECTIONS];
    if (conns_open(rein_background(), ":memory:", CONNECTIONS, &conns) != 0)
        return 1;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, take_and_give, NULL) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    rein_ctx *soon = rein_with_timeout(rein_background(), 30 * REIN_SECOND);
    for (int i = 0; i < CONNECTIONS; i++)
        if (conns_take(conns, soon, &all[i]) != 0)
            return 1; /* one is lost */
    rein_end(soon);
    soon = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    struct conn *one_more;
    bool too_many = conns_take(conns, soon, &one_more) == 0;
    rein_end(soon);
    for (int i = 0; i < CONNECTIONS; i++)
        conns_give(conns, all[i]);
    conns_close(conns);
    printf("granted %d, ended %d, wrong %d\n", granted, ended, wrong);
    return granted == 0 || ended == 0 || wrong != 0 || too_many;
}
