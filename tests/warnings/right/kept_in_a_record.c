/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* An owner is kept in a record, made and given back by different functions. */
#include <rein.h>
#include <stdlib.h>

struct request {
    rein_ctx *ctx;
    int number;
};

struct request *request_new(const rein_ctx *parent, int number);
void request_free(struct request *request);

struct request *request_new(const rein_ctx *parent, int number)
{
    struct request *request = malloc(sizeof *request);
    if (!request)
        return NULL;
    request->ctx = rein_with_timeout(parent, REIN_MINUTE);
    request->number = number;
    return request;
}

void request_free(struct request *request)
{
    rein_end(request->ctx);
    free(request);
}
