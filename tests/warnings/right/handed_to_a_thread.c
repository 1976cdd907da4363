/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* An owner is handed over to a thread, which gives it back. */
#include <pthread.h>
#include <rein.h>

int handed_to_a_thread(const rein_ctx *parent);

static void *work(void *arg)
{
    rein_ctx *ctx = arg;
    (void)rein_wait(ctx);
    rein_end(ctx);
    return NULL;
}

int handed_to_a_thread(const rein_ctx *parent)
{
    pthread_t thread;
    rein_ctx *ctx = rein_with_timeout(parent, REIN_SECOND);
    int r = pthread_create(&thread, NULL, work, ctx);
    if (r != 0) {
        rein_end(ctx);
        return -r;
    }
    return -pthread_join(thread, NULL);
}
