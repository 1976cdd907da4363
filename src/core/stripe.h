/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/stripe.h: more lists of dependents, for a node that many threads share.
 *
 *     narrow --threads keep meeting at its mu--> striped            (rare->stripes)
 *
 * A narrow node has one list of dependents, under its mu, and counts its children in refs: each
 * child writes to the node twice. A striped one has a row of further lists besides, each with a
 * lock and on a cache line of its own. A thread puts its new dependents into the stripe that goes
 * by its number, and so threads write to no line that others use. What is in the node's own list
 * stays there; calls always go there.
 *
 * There is no way back, nor a use for one: docs/decisions/0007.
 *
 *   S1  stripes are hung on a node under its mu, while it is live: so the mark, which takes mu,
 *       knows from then on whether there are any.
 *   S2  a dependent is put into a stripe under the stripe's mu, if the node's word is 0; the marker
 *       sets word first and takes the stripes' lists then, one after another, each under its mu. So
 *       a dependent is either found in the list, or finds the node done: I2, for each stripe.
 *   S3  what is said of the node's list and mu in I3 and I5 holds for a stripe's list and mu; "from
 *       the mark on" is "once word is not 0".
 *   S4  holders are the children that hold the node by this stripe instead of by a reference, and
 *       the stripe itself, from its first child until its list is taken or the node's owner finds
 *       it without children. While there are any the stripe has one reference to the node, which
 *       goes with the last of them. */
#ifndef REIN_CORE_STRIPE_H
#define REIN_CORE_STRIPE_H

#include "base/fault.h"
#include "base/mem.h"
#include "core/node.h"
#include "core/rare.h"

struct stripe {
    _Alignas(CACHE_LINE) reini_mutex mu; /* guards the others; if frozen, reini_frozen_mu does */
    uint32_t holders; /* ONE_CHILD for each, and ITSELF: one word, of which no fork copies half */
    struct dep *deps;
};

enum { ITSELF = 1, ONE_CHILD = 2 };

struct stripes {
    uint32_t count; /* constant; a power of two, at most MOST_STRIPES */
    struct stripe of[];
};

/* dep.stripe: 0, in the node's own list; or the number of the stripe, counted from 1, and whether
 * the dependent holds the node by it (S4). */
enum { HOLDS = 0x80, MOST_STRIPES = 64 };

static inline unsigned stripe_number(uint8_t stripe)
{
    return stripe & ~(unsigned)HOLDS;
}

/* NULL: narrow. acquire, twice: pair with the releases that hung it there. */
static inline struct stripes *stripes_of(const struct node *node)
{
    const struct rare *rare = load_acquire(&node->ctx.aux);
    return LIKELY(!rare) ? NULL : load_acquire(&rare->stripes);
}

static inline struct stripe *stripe_at(const struct node *node, unsigned number)
{
    return number == 0 ? NULL : &stripes_of(node)->of[number - 1];
}

/* Lock the node's own list for a new child or waiter. Returns false, without it, if the node is
 * striped or the list is held: then it is reini_lock_some_list()'s turn. */
static ALWAYS_INLINE bool lock_own_list(struct node *node) UNCHECKED_LOCKING
{
    return LIKELY(!stripes_of(node) && !FAULT_LISTS() && mutex_try_lock(&node->mu));
}

/* Lock the list that a new child or waiter of this thread's is to go to: a stripe's, which is
 * returned, or, with NULL, the node's own. Makes the node striped if that is due. */
struct stripe *reini_lock_some_list(struct node *node);

/* Lock the list that dep is in; likewise. */
static inline struct stripe *lock_list_of(struct node *node, const struct dep *dep)
    UNCHECKED_LOCKING
{
    struct stripe *stripe = stripe_at(node, stripe_number(dep->stripe));
    mutex_lock(stripe ? &stripe->mu : &node->mu);
    return stripe;
}

static ALWAYS_INLINE void unlock_list(struct node *node, struct stripe *stripe) UNCHECKED_LOCKING
{
    mutex_unlock(stripe ? &stripe->mu : &node->mu);
}

/* Under its lock: put dep into that list. */
static ALWAYS_INLINE void insert_dep(struct node *node, struct stripe *stripe, struct dep *dep)
{
    if (stripe)
        dep->stripe = (uint8_t)(stripe - stripes_of(node)->of + 1);
    dep_push(stripe ? &stripe->deps : &node->deps, dep);
}

/* Under stripe->mu: dep, a child's in its list, is to hold node by it. */
void reini_stripe_hold(struct stripe *stripe, struct node *node, struct dep *dep);

/* A child that held node by that stripe goes. Returns whether the stripe's reference goes with it:
 * the caller drops it. */
bool reini_stripe_let_go(struct node *node, uint8_t stripe);

/* For the marker of node: the list of the first stripe after that number that is not empty, taken;
 * NULL if there is none left. */
struct dep *reini_stripes_take(struct node *node, struct stripes *stripes, unsigned number);

/* Drop that many references of stripes. Never the last: an owner of the node holds it until it is
 * MARKED, or is the caller. */
void reini_stripes_drop(struct node *node, unsigned references);

/* Stripes by which no child holds the node give it up, until the next child comes. Returns how many
 * references go: the caller drops them. */
unsigned reini_stripes_rest(struct node *node);

/* Under reini_frozen_mu, of a frozen node that has been ended, here or before the fork: nobody will
 * take its lists any more. Returns how many references go: the caller drops them. */
unsigned reini_stripes_frozen_end(struct node *node);

#endif
