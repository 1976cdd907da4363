/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* expect: leak */
#include <rein.h>

int forgotten_on_a_branch(const rein_ctx *parent, int early);

int forgotten_on_a_branch(const rein_ctx *parent, int early)
{
    rein_ctx *ctx = rein_with_timeout(parent, REIN_SECOND);
    if (early)
        return -1;
    int err = rein_check(ctx);
    rein_end(ctx);
    return err;
}
