/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* exchange.h: one request and the answer that is being made to it. */
#ifndef DOCSEARCH_EXCHANGE_H
#define DOCSEARCH_EXCHANGE_H

#include "conns.h"
#include "json.h"

#include <rein/context.h>
#include <rein/microhttpd.h>
#include <stdatomic.h>

/* What all requests share. */
struct service {
    struct conns *conns;
    const rein_ctx *stop; /* done: no new requests */
    rein_duration limit;  /* for one request */
    atomic_int asking;    /* requests with a question to the database under way */
};

struct exchange {
    rein_mhd_request *request;
    struct service *service;
    rein_time began;

    unsigned status;  /* of HTTP; 499: there is nobody to answer */
    struct json body; /* of the answer */
    int conn;         /* the number of the connection that was used; 0: none */

    /* If a context ended the work: why, when that was noticed, and when the work had stopped. */
    char why[160];
    rein_time noticed;
    rein_time stopped;
};

/* Answer with a status and an error text. */
void exchange_refuse(struct exchange *exchange, unsigned status, const char *why);

/* Answer what a failure deserves; err is a negative errno from work that was done under ctx. Call
 * it as soon as the work has stopped. */
void exchange_fail(struct exchange *exchange, const rein_ctx *ctx, int err);

#endif
