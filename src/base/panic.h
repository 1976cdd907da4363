/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* base/panic.h: stop on a rule that the caller broke. */
#ifndef REIN_BASE_PANIC_H
#define REIN_BASE_PANIC_H

#include "base/attr.h"

/* Tell the hook and abort. rule is the name the public header gives it. */
NORETURN void reini_panic(const char *rule, const char *message, const void *object);

/* The rule that nearly every call has. */
#define REQUIRE_CONTEXT(ctx)                                                               \
    do {                                                                                   \
        if (UNLIKELY((ctx) == NULL))                                                       \
            reini_panic("context-required", "a context is needed here, got NULL", NULL);   \
    } while (0)

#endif
