/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* chain.c: a chain of descendants, each the child of the one before; only the cancel of the
 * topmost is timed, per level. */
#include "subject.h"

static double time_chain(long levels, long chains, node *nodes)
{
    for (long c = 0; c < chains; c++) {
        node *at = nodes + c * (levels + 1);
        at[0] = new_root();
        for (long i = 1; i <= levels; i++)
            at[i] = derive(at[i - 1]);
    }
    int64_t start = now_ns();
    for (long c = 0; c < chains; c++)
        cancel(nodes[c * (levels + 1)]);
    double took = (double)(now_ns() - start);
    for (long i = chains * (levels + 1) - 1; i >= 0; i--) { /* the lowest first */
        if (!done(nodes[i]))
            abort();
        release(nodes[i]);
    }
    return took / (double)(levels * chains);
}
static void cancelled(long size)
{
    enum { TOGETHER = 2000 };
    double ns[MOST_RUNS];
    long levels = sized(size), chains = TOGETHER / levels + 1;
    node *nodes = (node *)touched((size_t)((levels + 1) * chains), sizeof(node));
    int64_t start = now_ns();
    time_chain(levels, chains, nodes);
    int runs = runs_for(now_ns() - start);
    for (int i = 0; i < runs; i++)
        ns[i] = time_chain(levels, chains, nodes);
    print_for("chain.cancel", size, undisturbed(ns, (size_t)runs));
}

/* On a stack of 64 KiB: once, and what matters is that it can be done. */
static void *deep_main(void *arg)
{
    long levels = *(long *)arg;
    node *nodes = (node *)touched((size_t)levels + 1, sizeof(node));
    double *ns = (double *)malloc(sizeof *ns);
    if (!ns)
        abort();
    *ns = time_chain(levels, 1, nodes);
    return ns;
}
static void deep(long size)
{
    long levels = sized(size);
    void *ns;
    pthread_t thread;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 * 1024);
    if (pthread_create(&thread, &small, deep_main, &levels) != 0 ||
        pthread_join(thread, &ns) != 0)
        abort();
    print_for("chain.deep", size, *(double *)ns);
}

CASES({"cancel", cancelled}, {"deep", deep})
