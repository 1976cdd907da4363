/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/done.c: the descriptor that tells that a context is done.
 *
 * It is in the node's rare block, set under mu once, until the node goes. (The two failed contexts
 * are static, so theirs stay for ever.) The block begins with the function that rein_err() calls
 * while the mark is between "the descriptor is being raised" and "err is set". */
#include <errno.h>
#include <rein/wait.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/panic.h"
#include "core/node.h"
#include "core/rare.h"

/* It does what the marker is about to do, rather than wait for it: rein_err() may be asked by a
 * signal handler on the marker's own thread. */
int reini_done_settled(const void *memory)
{
    const struct rare *rare = node_of(memory)->ctx.aux;
    reini_event_raise(rare->fd);
    return rare->err;
}

void reini_done_fd_settle(struct node *node, int err)
{
    struct rare *rare = (struct rare *)(uintptr_t)node->ctx.aux;
    if (rare->fd < 0)
        return;
    rare->err = err;
    store_release(&node->ctx.word, REIN_WORD_SETTLING); /* pairs with rein_err(), for rare->err */
    reini_event_raise(rare->fd);
    STEP("settling");
}

void reini_done_fd_close(const struct rare *rare)
{
    if (rare->settled != reini_done_settled)
        reini_frozen_alarm_close(rare);
    if (rare->fd >= 0)
        reini_fd_close(rare->fd);
}

/* The node's descriptor, or -1. */
static int fd_of(struct node *node)
{
    mutex_lock(&node->mu);
    const struct rare *rare = node->ctx.aux;
    int fd = rare ? rare->fd : -1;
    mutex_unlock(&node->mu);
    return fd;
}

/* Let the node have it, unless somebody was faster; raised at once if the node is done. Returns the
 * node's. */
static int attach(struct node *node, struct rare *rare, int fd)
{
    STEP("attach");
    mutex_lock(&node->mu);
    bool ours = rare->fd < 0;
    if (ours) {
        rare->fd = fd;
        if (load_relaxed(&node->ctx.word) != 0)
            reini_event_raise(fd);
    }
    int there = rare->fd;
    mutex_unlock(&node->mu);
    if (!ours)
        reini_fd_close(fd);
    return there;
}

int rein_done_fd(const rein_ctx *public_ctx, int *ret_fd)
{
    REQUIRE_CONTEXT(public_ctx);
    const struct ctx *ctx = ctx_of(public_ctx);
    if (ctx->flags & NEVER_DONE) {
        *ret_fd = -1;
        return 0;
    }
    struct node *node = source_of(ctx);
    if (is_frozen(&node->ctx))
        return reini_frozen_fd(node, ret_fd);
    int fd = fd_of(node);
    if (fd < 0) {
        struct rare *rare = reini_rare_of(node);
        if (!rare)
            return -ENOMEM;
        fd = reini_event_open(true);
        if (fd < 0)
            return fd;
        fd = attach(node, rare, fd);
    }
    *ret_fd = fd;
    return 0;
}
