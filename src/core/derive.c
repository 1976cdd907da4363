/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/derive.c: the calls that make a context out of another. */
#include "base/panic.h"
#include "core/node.h"
#include "time/instant.h"

/* Until when a context derived from this one lives at most, if nobody will tell it: an inherited
 * context will not, in the child of a fork(). */
static inline int64_t untold_bound(const struct ctx *parent)
{
    return parent->limit && has_frozen_source(parent) ? reini_bound(parent) : NEVER;
}

/* A clock and one reading of it: a child never outlives its parent by a second one. */
struct look {
    struct reini_clock *clock;
    int64_t now;
};

static inline struct look look_at_clock(const struct ctx *ctx)
{
    struct reini_clock *clock = clock_of(ctx);
    return (struct look){clock, clock_now(clock)};
}

static ALWAYS_INLINE struct timed *timed_new(const char *site, const struct ctx *parent,
                                             enum kind kind, size_t size, int64_t when,
                                             const rein_reason *cause)
{
    struct timed *timed = timed_of(reini_ctx_new(site, parent, kind, size));
    if (UNLIKELY(!timed))
        return NULL;
    timed->node.ctx.flags |= HAS_TIMER;
    timed->timer = (struct timer){.when = when,
                                  .kind = &reini_deadline_timer,
                                  .state = TIMER_IDLE,
                                  .shard = shard_of_thread()};
    timed->cause = UNLIKELY(cause != NULL) ? rein_reason_ref(cause) : NULL;
    timed->node.ctx.limit = timed;
    reini_node_init(&timed->node);
    return timed;
}

/* Its time was over before it could be armed. */
static COLD void expire(struct timed *timed)
{
    reini_mark(&timed->node, reini_expiry(timed)); /* nobody can have a call on it yet */
}

static COLD rein_ctx *no_keeper(struct timed *timed)
{
    rein_end_at(timed->node.ctx.site, public_of(&timed->node.ctx));
    return public_of(&reini_failed_thread.ctx);
}

/* Linked already: put it on the clock, unless it is done or its time is over. */
static inline rein_ctx *timed_start(struct timed *timed, struct look look)
{
    struct ctx *ctx = &timed->node.ctx;
    int r = 1;
    if (LIKELY(timed->timer.when > look.now))
        r = reini_clock_arm(look.clock, &timed->timer, &ctx->word);
    if (UNLIKELY(r < 0))
        return no_keeper(timed);
    if (UNLIKELY(r > 0))
        expire(timed);
    return public_of(ctx);
}

static rein_ctx *with_cancel(const char *site, const struct ctx *parent)
{
    struct node *node = node_of(reini_ctx_new(site, parent, KIND_CANCEL, sizeof *node));
    if (UNLIKELY(!node))
        return public_of(&reini_failed_memory.ctx);
    reini_node_init(node);
    reini_node_link(node, parent);
    return public_of(&node->ctx);
}

/* look: at parent's clock. */
static ALWAYS_INLINE rein_ctx *with_deadline(const char *site, const struct ctx *parent,
                                             enum kind kind, int64_t when, struct look look,
                                             const rein_reason *cause)
{
    struct timed *timed = timed_new(site, parent, kind, sizeof *timed, when, cause);
    if (UNLIKELY(!timed))
        return public_of(&reini_failed_memory.ctx);
    if (UNLIKELY(when <= look.now) && rein_err(public_of(parent)) == 0) {
        reini_node_born_late(timed);
        return public_of(&timed->node.ctx);
    }
    reini_node_link(&timed->node, parent);
    return timed_start(timed, look);
}

static COLD rein_ctx *with_bound(const char *site, const struct ctx *parent, int64_t bound)
{
    return with_deadline(site, parent, KIND_CANCEL, bound, look_at_clock(parent), NULL);
}

rein_ctx *rein_with_cancel_at(const char *site, const rein_ctx *public_parent)
{
    REQUIRE_CONTEXT_AT(site, public_parent);
    const struct ctx *parent = ctx_of(public_parent);
    if (is_failed(parent))
        return public_of(parent);
    int64_t bound = untold_bound(parent);
    if (UNLIKELY(bound != NEVER))
        return with_bound(site, parent, bound);
    return with_cancel(site, parent);
}

