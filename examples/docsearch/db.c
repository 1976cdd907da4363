/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* db.c: see db.h. */
#include "db.h"

#include "log.h"
#include "match.h"

#include <errno.h>
#include <string.h>

/* With a write-ahead log searches go on while others write. The words take their text from docs,
 * which so is stored once; the trigger keeps the two together in one transaction. */
static const char schema[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL;"
    "CREATE TABLE IF NOT EXISTS docs(id INTEGER PRIMARY KEY, path TEXT UNIQUE, body TEXT);"
    "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(body, content=docs, content_rowid=id);"
    "CREATE TRIGGER IF NOT EXISTS docs_added AFTER INSERT ON docs BEGIN"
    "  INSERT INTO words(rowid, body) VALUES (new.id, new.body);"
    "END;";

static int prepare_connection(const rein_ctx *ctx, rein_sqlite3 *db)
{
    int r = match_register(rein_sqlite3_db(db));
    return r < 0 ? r : rein_sqlite3_exec(ctx, db, schema, NULL, NULL);
}

int db_open(const rein_ctx *ctx, const char *file, rein_sqlite3 **ret_db)
{
    /* No mutex of SQLite's: a connection is used by one thread at a time. */
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    sqlite3 *handle = NULL;
    rein_sqlite3 *db = NULL;
    int r = rein_sqlite3_errno(sqlite3_open_v2(file, &handle, flags, NULL));
    if (r == 0)
        r = rein_sqlite3_attach(handle, NULL, &db);
    if (r == 0)
        r = prepare_connection(ctx, db);
    if (r == 0) {
        *ret_db = db;
        return 0;
    }
    if (r != -ECANCELED && r != -ETIMEDOUT) {
        struct json line = {0};
        json_raw(&line, "event=database-error why=");
        json_string(&line, handle ? sqlite3_errmsg(handle) : rein_strerror(r));
        log_write(&line);
    }
    rein_sqlite3_detach(db);
    sqlite3_close(handle);
    return r;
}

void db_close(rein_sqlite3 *db)
{
    if (!db)
        return;
    sqlite3 *handle = rein_sqlite3_db(db);
    rein_sqlite3_detach(db);
    sqlite3_close(handle);
}

const char *db_error(rein_sqlite3 *db)
{
    return sqlite3_errmsg(rein_sqlite3_db(db));
}

static int copy_text(void *text, sqlite3_stmt *stmt)
{
    json_string(text, (const char *)sqlite3_column_text(stmt, 0));
    return 0;
}

int db_check(const rein_ctx *ctx, const char *file)
{
    struct json found = {0};
    rein_sqlite3 *db = NULL;
    int r = db_open(ctx, file, &db);
    if (r == 0)
        r = rein_sqlite3_exec(ctx, db, "PRAGMA integrity_check(1)", copy_text, &found);
    if (r == 0) /* the index of words has a check of its own, which is asked for like this */
        r = rein_sqlite3_exec(ctx, db, "INSERT INTO words(words) VALUES ('integrity-check')", NULL,
                              NULL);
    if (r == 0) {
        json_raw(&found, " docs=");
        r = rein_sqlite3_exec(ctx, db, "SELECT count(*) FROM docs", copy_text, &found);
    }
    bool whole = r == 0 && !found.failed && strncmp(found.text, "\"ok\"", 4) == 0;
    const char *what = found.failed ? "out of memory" : found.text;
    log_event("event=checked whole=%s found=%s", whole ? "yes" : "no",
              r < 0 ? rein_strerror(r) : what);
    json_free(&found);
    db_close(db);
    return r < 0 || whole ? r : -EBADMSG;
}
