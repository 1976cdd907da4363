/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* An owner goes to the caller. */
#include <rein.h>

rein_ctx *limited(const rein_ctx *parent, rein_duration limit);

rein_ctx *limited(const rein_ctx *parent, rein_duration limit)
{
    return limit > 0 ? rein_with_timeout(parent, limit) : rein_with_cancel(parent);
}
