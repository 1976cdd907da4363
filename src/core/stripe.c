/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/stripe.c: making a node striped, and its stripes' lists; see stripe.h for the rules. */
#include "core/stripe.h"

/* ---- narrow to striped ---- */

/* How often a thread has to find one node's mu held, and no other's in between, before it makes it
 * striped: a chance meeting is not worth the memory. */
enum { MEETINGS = 8 };

static _Thread_local const struct node *met; /* compared only: it may be gone */
static _Thread_local unsigned meetings;

static bool keep_meeting(const struct node *node)
{
    if (met != node || meetings == MEETINGS)
        meetings = 0; /* after so many it was tried; not at each meeting, if memory is short */
    met = node;
    return ++meetings == MEETINGS;
}

/* More stripes than processors, so that two threads that run are seldom at one. */
static uint32_t stripes_wanted(void)
{
    uint32_t wanted = 2 * reini_plat_processors(), count = 8;
    while (count < wanted && count < MOST_STRIPES)
        count *= 2;
    return count;
}

static struct stripes *stripes_new(void)
{
    uint32_t count = stripes_wanted();
    size_t size = sizeof(struct stripes) + count * sizeof(struct stripe);
    struct stripes *stripes = reini_alloc_aligned(CACHE_LINE, size);
    if (!stripes)
        return NULL;
    stripes->count = count;
    for (uint32_t i = 0; i < count; i++)
        stripes->of[i] = (struct stripe){.holders = 0};
    return stripes;
}

/* Returns its stripes; NULL if it stays narrow, for it is done or memory is short. */
static struct stripes *widen(struct node *node)
{
    struct rare *rare = reini_rare_of(node);
    struct stripes *made = rare ? stripes_new() : NULL;
    if (!made)
        return NULL;
    STEP("widen");
    mutex_lock(&node->mu);
    if (!rare->stripes && load_relaxed(&node->ctx.word) == 0) {
        store_release(&rare->stripes, made); /* pairs with stripes_of(): they are empty and free */
        made = NULL;
    }
    mutex_unlock(&node->mu);
    reini_free(made);
    return rare->stripes;
}

/* ---- which list ---- */

static struct stripe *lock_stripe(struct stripes *stripes) UNCHECKED_LOCKING
{
    struct stripe *stripe = &stripes->of[thread_number() & (stripes->count - 1)];
    mutex_lock(&stripe->mu);
    return stripe;
}

struct stripe *reini_lock_some_list(struct node *node) UNCHECKED_LOCKING
{
    enum fault_list forced = FAULT_LIST();
    struct stripes *stripes = stripes_of(node);
    if (!stripes && (forced == FAULT_STRIPE || (forced == FAULT_ANY_LIST && keep_meeting(node))))
        stripes = widen(node);
    if (stripes && forced != FAULT_OWN_LIST)
        return lock_stripe(stripes);
    mutex_lock(&node->mu);
    return NULL;
}

/* ---- stripes ---- */

void reini_stripes_drop(struct node *node, unsigned references)
{
    sub_acq_rel(&node->ctx.refs, references * ONE_VIEW);
}

void reini_stripe_hold(struct stripe *stripe, struct node *node, struct dep *dep)
{
    if (stripe->holders == 0) {
        if (!MISTAKE(stripe_has_no_reference))
            ctx_ref(&node->ctx); /* first: a fork in between may leak it, and no more */
        stripe->holders = ITSELF;
    }
    stripe->holders += ONE_CHILD;
    dep->stripe |= HOLDS;
}

bool reini_stripe_let_go(struct node *node, uint8_t number)
{
    struct stripe *stripe = stripe_at(node, stripe_number(number));
    reini_mutex *mu = is_frozen(&node->ctx) ? &reini_frozen_mu : &stripe->mu;
    mutex_lock(mu);
    bool last = (stripe->holders -= ONE_CHILD) == 0;
    mutex_unlock(mu);
    return last;
}

/* Under the stripe's lock: it is no holder itself any more. Returns whether its reference goes with
 * that. */
static bool stop_holding(struct stripe *stripe)
{
    bool last = stripe->holders == ITSELF;
    stripe->holders &= ~(uint32_t)ITSELF;
    return last;
}

struct dep *reini_stripes_take(struct node *node, struct stripes *stripes, unsigned number)
{
    while (number < stripes->count) {
        struct stripe *stripe = &stripes->of[number++];
        STEP("stripe-take");
        mutex_lock(&stripe->mu);
        struct dep *deps = stripe->deps;
        stripe->deps = NULL;
        bool last = stop_holding(stripe);
        mutex_unlock(&stripe->mu);
        if (last)
            reini_stripes_drop(node, 1);
        if (deps)
            return deps;
    }
    return NULL;
}

unsigned reini_stripes_rest(struct node *node)
{
    struct stripes *stripes = stripes_of(node);
    unsigned idle = 0;
    for (uint32_t i = 0; stripes && i < stripes->count; i++) {
        struct stripe *stripe = &stripes->of[i];
        mutex_lock(&stripe->mu);
        if (stripe->holders == ITSELF)
            idle += stop_holding(stripe);
        mutex_unlock(&stripe->mu);
    }
    return idle;
}

unsigned reini_stripes_frozen_end(struct node *node)
{
    struct stripes *stripes = stripes_of(node);
    unsigned last = 0;
    for (uint32_t i = 0; stripes && i < stripes->count; i++)
        last += stop_holding(&stripes->of[i]);
    return last;
}
