/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* log.c: see log.h. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

/* One fprintf is one line, also when many threads write: stdio locks the stream for it. */
static void write_line(const char *text)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    fprintf(stderr, "ts=%lld.%06ld %s\n", (long long)now.tv_sec, now.tv_nsec / 1000, text);
}

void log_write(struct json *line)
{
    write_line(line->failed ? "event=lost why=\"out of memory\"" : line->text);
    json_free(line);
}

void log_event(const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    write_line(text);
}
