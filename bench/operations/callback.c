/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* callback.c: a callback taken on and off again, in storage of the caller's if the library lets
 * him. */
#include "subject.h"

static NOINLINE void loop_callback(uint64_t n, void *arg)
{
    node watched = *(node *)arg;
    for (uint64_t i = 0; i < n; i++) {
        struct watch w;
        watch(watched, &w);
        KEEP(&w);
        unwatch(&w);
    }
}
static void on_off(long unused)
{
    node watched = new_root();
    (void)unused;
    print("callback", time_loop(loop_callback, &watched));
}

CASES({"on_off", on_off})
