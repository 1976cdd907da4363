/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/oom/scarce.c: see scarce.h. */
#include "scarce.h"

#include <stdio.h>

#include "base/fault_control.h"
#include "core/check.h"
#include "core/node.h"
#include "expect.h"
#include "suite.h"

enum { EVERY = 1000, SAMPLE = 100 };

static rein_ctx *top, *beside;
static long failing;   /* which allocation of this round */
static bool looked_at; /* the failed context, and the tree */

/* ---- for the work ---- */

/* The failed context has an end and a cause and no more; what is derived from it is it again. */
static void expect_failed(const rein_ctx *ctx, int code)
{
    rein_time when;
    rein_ctx *below = rein_with_timeout(ctx, REIN_HOUR);
    ck_assert_ptr_eq(below, ctx);
    ck_assert_int_eq(rein_err(ctx), -ECANCELED);
    ck_assert_int_eq(rein_cause(ctx)->code, code);
    ck_assert(!rein_deadline(ctx, &when));
    ck_assert_int_eq(rein_remaining(ctx), 0);
    rein_end(below);
}

static void nothing_else_changed(void)
{
    ck_assert_int_gt(failing, 0);
    ck_assert_int_ge(reini_fault_count(), failing);
    ck_assert_int_eq(rein_err(beside), rein_err(top));
    reini_check_tree(top);
}

bool scarce_real(const rein_ctx *ctx)
{
    bool memory = ctx == public_of(&reini_failed_memory.ctx);
    if (!memory && ctx != public_of(&reini_failed_thread.ctx))
        return true;
    if (!looked_at) { /* what is derived from the failed context is that again */
        expect_failed(ctx, memory ? -ENOMEM : -EAGAIN);
        nothing_else_changed();
        looked_at = true;
    }
    return false;
}

bool scarce_ok(int r)
{
    if (r == 0)
        return true;
    ck_assert(r == -ENOMEM || r == -EAGAIN);
    nothing_else_changed();
    return false;
}

bool scarce_have(const void *object)
{
    if (!object)
        nothing_else_changed();
    return object != NULL;
}

void scarce_expect_end(rein_ctx *const *ctx, size_t n, int err, const rein_reason *reason)
{
    for (size_t i = 0; i < n; i++)
        if (scarce_real(ctx[i]) && (rein_err(ctx[i]) != err || rein_cause(ctx[i]) != reason))
            expect_end(ctx[i], err, reason); /* only then: it is slow, and these are many */
}

/* ---- the rounds ---- */

static bool idle(void *arg)
{
    (void)arg;
    return rein_quiesce() == 0;
}

/* One round; how many allocations it came to. */
static long round_of(void (*work)(rein_ctx *top), long n)
{
    size_t before = rein_leaks_print(-1);
    top = rein_with_cancel(rein_background());
    beside = rein_with_cancel(top);
    failing = n;
    looked_at = false;
    reini_fault_fail_nth(n);
    work(top);
    rein_cancel(top); /* with the fault still to come, if it has not: this needs no memory */
    ck_assert_int_eq(rein_err(top), -ECANCELED);
    ck_assert_int_eq(rein_err(beside), -ECANCELED);
    reini_check_tree(top);
    rein_end(beside);
    rein_end(top);
    suite_until(idle, NULL); /* so that each round starts its threads anew */
    ck_assert_uint_eq(rein_leaks_print(-1), before);
    long asked = reini_fault_count();
    reini_fault_fail_nth(0);
    return asked;
}

void scarcely(void (*work)(rein_ctx *top))
{
    long n = 1;
    while (n <= EVERY && round_of(work, n) >= n)
        n++;
    long all = round_of(work, 0);
    printf("# the first %ld of %ld failed in turn; seed %llu for the others\n", n - 1, all,
           (unsigned long long)suite_seed());
    uint64_t random = suite_seed();
    for (int i = 0; i < SAMPLE && all > EVERY; i++)
        round_of(work, EVERY + 1 + (long)(suite_random(&random) % (uint64_t)(all - EVERY)));
}
