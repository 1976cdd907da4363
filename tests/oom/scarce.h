/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/oom/scarce.h: work that copes with it, done with each allocation failing in turn.
 *
 *     static void work(rein_ctx *top)
 *     {
 *         rein_ctx *ctx = rein_with_cancel(top);
 *         if (scarce_real(ctx))
 *             ...
 *         rein_end(ctx);
 *     }
 *     ...
 *     scarcely(work);
 *
 * It may cancel top, and gives back whatever else it has. What other threads change is not below
 * top, whose tree is looked at whenever something has failed. */
#ifndef TESTS_OOM_SCARCE_H
#define TESTS_OOM_SCARCE_H

#include <rein.h>
#include <stdbool.h>
#include <stddef.h>

/* Do the work with its first allocation failing, with its second, and so on until there is none
 * that could; of those beyond the 1,000th a random sample, whose seed is printed. Each time:
 * cancelling top still works, and when all is given back no context is alive and rein is idle. */
void scarcely(void (*work)(rein_ctx *top));

/* What a call gave that needs memory: whether it is a success. If not, memory has failed indeed,
 * the call says so as its contract has it, and top and the tree below it are as they were. */
bool scarce_real(const rein_ctx *ctx); /* a context; or the failed one */
bool scarce_ok(int r);                 /* 0; or -ENOMEM, or -EAGAIN for want of a thread */
bool scarce_have(const void *object);  /* not NULL; or NULL */

/* That each of n contexts, unless it is the failed one, has come to that end. */
void scarce_expect_end(rein_ctx *const *ctx, size_t n, int err, const rein_reason *reason);

#endif
