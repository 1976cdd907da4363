/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/fork.c: the child of a fork(): what was inherited is frozen, and rein starts anew.
 *
 * In the child only the forking thread goes on. Locks of inherited contexts may be held by threads
 * that are not there any more, lists may be half changed: so none of them is ever touched. Every
 * context carries the number of forks ago that its process began; one that does not match is
 * frozen: its word, record, values and limit are read as they were copied, nothing links to it,
 * releasing it only counts and frees. The library's own locks are made new, since they guard
 * nothing of before. */
#include <errno.h>

#include "base/mem.h"
#include "core/node.h"
#include "core/rare.h"
#include "core/stripe.h"
#include "exec/exec.h"
#include "time/instant.h"
#include "wait/events.h"
#include "wait/lot.h"

/* ---- ending ---- */

reini_mutex reini_frozen_mu; /* guards their ends, descriptors, and who holds them by stripes */

struct frozen_fd {
    struct rare rare; /* fd: an event; or the alarm in a union, since a read drains an alarm */
    int alarm;           /* by its deadline, if nothing else ends it; or -1 */
    uint16_t birth;
};

static void raise_fd(const struct frozen_fd *frozen)
{
    if (frozen->alarm >= 0)
        reini_alarm_set(frozen->alarm, INT64_MIN);
    else
        reini_event_raise(frozen->rare.fd);
}

/* As in done.c. */
static int settled(const void *node)
{
    const struct frozen_fd *frozen = node_of(node)->ctx.aux;
    raise_fd(frozen);
    return frozen->rare.err;
}

/* The descriptor that was made in this process, or NULL. Under mu. */
static struct frozen_fd *fd_of(struct node *node)
{
    struct frozen_fd *there = (struct frozen_fd *)(uintptr_t)node->ctx.aux;
    return there && there->rare.settled == settled && there->birth == reini_birth ? there : NULL;
}

/* Under mu. The record may be half written: by a thread that is not in this process. */
static void end_node(struct node *node, struct ending ending)
{
    node_record(node, &ending, clock_now(clock_of(&node->ctx)));
    struct frozen_fd *frozen = fd_of(node);
    if (frozen) {
        frozen->rare.err = ending.err;
        store_release(&node->ctx.word, REIN_WORD_SETTLING);
        raise_fd(frozen);
    }
    store_release(&node->ctx.word, ending.err); /* pairs with rein_err() */
}

void reini_frozen_end(const struct ctx *ctx, struct ending ending)
{
    struct node *node = ctx->flags & NEVER_DONE ? NULL : source_of(ctx);
    unsigned let_go = 0;
    mutex_lock(&reini_frozen_mu);
    bool live = node && load_relaxed(&node->ctx.word) == 0;
    if (live)
        end_node(node, ending);
    if (node) /* also if a walk had ended it, which at the fork had not come to its stripes yet */
        let_go = reini_stripes_frozen_end(node);
    mutex_unlock(&reini_frozen_mu);
    if (!live)
        rein_reason_unref(ending.reason);
    if (let_go > 0)
        reini_stripes_drop(node, let_go);
}

/* ---- descriptors ---- */

static int open_alarm(struct frozen_fd *frozen, int64_t when)
{
    int alarm = reini_alarm_open();
    if (alarm < 0)
        return alarm;
    int all = reini_union_open(&alarm, 1);
    if (all < 0) {
        reini_fd_close(alarm);
        return all;
    }
    reini_alarm_set(alarm, when);
    frozen->alarm = alarm;
    return all;
}

static int make(struct node *node, struct frozen_fd **ret_frozen)
{
    struct frozen_fd *frozen = reini_alloc_aligned(CACHE_LINE, sizeof *frozen);
    if (!frozen)
        return -ENOMEM;
    int err = rein_err(public_of(&node->ctx));
    int64_t bound = reini_bound(&node->ctx);
    struct stripes *stripes = stripes_of(node);
    *frozen = (struct frozen_fd){{settled, -1, err, stripes}, -1, reini_birth};
    bool alarm = err == 0 && bound != NEVER;
    int r = frozen->rare.fd = alarm ? open_alarm(frozen, bound) : reini_event_open(true);
    if (r < 0) {
        reini_free(frozen);
        return r;
    }
    if (err != 0)
        reini_event_raise(frozen->rare.fd);
    *ret_frozen = frozen;
    return 0;
}

void reini_frozen_alarm_close(const struct rare *rare)
{
    const struct frozen_fd *frozen = (const struct frozen_fd *)rare;
    if (frozen->alarm >= 0)
        reini_fd_close(frozen->alarm);
}

/* The inherited descriptor is the parent process's too and shows that one's events: an inherited
 * context gets another, and leaves the first to itself. */
int reini_frozen_fd(struct node *node, int *ret_fd)
{
    int r = 0;
    mutex_lock(&reini_frozen_mu);
    struct frozen_fd *frozen = fd_of(node);
    if (!frozen && (r = make(node, &frozen)) == 0)
        store_release(&node->ctx.aux, frozen); /* pairs with stripes_of() */
    mutex_unlock(&reini_frozen_mu);
    if (r == 0)
        *ret_fd = frozen->rare.fd;
    return r;
}

/* ---- the fork ---- */

static void in_child(void)
{
    reini_frozen_mu = (reini_mutex){0};
    reini_plat_forked();
    reini_clock_forked();
    reini_lot_forked();
    reini_left_forked();
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
