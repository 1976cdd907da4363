/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* 02-deadline.c: a limit on a call is a limit on everything that the call does. */
#include <errno.h>
#include <rein.h>
#include <stdio.h>

/* It never mentions time: it passes on the context that it was given. */
static int fetch(const rein_ctx *ctx, int pages)
{
    for (int i = 0; i < pages; i++) {
        int r = rein_sleep(ctx, REIN_MILLISECOND);
        if (r < 0)
            return r;
    }
    return pages;
}

static int fetch_within(const rein_ctx *parent, rein_duration limit, int pages)
{
    rein_ctx *ctx = rein_with_timeout(parent, limit);
    int r = fetch(ctx, pages);
    rein_end(ctx);
    return r;
}

int main(void)
{
    int r = fetch_within(rein_background(), REIN_MINUTE, 3);
    printf("3 pages in a minute: %d\n", r);
    r = fetch_within(rein_background(), 20 * REIN_MILLISECOND, 1000000);
    printf("a million in 20ms: %s%s\n", rein_strerror(r), r == -ETIMEDOUT ? " (-ETIMEDOUT)" : "");

    /* A child can only shorten what its parent allows. */
    rein_ctx *hour = rein_with_timeout(rein_background(), REIN_HOUR);
    rein_ctx *day = rein_with_timeout(hour, 24 * REIN_HOUR);
    printf("a day within an hour: %s\n", rein_remaining(day) <= REIN_HOUR ? "an hour" : "a day");
    rein_end(day);
    rein_end(hour);
    return 0;
}
