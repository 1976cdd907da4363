/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* 06-wait-any.c: block until the first of several things: a descriptor, an instant, a context. */
#include <poll.h>
#include <rein.h>
#include <stdio.h>
#include <unistd.h>

/* Wait for a byte, for another context, or for a while; all of it under ctx. */
static void wait_for(const rein_ctx *ctx, const rein_ctx *other, int fd, rein_duration patience)
{
    static const char *const what[] = {"a byte", "the other context", "the instant"};
    rein_case cases[] = {
        REIN_CASE_FD(fd, POLLIN),
        REIN_CASE_DONE(other),
        REIN_CASE_AT(rein_in(ctx, patience)),
    };
    int r = rein_wait_any(ctx, cases, 3);
    printf("first came %s\n", r < 0 ? rein_strerror(r) : what[r]);
}

int main(void)
{
    int fds[2];
    if (pipe(fds) != 0)
        return 1;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_ctx *other = rein_with_cancel(rein_background());

    wait_for(ctx, other, fds[0], 5 * REIN_MILLISECOND);
    rein_cancel(other);
    wait_for(ctx, other, fds[0], REIN_HOUR);
    if (write(fds[1], "x", 1) == 1)
        wait_for(ctx, other, fds[0], REIN_HOUR); /* both hold: the first in order is taken */
    rein_cancel(ctx);
    wait_for(ctx, other, fds[0], REIN_HOUR); /* ctx itself goes before everything */

    rein_end(other);
    rein_end(ctx);
    close(fds[0]);
    close(fds[1]);
    return 0;
}
