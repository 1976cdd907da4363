/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/number.h: a small number for each thread, counted from 1 as threads first ask for theirs: to
 * choose among several of something, of which threads that run together should not take one. */
#ifndef REIN_PLAT_NUMBER_H
#define REIN_PLAT_NUMBER_H

#include <stdint.h>

#include "base/attr.h"

extern _Thread_local uint32_t reini_number; /* 0: not asked yet */
uint32_t reini_number_take(void);

static inline uint32_t thread_number(void)
{
    return LIKELY(reini_number != 0) ? reini_number : reini_number_take();
}

#endif
