/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* example_hangup.c: work for a client that does not wait for the answer. Prints
 *
 *     context canceled: client disconnected
 */
#include <rein.h>
#include <rein/hangup.h>

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    rein_hangup *watcher;
    rein_hangup_watch watch;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
        rein_hangup_new(&watcher) < 0)
        return 1;
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    int r = rein_hangup_add(watcher, &watch, ends[0], ctx, 0);
    if (r == 0) {
        close(ends[1]);                  /* the client leaves */
        r = rein_sleep(ctx, REIN_MINUTE); /* the work */
        printf("%s: %s\n", rein_strerror(r), rein_cause(ctx)->text);
        rein_hangup_remove(&watch);
    }
    close(ends[0]);
    rein_end(ctx);
    rein_hangup_free(watcher);
    return 0;
}
