/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tree.h: the least that is correct, to measure rein against.
 *
 * A tree of nodes that threads may grow, cancel, wait on and free at the same time, written by hand
 * with none of what makes rein useful: no reference counts (a parent must outlive its children), no
 * cause, no event, no call sites, no descriptor, no fork, and callbacks that run under a lock. It
 * is not a rival but a yardstick: what remains above it is what rein's features cost.
 *
 * Locking. A family's lock guards its list of children and its word; the sibling link of a child
 * belongs to the family it hangs in, its home. Order: parent before child, any family before a
 * wheel. `home` is cleared last, after which the child's owner need not lock it before freeing.
 *
 * FLOOR_STRIPES (1, or 8 against contention) is the number of wheels, and of families of a root: a
 * thread always uses the same one. */
#ifndef BENCH_FLOOR_TREE_H
#define BENCH_FLOOR_TREE_H

#include "list.h"
#include "lock.h"
#include "wheel.h"

enum floor_word { FLOOR_LIVE, FLOOR_WAITED, FLOOR_DONE };

struct floor_family {
    floor_mutex lock;
    int word; /* written under the lock with release; read by anybody, and slept on */
    struct floor_link children;
};

struct floor_node {
    struct floor_family family;
    struct floor_family *home; /* NULL: in none; cleared with release, read by the owner */
    struct floor_link sibling;
    struct floor_timer timer;
    struct floor_callback *callbacks; /* under the family's lock */
#if FLOOR_STRIPES > 1
    struct floor_stripe *stripes; /* of a root; else NULL */
#endif
};

struct floor_callback {
    struct floor_callback *next, **from;
    void (*fn)(void *arg);
    void *arg;
};

/* ---- Stripes --------------------------------------------------------------------------------- */

#if FLOOR_STRIPES > 1
struct floor_stripe {
    _Alignas(64) struct floor_family family; /* a cache line of its own */
};
/* Dealt out to threads in turn; nothing else depends on it. */
static int floor_next_stripe;
static inline int floor_my_stripe(void)
{
    static _Thread_local int mine = -1;
    if (mine < 0)
        mine = __atomic_fetch_add(&floor_next_stripe, 1, __ATOMIC_RELAXED) % FLOOR_STRIPES;
    return mine;
}
static inline struct floor_family *floor_family_for(struct floor_node *parent)
{
    return parent->stripes ? &parent->stripes[floor_my_stripe()].family : &parent->family;
}
#else
static inline int floor_my_stripe(void)
{
    return 0;
}
static inline struct floor_family *floor_family_for(struct floor_node *parent)
{
    return &parent->family;
}
#endif

/* ---- Making ---------------------------------------------------------------------------------- */

static inline void floor_found(struct floor_family *family)
{
    family->lock = 0;
    family->word = FLOOR_LIVE;
    floor_empty(&family->children);
}
static inline struct floor_node *floor_make(void)
{
    struct floor_node *node = (struct floor_node *)malloc(sizeof *node);
    if (!node)
        abort();
    floor_found(&node->family);
    node->home = NULL;
    node->timer.state = FLOOR_IDLE;
    node->callbacks = NULL;
#if FLOOR_STRIPES > 1
    node->stripes = NULL;
#endif
    return node;
}
static inline struct floor_node *floor_root(void)
{
    struct floor_node *node = floor_make();
#if FLOOR_STRIPES > 1
    node->stripes = aligned_alloc(64, FLOOR_STRIPES * sizeof *node->stripes);
    if (!node->stripes)
        abort();
    for (int i = 0; i < FLOOR_STRIPES; i++)
        floor_found(&node->stripes[i].family);
#endif
    return node;
}
static inline struct floor_node *floor_derive(struct floor_node *parent)
{
    struct floor_node *node = floor_make();
    struct floor_family *home = floor_family_for(parent);
    floor_lock(&home->lock);
    if (home->word == FLOOR_DONE) {
        node->family.word = FLOOR_DONE;
    } else {
        node->home = home;
        floor_append(&home->children, &node->sibling);
    }
    floor_unlock(&home->lock);
    return node;
}
static inline struct floor_node *floor_derive_deadline(struct floor_node *parent, int64_t due)
{
    struct floor_node *node = floor_derive(parent);
    floor_arm(&node->timer, floor_my_stripe(), due);
    return node;
}

/* ---- Asking and waiting ---------------------------------------------------------------------- */

