/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* time/timerq.h: timers in the order of their instants; no thread, no lock, no memory.
 *
 * A hierarchical timing wheel: LEVELS wheels of 64 slots, a slot of level l being 64^l ticks wide
 * and a tick 2^16 ns. Putting in and taking out are O(1) whatever else is there; a timer moves down
 * at most once for each level before it is due. The wheel is only an index: what is due is decided
 * by the instant itself, so nothing is ever early and nothing is rounded.
 *
 *     IDLE --insert--> ARMED --remove--> IDLE
 *                        \---take_due--> FIRING --(whoever took it)--> IDLE
 *
 * The caller's lock guards the queue and the state and slot of every timer in it. */
#ifndef REIN_TIME_TIMERQ_H
#define REIN_TIME_TIMERQ_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct timer;

/* What a timer is for.
 *
 * pin    under the queue's lock: make sure that the timer's owner lives until fire() returns, or
 *        unpin() is called; false if it is going away already, then the timer is dropped
 * fire   without a lock: marks alone, no code of the user's
 * unpin  or NULL: when all that was due has fired; may run anybody's code. The last that touches
 *        the timer; if there is none, fire() is */
struct timer_kind {
    bool (*pin)(struct timer *timer);
    void (*fire)(struct timer *timer);
    void (*unpin)(struct timer *timer);
};

enum timer_state { TIMER_IDLE, TIMER_ARMED, TIMER_FIRING };

struct timer {
    struct list link; /* in a slot, or in the list of those due */
    int64_t when;     /* set before it is armed */
    const struct timer_kind *kind;
    uint16_t slot;    /* level * 64 + slot */
    uint8_t state;
    uint8_t shard;    /* constant; the queue it belongs to, by its number on the clock */
};

enum { TIMERQ_LEVELS = 8, TIMERQ_SLOTS = 64 }; /* 8 * 6 bits and a tick's 16 are all 64 */
enum { TIMERQ_TICK_BITS = 16, TIMERQ_DIGIT_BITS = 6 };

struct timerq {
    uint64_t tick;                 /* everything before this tick has been taken */
    uint64_t filled[TIMERQ_LEVELS]; /* which slots hold something */
    size_t count;
    struct list slots[TIMERQ_LEVELS * TIMERQ_SLOTS]; /* level by level; heads of what is filled */
};

void reini_timerq_init(struct timerq *queue, int64_t now);

/* ---- putting in and taking out: in line, as every timeout does both ---- */

/* Order-preserving from signed instants, so that instants before the clock's origin work too. */
static inline uint64_t timerq_tick(int64_t when)
{
    return ((uint64_t)when ^ (UINT64_C(1) << 63)) >> TIMERQ_TICK_BITS;
}

static inline void timerq_place(struct timerq *queue, struct timer *timer)
{
    uint64_t tick = timerq_tick(timer->when);
    if (tick < queue->tick)
        tick = queue->tick; /* in the past: due with the current tick */
    unsigned level = (unsigned)(63 - __builtin_clzll((tick ^ queue->tick) | 1)) / TIMERQ_DIGIT_BITS;
    unsigned slot = (unsigned)(tick >> (level * TIMERQ_DIGIT_BITS)) & (TIMERQ_SLOTS - 1);
    size_t at = level * TIMERQ_SLOTS + slot;
    uint64_t filled = queue->filled[level], bit = UINT64_C(1) << slot;
    struct list *head = &queue->slots[at];
    list_put(filled & bit ? head->prev : head, head, &timer->link);
    timer->slot = (uint16_t)at;
    queue->filled[level] = filled | bit;
}

static inline void timerq_insert(struct timerq *queue, struct timer *timer)
{
    timer->state = TIMER_ARMED;
    queue->count++;
    timerq_place(queue, timer);
}

static inline void timerq_remove(struct timerq *queue, struct timer *timer)
{
    unsigned slot = timer->slot;
    list_remove(&timer->link);
    if (timer->link.next == timer->link.prev) /* the head, both: it was the only one */
        queue->filled[slot / TIMERQ_SLOTS] &= ~(UINT64_C(1) << slot % TIMERQ_SLOTS);
    timer->state = TIMER_IDLE;
    queue->count--;
}

/* ---- what is due ---- */

/* Move all with when <= now to the end of due, as FIRING, in order; equal instants in the order in
 * which they were armed. now must not go back. */
void reini_timerq_take_due(struct timerq *queue, int64_t now, struct list *due);

/* The earliest instant at which there may be something to do: that of the next timer, or, if that
 * is far, of its move to a finer wheel. NEVER if the queue is empty. */
int64_t reini_timerq_wake_at(const struct timerq *queue);

/* The instant of the next timer; NEVER if the queue is empty. Looks at a whole slot. */
int64_t reini_timerq_next(const struct timerq *queue);

#endif
