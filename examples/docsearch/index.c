/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* index.c: see index.h.
 *
 * The workers share a list of files and take the next one from it in turn. Each reads a batch of
 * texts, and then writes it in one transaction on a connection of its own: while one writes, the
 * others read. They also share a context. The first that fails cancels it with what went wrong, and
 * so ends the others; when the caller's context ends, it ends them all in the same way. */
#include "index.h"

#include "db.h"
#include "files.h"
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <rein.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_TEXTS = 64, MOST_WORKERS = 64 };

/* What the workers share. */
struct work {
    rein_ctx *ctx; /* theirs to cancel */
    const char *database;
    struct files files;
    atomic_size_t next;  /* of files */
    atomic_size_t added; /* texts in the database now that were not before */
};

/* What one worker works with. */
struct worker {
    struct work *work;
    rein_sqlite3 *db;
    sqlite3_stmt *known;
    sqlite3_stmt *insert;
    size_t count; /* of texts in the batch */
    const char *paths[BATCH_TEXTS];
    char *texts[BATCH_TEXTS];
};

/* Whether path is in the database: 1, 0 or an error. */
static int is_known(struct worker *worker, const char *path)
{
    sqlite3_bind_text(worker->known, 1, path, -1, SQLITE_STATIC);
    int r = rein_sqlite3_step(worker->work->ctx, worker->db, worker->known);
    sqlite3_reset(worker->known);
    return r < 0 ? r : r == REIN_SQLITE3_ROW;
}

/* Fill the batch with texts that are not known yet. It stays empty at the end of the list. */
static int read_batch(struct worker *worker)
{
    struct work *work = worker->work;
    while (worker->count < BATCH_TEXTS) {
        size_t i = atomic_fetch_add(&work->next, 1);
        if (i >= work->files.count)
            break;
        const char *path = work->files.paths[i];
        int known = is_known(worker, path);
        if (known < 0)
            return known;
        if (known)
            continue;
        int r = files_read(path, &worker->texts[worker->count]);
        if (r == 0)
            worker->paths[worker->count++] = path;
        else if (r == -ENOMEM) /* anything else: it is no text, or not ours to read */
            return r;
    }
    return 0;
}

static int insert_batch(struct worker *worker)
{
    for (size_t i = 0; i < worker->count; i++) {
        sqlite3_bind_text(worker->insert, 1, worker->paths[i], -1, SQLITE_STATIC);
        sqlite3_bind_text(worker->insert, 2, worker->texts[i], -1, SQLITE_STATIC);
        int r = rein_sqlite3_step(worker->work->ctx, worker->db, worker->insert);
        sqlite3_reset(worker->insert);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Write the batch: all of it, or nothing. */
static int write_batch(struct worker *worker)
{
    const rein_ctx *ctx = worker->work->ctx;
    int r = rein_sqlite3_exec(ctx, worker->db, "BEGIN IMMEDIATE", NULL, NULL);
    if (r == 0)
        r = insert_batch(worker);
    if (r == 0)
        r = rein_sqlite3_exec(ctx, worker->db, "COMMIT", NULL, NULL);
    /* After a failure the worker closes its connection, and with it goes the transaction. */
    if (r == 0)
        atomic_fetch_add(&worker->work->added, worker->count);
    return r;
}

static void forget_batch(struct worker *worker)
{
    for (size_t i = 0; i < worker->count; i++)
        free(worker->texts[i]);
    worker->count = 0;
}

static int run_worker(struct worker *worker)
{
    const rein_ctx *ctx = worker->work->ctx;
    int r = db_open(ctx, worker->work->database, &worker->db);
    if (r == 0)
        r = rein_sqlite3_prepare(ctx, worker->db, "SELECT 1 FROM docs WHERE path = ?1",
                                 &worker->known, NULL);
    if (r == 0)
        r = rein_sqlite3_prepare(ctx, worker->db,
                                 "INSERT OR IGNORE INTO docs(path, body) VALUES (?1, ?2)",
                                 &worker->insert, NULL);
    while (r == 0 && (r = read_batch(worker)) == 0 && worker->count > 0) {
        r = write_batch(worker);
        forget_batch(worker);
    }
    forget_batch(worker);
    return r;
}

static void *worker_thread(void *arg)
{
    struct work *work = arg;
    struct worker worker = {.work = work};
    int r = run_worker(&worker);
    if (r < 0) /* of all that is said here, and by the caller's context, the first counts */
        rein_cancel_causef(work->ctx, r, "indexing: %s",
                           worker.db ? db_error(worker.db) : rein_strerror(r));
    sqlite3_finalize(worker.known);
    sqlite3_finalize(worker.insert);
    db_close(worker.db);
    return NULL;
}

/* Run n workers to their end. */
static void run_workers(struct work *work, int n)
{
    pthread_t threads[MOST_WORKERS];
    int started = 0;
    while (started < n) {
        int r = pthread_create(&threads[started], NULL, worker_thread, work);
        if (r != 0) {
            rein_cancel_causef(work->ctx, -r, "indexing: %s", strerror(r));
            break;
        }
        started++;
    }
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static void log_result(const struct work *work, rein_time began)
{
    struct json line = {0};
    double ms = (double)rein_time_sub(rein_now(work->ctx), began) / 1e6;
    json_format(&line, "event=%s added=%zu files=%zu ms=%.0f",
                rein_done(work->ctx) ? "index-stopped" : "indexed", atomic_load(&work->added),
                work->files.count, ms);
    if (rein_done(work->ctx)) {
        char why[256];
        rein_explain(work->ctx, why, sizeof why);
        json_raw(&line, " why=");
        json_string(&line, why);
    }
    log_write(&line);
}

int index_folder(const rein_ctx *parent, const struct options *options)
{
    struct work work = {.ctx = rein_with_cancel(parent), .database = options->database};
    rein_time began = rein_now(parent);
    rein_sqlite3 *db = NULL; /* opened first and closed last: makes the tables, tidies up the log */
    int r = db_open(work.ctx, options->database, &db);
    if (r == 0)
        r = files_list(work.ctx, options->folder, &work.files);
    if (r < 0)
        rein_cancel_causef(work.ctx, r, "indexing %s: %s", options->folder, rein_strerror(r));
    if (r == 0) {
        log_event("event=indexing files=%zu workers=%d", work.files.count, options->workers);
        run_workers(&work, options->workers);
    }
    log_result(&work, began);

    /* Ended from above, from within, or not at all. */
    if (rein_done(parent))
        r = rein_err(parent);
    else if (rein_done(work.ctx))
        r = rein_cause(work.ctx)->code;
    files_free(&work.files);
    db_close(db);
    rein_end(work.ctx);
    return r;
}
