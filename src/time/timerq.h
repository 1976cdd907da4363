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
 * pin   under the queue's lock: make sure that the timer's owner lives until fire() returns; false
 *       if it is going away already, then the timer is dropped
 * fire  without a lock; the last thing that touches the timer */
struct timer_kind {
    bool (*pin)(struct timer *timer);
    void (*fire)(struct timer *timer);
};

enum timer_state { TIMER_IDLE, TIMER_ARMED, TIMER_FIRING };

struct timer {
    struct list link; /* in a slot, or in the list of those due */
    int64_t when;     /* set before it is armed */
    const struct timer_kind *kind;
    uint16_t slot; /* level * 64 + slot */
    uint8_t state;
};

enum { TIMERQ_LEVELS = 8, TIMERQ_SLOTS = 64 }; /* 8 * 6 bits and a tick's 16 are all 64 */

struct timerq {
    uint64_t tick;                 /* everything before this tick has been taken */
    uint64_t filled[TIMERQ_LEVELS]; /* which slots hold something */
    size_t count;
    struct list slots[TIMERQ_LEVELS * TIMERQ_SLOTS]; /* level by level */
};

void reini_timerq_init(struct timerq *queue, int64_t now);
void reini_timerq_insert(struct timerq *queue, struct timer *timer);
void reini_timerq_remove(struct timerq *queue, struct timer *timer);

/* Move all with when <= now to the end of due, as FIRING, in order; equal instants in the order in
 * which they were armed. now must not go back. */
void reini_timerq_take_due(struct timerq *queue, int64_t now, struct list *due);

/* The earliest instant at which there may be something to do: that of the next timer, or, if that
 * is far, of its move to a finer wheel. NEVER if the queue is empty. */
int64_t reini_timerq_wake_at(const struct timerq *queue);

/* The instant of the next timer; NEVER if the queue is empty. Looks at a whole slot. */
int64_t reini_timerq_next(const struct timerq *queue);

#endif