static ALWAYS_INLINE rein_ctx *derive_until(const char *site, const struct ctx *parent,
                                            int64_t when, struct look look,
                                            const rein_reason *cause)
{
    int64_t above = parent->limit ? parent->limit->timer.when : NEVER;
    if (when == NEVER || above < when)
        return rein_with_cancel_at(site, public_of(parent)); /* and its cause will not be used */
    return with_deadline(site, parent, KIND_DEADLINE, when, look, cause);
}

rein_ctx *rein_with_deadline_cause_at(const char *site, const rein_ctx *parent, rein_time deadline,
                                      const rein_reason *cause)
{
    REQUIRE_CONTEXT_AT(site, parent);
    if (is_failed(ctx_of(parent)))
        return public_of(ctx_of(parent));
    return derive_until(site, ctx_of(parent), deadline.ns, look_at_clock(ctx_of(parent)), cause);
}

rein_ctx *rein_with_timeout_cause_at(const char *site, const rein_ctx *parent,
                                     rein_duration timeout, const rein_reason *cause)
{
    REQUIRE_CONTEXT_AT(site, parent);
    if (is_failed(ctx_of(parent)))
        return public_of(ctx_of(parent));
    struct look look = look_at_clock(ctx_of(parent));
    return derive_until(site, ctx_of(parent), instant_add(look.now, timeout), look, cause);
}

rein_ctx *rein_with_deadline_at(const char *site, const rein_ctx *parent, rein_time deadline)
{
    return rein_with_deadline_cause_at(site, parent, deadline, NULL);
}

rein_ctx *rein_with_timeout_at(const char *site, const rein_ctx *parent, rein_duration timeout)
{
    return rein_with_timeout_cause_at(site, parent, timeout, NULL);
}

/* ---- two parents ---- */

static void require_one_clock(const struct ctx *a, const struct ctx *b)
{
    if (UNLIKELY(clock_id(a) != clock_id(b)))
        reini_panic("one-clock", "two contexts of different clocks cannot be joined", b);
}

static struct joined *joined_new(const char *site, const struct ctx *parent, const struct ctx *also,
                                 enum kind kind)
{
    struct timed *timed = timed_new(site, parent, kind, sizeof(struct joined), NEVER, NULL);
    if (UNLIKELY(!timed))
        return NULL;
    struct joined *joined = joined_of(&timed->node.ctx);
    ctx_ref(also);
    joined->also = also;
    joined->dep_also = (struct dep){.kind = DEP_CHILD_ALSO, .word = OUT};
    return joined;
}

/* The instant that only this context can be held to: nobody will tell it. */
static void set_limit(struct joined *joined, const struct timed *inherited, int64_t own)
{
    struct timed *timed = &joined->timed;
    if (own != NEVER && (!inherited || own <= inherited->timer.when)) {
        timed->timer.when = own;
    } else {
        timed->node.ctx.limit = inherited;
        timed->node.ctx.flags &= ~(uint32_t)HAS_TIMER;
    }
}

static rein_ctx *joined_start(struct joined *joined, struct look look)
{
    struct ctx *ctx = &joined->timed.node.ctx;
    return ctx->flags & HAS_TIMER ? timed_start(&joined->timed, look) : public_of(ctx);
}

static const struct timed *earlier(const struct timed *a, const struct timed *b)
{
    return !a || (b && b->timer.when < a->timer.when) ? b : a;
}

rein_ctx *rein_merge_at(const char *site, const rein_ctx *public_parent,
                        const rein_ctx *public_also)
{
    REQUIRE_CONTEXT_AT(site, public_parent);
    REQUIRE_CONTEXT_AT(site, public_also);
    const struct ctx *parent = ctx_of(public_parent), *also = ctx_of(public_also);
    if (is_failed(parent) || is_failed(also))
        return public_of(is_failed(parent) ? parent : also);
    require_one_clock(parent, also);
    struct joined *joined = joined_new(site, parent, also, KIND_MERGE);
    if (UNLIKELY(!joined))
        return public_of(&reini_failed_memory.ctx);
    int64_t untold = untold_bound(parent), untold_also = untold_bound(also);
    set_limit(joined, earlier(parent->limit, also->limit),
              untold_also < untold ? untold_also : untold);
    struct node *node = &joined->timed.node;
    reini_node_link(node, parent);
    reini_node_link_also(joined);
    return joined_start(joined, look_at_clock(parent));
}

/* Whether ctx lives and dies with `above`, at any distance. A check for a mistake that does no harm
 * to rein: it gives up after so many steps rather than search a web of merges through and
 * through. */
