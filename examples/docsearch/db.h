/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* db.h: one connection to the index: a table of texts, and a full-text index over it. */
#ifndef DOCSEARCH_DB_H
#define DOCSEARCH_DB_H

#include <rein/context.h>
#include <rein/sqlite3.h>

/* Open the database, made if need be, and attach the connection to contexts.
 * Returns  0; *ret_db is to be given back with db_close()
 * Errors   a negative errno; the reason has been logged */
int db_open(const rein_ctx *ctx, const char *file, rein_sqlite3 **ret_db);

/* Close it; a transaction that is still open is rolled back. NULL is fine. */
void db_close(rein_sqlite3 *db);

/* Look whether everything in the database is as it should be, and log what was found.
 * Returns  0, or -EBADMSG if it is not, or why it could not be looked at */
int db_check(const rein_ctx *ctx, const char *file);

/* What SQLite says about the last failure on db. */
const char *db_error(rein_sqlite3 *db);

#endif
