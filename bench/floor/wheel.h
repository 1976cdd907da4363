/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* wheel.h: the floor's timers: hierarchical timing wheels, and a thread that turns them.
 *
 * A wheel has levels of 64 slots. A timer lies on the level of the highest digit in which its tick
 * differs from the one the wheel stands at, in the slot of its own digit there. So the earliest
 * timer is in the first used slot of the lowest used level; a slot that is reached on a higher
 * level is dealt out to the lower ones. Rounded up to a tick: late, never early. */
#ifndef BENCH_FLOOR_WHEEL_H
#define BENCH_FLOOR_WHEEL_H

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "../measure.h"
#include "list.h"
#include "lock.h"

enum {
    FLOOR_TICK_BITS = 16, /* a tick is 65 us */
    FLOOR_LEVELS = 7,
    FLOOR_SLOTS = 64,
};

enum floor_timer_state { FLOOR_IDLE, FLOOR_ARMED, FLOOR_FIRING };

struct floor_timer {
    struct floor_link link; /* in a slot, under the wheel's lock; when firing, the thread's own */
    int64_t due;
    uint8_t wheel, level, slot;
    /* Changed under the wheel's lock; but FIRING to IDLE by the thread alone, which tells the owner
     * that the thread has left the timer. The owner reads it to see whether there is anything to
     * do. */
    uint8_t state;
};
static void floor_timer_fires(struct floor_timer *timer); /* without a lock; tree.h */

struct floor_wheel {
    _Alignas(64) floor_mutex lock; /* guards the rest, and the timers in it */
    uint64_t stands_at;            /* in ticks */
    uint64_t used[FLOOR_LEVELS];   /* which slots are not empty */
    struct floor_link slot[FLOOR_LEVELS][FLOOR_SLOTS];
};
static struct floor_wheel floor_wheels[FLOOR_STRIPES];

/* The instant the thread sleeps until; INT64_MAX while it looks. Published by the thread before it
 * takes the wheels' locks to look, read by who arms after having held one: either the thread sees
 * the timer, or its owner sees that the thread must be woken. */
static _Alignas(64) int64_t floor_sleeps_until;
static int floor_bell; /* counts wakings, so that none is lost between looking and sleeping */

static inline void floor_put(struct floor_wheel *wheel, struct floor_timer *timer)
{
    uint64_t tick = ((uint64_t)timer->due + (1u << FLOOR_TICK_BITS) - 1) >> FLOOR_TICK_BITS;
    if (tick <= wheel->stands_at)
        tick = wheel->stands_at + 1;
    int level = (63 - __builtin_clzll(tick ^ wheel->stands_at)) / 6;
    int slot = (int)(tick >> (6 * level)) & (FLOOR_SLOTS - 1);
    timer->level = (uint8_t)level;
    timer->slot = (uint8_t)slot;
    timer->state = FLOOR_ARMED;
    floor_append(&wheel->slot[level][slot], &timer->link);
    wheel->used[level] |= UINT64_C(1) << slot;
}

