/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* expect: incompatible (pointer )?type */
#include <rein.h>

rein_ctx *instant_for_duration(const rein_ctx *parent);

rein_ctx *instant_for_duration(const rein_ctx *parent)
{
    return rein_with_timeout(parent, rein_in(parent, REIN_SECOND));
}
