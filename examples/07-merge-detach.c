/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* 07-merge-detach.c: two parents' ends, and work that outlives the request that began it. */
#include <rein.h>
#include <stdio.h>

REIN_KEY_DECLARE_STRING(request_id)
REIN_KEY_DEFINE_STRING(request_id)

static void show(const char *what, const rein_ctx *ctx)
{
    printf("%s: %s, request %s\n", what, rein_cause(ctx)->text, request_id_of(ctx, "none"));
}

int main(void)
{
    rein_ctx *server = rein_with_cancel(rein_background());
    const rein_ctx *named = request_id_with(rein_background(), "r7");
    rein_ctx *request = rein_with_cancel(named);

    /* Done with whichever ends first; the values are the first one's. */
    rein_ctx *query = rein_merge(request, server);
    /* The audit record is to be written even if the client leaves, but not for ever. */
    rein_ctx *audit = rein_detach(request, server, REIN_MINUTE);

    rein_cancel_causef(request, 1, "client left");
    show("query", query);
    show("audit", audit);
    rein_cancel_causef(server, 2, "shutting down");
    show("query", query);
    show("audit", audit);

    rein_end(audit);
    rein_end(query);
    rein_end(request);
    rein_unref(named);
    rein_end(server);
    return 0;
}
