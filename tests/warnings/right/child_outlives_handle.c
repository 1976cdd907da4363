/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* A parent's handle may be given back while its child lives on. */
#include <rein.h>

int child_outlives_handle(void);

int child_outlives_handle(void)
{
    rein_ctx *parent = rein_with_timeout(rein_background(), 10 * REIN_SECOND);
    rein_ctx *child = rein_with_cancel(parent);
    rein_end(parent);
    int err = rein_check(child);
    rein_end(child);
    return err;
}
