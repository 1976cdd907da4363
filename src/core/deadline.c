/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/deadline.c: when a deadline ends a context: the keeper's timer, and those who notice first.
 *
 * Only the context whose deadline it is has a timer; its descendants point to it (`limit`). The
 * clock passing the instant ends nothing by itself (CTX-54): somebody marks, and until then err is
 * 0 and a cancel may still win. */
#include <errno.h>

#include "base/fault.h"
#include "base/panic.h"
#include "core/node.h"
#include "time/instant.h"

struct ending reini_expiry(const struct timed *timed)
{
    return (struct ending){.err = -ETIMEDOUT,
                           .reason = rein_reason_ref(timed->cause),
                           .site = timed->node.ctx.site};
}

static struct deferred *expire(struct timed *timed)
{
    return reini_mark(&timed->node, reini_expiry(timed));
}

static bool pin(struct timer *timer)
{
    return reini_ctx_try_ref(&CONTAINER_OF(timer, struct timed, timer)->node.ctx);
}

/* The calls are put off until all that is due has been marked: so that a slow one delays no other
 * deadline. */
static void fire(struct timer *timer)
{
    struct timed *timed = CONTAINER_OF(timer, struct timed, timer);
    reini_put_off_calls(clock_of(&timed->node.ctx), expire(timed));
}

/* Not sooner: it may be the last reference, and what goes with that calls the user's drops. */
static void unpin(struct timer *timer)
{
    reini_ctx_unref(&CONTAINER_OF(timer, struct timed, timer)->node.ctx);
}

const struct timer_kind reini_deadline_timer = {pin, fire, unpin};

/* Whether rein ends contexts by this deadline. A foreign context's owner does so itself. */
static bool enforced(const struct timed *limit)
{
    return limit && (limit->node.ctx.flags & HAS_TIMER);
}

void reini_notice(const struct ctx *ctx)
{
    struct timed *limit = timed_of(&ctx->limit->node.ctx);
    if (!enforced(limit))
        return;
    struct reini_clock *clock = clock_of(ctx);
    /* A virtual clock's deadlines are marked by whoever moved it past them, in their order. */
    if (clock->is_virtual || reini_plat_now() < limit->timer.when)
        return;
    if (is_frozen(&limit->node.ctx)) {
        reini_frozen_end(&limit->node.ctx, reini_expiry(limit));
        if (has_frozen_source(ctx))
            reini_frozen_end(ctx, reini_expiry(limit)); /* no walk goes down to it any more */
        return;
    }
    /* A noticer may hold anybody's lock: it marks, and makes no calls. */
    reini_clock_expect(clock);
    struct deferred *calls = expire(limit);
    STEP("noticed");
    reini_put_off_calls(clock, calls);
    reini_clock_expect_no_more(clock);
}

int64_t reini_bound(const struct ctx *ctx)
{
    return enforced(ctx->limit) && clock_id(ctx) == 0 ? ctx->limit->timer.when : NEVER;
}

int rein_check(const rein_ctx *ctx)
{
    REQUIRE_CONTEXT(ctx);
    int err = rein_err(ctx);
    if (err != 0 || !ctx_of(ctx)->limit)
        return err;
    reini_notice(ctx_of(ctx));
    return rein_err(ctx);
}

int rein_interrupted(void *arg)
{
    return rein_check((const rein_ctx *)arg) != 0;
}

void *rein_arg(const rein_ctx *ctx)
{
    return (void *)(uintptr_t)ctx;
}

bool rein_deadline(const rein_ctx *ctx, rein_time *ret_deadline)
{
    REQUIRE_CONTEXT(ctx);
    const struct timed *limit = ctx_of(ctx)->limit;
    if (!limit)
        return false;
    *ret_deadline = (rein_time){limit->timer.when};
    return true;
}

rein_duration rein_remaining(const rein_ctx *public_ctx)
{
    REQUIRE_CONTEXT(public_ctx);
    const struct ctx *ctx = ctx_of(public_ctx);
    if (is_failed(ctx))
        return 0;
    if (!ctx->limit)
        return REIN_FOREVER;
    int64_t left = instant_sub(ctx->limit->timer.when, clock_now(clock_of(ctx)));
    return left > 0 ? left : 0;
}

rein_time rein_now(const rein_ctx *ctx)
{
    REQUIRE_CONTEXT(ctx);
    return (rein_time){clock_now(clock_of(ctx_of(ctx)))};
}

rein_time rein_in(const rein_ctx *ctx, rein_duration d)
{
    return (rein_time){instant_add(rein_now(ctx).ns, d)};
}
