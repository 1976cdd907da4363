/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/fork.c: the child of a fork(): what was inherited is frozen, and rein starts anew.
 *
 * In the child only the forking thread goes on. Locks of inherited contexts may be held by threads
 * that are not there any more, lists may be half changed: so none of them is ever touched. Every
 * context carries the number of forks ago that its process began; one that does not match is frozen:
 * its word, record, values and limit are read as they were copied, nothing links to it, releasing it
 * only counts and frees. The library's own locks are made new, since they guard nothing of before. */
#include <errno.h>

#include "base/mem.h"
#include "core/node.h"
#include "exec/exec.h"
#include "time/instant.h"
#include "wait/events.h"
#include "wait/lot.h"

uint16_t reini_birth;

static void in_child(void)
{
    reini_birth++; /* no thread but this one is there to see it change */
    reini_plat_forked();
    reini_clock_forked();
    reini_lot_forked();
    reini_events_forked();
    reini_pool_forked();
    reini_leak_forked();
    /* Static, and so never frozen: they have nothing but their descriptors to guard. */
    reini_failed_memory.mu = reini_failed_thread.mu = (reini_mutex){0};
}

__attribute__((constructor(102))) static void begin(void)
{
    reini_at_fork(in_child);
}

/* Without mu, which may be held for ever: the compare-and-swap of `ended` says who writes. */
static void end_node(struct node *node, struct ending ending)
{
    uint8_t not_ended = NOT_ENDED;
    if (load_acquire(&node->ctx.word) != 0 ||
        !cas_acq_rel(&node->dep.ended, &not_ended, ENDED_HERE)) {
        rein_reason_unref(ending.reason);
        return;
    }
    node->reason = ending.reason;
    node->end_site = ending.site;
    node->end_thread = reini_plat_thread_id();
    node->end_at = clock_now(clock_of(&node->ctx));
    store_release(&node->ctx.word, ending.err); /* pairs with rein_err() */
}

void reini_frozen_end(const struct ctx *ctx, struct ending ending)
{
    if (ctx->flags & NEVER_DONE)
        rein_reason_unref(ending.reason);
    else
        end_node(source_of(ctx), ending);
}

/* ---- descriptors ---- */

struct frozen_fd {
    int (*settled)(const void *node); /* the same place as in struct done_fd; marks it as ours */
    int fd;
};

static int settled(const void *node)
{
    (void)node; /* never called: no mark of a frozen node settles */
    return -ECANCELED;
}

/* The inherited descriptor is the parent process's too and shows the parent's events: an inherited
 * context gets one of its own. Without a deadline there is nothing it could ever show. */
int reini_frozen_fd(struct node *node, int *ret_fd)
{
    const struct frozen_fd *there = load_acquire(&node->ctx.aux);
    if (there && there->settled == settled) {
        *ret_fd = there->fd;
        return 0;
    }
    bool done = rein_err(public_of(&node->ctx)) != 0;
    int64_t bound = reini_bound(&node->ctx);
    if (!done && bound == NEVER) {
        *ret_fd = -1;
        return 0;
    }
    struct frozen_fd *own = reini_alloc(sizeof *own);
    if (!own)
        return -ENOMEM;
    *own = (struct frozen_fd){settled, done ? reini_event_open(true) : reini_alarm_open()};
    if (own->fd < 0) {
        int r = own->fd;
        reini_free(own);
        return r;
    }
    if (done)
        reini_event_raise(own->fd);
    else
        reini_alarm_set(own->fd, bound);
    const void *expected = there;
    if (!cas_acq_rel(&node->ctx.aux, &expected, (const void *)own)) {
        reini_fd_close(own->fd);
        reini_free(own);
        own = (struct frozen_fd *)(uintptr_t)expected;
    }
    *ret_fd = own->fd;
    return 0;
}
