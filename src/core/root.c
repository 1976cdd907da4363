/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/root.c: the roots of virtual clocks; the other roots are static, in birth.c. */
#include "core/root.h"

#include "base/panic.h"
#include "core/node.h"

const rein_ctx *reini_clock_root_new(int64_t now, struct reini_clock **ret_clock)
{
    struct reini_clock *clock = reini_clock_new_virtual(now);
    if (!clock)
        return NULL;
    struct ctx *root = reini_ctx_new("rein_clock_new", ctx_of(rein_background()), KIND_CLOCK,
                                     sizeof *root);
    if (!root) {
        reini_clock_free_virtual(clock);
        return NULL;
    }
    root->parent = NULL;
    store_relaxed(&root->refs, ONE_VIEW);
    root->flags |= NEVER_DONE | (uint32_t)clock->id << CLOCK_SHIFT;
    *ret_clock = clock;
    return public_of(root);
}

void reini_require_unfrozen(const rein_ctx *ctx, const char *message)
{
    if (is_frozen(ctx_of(ctx)))
        reini_panic("frozen", message, ctx);
}
