/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* expect: discards .const. qualifier */
#include <rein.h>

void cancelled_through_a_view(const rein_ctx *ctx);

void cancelled_through_a_view(const rein_ctx *ctx)
{
    rein_cancel(ctx);
}