static inline bool floor_done(const struct floor_node *node)
{
    return __atomic_load_n(&node->family.word, __ATOMIC_ACQUIRE) == FLOOR_DONE;
}
static inline void floor_await(struct floor_node *node)
{
    floor_lock(&node->family.lock);
    if (node->family.word == FLOOR_LIVE)
        __atomic_store_n(&node->family.word, FLOOR_WAITED, __ATOMIC_RELAXED);
    floor_unlock(&node->family.lock);
    while (!floor_done(node))
        floor_sleep(&node->family.word, FLOOR_WAITED, NULL);
}

/* On a node that is done it is called at once. */
static inline void floor_callback_add(struct floor_node *node, struct floor_callback *callback)
{
    floor_lock(&node->family.lock);
    if (node->family.word == FLOOR_DONE) {
        callback->from = NULL;
        callback->fn(callback->arg);
        floor_unlock(&node->family.lock);
        return;
    }
    callback->next = node->callbacks;
    callback->from = &node->callbacks;
    if (callback->next)
        callback->next->from = &callback->next;
    node->callbacks = callback;
    floor_unlock(&node->family.lock);
}
/* One that has run is out already. */
static inline void floor_callback_remove(struct floor_node *node, struct floor_callback *callback)
{
    floor_lock(&node->family.lock);
    if (callback->from) {
        *callback->from = callback->next;
        if (callback->next)
            callback->next->from = callback->from;
    }
    floor_unlock(&node->family.lock);
}

/* ---- Cancelling ------------------------------------------------------------------------------ */

/* Under the family's lock. Returns whether it was live. */
static inline bool floor_mark(struct floor_family *family)
{
    int was = family->word;
    if (was == FLOOR_DONE)
        return false;
    __atomic_store_n(&family->word, FLOOR_DONE, __ATOMIC_RELEASE);
    if (was == FLOOR_WAITED)
        floor_wake(&family->word, INT_MAX);
    return true;
}
static inline bool floor_mark_node(struct floor_node *node)
{
    bool first = floor_mark(&node->family);
    struct floor_callback *callback;
    while (first && (callback = node->callbacks)) {
        node->callbacks = callback->next;
        callback->from = NULL;
        callback->fn(callback->arg);
    }
    if (__atomic_load_n(&node->timer.state, __ATOMIC_RELAXED) == FLOOR_ARMED)
        floor_disarm(&node->timer);
    return first;
}
/* Mark and unlink all below a family whose lock is held: down to the first child while there is
 * one, then back up. The locks of the path are held: no recursion, and nobody can free what is on
 * it. */
static inline void floor_drain(struct floor_family *top)
{
    struct floor_family *at = top;
    for (;;) {
        if (!floor_is_empty(&at->children)) {
            struct floor_node *child =
                FLOOR_IN(at->children.next, struct floor_node, sibling);
            floor_lock(&child->family.lock);
            floor_mark_node(child);
            at = &child->family;
            continue;
        }
        if (at == top)
            return;
        struct floor_node *node = FLOOR_IN(at, struct floor_node, family);
        at = node->home;
        floor_remove(&node->sibling);
        floor_unlock(&node->family.lock);
        __atomic_store_n(&node->home, NULL, __ATOMIC_RELEASE);
    }
}
static inline void floor_leave(struct floor_node *node)
{
    struct floor_family *home = __atomic_load_n(&node->home, __ATOMIC_ACQUIRE);
    if (!home)
        return;
    floor_lock(&home->lock);
    if (node->home)
        floor_remove(&node->sibling);
    node->home = NULL;
    floor_unlock(&home->lock);
}
static inline void floor_cancel(struct floor_node *node)
{
    floor_lock(&node->family.lock);
    if (floor_mark_node(node))
        floor_drain(&node->family);
    floor_unlock(&node->family.lock);
#if FLOOR_STRIPES > 1
    for (int i = 0; node->stripes && i < FLOOR_STRIPES; i++) {
        struct floor_family *family = &node->stripes[i].family;
        floor_lock(&family->lock);
        if (floor_mark(family))
            floor_drain(family);
        floor_unlock(&family->lock);
    }
#endif
    floor_leave(node);
}
static inline void floor_free(struct floor_node *node)
{
    floor_retire(&node->timer);
    floor_leave(node);
#if FLOOR_STRIPES > 1
    free(node->stripes);
#endif
    free(node);
}

static void floor_timer_fires(struct floor_timer *timer)
{
    floor_cancel(FLOOR_IN(timer, struct floor_node, timer));
}

#endif
