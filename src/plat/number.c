/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/number.c: a thread's first question for its number. */
#include "plat/number.h"

#include "base/atomic.h"

_Thread_local uint32_t reini_number;
static uint32_t numbers; /* atomic; how many threads have one */

COLD uint32_t reini_number_take(void)
{
    reini_number = add_relaxed(&numbers, 1) + 1; /* relaxed: only its difference is of use */
    return reini_number;
}
