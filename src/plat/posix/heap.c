/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/posix/heap.c: memory that was freed, and is still the process's. */
#include <errno.h>
#include <stddef.h>

#include "plat/plat.h"

/* glibc's, which keeps freed blocks of up to 128 bytes (and children are such) as they are until a
 * thread that uses the same heap asks for a KiB or more. Others give back by themselves, and have
 * no such function. */
extern int malloc_trim(size_t pad) __attribute__((weak));

void reini_heap_trim(void)
{
    int saved = errno;
    if (malloc_trim)
        malloc_trim(0);
    errno = saved;
}
