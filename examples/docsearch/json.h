/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* json.h: text that grows, and strings in it that are quoted as JSON wants them. */
#ifndef DOCSEARCH_JSON_H
#define DOCSEARCH_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Start with {0}. When memory is short, what is written is lost and `failed` says so: one question
 * at the end, in place of one after each call. */
struct json {
    char *text; /* ends with a NUL, which length does not count; NULL while empty */
    size_t length;
    size_t room;
    bool failed;
};

/* Write text as it is. */
void json_raw(struct json *json, const char *text);

/* Write what printf would. */
void json_format(struct json *json, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Write a quoted string; bytes that are no UTF-8 become U+FFFD. NULL is the empty string. */
void json_string(struct json *json, const char *text);

void json_free(struct json *json);

#endif
