/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* conns.h: a bounded set of database connections, to be had in turn and under a context. */
#ifndef DOCSEARCH_CONNS_H
#define DOCSEARCH_CONNS_H

#include <rein/context.h>
#include <rein/sqlite3.h>

struct conns;

/* One connection. Whoever has taken it has it alone. */
struct conn {
    rein_sqlite3 *db;
    int number; /* from 1 */
    struct conn *next;
};

/* Open n connections to a database that exists.
 * Errors  an errno-like code; the reason has been logged */
int conns_open(const rein_ctx *ctx, const char *database, int n, struct conns **ret_conns);

/* Close them; all must have been given back. NULL is fine. */
void conns_close(struct conns *conns);

/* Take one. If all are out, wait: first come, first served.
 *
 * Returns  0; then the connection is the caller's until conns_give()
 * Errors   -ECANCELED, -ETIMEDOUT  ctx was done before a connection came
 *          -ENOMEM                 no memory to stand in line with */
int conns_take(struct conns *conns, const rein_ctx *ctx, struct conn **ret_conn);

/* Give it back: to the first in line, if there is one. */
void conns_give(struct conns *conns, struct conn *conn);

#endif