static inline void floor_arm(struct floor_timer *timer, int which, int64_t due)
{
    struct floor_wheel *wheel = &floor_wheels[which];
    timer->due = due;
    timer->wheel = (uint8_t)which;
    floor_lock(&wheel->lock);
    floor_put(wheel, timer);
    floor_unlock(&wheel->lock);
    int64_t until = __atomic_load_n(&floor_sleeps_until, __ATOMIC_SEQ_CST);
    if (due >= until)
        return;
    while (due < until &&
           !__atomic_compare_exchange_n(&floor_sleeps_until, &until, due, true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
        ;
    __atomic_fetch_add(&floor_bell, 1, __ATOMIC_SEQ_CST);
    floor_wake(&floor_bell, 1);
}

/* Take it out, unless it is firing. */
static inline void floor_disarm(struct floor_timer *timer)
{
    struct floor_wheel *wheel = &floor_wheels[timer->wheel];
    floor_lock(&wheel->lock);
    if (timer->state == FLOOR_ARMED) {
        floor_remove(&timer->link);
        if (floor_is_empty(&wheel->slot[timer->level][timer->slot]))
            wheel->used[timer->level] &= ~(UINT64_C(1) << timer->slot);
        timer->state = FLOOR_IDLE;
    }
    floor_unlock(&wheel->lock);
}
/* The same for the owner who is about to free it: not before the thread has left it. */
static inline void floor_retire(struct floor_timer *timer)
{
    if (__atomic_load_n(&timer->state, __ATOMIC_ACQUIRE) == FLOOR_IDLE)
        return;
    floor_disarm(timer);
    while (__atomic_load_n(&timer->state, __ATOMIC_ACQUIRE) == FLOOR_FIRING)
        sched_yield();
}

/* The tick at which the first used slot begins, and where it is. */
static inline uint64_t floor_first(const struct floor_wheel *wheel, int *level, int *slot)
{
    for (*level = 0; *level < FLOOR_LEVELS; ++*level) {
        int shift = 6 * *level;
        uint64_t here = wheel->stands_at >> shift;
        uint64_t ahead = wheel->used[*level] & (~UINT64_C(1) << (here & (FLOOR_SLOTS - 1)));
        if (!ahead)
            continue;
        *slot = __builtin_ctzll(ahead);
        return ((here & ~(uint64_t)(FLOOR_SLOTS - 1)) | (uint64_t)*slot) << shift;
    }
    return UINT64_MAX;
}

/* Move what is due by now into a list. Returns the tick of the next thing to do. */
static inline uint64_t floor_turn(struct floor_wheel *wheel, uint64_t now, struct floor_link *due)
{
    int level, slot;
    uint64_t next;
    floor_lock(&wheel->lock);
    while ((next = floor_first(wheel, &level, &slot)) <= now) {
        struct floor_link *head = &wheel->slot[level][slot];
        wheel->stands_at = next;
        wheel->used[level] &= ~(UINT64_C(1) << slot);
        while (!floor_is_empty(head)) {
            struct floor_timer *timer = FLOOR_IN(head->next, struct floor_timer, link);
            floor_remove(&timer->link);
            if ((uint64_t)timer->due <= next << FLOOR_TICK_BITS) {
                __atomic_store_n(&timer->state, FLOOR_FIRING, __ATOMIC_RELAXED);
                floor_append(due, &timer->link);
            } else {
                floor_put(wheel, timer);
            }
        }
    }
    floor_unlock(&wheel->lock);
    return next;
}

static inline void floor_fire(struct floor_link *due)
{
    while (!floor_is_empty(due)) {
        struct floor_timer *timer = FLOOR_IN(due->next, struct floor_timer, link);
        floor_remove(&timer->link);
        floor_timer_fires(timer);
        __atomic_store_n(&timer->state, FLOOR_IDLE, __ATOMIC_RELEASE);
    }
}

static inline void *floor_turner_main(void *unused)
{
    prctl(PR_SET_TIMERSLACK, 1);
    for (;;) {
        int seen = __atomic_load_n(&floor_bell, __ATOMIC_SEQ_CST);
        __atomic_store_n(&floor_sleeps_until, INT64_MAX, __ATOMIC_SEQ_CST);
        int64_t now = now_ns();
        uint64_t first = (uint64_t)INT64_MAX >> FLOOR_TICK_BITS;
        struct floor_link due;
        floor_empty(&due);
        for (int i = 0; i < FLOOR_STRIPES; i++) {
            uint64_t next =
                floor_turn(&floor_wheels[i], (uint64_t)now >> FLOOR_TICK_BITS, &due);
            first = next < first ? next : first;
        }
        floor_fire(&due);
        int64_t until = (int64_t)(first << FLOOR_TICK_BITS);
        __atomic_store_n(&floor_sleeps_until, until, __ATOMIC_SEQ_CST);
        struct timespec ts = {until / second, until % second};
        floor_sleep(&floor_bell, seen, &ts);
    }
    return unused;
}
static inline void floor_start_timers(void)
{
    static bool started;
    if (started)
        return;
    started = true;
    for (int i = 0; i < FLOOR_STRIPES; i++) {
        floor_wheels[i].stands_at = (uint64_t)now_ns() >> FLOOR_TICK_BITS;
        for (int level = 0; level < FLOOR_LEVELS; level++)
            for (int slot = 0; slot < FLOOR_SLOTS; slot++)
                floor_empty(&floor_wheels[i].slot[level][slot]);
    }
    pthread_t thread;
    if (pthread_create(&thread, NULL, floor_turner_main, NULL) != 0)
        abort();
    pthread_detach(thread);
}

#endif
