/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/stress/model.c: see model.h. */
#include "model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/check.h"

struct slot slots[SLOTS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mnode all = {.next = &all, .prev = &all};
static size_t count;
static unsigned visit;
static uint64_t seed;
static const rein_reason *standing_canceled, *standing_expired;

void broken_at(int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "stress: broken (line %d, --seed %" PRIu64 "): ", line, seed);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

void model_init(uint64_t the_seed)
{
    seed = the_seed;
    rein_ctx *canceled = rein_with_cancel(rein_background());
    rein_ctx *expired = rein_with_timeout(rein_background(), 0);
    rein_cancel(canceled);
    standing_canceled = rein_cause(canceled);
    standing_expired = rein_cause(expired);
    rein_end(canceled);
    rein_end(expired);
}

void model_lock(void)
{
    pthread_mutex_lock(&lock);
}

void model_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

size_t model_count(void)
{
    return count;
}

/* ---- nodes ---- */

void model_ref(struct mnode *node)
{
    node->refs++;
}

struct mnode *model_new(const rein_ctx *ctx, struct mnode *memory, struct mnode *also,
                        bool ends_with_memory, bool ends_with_also)
{
    struct mnode *node = calloc(1, sizeof *node);
    rein_time limit;
    must(node != NULL, "no memory for the model");
    node->next = &all;
    node->prev = all.prev;
    all.prev->next = node;
    all.prev = node;
    count++;
    node->refs = 1;
    node->ctx = ctx;
    node->memory[0] = memory;
    node->memory[1] = also;
    node->above[0] = ends_with_memory ? memory : NULL;
    node->above[1] = ends_with_also ? also : NULL;
    for (int i = 0; i < 2; i++)
        if (node->memory[i])
            model_ref(node->memory[i]);
    node->is_virtual = memory && memory->is_virtual;
    node->limit = rein_deadline(ctx, &limit) ? limit.ns : INT64_MAX;
    return node;
}

static void free_enders(struct mnode *node)
{
    while (node->enders) {
        struct ender *ender = node->enders;
        node->enders = ender->next;
        rein_reason_unref(ender->reason);
        free(ender);
    }
}

void model_unref(struct mnode *node)
{
    if (!node || --node->refs > 0)
        return;
    struct mnode *memory[2] = {node->memory[0], node->memory[1]};
    must(node->calls == 0, "a node with calls went");
    node->next->prev = node->prev;
    node->prev->next = node->next;
    count--;
    free_enders(node);
    free(node);
    model_unref(memory[0]); /* trees are not deep here */
    model_unref(memory[1]);
}

void model_may_end(struct mnode *node, int err, const rein_reason *reason, int code, int64_t from)
{
    struct ender *ender = malloc(sizeof *ender);
    must(ender != NULL, "no memory for the model");
    for (struct ender *there = node->enders; there; there = there->next) {
        if (there->err == err && there->reason == reason && there->code == code &&
            there->from == from) {
            free(ender);
            return;
        }
    }
    *ender = (struct ender){node->enders, err, rein_reason_ref(reason), code, from};
    node->enders = ender;
}

/* ---- above and below ---- */

static bool climb(struct mnode *node, bool (*fn)(struct mnode *node, void *arg), void *arg)
{
    if (!node || node->visited == visit)
        return false;
    node->visited = visit;
    return fn(node, arg) || climb(node->above[0], fn, arg) || climb(node->above[1], fn, arg);
}

static bool is_that(struct mnode *node, void *arg)
{
    return node == arg;
}

bool model_is_below(struct mnode *node, struct mnode *top)
{
    visit++;
    return climb(node, is_that, top);
}

static bool holds(struct mnode *node, struct mnode *of)
{
    if (!node || node->visited == visit)
        return false;
    node->visited = visit;
    return node == of || holds(node->memory[0], of) || holds(node->memory[1], of);
}

bool model_is_made_of(struct mnode *node, struct mnode *of)
{
    visit++;
    return holds(node, of);
}

static bool has_ended(struct mnode *node, void *arg)
{
    (void)arg;
    return node->ended;
}

void model_born(struct mnode *node)
{
    visit++;
    if (climb(node, has_ended, NULL))
        must(rein_err(node->ctx) != 0, "a child of an ended context was born live");
}

void model_ended(struct mnode *top)
{
    top->ended = true;
    for (int i = 0; i < SLOTS; i++)
        if (slots[i].node && model_is_below(slots[i].node, top))
            must(rein_err(slots[i].ctx) != 0, "a cancel has returned, and slot %d below is live",
                 i);
}

/* ---- looking ---- */

struct seen {
    int err;
    const rein_reason *cause;
    int64_t now;
};

static bool ended_it(struct mnode *node, void *arg)
{
    const struct seen *seen = arg;
    for (const struct ender *ender = node->enders; ender; ender = ender->next) {
        if (ender->err != seen->err || ender->from > seen->now)
            continue;
        if (ender->code != 0 ? seen->cause->code == ender->code
            : ender->reason
                ? seen->cause == ender->reason
                : seen->cause == (seen->err == -ETIMEDOUT ? standing_expired : standing_canceled))
            return true;
    }
    return false;
}

void model_look(struct mnode *node)
{
    rein_time limit;
    must(rein_deadline(node->ctx, &limit) ? limit.ns == node->limit : node->limit == INT64_MAX,
         "a deadline has changed");
    int err = rein_err(node->ctx);
    if (err == 0) {
        must(node->err == 0, "err went back to 0");
        return;
    }
    struct seen seen = {err, rein_cause(node->ctx), rein_now(node->ctx).ns};
    if (node->err == 0) {
        node->err = err;
        node->cause = seen.cause;
        visit++;
        must(climb(node, ended_it, &seen), "err %d, and cause \"%s\" (%d), that nobody gave", err,
             seen.cause->text, seen.cause->code);
    }
    must(node->err == err && node->cause == seen.cause, "err or cause has changed");
    struct rein_event event;
    must(rein_event(node->ctx, &event) && event.err == err && event.cause == seen.cause,
         "the event does not agree with err");
}

/* ---- quiescence ---- */

/* The node whose list it stands in, if it lives and dies with that one. */
static struct mnode *source(struct mnode *node)
{
    while (node && node->decorates)
        node = node->above[0];
    return node;
}

static size_t expected_dependents(struct mnode *node)
{
    size_t expected = 0;
    if (rein_err(node->ctx) != 0)
        return 0;
    for (struct mnode *other = all.next; other != &all; other = other->next) {
        if (!other->decorates && rein_err(other->ctx) == 0)
            for (int i = 0; i < 2; i++)
                expected += other->above[i] && source(other->above[i]) == node;
        if (source(other) == node)
            expected += other->calls;
    }
    return expected;
}

void model_check_quiescent(size_t armed)
{
    size_t timers = 0;
    for (struct mnode *node = all.next; node != &all; node = node->next) {
        if (!node->is_virtual)
            continue;
        model_look(node);
        timers += node->own_timer && rein_err(node->ctx) == 0;
        if (node->decorates || !node->memory[0])
            continue;
        reini_check_tree(node->ctx);
        size_t there = reini_check_dependents(node->ctx), expected = expected_dependents(node);
        must(there == expected, "%zu dependents, and the model has %zu", there, expected);
        for (int i = 0; i < 2; i++)
            if (node->above[i])
                must(rein_err(node->above[i]->ctx) == 0 || rein_err(node->ctx) != 0,
                     "a child outlives its parent");
    }
    must(armed == timers, "%zu timers are armed, and the model has %zu", armed, timers);
}
