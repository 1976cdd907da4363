/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* expect: double */
#include <rein.h>

void ended_twice(const rein_ctx *parent);

void ended_twice(const rein_ctx *parent)
{
    rein_ctx *ctx = rein_with_cancel(parent);
    rein_end(ctx);
    rein_end(ctx);
}
