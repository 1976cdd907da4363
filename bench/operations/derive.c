/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* derive.c: a child of a live parent, made and ended. */
#include "life.h"

static void ended(long unused)
{
    node parent = new_root();
    (void)unused;
    print("derive.end", time_loop(loop_derive, &parent));
}

/* The same in two steps, as where somebody looks at the context in between. */
static NOINLINE void loop_cancel(uint64_t n, void *arg)
{
    node parent = *(node *)arg;
    for (uint64_t i = 0; i < n; i++) {
        node child = derive(parent);
        cancel(child);
        release(child);
    }
}
static void cancelled(long unused)
{
    node parent = new_root();
    (void)unused;
    print("derive.cancel", time_loop(loop_cancel, &parent));
}

CASES({"end", ended}, {"cancel", cancelled})
