/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* match.h: an SQL function that looks for a regular expression and obeys a context.
 *
 *     SELECT first_match(body, 'pattern', ?1) FROM docs          ?1: a context, as MATCH_CONTEXT
 *
 * is the first line of body that an extended POSIX pattern matches, or NULL. SQLite looks at the
 * context between its own steps, but a function is one step, however long it takes; therefore this
 * one looks itself, once a line. The context comes to it as it comes to every function: as an
 * argument. */
#ifndef DOCSEARCH_MATCH_H
#define DOCSEARCH_MATCH_H

#include <sqlite3.h>

/* The type of the pointer to bind with sqlite3_bind_pointer(). */
#define MATCH_CONTEXT "rein_ctx"

/* Make the function known to a connection: 0 or a negative errno. */
int match_register(sqlite3 *db);

#endif
