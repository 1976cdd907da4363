/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/check.c: the rules of node.h as a function, and counts for tests. */
#include "core/check.h"

#include <errno.h>

#include "base/panic.h"
#include "core/call.h"
#include "core/node.h"

size_t reini_check_dependents(const rein_ctx *ctx)
{
    struct node *node = source_of(ctx_of(ctx));
    size_t count = 0;
    mutex_lock(&node->mu);
    for (struct dep *dep = node->deps; dep; dep = dep->next)
        count++;
    mutex_unlock(&node->mu);
    return count;
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
    for (struct dep *dep = node->deps, **pprev = &node->deps; dep;
         pprev = &dep->next, dep = dep->next) {
        rule(dep->pprev == pprev, "I2", node);
        rule(word == 0 || dep->kind >= DEP_CALLBACK, "I5", node);
        rule(dep->kind >= DEP_WAITER || (dep->word & PLACE) == LINKED, "I2", node);
    }
}

/* Down by first children and on by next, up by the place in the list: as the walk of mark.c, and
 * like it without a stack. A node with two parents is looked at under its first only. */
size_t reini_check_tree(const rein_ctx *ctx)
{
    struct node *top = source_of(ctx_of(ctx)), *at = top;
    size_t count = 1;
    check_node(top);
    for (struct dep *dep = top->deps;;) {
        while (dep && dep->kind != DEP_CHILD)
            dep = dep->next;
        if (dep) {
            struct node *child = child_of(dep);
            rule(source_of(child->ctx.parent) == at, "I6", child);
            rule(REFERENCES(child->ctx.refs) > 0, "I6", child);
            check_node(child);
            count++;
            at = child;
            dep = child->deps;
            continue;
        }
        if (at == top)
            return count;
        dep = at->dep.next;
        at = source_of(at->ctx.parent);
    }
}
