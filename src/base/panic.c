/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* base/panic.c: the hook a program may replace, and the default that prints and aborts. */
#include "base/panic.h"

#include <rein/library.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/atomic.h"

static rein_panic_fn *hook; /* atomic; NULL: the default */

rein_panic_fn *rein_set_panic(rein_panic_fn *replacement)
{
    /* acq_rel: what the program prepared for its hook is visible to the thread that panics. */
    return exchange_acq_rel(&hook, replacement);
}

void reini_panic(const char *rule, const char *message, const void *object)
{
    rein_panic_fn *call = load_acquire(&hook);
    if (call)
        call(rule, message, object);
    else
        fprintf(stderr, "rein: broken rule %s: %s (object %p)\n", rule, message, object);
    abort();
}

void reini_panic_at(const char *site, const char *rule, const char *message, const void *object)
{
    char text[300];
    if (site)
        snprintf(text, sizeof text, "%s, at %s", message, site);
    reini_panic(rule, site ? text : message, object);
}

void reini_panic_no_context(const char *site)
{
    reini_panic_at(site, "context-required", "a context is needed here, got NULL", NULL);
}
