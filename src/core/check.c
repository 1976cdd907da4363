/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/check.c: the rules of node.h as a function, and counts for tests. */
#include "core/check.h"

#include <errno.h>

#include "base/panic.h"
#include "core/call.h"
#include "core/node.h"
#include "core/stripe.h"

static unsigned count_of_stripes(const struct node *node)
{
    const struct stripes *stripes = stripes_of(node);
    return stripes ? stripes->count : 0;
}

/* The list of that number: 0 for the node's own. */
static struct dep **list_at(struct node *node, unsigned number)
{
    struct stripe *stripe = stripe_at(node, number);
    return stripe ? &stripe->deps : &node->deps;
}

size_t reini_check_dependents(const rein_ctx *ctx) UNCHECKED_LOCKING
{
    struct node *node = source_of(ctx_of(ctx));
    size_t count = 0;
    for (unsigned number = 0; number <= count_of_stripes(node); number++) {
        struct stripe *stripe = stripe_at(node, number);
        mutex_lock(stripe ? &stripe->mu : &node->mu);
        for (struct dep *dep = *list_at(node, number); dep; dep = dep->next)
            count++;
        unlock_list(node, stripe);
    }
    return count;
}

size_t reini_check_stripes(const rein_ctx *ctx)
{
    return count_of_stripes(source_of(ctx_of(ctx)));
}

size_t reini_check_armed(const rein_ctx *ctx)
{
    return reini_clock_armed(clock_of(ctx_of(ctx)));
}

unsigned reini_check_references(const rein_ctx *ctx)
{
    return REFERENCES(load_relaxed(&ctx_of(ctx)->refs));
}

static void rule(bool holds, const char *name, const struct node *node)
{
    if (!holds)
        reini_panic(name, "a rule of core/node.h does not hold", node);
}

static void check_node(struct node *node)
{
    int32_t word = node->ctx.word;
    rule(word == 0 || word == -ETIMEDOUT || word == -ECANCELED, "I1", node);
    rule((word == 0) == (node->dep.ended == NOT_ENDED), "I1", node);
    rule((word == 0) == !(node->dep.word & MARKED), "I1", node);
    for (unsigned number = 0; number <= count_of_stripes(node); number++) {
        struct dep **pprev = list_at(node, number);
        uint32_t holders = 0;
        for (struct dep *dep = *pprev; dep; pprev = &dep->next, dep = dep->next) {
            rule(dep->pprev == pprev, "I2", node);
            rule(word == 0 || dep->kind >= DEP_CALLBACK, "I5", node);
            rule(dep->kind >= DEP_WAITER || (dep->word & PLACE) == LINKED, "I2", node);
            rule(dep->kind >= DEP_CALLBACK || stripe_number(dep->stripe) == number, "S2", node);
            rule(dep->kind < DEP_CALLBACK || number == 0, "S2", node);
            holders += dep->kind == DEP_CHILD && (dep->stripe & HOLDS);
        }
        /* Children that have been ended, and so have left the list, hold the node still. */
        uint32_t counted = number == 0 ? 0 : stripe_at(node, number)->holders;
        rule(holders == 0 || ((counted & ITSELF) && counted / ONE_CHILD >= holders), "S4", node);
    }
}

/* The next child that has this node for its first parent, from dep on or in a later list. */
static struct dep *next_child(struct node *node, unsigned *number, struct dep *dep)
{
    for (;;) {
        while (dep && dep->kind != DEP_CHILD)
            dep = dep->next;
        if (dep || *number == count_of_stripes(node))
            return dep;
        dep = *list_at(node, ++*number);
    }
}

/* Down by first children and on by next, up by the place in the list: as the walk of mark.c, and
 * like it without a stack. A node with two parents is looked at under its first only. */
size_t reini_check_tree(const rein_ctx *ctx)
{
    struct node *top = source_of(ctx_of(ctx)), *at = top;
    size_t count = 1;
    unsigned number = 0;
    check_node(top);
    for (struct dep *dep = top->deps;;) {
        dep = next_child(at, &number, dep);
        if (dep) {
            struct node *child = child_of(dep);
            rule(source_of(child->ctx.parent) == at, "I6", child);
            rule(REFERENCES(child->ctx.refs) > 0, "I6", child);
            check_node(child);
            count++;
            at = child;
            dep = child->deps;
            number = 0;
            continue;
        }
        if (at == top)
            return count;
        dep = at->dep.next;
        number = stripe_number(at->dep.stripe);
        at = source_of(at->ctx.parent);
    }
}