static bool lives_with(const struct ctx *ctx, const struct ctx *above)
{
    enum { STEPS = 10000, TURNS = 32 };
    const struct ctx *later[TURNS];
    int turns = 0;
    for (int steps = 0; steps < STEPS; steps++) {
        if (ctx == above)
            return true;
        if (has_two_parents(ctx) && turns < TURNS)
            later[turns++] = joined_of(ctx)->also;
        bool own_end = kind_of(ctx) == KIND_FOREIGN && is_node(ctx);
        bool on =
            ctx->parent && kind_of(ctx) != KIND_DETACH && !own_end && !(ctx->flags & NEVER_DONE);
        if (!on && turns == 0)
            return false;
        ctx = on ? ctx->parent : later[--turns];
    }
    return false;
}

rein_ctx *rein_detach_at(const char *site, const rein_ctx *public_ctx, const rein_ctx *public_onto,
                         rein_duration bound)
{
    REQUIRE_CONTEXT_AT(site, public_ctx);
    REQUIRE_CONTEXT_AT(site, public_onto);
    const struct ctx *ctx = ctx_of(public_ctx), *onto = ctx_of(public_onto);
    if (is_failed(ctx) || is_failed(onto))
        return public_of(is_failed(ctx) ? ctx : onto);
    require_one_clock(ctx, onto);
    if (!(ctx->flags & NEVER_DONE) && lives_with(onto, &source_of(ctx)->ctx))
        reini_panic_at(site, "detach-below-itself", "work is detached onto a context below it",
                       onto);
    struct joined *joined = joined_new(site, ctx, onto, KIND_DETACH);
    if (UNLIKELY(!joined))
        return public_of(&reini_failed_memory.ctx);
    struct look look = look_at_clock(onto);
    int64_t untold = untold_bound(onto), own = instant_add(look.now, bound);
    set_limit(joined, onto->limit, untold < own ? untold : own);
    ctx_ref(ctx);
    reini_node_link_also(joined);
    return joined_start(joined, look);
}

/* ---- views ---- */

const rein_ctx *rein_without_cancel_at(const char *site, const rein_ctx *public_parent)
{
    REQUIRE_CONTEXT_AT(site, public_parent);
    const struct ctx *parent = ctx_of(public_parent);
    if (is_failed(parent))
        return public_parent;
    struct ctx *ctx = reini_ctx_new(site, parent, KIND_WITHOUT_CANCEL, sizeof *ctx);
    if (UNLIKELY(!ctx))
        return public_of(&reini_failed_memory.ctx);
    ctx_ref(parent);
    ctx->flags |= NEVER_DONE;
    ctx->limit = NULL;
    store_relaxed(&ctx->refs, ONE_VIEW);
    return public_of(ctx);
}

/* ---- the plain functions behind the macros ---- */

rein_ctx *(rein_with_cancel)(const rein_ctx *parent)
{
    return rein_with_cancel_at("rein_with_cancel", parent);
}

rein_ctx *(rein_with_deadline)(const rein_ctx *parent, rein_time deadline)
{
    return rein_with_deadline_at("rein_with_deadline", parent, deadline);
}

rein_ctx *(rein_with_timeout)(const rein_ctx *parent, rein_duration timeout)
{
    return rein_with_timeout_at("rein_with_timeout", parent, timeout);
}

rein_ctx *(rein_with_deadline_cause)(const rein_ctx *parent, rein_time deadline,
                                     const rein_reason *cause)
{
    return rein_with_deadline_cause_at("rein_with_deadline_cause", parent, deadline, cause);
}

rein_ctx *(rein_with_timeout_cause)(const rein_ctx *parent, rein_duration timeout,
                                    const rein_reason *cause)
{
    return rein_with_timeout_cause_at("rein_with_timeout_cause", parent, timeout, cause);
}

rein_ctx *(rein_merge)(const rein_ctx *parent, const rein_ctx *also)
{
    return rein_merge_at("rein_merge", parent, also);
}

rein_ctx *(rein_detach)(const rein_ctx *ctx, const rein_ctx *onto, rein_duration bound)
{
    return rein_detach_at("rein_detach", ctx, onto, bound);
}

const rein_ctx *(rein_without_cancel)(const rein_ctx *parent)
{
    return rein_without_cancel_at("rein_without_cancel", parent);
}
