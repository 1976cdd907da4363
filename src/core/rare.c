/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/rare.c: hanging the block on a node, and freeing it. */
#include "core/rare.h"

#include "base/mem.h"

static struct rare *rare_of(struct node *node)
{
    /* acquire: pairs with the release below. */
    return (struct rare *)(uintptr_t)load_acquire(&node->ctx.aux);
}

struct rare *reini_rare_of(struct node *node)
{
    struct rare *rare = rare_of(node);
    struct rare *made = rare ? NULL : reini_alloc_aligned(CACHE_LINE, sizeof *made);
    if (!made)
        return rare;
    *made = (struct rare){.settled = reini_done_settled, .fd = -1};
    mutex_lock(&node->mu);
    rare = rare_of(node);
    if (!rare) {
        store_release(&node->ctx.aux, made); /* whoever finds it there finds it filled in */
        rare = made;
    }
    mutex_unlock(&node->mu);
    if (rare != made)
        reini_free(made);
    return rare;
}

void reini_rare_free(struct node *node)
{
    struct rare *rare = rare_of(node);
    node->ctx.aux = NULL;
    reini_done_fd_close(rare);
    reini_free(rare->stripes);
    reini_free(rare);
}
