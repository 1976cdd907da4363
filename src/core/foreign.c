/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/foreign.c: contexts of the user's own kind, in the same tree.
 *
 * One with an end of its own is a node that links to nothing above: only its owner ends it. One
 * that forwards has no state at all and follows its parent's source, as a value does. Either may
 * answer lookups, by a binding without a key that asks it. */
#include <rein/foreign.h>

#include <errno.h>

#include "base/panic.h"
#include "core/foreign.h"
#include "core/reason.h"
#include "time/instant.h"

/* The owner's own table may be shorter than ours, if it was built against an older header. */
static struct rein_foreign_ops table_of(const rein_foreign_ops *ops)
{
    struct rein_foreign_ops table = {.size = 0};
    if (ops)
        __builtin_memcpy(&table, ops, ops->size < sizeof table ? ops->size : sizeof table);
    return table;
}

static void set_binding(struct foreign *foreign)
{
    struct ctx *ctx = &foreign->timed.node.ctx;
    if (!foreign->ops.value)
        return;
    reini_binding_init(&foreign->binding, NULL, ctx->values);
    ctx->values = &foreign->binding;
}

static void set_deadline(struct foreign *foreign, const struct ctx *parent)
{
    struct ctx *ctx = &foreign->timed.node.ctx;
    rein_time when = {NEVER};
    ctx->limit = foreign->ops.forwards ? parent->limit : NULL;
    if (!foreign->ops.deadline || !foreign->ops.deadline(foreign->self, &when) || when.ns == NEVER)
        return;
    foreign->timed.timer.when = when.ns; /* reported, never armed: HAS_TIMER is not set */
    if (!ctx->limit || when.ns <= ctx->limit->timer.when)
        ctx->limit = &foreign->timed;
}

static rein_ctx *refuse(const rein_foreign_ops *ops, void *self, const struct ctx *failed)
{
    struct rein_foreign_ops table = table_of(ops);
    if (table.drop)
        table.drop(self);
    return public_of(failed);
}

rein_ctx *rein_foreign_at(const char *site, const rein_ctx *public_parent,
                          const rein_foreign_ops *ops, void *self)
{
    REQUIRE_CONTEXT_AT(site, public_parent);
    const struct ctx *parent = ctx_of(public_parent);
    if (is_failed(parent))
        return refuse(ops, self, parent);
    struct foreign *foreign =
        foreign_of(reini_ctx_new(site, parent, KIND_FOREIGN, sizeof(struct foreign)));
    if (UNLIKELY(!foreign))
        return refuse(ops, self, &reini_failed_memory.ctx);
    struct ctx *ctx = &foreign->timed.node.ctx;
    ctx_ref(parent);
    foreign->ops = table_of(ops);
    foreign->self = self;
    foreign->timed.cause = NULL;
    reini_node_init(&foreign->timed.node);
    set_binding(foreign);
    set_deadline(foreign, parent);
    if (foreign->ops.forwards)
        reini_ctx_follow(ctx, parent);
    return public_of(ctx);
}

rein_ctx *(rein_foreign)(const rein_ctx *parent, const rein_foreign_ops *ops, void *self)
{
    return rein_foreign_at("rein_foreign", parent, ops, self);
}

void reini_foreign_drop(struct ctx *ctx)
{
    struct foreign *foreign = foreign_of(ctx);
    if (foreign->ops.value)
        reini_binding_fini(&foreign->binding);
    if (foreign->ops.drop)
        foreign->ops.drop(foreign->self);
}

void rein_foreign_done_at(const char *site, rein_ctx *owner, int err, const rein_reason *reason)
{
    REQUIRE_CONTEXT_AT(site, owner);
    struct ctx *ctx = ctx_of(owner);
    if (is_failed(ctx))
        return;
    if (kind_of(ctx) != KIND_FOREIGN || foreign_of(ctx)->ops.forwards)
        reini_panic_at(site, "foreign-required",
                       "only a foreign context with an end of its own is pushed", ctx);
    if (err == 0)
        reini_panic_at(site, "done-needs-err", "a context cannot be done with err 0", ctx);
    struct ending ending = {.err = err == -ETIMEDOUT ? err : -ECANCELED, .site = site};
    ending.reason = rein_reason_ref(reason);
    if (!reason && err != -ETIMEDOUT && err != -ECANCELED)
        ending.reason = reini_reason_newf(err, "%s", rein_strerror(err));
    if (is_frozen(ctx))
        reini_frozen_end(ctx, ending);
    else
        reini_run_calls(reini_mark(node_of(ctx), ending));
}

void(rein_foreign_done)(rein_ctx *ctx, int err, const rein_reason *reason)
{
    rein_foreign_done_at("rein_foreign_done", ctx, err, reason);
}
