/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* expect: use after */
#include <rein.h>

int used_after_end(const rein_ctx *parent);

int used_after_end(const rein_ctx *parent)
{
    rein_ctx *ctx = rein_with_cancel(parent);
    rein_end(ctx);
    return rein_err(ctx);
}
