/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* Owners and views are given back once each, on every path. */
#include <rein.h>

int balanced(const rein_ctx *parent, int early);

int balanced(const rein_ctx *parent, int early)
{
    rein_ctx *ctx = rein_with_cancel(parent);
    const rein_ctx *view = rein_ref(ctx);
    rein_ctx *second = rein_share(ctx);
    if (early) {
        rein_end(second);
        rein_unref(view);
        rein_end(ctx);
        return 0;
    }
    rein_end(ctx);
    int err = rein_err(view);
    rein_unref(view);
    rein_end(second);
    return err;
}
