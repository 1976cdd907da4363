/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/time/test_timerq.c: the timing wheel against a model that is slow and obviously right: an
 * array in which the next timer is looked for from end to end. */
#include <rein/time.h>
#include <stdio.h>

#include "base/attr.h"
#include "suite.h"
#include "time/instant.h"
#include "time/timerq.h"

enum { TIMERS = 300 };

struct entry {
    struct timer timer;
    uint64_t armed_as; /* how many had been armed before; of equal instants the least is first */
};

struct model {
    struct timerq queue;
    struct entry entries[TIMERS];
    size_t armed;
    uint64_t arms;
    int64_t now;
    uint64_t random;
};

static void start(struct model *model, int64_t now, uint64_t seed)
{
    memset(model, 0, sizeof *model);
    model->now = now;
    model->random = seed;
    reini_timerq_init(&model->queue, now);
}

static uint64_t below(struct model *model, uint64_t n)
{
    return suite_random(&model->random) % n;
}

/* A span of any order of magnitude: as likely some nanoseconds as some years. */
static int64_t any_span(struct model *model)
{
    return (int64_t)(suite_random(&model->random) >> 1 >> below(model, 63));
}

static struct entry *any_entry(struct model *model, enum timer_state state)
{
    struct entry *from = &model->entries[below(model, TIMERS)];
    for (int i = 0; i < TIMERS; i++) {
        struct entry *it = &model->entries[(size_t)(from - model->entries + i) % TIMERS];
        if (it->timer.state == state)
            return it;
    }
    return NULL;
}

/* The first of those that are armed; NULL if none is. */
static struct entry *first(struct model *model)
{
    struct entry *best = NULL;
    for (struct entry *it = model->entries; it < model->entries + TIMERS; it++) {
        if (it->timer.state != TIMER_ARMED)
            continue;
        if (!best || it->timer.when < best->timer.when ||
            (it->timer.when == best->timer.when && it->armed_as < best->armed_as))
            best = it;
    }
    return best;
}

static void insert(struct model *model, int64_t when)
{
    struct entry *it = any_entry(model, TIMER_IDLE);
    if (!it || when == NEVER)
        return;
    it->timer.when = when;
    it->armed_as = model->arms++;
    model->armed++;
    timerq_insert(&model->queue, &it->timer);
    ck_assert_int_eq(it->timer.state, TIMER_ARMED);
}

static void take_out(struct model *model)
{
    struct entry *it = any_entry(model, TIMER_ARMED);
    if (!it)
        return;
    timerq_remove(&model->queue, &it->timer);
    model->armed--;
    ck_assert_int_eq(it->timer.state, TIMER_IDLE);
}

/* Time is now `now`: what is due comes out, in order, none early, none forgotten. */
static void advance(struct model *model, int64_t now)
{
    struct list due;
    list_init(&due);
    model->now = now;
    reini_timerq_take_due(&model->queue, now, &due);
    for (struct list *link = due.next; link != &due; link = link->next) {
        struct timer *timer = CONTAINER_OF(link, struct timer, link);
        ck_assert_int_eq(timer->state, TIMER_FIRING);
        ck_assert_int_le(timer->when, now);
        timer->state = TIMER_ARMED; /* for the model, until its turn has come */
    }
    while (!list_empty(&due)) {
        struct entry *it = CONTAINER_OF(list_take(&due), struct entry, timer.link);
        ck_assert_ptr_eq(it, first(model));
        it->timer.state = TIMER_IDLE;
        model->armed--;
    }
    ck_assert(!first(model) || first(model)->timer.when > now);
}

/* What the queue says about itself. wake_at may be before the next instant, never after it. */
static void compare(struct model *model)
{
    struct entry *next = first(model);
    int64_t wake_at = reini_timerq_wake_at(&model->queue);
    ck_assert_uint_eq(model->queue.count, model->armed);
    ck_assert_int_eq(reini_timerq_next(&model->queue), next ? next->timer.when : NEVER);
    ck_assert_int_le(wake_at, next ? next->timer.when : NEVER);
    ck_assert((wake_at == NEVER) == !next);
}

/* An instant of interest: any, one that another timer has, now, or past. */
static int64_t any_instant(struct model *model)
{
    struct entry *other = any_entry(model, TIMER_ARMED);
    int64_t its = other ? other->timer.when : model->now;
    switch (below(model, 8)) {
    case 0: return its;
    case 1: return instant_add(its, (int64_t)below(model, 3) - 1);
    case 2: return model->now;
    case 3: return instant_sub(model->now, any_span(model));
    default: return instant_add(model->now, any_span(model));
    }
}

/* Where time goes next: to just before, to, or past the next timer; a little on; or far. */
static int64_t any_later(struct model *model)
{
    struct entry *next = first(model);
    int64_t when = next ? instant_add(next->timer.when, (int64_t)below(model, 3) - 1) : model->now;
    if (below(model, 3) > 0)
        when = instant_add(model->now, any_span(model));
    if (when == NEVER)
        when = model->now;
    return when > model->now ? when : model->now;
}

/* Random inserts, removals and advances, over all magnitudes of time, from several origins. */
CASE_LONG(120, timerq_against_a_model, "TIME-6", "P-NEVER-EARLY")
{
    static struct model model;
    static const int64_t origins[] = {0, 1000000 * REIN_SECOND, -REIN_HOUR, INT64_MIN,
                                      INT64_MAX - 2 * REIN_HOUR};
    fprintf(stderr, "# seed %llu\n", (unsigned long long)suite_seed());
    for (size_t round = 0; round < suite_rounds(200); round++) {
        start(&model, origins[round % 5], suite_seed() + round);
        uint64_t full = 1 + below(&model, TIMERS), inserts = 2 + below(&model, 8);
        for (int step = 0; step < 500; step++) {
            uint64_t what = below(&model, 12);
            if (what < inserts && model.armed < full)
                insert(&model, any_instant(&model));
            else if (what < 10)
                take_out(&model);
            else
                advance(&model, any_later(&model));
            compare(&model);
        }
        advance(&model, INT64_MAX - 1);
        ck_assert_uint_eq(model.armed, 0);
        compare(&model);
    }
}

/* Equal instants come out in the order in which they were armed, though some were armed when the
 * instant was far, others when it was near, and others when it had passed. */
CASE(timerq_equal_instants_keep_their_order, "TIME-6")
{
    static struct model model;
    int64_t when = 100 * 24 * REIN_HOUR;
    start(&model, 0, suite_seed());
    for (int64_t left = when; left > 0; left /= 3) {
        insert(&model, when);
        insert(&model, when + 1);
        advance(&model, when - left);
    }
    insert(&model, when);
    advance(&model, when);
    ck_assert_uint_gt(model.armed, 20);
    insert(&model, when + 1);
    insert(&model, when);
    advance(&model, when + 1);
    ck_assert_uint_eq(model.armed, 0);
}

/* Who sleeps until wake_at comes for nothing at most once for each level of the wheel; so a timer
 * that is far costs a few looks on its way, whatever the distance. */
CASE(timerq_wakes_for_nothing_once_a_level, "P-COST")
{
    static struct model model;
    for (size_t round = 0; round < suite_rounds(2000); round++) {
        start(&model, 0, suite_seed() + round);
        insert(&model, any_span(&model));
        int looks = 0;
        for (; model.armed > 0; looks++)
            advance(&model, reini_timerq_wake_at(&model.queue));
        ck_assert_int_le(looks, TIMERQ_LEVELS + 1);
    }
}
