/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* fire.c: n timeouts, all of which fire within two seconds: what making one costs, what firing one
 * costs of all processors together, and how late they are. */
#include "shot.h"

enum { SAMPLES = 1000 };

/* So far ahead of the first that all can be made in time, as far as a few of them tell, in batches
 * of which the quickest counts. */
static int64_t head_start(node parent, long n)
{
    enum { BATCHES = 10, BATCH = 500 };
    double quickest = 1e9;
    for (int batch = 0; batch < BATCHES; batch++) {
        int64_t start = now_ns();
        for (int i = 0; i < BATCH; i++)
            (void)derive_deadline(parent, start + 3600 * second);
        double each = (double)(now_ns() - start) / BATCH;
        quickest = each < quickest ? each : quickest;
    }
    return smoke() ? 20 * millisecond : 500 * millisecond + (int64_t)(4 * quickest * (double)n);
}

/* A sample may fire a little before one that was due earlier. */
static void expect_all(const node *nodes, long n)
{
    int64_t patience = now_ns() + 5 * second;
    for (long i = 0; i < n; i++)
        while (!done(nodes[i])) {
            if (now_ns() > patience) {
                fprintf(stderr, "timer %ld of %ld has not fired\n", i, n);
                exit(1);
            }
            turn();
        }
}

static void many(long size)
{
    static struct shot shots[SAMPLES];
    const int64_t within = smoke() ? 20 * millisecond : 2 * second;
    long n = sized(size), samples = n < SAMPLES ? n : SAMPLES, every = n / samples;
    prepare_shots();
    node parent = new_root(), *nodes = (node *)touched((size_t)n, sizeof(node));
    int64_t ahead = head_start(parent, n), start = now_ns(), base = start + ahead;
    for (long i = 0; i < n; i++) {
        int64_t due = base + (int64_t)((double)within * (double)i / (double)n);
        nodes[i] = derive_deadline(parent, due);
        if (i % every == every - 1) /* one in so many tells the time: the last is one of them */
            take_aim(&shots[i / every], nodes[i], due);
    }
    print_for("fire.make", size, (double)(now_ns() - start) / (double)n);
    int64_t busy = processor_ns();
    let_fire(samples, base + within);
    print_for("fire.processor", size, (double)(processor_ns() - busy) / (double)n);
    expect_all(nodes, n);
    double *late = lateness_of(shots, (size_t)samples);
    print_for("fire.p50", size, percentile(late, (size_t)samples, 0.5));
    print_for("fire.p99", size, percentile(late, (size_t)samples, 0.99));
}

CASES({"many", many})
