/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* base/mem.h: memory: plain malloc, so that valgrind and ASan see every context as what it is; with
 * errno left alone, and a point where a test makes it fail. */
#ifndef REIN_BASE_MEM_H
#define REIN_BASE_MEM_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/fault.h"

/* Not cleared; NULL if memory is short. */
static inline void *reini_alloc(size_t size)
{
    if (FAULT_ALLOC())
        return NULL;
    int saved = errno; /* malloc sets it on failure; no rein call does */
    void *memory = malloc(size);
    if (UNLIKELY(!memory))
        errno = saved;
    return memory;
}

enum { CACHE_LINE = 64 }; /* bytes; what different threads write to should not share one */

/* The same, at an address that is a multiple of `alignment`; size is one as well. */
static inline void *reini_alloc_aligned(size_t alignment, size_t size)
{
    if (FAULT_ALLOC())
        return NULL;
    int saved = errno;
    void *memory = aligned_alloc(alignment, size);
    if (UNLIKELY(!memory))
        errno = saved;
    return memory;
}

static inline void *reini_alloc_zero(size_t size)
{
    void *memory = reini_alloc(size);
    if (LIKELY(memory != NULL))
        memset(memory, 0, size);
    return memory;
}

static inline void reini_free(void *memory)
{
    free(memory); /* glibc >= 2.33 and musl keep errno */
}

/* Have the C library give back what was freed. glibc keeps blocks of up to 128 bytes, and children
 * are such, as they are until somebody wants more than a KiB of the same heap: then it joins them,
 * and what is free at the end of the heap goes back to the system with the next large free(). */
static inline void reini_give_back(void)
{
    int saved = errno;
    void *volatile large = malloc(4096); /* volatile: not to be optimised away */
    free(large);
    errno = saved;
}

#endif
