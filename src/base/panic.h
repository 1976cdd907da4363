/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* base/panic.h: stop on a rule that the caller broke. */
#ifndef REIN_BASE_PANIC_H
#define REIN_BASE_PANIC_H

#include "base/attr.h"

/* Tell the hook and abort. rule is the name the public header gives it. */
NORETURN void reini_panic(const char *rule, const char *message, const void *object);

/* The same; site, where the caller is known to be ("file.c:12"), goes into the message. */
NORETURN void reini_panic_at(const char *site, const char *rule, const char *message,
                             const void *object);

/* The rule that nearly every call has. */
NORETURN void reini_panic_no_context(const char *site);
#define REQUIRE_CONTEXT_AT(site, ctx)                                                      \
    do {                                                                                   \
        if (UNLIKELY((ctx) == NULL))                                                       \
            reini_panic_no_context(site);                                                  \
    } while (0)
#define REQUIRE_CONTEXT(ctx) REQUIRE_CONTEXT_AT(NULL, ctx)

#endif
