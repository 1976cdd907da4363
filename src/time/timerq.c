/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* time/timerq.c: the timing wheel; see timerq.h for what it is.
 *
 * A timer's level is that of the highest base-64 digit in which its tick differs from queue->tick,
 * and its slot is that digit of its own tick. Hence
 *
 *   I1  a timer of level l agrees with queue->tick in all digits above l,
 *   I2  so every timer of a lower level comes before every timer of a higher one,
 *   I3  and a slot of level > 0 lies wholly after queue->tick.
 *
 * Moving queue->tick forward keeps all three as long as it passes no filled slot's first tick
 * without emptying that slot; take_due() goes from one filled slot to the next. */
#include "time/timerq.h"

#include "base/attr.h"
#include "time/instant.h"

static int64_t instant_of(uint64_t tick)
{
    return (int64_t)((tick << TIMERQ_TICK_BITS) ^ (UINT64_C(1) << 63));
}

static struct timer *timer_of(struct list *link)
{
    return CONTAINER_OF(link, struct timer, link);
}

void reini_timerq_init(struct timerq *queue, int64_t now)
{
    queue->tick = timerq_tick(now);
    queue->count = 0;
    for (int level = 0; level < TIMERQ_LEVELS; level++)
        queue->filled[level] = 0; /* a head is made with its first timer: 8 KiB stay untouched */
}

static struct list *slot_at(struct timerq *queue, unsigned level, unsigned slot)
{
    return &queue->slots[level * TIMERQ_SLOTS + slot];
}

/* The first filled slot in the order of time; false if there is none. */
static bool first_filled(const struct timerq *queue, unsigned *ret_level, unsigned *ret_slot,
                         uint64_t *ret_tick)
{
    for (unsigned level = 0; level < TIMERQ_LEVELS; level++) {
        uint64_t filled = queue->filled[level];
        if (!filled)
            continue;
        unsigned slot = (unsigned)__builtin_ctzll(filled); /* I1, I3: no wrap within a level */
        unsigned shift = level * TIMERQ_DIGIT_BITS;
        uint64_t above =
            shift + TIMERQ_DIGIT_BITS < 64 ? queue->tick >> (shift + TIMERQ_DIGIT_BITS) : 0;
        *ret_level = level;
        *ret_slot = slot;
        *ret_tick = (above << TIMERQ_DIGIT_BITS | (uint64_t)slot) << shift;
        return true;
    }
    return false;
}

/* Merge two chains (by next, NULL-ended) that are in order; of equals a's come first. */
static struct list *merge(struct list *a, struct list *b)
{
    struct list *head = NULL, **tail = &head;
    while (a && b) {
        struct list **from = timer_of(b)->when < timer_of(a)->when ? &b : &a;
        *tail = *from;
        tail = &(*tail)->next;
        *from = (*from)->next;
    }
    *tail = a ? a : b;
    return head;
}

/* Put a list in order: a bottom-up merge sort, stable, without recursion. */
static void sort(struct list *head)
{
    struct list *runs[64] = {NULL}; /* runs[i]: none, or 2^i timers in order */
    size_t used = 0;
    while (!list_empty(head)) {
        struct list *run = list_take(head);
        run->next = NULL;
        size_t i = 0;
        for (; i < used && runs[i]; i++) {
            run = merge(runs[i], run);
            runs[i] = NULL;
        }
        if (i == used)
            used++;
        runs[i] = run;
    }
    struct list *all = NULL;
    for (size_t i = 0; i < used; i++)
        if (runs[i])
            all = merge(runs[i], all);
    for (struct list *next; all; all = next) {
        next = all->next;
        list_insert(head, all);
    }
}

/* Take what is due out of a slot of level 0. */
static void take_slot(struct timerq *queue, unsigned slot, int64_t now, struct list *due)
{
    struct list *head = slot_at(queue, 0, slot), here;
    list_init(&here);
    for (struct list *link = head->next, *next; link != head; link = next) {
        struct timer *timer = timer_of(link);
        next = link->next;
        if (timer->when > now)
            continue;
        timerq_remove(queue, timer);
        timer->state = TIMER_FIRING;
        list_insert(&here, link);
    }
    sort(&here);
    list_splice(due, &here);
}

/* Spread a slot of level > 0, whose first tick has come, over the finer wheels. */
static void cascade(struct timerq *queue, unsigned level, unsigned slot)
{
    struct list moving;
    list_init(&moving);
    list_splice(&moving, slot_at(queue, level, slot));
    queue->filled[level] &= ~(UINT64_C(1) << slot);
    while (!list_empty(&moving))
        timerq_place(queue, timer_of(list_take(&moving)));
}

void reini_timerq_take_due(struct timerq *queue, int64_t now, struct list *due)
{
    uint64_t target = timerq_tick(now), tick;
    unsigned level, slot;
    if (target < queue->tick)
        target = queue->tick;
    while (first_filled(queue, &level, &slot, &tick) && tick <= target) {
        queue->tick = tick;
        if (level > 0) {
            cascade(queue, level, slot);
            continue;
        }
        take_slot(queue, slot, now, due);
        if (tick == target)
            break; /* what is left of this slot falls later within the tick */
    }
    queue->tick = target;
}

static int64_t earliest_in(const struct list *head)
{
    int64_t earliest = NEVER;
    for (struct list *link = head->next; link != head; link = link->next)
        if (timer_of(link)->when < earliest)
            earliest = timer_of(link)->when;
    return earliest;
}

int64_t reini_timerq_wake_at(const struct timerq *queue)
{
    unsigned level, slot;
    uint64_t tick;
    if (!first_filled(queue, &level, &slot, &tick))
        return NEVER;
    return level == 0 ? earliest_in(&queue->slots[slot]) : instant_of(tick);
}

int64_t reini_timerq_next(const struct timerq *queue)
{
    unsigned level, slot;
    uint64_t tick;
    if (!first_filled(queue, &level, &slot, &tick))
        return NEVER;
    return earliest_in(&queue->slots[level * TIMERQ_SLOTS + slot]);
}
