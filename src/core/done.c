/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/done.c: the descriptor that tells that a context is done.
 *
 * It hangs on its node by aux, set under mu once, until the node goes. (The two failed contexts are
 * static, so theirs stay for ever.) What hangs there begins with the function that rein_err() calls
 * while the mark is between "the descriptor is being raised" and "err is set". */
#include <errno.h>
#include <rein/wait.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/panic.h"
#include "core/node.h"

/* It does what the marker is about to do, rather than wait for it: rein_err() may be asked by a
 * signal handler on the marker's own thread. */
static int settled(const void *memory)
{
    const struct done_fd *done = node_of(memory)->ctx.aux;
    reini_event_raise(done->fd);
    return done->err;
}

static struct done_fd *done_fd_of(struct node *node)
{
    return (struct done_fd *)(uintptr_t)node->ctx.aux;
}

void reini_done_fd_settle(struct node *node, int err)
{
    struct done_fd *done = done_fd_of(node);
    done->err = err;
    store_release(&node->ctx.word, REIN_WORD_SETTLING); /* pairs with rein_err(), for done->err */
    reini_event_raise(done->fd);
}

void reini_done_fd_close(struct node *node)
{
    struct done_fd *done = done_fd_of(node);
    node->ctx.aux = NULL;
    if (done->settled != settled)
        reini_frozen_alarm_close(done);
    reini_fd_close(done->fd);
    reini_free(done);
}

static int make(struct done_fd **ret_done)
{
    struct done_fd *done = reini_alloc(sizeof *done);
    if (!done)
        return -ENOMEM;
    done->settled = settled;
    done->fd = reini_event_open(true);
    int r = done->fd;
    if (r < 0)
        reini_free(done);
    else
        *ret_done = done;
    return r < 0 ? r : 0;
}

/* Hang it on the node, unless somebody was faster; raised at once if the node is done. */
static int attach(struct node *node, struct done_fd *done)
{
    STEP("attach");
    mutex_lock(&node->mu);
    const struct done_fd *there = node->ctx.aux;
    if (!there) {
        node->ctx.aux = there = done;
        if (load_relaxed(&node->ctx.word) != 0)
            reini_event_raise(done->fd);
        done = NULL;
    }
    int fd = there->fd;
    mutex_unlock(&node->mu);
    if (done) {
        reini_fd_close(done->fd);
        reini_free(done);
    }
    return fd;
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
    mutex_lock(&node->mu);
    const struct done_fd *there = node->ctx.aux;
    int fd = there ? there->fd : -1;
    mutex_unlock(&node->mu);
    if (fd >= 0) {
        *ret_fd = fd;
        return 0;
    }
    struct done_fd *done = NULL;
    int r = make(&done);
    if (r == 0)
        *ret_fd = attach(node, done);
    return r;
}
