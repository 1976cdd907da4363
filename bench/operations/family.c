/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* family.c: a parent with n children. */
#include "subject.h"

enum { TOGETHER = 2000 };

/* Only the cancel is timed; of small families, many at a time. Per child. */
static double time_cancel(long n, long families, node *parents, node *children)
{
    for (long f = 0; f < families; f++) {
        parents[f] = new_root();
        for (long i = 0; i < n; i++)
            children[f * n + i] = derive(parents[f]);
    }
    int64_t start = now_ns();
    for (long f = 0; f < families; f++)
        cancel(parents[f]);
    double took = (double)(now_ns() - start);
    for (long f = 0; f < families; f++) {
        for (long i = 0; i < n; i++) {
            if (!done(children[f * n + i]))
                abort();
            release(children[f * n + i]);
        }
        release(parents[f]);
    }
    return took / (double)(n * families);
}
static void cancelled(long size)
{
    double ns[MOST_RUNS];
    long n = sized(size), families = TOGETHER / n + 1;
    node *parents = (node *)touched((size_t)families, sizeof(node));
    node *children = (node *)touched((size_t)(n * families), sizeof(node));
    int64_t start = now_ns();
    time_cancel(n, families, parents, children);
    int runs = runs_for(now_ns() - start);
    for (int i = 0; i < runs; i++)
        ns[i] = time_cancel(n, families, parents, children);
    /* Of few and long runs the middle one: they differ less by what disturbs them than by the order
     * in which the heap, older each time, gives out the memory that the walk goes through. */
    double quantile = runs <= LEAST_RUNS ? 0.5 : 0.25;
    print_for("family.cancel", size, percentile(ns, (size_t)runs, quantile));
}

/* Made, cancelled and given back. */
static int64_t time_life(long n, node *children)
{
    int64_t start = now_ns();
    node parent = new_root();
    for (long i = 0; i < n; i++)
        children[i] = derive(parent);
    cancel(parent);
    for (long i = 0; i < n; i++)
        release(children[i]);
    release(parent);
    return now_ns() - start;
}
static void life(long size)
{
    double ns[MOST_RUNS];
    long n = sized(size);
    node *children = (node *)touched((size_t)n, sizeof(node));
    int runs = runs_for(time_life(n, children));
    for (int i = 0; i < runs; i++)
        ns[i] = (double)time_life(n, children) / (double)n;
    print_for("family.life", size, undisturbed(ns, (size_t)runs));
}

CASES({"cancel", cancelled}, {"life", life})
