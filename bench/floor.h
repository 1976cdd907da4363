/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* floor.h: the least that is correct, to measure rein against.
 *
 * A tree of nodes that threads may grow, cancel and free at the same time, written by hand with
 * none of what makes rein useful: no reference counts (a parent must outlive its children), no
 * cause, no event, no call sites, no fork, nobody to wait on a node, and timers that never fire.
 * It is not a rival but a yardstick: what remains above it is what rein's features cost.
 *
 * Locking. A node's lock guards its list of children and its own word; the sibling links of a child
 * belong to its parent's lock. Order: parent before child. `linked` is cleared last, after which
 * the child's owner need not lock the parent before freeing the child. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

typedef int floor_mutex;
static inline void floor_lock(floor_mutex *m)
{
    while (__atomic_exchange_n(m, 1, __ATOMIC_ACQUIRE) != 0)
        sched_yield();
}
static inline void floor_unlock(floor_mutex *m)
{
    __atomic_store_n(m, 0, __ATOMIC_RELEASE);
}

struct floor_link {
    struct floor_link *next, *prev;
};
static inline void floor_empty(struct floor_link *head)
{
    head->next = head->prev = head;
}
static inline void floor_insert(struct floor_link *head, struct floor_link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}
static inline void floor_remove(struct floor_link *link)
{
    link->next->prev = link->prev;
    link->prev->next = link->next;
}

struct floor_node {
    int word; /* 0: live; read by anybody, written under the lock */
    floor_mutex lock;
    struct floor_node *parent;
    struct floor_link sibling;
    struct floor_link children;
    struct floor_link timer;
    int64_t deadline;
    bool linked;
    int8_t slot; /* of the timer, -1: none */
};

/* ---- Timers: one list for each magnitude of the time left, under one lock -------------------- */

static floor_mutex floor_timer_lock;
static struct floor_link floor_slots[64];
static uint64_t floor_used;

static inline void floor_start_timers(void)
{
    for (int i = 0; i < 64; i++)
        floor_empty(&floor_slots[i]);
}
static inline void floor_arm(struct floor_node *node, int64_t timeout)
{
    node->deadline = now_ns() + timeout;
    floor_lock(&floor_timer_lock);
    int slot = 63 - __builtin_clzll((uint64_t)timeout | 1);
    floor_insert(&floor_slots[slot], &node->timer);
    floor_used |= UINT64_C(1) << slot;
    node->slot = (int8_t)slot;
    floor_unlock(&floor_timer_lock);
}
static inline void floor_disarm(struct floor_node *node)
{
    floor_lock(&floor_timer_lock);
    floor_remove(&node->timer);
    struct floor_link *head = &floor_slots[node->slot];
    if (head->next == head)
        floor_used &= ~(UINT64_C(1) << node->slot);
    floor_unlock(&floor_timer_lock);
}

/* ---- The tree -------------------------------------------------------------------------------- */

static inline int floor_err(const struct floor_node *node)
{
    return __atomic_load_n(&node->word, __ATOMIC_ACQUIRE);
}
static inline struct floor_node *floor_new(struct floor_node *parent)
{
    struct floor_node *node = malloc(sizeof *node);
    if (!node)
        abort();
    node->word = 0;
    node->lock = 0;
    node->parent = parent;
    node->slot = -1;
    node->linked = false;
    floor_empty(&node->children);
    if (!parent)
        return node;
    floor_lock(&parent->lock);
    node->word = parent->word;
    if (node->word == 0) {
        node->linked = true;
        floor_insert(&parent->children, &node->sibling);
    }
    floor_unlock(&parent->lock);
    return node;
}
static inline void floor_leave(struct floor_node *node)
{
    if (!__atomic_load_n(&node->linked, __ATOMIC_ACQUIRE))
        return;
    floor_lock(&node->parent->lock);
    if (node->linked)
        floor_remove(&node->sibling);
    node->linked = false;
    floor_unlock(&node->parent->lock);
}
/* Down to the first child while there is one, then back up by the parent pointers, holding the
 * locks of the path: no recursion, and nobody can free what is on it. */
static inline void floor_cancel(struct floor_node *top)
{
    struct floor_node *at = top;
    floor_lock(&top->lock);
    __atomic_store_n(&top->word, -1, __ATOMIC_RELEASE);
    for (;;) {
        if (at->children.next != &at->children) {
            struct floor_link *first = at->children.next;
            struct floor_node *child =
                (struct floor_node *)((char *)first - offsetof(struct floor_node, sibling));
            floor_remove(first);
            floor_lock(&child->lock);
            __atomic_store_n(&child->word, -1, __ATOMIC_RELEASE);
            at = child;
            continue;
        }
        if (at == top)
            break;
        struct floor_node *up = at->parent;
        floor_unlock(&at->lock);
        __atomic_store_n(&at->linked, false, __ATOMIC_RELEASE);
        at = up;
    }
    floor_unlock(&top->lock);
    floor_leave(top);
}
static inline void floor_end(struct floor_node *node)
{
    if (node->slot >= 0)
        floor_disarm(node);
    floor_leave(node);
    free(node);
}

/* ---- Values: a list upwards ------------------------------------------------------------------ */

struct floor_value {
    struct floor_value *up;
    const void *key;
    long value;
    int references;
};
static inline struct floor_value *floor_bind(struct floor_value *up, const void *key, long value)
{
    struct floor_value *bound = malloc(sizeof *bound);
    if (!bound)
        abort();
    *bound = (struct floor_value){up, key, value, 1};
    if (up)
        __atomic_fetch_add(&up->references, 1, __ATOMIC_RELAXED);
    return bound;
}
static inline void floor_unbind(struct floor_value *bound)
{
    while (bound && __atomic_sub_fetch(&bound->references, 1, __ATOMIC_ACQ_REL) == 0) {
        struct floor_value *up = bound->up;
        free(bound);
        bound = up;
    }
}
static NOINLINE const long *floor_find(const struct floor_value *at, const void *key)
{
    for (; at; at = at->up)
        if (at->key == key)
            return &at->value;
    return NULL;
}

/* ---- Waking: a bare futex -------------------------------------------------------------------- */

static inline void floor_wait(int *word)
{
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == 0)
        syscall(SYS_futex, word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
}
static inline void floor_wake(int *word)
{
    __atomic_store_n(word, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, NULL, NULL, 0);
}

#endif
