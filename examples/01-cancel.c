/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* 01-cancel.c: one owner says stop; whoever was handed the context stops. */
#include <pthread.h>
#include <rein.h>
#include <stdio.h>

/* Work in small pieces and ask between them. A view (const) can ask and wait, but not cancel. */
static void *work(void *arg)
{
    const rein_ctx *ctx = arg;
    while (rein_sleep(ctx, REIN_MILLISECOND) == 0)
        ;
    printf("worker: %s\n", rein_strerror(rein_err(ctx)));
    return NULL;
}

int main(void)
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    pthread_t worker;
    if (pthread_create(&worker, NULL, work, ctx) != 0)
        return 1;

    printf("main: %s\n", rein_strerror(rein_err(ctx)));
    rein_cancel(ctx);
    pthread_join(worker, NULL);

    /* Whatever is derived from a done context is born done. */
    rein_ctx *late = rein_with_cancel(ctx);
    printf("late: %s\n", rein_strerror(rein_err(late)));

    rein_end(late);
    rein_end(ctx);
    return 0;
}
