/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* 04-values.c: for whom the work is done, without a parameter in every function between. */
#include <rein.h>
#include <stdint.h>
#include <stdio.h>

/* In a program of several files the DECLAREs stand in a header. */
REIN_KEY_DECLARE(request_id, uint64_t)
REIN_KEY_DECLARE_STRING(user)
REIN_KEY_DEFINE(request_id, uint64_t)
REIN_KEY_DEFINE_STRING(user)

/* Deep down, where nobody passed the request along. */
static void audit(const rein_ctx *ctx, const char *what)
{
    printf("request %llu by %s: %s\n", (unsigned long long)request_id_of(ctx, 0),
           user_of(ctx, "nobody"), what);
}

int main(void)
{
    const rein_ctx *numbered = request_id_with(rein_background(), 42);
    const rein_ctx *named = user_with(numbered, "ada");
    rein_ctx *limited = rein_with_timeout(named, REIN_MINUTE);

    audit(rein_background(), "starts");
    audit(numbered, "logs in");
    audit(limited, "deletes everything"); /* values come down through any context */

    const rein_ctx *delegated = user_with(limited, "grace"); /* the nearest one counts */
    audit(delegated, "restores it");

    rein_unref(delegated);
    rein_end(limited);
    rein_unref(named);
    rein_unref(numbered);
    return 0;
}
