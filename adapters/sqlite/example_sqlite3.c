/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* example_sqlite3.c: a query without end, under a deadline. Prints
 *
 *     context deadline exceeded (SQLite says 9)
 *     the connection still works: 42
 */
#include <rein.h>
#include <rein/sqlite3.h>

#include <stdio.h>

static int print_row(void *arg, sqlite3_stmt *stmt)
{
    (void)arg;
    printf("the connection still works: %s\n", (const char *)sqlite3_column_text(stmt, 0));
    return 0;
}

int main(void)
{
    static const char endless[] =
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
    sqlite3 *db;
    rein_sqlite3 *conn;

    if (sqlite3_open(":memory:", &db) != SQLITE_OK || rein_sqlite3_attach(db, NULL, &conn) < 0)
        return 1;

    rein_ctx *ctx = rein_with_timeout(rein_background(), 50 * REIN_MILLISECOND);
    int r = rein_sqlite3_exec(ctx, conn, endless, NULL, NULL);
    rein_end(ctx);
    printf("%s (SQLite says %d)\n", rein_strerror(r), rein_sqlite3_last(conn)->native);

    r = rein_sqlite3_exec(rein_background(), conn, "SELECT 42", print_row, NULL);
    rein_sqlite3_detach(conn);
    sqlite3_close(db);
    return r < 0;
}
