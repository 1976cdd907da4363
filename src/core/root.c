/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/root.c: the contexts without a parent: background, todo, those of virtual clocks, and the
 * failed context. */
#include "core/root.h"

#include <errno.h>

#include "base/panic.h"
#include "core/node.h"

/* ---- static ones ---- */

static struct ctx background = {.flags = KIND_BACKGROUND | NEVER_DONE | IMMORTAL};
static struct ctx todo = {.flags = KIND_TODO | NEVER_DONE | IMMORTAL};

static const rein_reason no_memory =
    REIN_REASON_INIT(-ENOMEM, "cannot allocate memory for a context");
static const rein_reason no_thread =
    REIN_REASON_INIT(-EAGAIN, "no thread can be had to keep the time");

#define FAILED(why)                                                                            \
    {                                                                                          \
        .ctx = {.word = -ECANCELED, .flags = KIND_FAILED | IMMORTAL, .site = "rein.failed"},   \
        .dep = {.word = MARKED, .ended = ENDED_HERE}, .reason = &(why),                        \
        .end_site = "rein.failed",                                                             \
    }
struct node reini_failed_memory = FAILED(no_memory);
struct node reini_failed_thread = FAILED(no_thread);

const rein_ctx *rein_background(void)
{
    return public_of(&background);
}

const rein_ctx *rein_todo(void)
{
    return public_of(&todo);
}

/* ---- of virtual clocks ---- */

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
