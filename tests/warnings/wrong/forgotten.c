/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* expect: leak */
#include <rein.h>

int forgotten(const rein_ctx *parent);

int forgotten(const rein_ctx *parent)
{
    rein_ctx *ctx = rein_with_cancel(parent);
    return rein_err(ctx);
}
