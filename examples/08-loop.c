/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* 08-loop.c: a program with a loop of its own, in which rein starts no thread. */
#include <poll.h>
#include <rein.h>
#include <stdio.h>

static void on_done(const rein_ctx *ctx, void *finished)
{
    printf("on the loop: %s\n", rein_strerror(rein_err(ctx)));
    *(bool *)finished = true;
}

int main(void)
{
    rein_loop *loop;
    if (rein_forbid_threads() < 0 || rein_loop_new(&loop) < 0)
        return 1;
    if (rein_loop_keep_time(loop) < 0)
        return 1;

    bool finished = false;
    rein_after after;
    rein_ctx *ctx = rein_with_timeout(rein_background(), 5 * REIN_MILLISECOND);
    int r = rein_after_func(ctx, &after, rein_loop_executor(loop), on_done, &finished);

    /* Any poll-like call will do: one descriptor to watch, one call to make when it is ready. */
    while (r == 0 && !finished) {
        struct pollfd fd = {.fd = rein_loop_fd(loop), .events = POLLIN};
        if (poll(&fd, 1, -1) == 1)
            rein_loop_run(loop);
    }

    rein_end(ctx);
    rein_loop_free(loop);
    return r < 0;
}
