/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* guest.c: see guest.h. Uses the inline functions alone, so it links without librein. */
#include "guest.h"

int guest_count(const rein_ctx *ctx, int n, int *ret_count)
{
    int count = 0;
    while (count < n && !rein_done(ctx))
        count++;
    *ret_count = count;
    return count < n ? rein_err(ctx) : 0;
}
