/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* measure.h: how the benchmark takes a time.
 *
 * Every figure is measured several times in rounds that go through all rows, rein and floor in
 * turn, so that a slow moment of the machine hits both. What is printed are medians, and the median
 * of the rounds' ratios: times of two machines, or of two days, do not compare, ratios do. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* The compiler must think that x is used, and that memory may have changed. */
#define KEEP(x) __asm__ volatile("" : : "g"(x) : "memory")
#define NOINLINE __attribute__((noinline))

static inline int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static inline int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which a share p of the n values lies; sorts them. */
static inline double percentile(double *values, size_t n, double p)
{
    qsort(values, n, sizeof *values, compare_doubles);
    return values[(size_t)(p * (double)(n - 1) + 0.5)];
}

/* ns for each of the repetitions that a loop is asked to do: the median of many runs of a fraction
 * of a millisecond each. On a machine that is shared the scheduler, or the host of a virtual one,
 * takes the processor away for many milliseconds at a time; a long run always contains such a gap,
 * of many short ones few do. */
typedef void loop_fn(uint64_t n, void *arg);
static inline double time_loop(loop_fn *loop, void *arg)
{
    enum { RUNS = 51 };
    const int64_t wanted = 200000;
    double ns[RUNS];
    uint64_t n = 64;
    for (;;) {
        int64_t start = now_ns();
        loop(n, arg);
        if (now_ns() - start > wanted)
            break;
        n *= 2;
    }
    for (int i = 0; i < RUNS; i++) {
        int64_t start = now_ns();
        loop(n, arg);
        ns[i] = (double)(now_ns() - start) / (double)n;
    }
    return percentile(ns, RUNS, 0.5);
}

#endif
