/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* log.h: one line for each thing that happened, as "ts=… event=… key=value …".
 *
 *     struct json line = {0};
 *     json_format(&line, "event=request status=%d path=", 200);
 *     json_string(&line, path);                    // what came from outside is always quoted
 *     log_write(&line);
 */
#ifndef DOCSEARCH_LOG_H
#define DOCSEARCH_LOG_H

#include "json.h"

/* Write the line to standard error, with the wall clock in microseconds before it, and free it. */
void log_write(struct json *line);

/* The same for what is known to need no quoting. */
void log_event(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
