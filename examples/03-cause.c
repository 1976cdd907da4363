/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* 03-cause.c: err says that it is over; the cause says why, by whom and where. */
#include <errno.h>
#include <rein.h>
#include <stdio.h>

static const rein_reason client_left = REIN_REASON_INIT(-ECONNRESET, "client left");

int main(void)
{
    rein_ctx *request = rein_with_cancel(rein_background());
    rein_ctx *query = rein_with_timeout(request, REIN_HOUR);
    printf("before: %s\n", rein_cause(query)->text);

    rein_cancel_cause(request, &client_left);

    /* err is one of two for ever; the cause is the very object that was given. */
    printf("err: %s\n", rein_strerror(rein_err(query)));
    printf("cause: %s, the same object: %s\n", rein_cause(query)->text,
           rein_cause(query) == &client_left ? "yes" : "no");

    struct rein_event event;
    if (rein_event(query, &event))
        printf("cancelled at %s, made at %s\n", event.site, event.context_site);

    /* Only the first end counts. */
    rein_cancel_causef(query, -EIO, "disk %d failed", 3);
    printf("still: %s\n", rein_cause(query)->text);

    rein_end(query);
    rein_end(request);
    return 0;
}
