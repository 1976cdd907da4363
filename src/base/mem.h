/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* base/mem.h: memory, with errno left alone and a point where a test makes it fail. */
#ifndef REIN_BASE_MEM_H
#define REIN_BASE_MEM_H

#include <stddef.h>

void *reini_alloc(size_t size); /* not cleared; NULL if memory is short */
void *reini_alloc_zero(size_t size);
void reini_free(void *memory);

#endif
