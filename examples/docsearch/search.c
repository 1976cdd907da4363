/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* search.c: see search.h. */
#include "search.h"

#include "db.h"
#include "match.h"

#include <errno.h>

static const char words_sql[] =
    "SELECT docs.path, snippet(words, 0, '[', ']', '...', 16)"
    "  FROM words JOIN docs ON docs.id = words.rowid"
    "  WHERE words MATCH ?1 ORDER BY words.rank LIMIT 20";

/* The rounds come first in the join, so that each goes through all texts once more. */
static const char pattern_sql[] =
    "WITH RECURSIVE round(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM round WHERE n < ?2)"
    " SELECT DISTINCT docs.path, first_match(docs.body, ?1, ?3)"
    "  FROM round CROSS JOIN docs"
    "  WHERE first_match(docs.body, ?1, ?3) IS NOT NULL LIMIT 20";

/* Run a statement, and write its rows of path and text as the answer. */
static int write_rows(const rein_ctx *ctx, rein_sqlite3 *db, sqlite3_stmt *stmt,
                      struct json *answer)
{
    int r, count = 0;
    json_raw(answer, "\"results\":[");
    while ((r = rein_sqlite3_step(ctx, db, stmt)) == REIN_SQLITE3_ROW) {
        json_raw(answer, count++ ? ",\n {\"path\":" : "\n {\"path\":");
        json_string(answer, (const char *)sqlite3_column_text(stmt, 0));
        json_raw(answer, ",\"text\":");
        json_string(answer, (const char *)sqlite3_column_text(stmt, 1));
        json_raw(answer, "}");
    }
    json_format(answer, "],\"count\":%d}\n", count);
    return r;
}

/* What is left of an answer that failed: nothing, or what was wrong with the question. */
static void write_error(int err, rein_sqlite3 *db, struct json *answer)
{
    json_free(answer);
    if (err != -EINVAL)
        return;
    json_raw(answer, "{\"error\":");
    json_string(answer, db_error(db));
    json_raw(answer, "}\n");
}

static void begin_answer(struct json *answer, const char *question, int conn)
{
    json_raw(answer, "{\"question\":");
    json_string(answer, question);
    json_format(answer, ",\"conn\":%d,", conn);
}

int search_words(const rein_ctx *ctx, struct conn *conn, const char *query, struct json *answer)
{
    sqlite3_stmt *stmt = NULL;
    int r = rein_sqlite3_prepare(ctx, conn->db, words_sql, &stmt, NULL);
    if (r == 0) {
        sqlite3_bind_text(stmt, 1, query, -1, SQLITE_STATIC);
        begin_answer(answer, query, conn->number);
        r = write_rows(ctx, conn->db, stmt, answer);
    }
    if (r < 0)
        write_error(r, conn->db, answer);
    sqlite3_finalize(stmt);
    return r;
}

int search_pattern(const rein_ctx *ctx, struct conn *conn, const char *pattern, int rounds,
                   struct json *answer)
{
    sqlite3_stmt *stmt = NULL;
    int r = rein_sqlite3_prepare(ctx, conn->db, pattern_sql, &stmt, NULL);
    if (r == 0) {
        sqlite3_bind_text(stmt, 1, pattern, -1, SQLITE_STATIC);
        sqlite3_bind_int(stmt, 2, rounds);
        sqlite3_bind_pointer(stmt, 3, rein_arg(ctx), MATCH_CONTEXT, NULL);
        begin_answer(answer, pattern, conn->number);
        r = write_rows(ctx, conn->db, stmt, answer);
    }
    if (r < 0)
        write_error(r, conn->db, answer);
    sqlite3_finalize(stmt);
    return r;
}
