/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* timeout.c: a child with a timeout of an hour, made and ended, among others that are live. */
#include "life.h"

/* The others, of 30 to 90 minutes in no order, stay: the process ends with them. */
static void among(long n)
{
    node parent = new_root();
    uint32_t random = 1;
    for (long i = 0; i < sized(n); i++) {
        random = random * 1664525 + 1013904223;
        node other = derive_timeout(parent, 1800 * second + (random >> 8) % 3600000 * millisecond);
        KEEP(&other);
    }
    print_for("timeout.among", n, time_loop(loop_timeout, &parent));
}

CASES({"among", among})
