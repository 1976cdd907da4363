/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* search.h: the two questions that the index answers. */
#ifndef DOCSEARCH_SEARCH_H
#define DOCSEARCH_SEARCH_H

#include "conns.h"
#include "json.h"

#include <rein/context.h>

/* Texts that hold the words of an FTS5 query, the best first; and texts with a line that matches an
 * extended POSIX pattern, for which every line of every text is read, `rounds` times over.
 *
 * Both write a JSON object: the answer, or, for -EINVAL, what is wrong with the question.
 *
 * Returns  0
 * Errors   -ECANCELED, -ETIMEDOUT  ctx was done first, and the database has stopped
 *          -EINVAL                 the question makes no sense
 *          others                  the database failed */
int search_words(const rein_ctx *ctx, struct conn *conn, const char *query, struct json *answer);
int search_pattern(const rein_ctx *ctx, struct conn *conn, const char *pattern, int rounds,
                   struct json *answer);

#endif
