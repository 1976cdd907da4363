/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* 05-after.c: do something once a context is done: on the canceller's stack, or elsewhere. */
#include <rein.h>
#include <stdio.h>

static char callback_name[] = "callback", after_name[] = "after-func";

static void ring(const rein_ctx *ctx, void *name)
{
    printf("%s: %s\n", (const char *)name, rein_cause(ctx)->text);
}

int main(void)
{
    rein_ctx *ctx = rein_with_cancel(rein_background());

    /* A callback is short, and has run when the cancel call returns. */
    rein_callback bell;
    rein_callback_add(ctx, &bell, ring, callback_name);

    /* An after-func may take its time: a thread of the pool runs it. */
    rein_after cleanup, never;
    if (rein_after_func(ctx, &cleanup, NULL, ring, after_name) < 0)
        return 1;
    if (rein_after_func(ctx, &never, NULL, ring, after_name) < 0)
        return 1;
    printf("stopped in time: %s\n", rein_after_stop(&never) ? "yes" : "no");

    /* The pool is as quick as anybody: hold its line back until ours is written. */
    flockfile(stdout);
    rein_cancel(ctx);
    printf("cancel has returned\n");
    funlockfile(stdout);

    /* False: it was not prevented. After stop_wait it is over, and its argument is free. */
    if (!rein_after_stop_wait(&cleanup))
        printf("after-func is over\n");
    rein_callback_remove(&bell);
    rein_end(ctx);
    return 0;
}
