/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/check.h: what only tests may know; part of the test build alone. */
#ifndef REIN_CORE_CHECK_H
#define REIN_CORE_CHECK_H

#include <rein/context.h>
#include <stddef.h>

/* How many dependents ctx's node has: children, waiters, calls. */
size_t reini_check_dependents(const rein_ctx *ctx);

/* How many lists ctx's node has for its dependents, besides its own. */
size_t reini_check_stripes(const rein_ctx *ctx);

/* How many timers are armed on ctx's clock. */
size_t reini_check_armed(const rein_ctx *ctx);

/* How many references there are to ctx, of whatever kind. */
unsigned reini_check_references(const rein_ctx *ctx);

/* Assert the rules of node.h on the whole tree below ctx, which nobody changes meanwhile. Returns
 * how many nodes that is. Aborts with the rule's number. */
size_t reini_check_tree(const rein_ctx *ctx);

#endif
