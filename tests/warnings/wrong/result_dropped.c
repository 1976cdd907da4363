/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* expect: ignoring return value */
#include <rein.h>

void result_dropped(const rein_ctx *parent);

void result_dropped(const rein_ctx *parent)
{
    rein_with_cancel(parent);
}
