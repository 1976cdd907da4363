/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* expect: incompatible (pointer )?type */
#include <rein.h>

REIN_KEY_DECLARE_STRING(user)

const rein_ctx *value_of_another_type(const rein_ctx *parent, const int *number);

const rein_ctx *value_of_another_type(const rein_ctx *parent, const int *number)
{
    return user_with(parent, number);
}
