/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* The scope's end gives back, whichever way it is left. */
#include <rein.h>

int scope_exit(const rein_ctx *parent, int way);

int scope_exit(const rein_ctx *parent, int way)
{
    REIN_AUTO_END rein_ctx *ctx = rein_with_cancel(parent);
    REIN_AUTO_UNREF const rein_ctx *view = rein_ref(ctx);
    if (way == 0)
        return rein_err(view);
    for (int i = 0; i < way; i++) {
        REIN_AUTO_END rein_ctx *inner = rein_with_timeout(view, REIN_SECOND);
        if (rein_check(inner) != 0)
            return -i;
    }
    return 0;
}
