/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* expect: incompatible (pointer )?type */
#include <rein.h>

rein_ctx *duration_for_instant(const rein_ctx *parent);

rein_ctx *duration_for_instant(const rein_ctx *parent)
{
    return rein_with_deadline(parent, REIN_SECOND);
}
