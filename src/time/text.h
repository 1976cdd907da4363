/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* time/text.h: moments as text. */
#ifndef REIN_TIME_TEXT_H
#define REIN_TIME_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* An instant of the wall clock, ns since 1970, as RFC 3339 has it: 2026-02-03T04:05:06.789Z. It is
 * cut short as snprintf() does. (gmtime_r() takes a lock of libc's, which the child of a fork may
 * find held for ever.) */
int reini_format_wall(int64_t ns, char *buf, size_t size);

#endif
