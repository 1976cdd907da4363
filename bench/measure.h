/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* measure.h: how the benchmark takes a time, and how a program of it is started and answers.
 *
 * The common part of C11 and C++20, since the operations are compiled for C++'s library too. A
 * program is called `PROGRAM CASE [N]`, measures that one case in a process of its own, and prints
 * lines "name figure". With BENCH_SMOKE in the environment everything is done once and small: then
 * the figures mean nothing, but the program still has to work. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* The compiler must think that x is used, and that memory may have changed. */
#define KEEP(x) __asm__ volatile("" : : "g"(x) : "memory")
#define ASK_ANEW() __asm__ volatile("" : : : "memory") /* memory may have changed */
#define NOINLINE __attribute__((noinline))
#define MAYBE_UNUSED __attribute__((unused))
#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))

enum { UNSUPPORTED = 3 }; /* the exit status of a case that the subject cannot do */

static const int64_t microsecond = 1000, millisecond = 1000000, second = 1000000000;

/* ---- Smoke ----------------------------------------------------------------------------------- */

static inline bool smoke(void)
{
    return getenv("BENCH_SMOKE") != NULL;
}
/* How many of something to make. */
static inline long sized(long n)
{
    return smoke() && n > 200 ? 200 : n;
}
/* How often to do something. */
static inline int times(int n)
{
    return smoke() ? 1 : n;
}

/* ---- Clocks and figures ---------------------------------------------------------------------- */

static inline int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * second + ts.tv_nsec;
}

static inline void sleep_until(int64_t when)
{
    struct timespec ts = {(time_t)(when / second), (long)(when % second)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0)
        ;
}

/* What the whole process has used of processors, in its own code and in the system's. */
static inline int64_t processor_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * second + ts.tv_nsec;
}

static inline double resident_bytes(void)
{
    long total = 0, pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm || fscanf(statm, "%ld %ld", &total, &pages) != 2)
        abort();
    fclose(statm);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
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
/* What something takes that was done n times: the lower quartile, since whatever disturbs a run
 * makes it longer. */
static inline double undisturbed(double *values, size_t n)
{
    return percentile(values, n, 0.25);
}
/* How many runs fit into a third of a second, if one takes `ns`. */
enum { LEAST_RUNS = 7, MOST_RUNS = 41 };
static inline int runs_for(int64_t ns)
{
    double fit = 3e8 / (double)(ns + 1);
    return times(fit > MOST_RUNS ? MOST_RUNS : fit < LEAST_RUNS ? LEAST_RUNS : (int)fit);
}

static inline void print(const char *name, double figure)
{
    printf("%s %.6g\n", name, figure);
    fflush(stdout); /* what is known is told, even if the rest crashes */
}
/* name.n */
static inline void print_for(const char *name, long n, double figure)
{
    printf("%s.%ld %.6g\n", name, n, figure);
    fflush(stdout);
}

/* name.p50 and name.p99 */
static inline void print_half_and_most(const char *name, double *values, size_t n)
{
    char half[32], most[32];
    snprintf(half, sizeof half, "%s.p50", name);
    snprintf(most, sizeof most, "%s.p99", name);
    print(half, percentile(values, n, 0.5));
    print(most, percentile(values, n, 0.99));
}

/* Memory that is there, in whose pages no later measurement finds a surprise. */
static inline void *touched(size_t n, size_t size)
{
    void *memory = malloc(n * size + 1);
    if (!memory)
        abort();
    memset(memory, 1, n * size);
    return memory;
}

/* ---- Loops ----------------------------------------------------------------------------------- */

/* Does something n times with one argument. */
typedef void loop_fn(uint64_t n, void *arg);

/* ns for each repetition, from many runs of two milliseconds each. On a machine that is
 * shared the scheduler, or the host of a virtual one, takes the processor away for many
 * milliseconds at a time; a long run always contains such a gap, of many short ones few do. */
static inline double time_loop(loop_fn *loop, void *arg)
{
    enum { RUNS = 31 };
    const int64_t wanted = smoke() ? 1 : 2 * millisecond;
    double ns[RUNS];
    uint64_t n = 64;
    for (;;) {
        int64_t start = now_ns();
        loop(n, arg);
        if (now_ns() - start > wanted)
            break;
        n *= 2;
    }
    int runs = times(RUNS);
    for (int i = 0; i < runs; i++) {
        int64_t start = now_ns();
        loop(n, arg);
        ns[i] = (double)(now_ns() - start) / (double)n;
    }
    return undisturbed(ns, (size_t)runs);
}

/* ---- Loops in several threads ---------------------------------------------------------------- */

enum { MOST_THREADS = 64 };
struct racer {
    loop_fn *loop;
    void *arg;
    uint64_t n;
    int64_t start, end;
    pthread_barrier_t *line;
};
static inline void *racer_main(void *arg)
{
    struct racer *racer = (struct racer *)arg;
    pthread_barrier_wait(racer->line);
    racer->start = now_ns();
    racer->loop(racer->n, racer->arg);
    racer->end = now_ns();
    return NULL;
}
/* From the start of the first to the end of the last. */
static inline int64_t race(int threads, uint64_t n, loop_fn *loop, void **args)
{
    static pthread_t thread[MOST_THREADS];
    static struct racer racer[MOST_THREADS];
    pthread_barrier_t line;
    pthread_barrier_init(&line, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        racer[i].loop = loop;
        racer[i].arg = args[i];
        racer[i].n = n;
        racer[i].line = &line;
        if (pthread_create(&thread[i], NULL, racer_main, &racer[i]) != 0)
            abort();
    }
    int64_t start = INT64_MAX, end = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        start = racer[i].start < start ? racer[i].start : start;
        end = racer[i].end > end ? racer[i].end : end;
    }
    pthread_barrier_destroy(&line);
    return end - start;
}
/* Wall-clock ns for each repetition over all threads together: with two threads on two processors
 * that do not hinder each other, half of what one thread takes. */
static inline double time_threads(int threads, loop_fn *loop, void **args)
{
    enum { RUNS = 7 };
    const int64_t wanted = smoke() ? 1 : 40 * millisecond;
    double ns[RUNS];
    uint64_t n = smoke() ? 64 : 1024;
    int64_t took;
    while ((took = race(threads, n, loop, args)) < wanted / 4)
        n *= 2;
    if (!smoke())
        n = (uint64_t)((double)n * (double)wanted / (double)took) + 1;
    int runs = times(RUNS);
    for (int i = 0; i < runs; i++)
        ns[i] = (double)race(threads, n, loop, args) / ((double)n * threads);
    return undisturbed(ns, (size_t)runs);
}

/* ---- Processors ------------------------------------------------------------------------------ */

/* As many as this process may use. */
static inline int processors(void)
{
    cpu_set_t all;
    return sched_getaffinity(0, sizeof all, &all) == 0 ? CPU_COUNT(&all) : 1;
}

/* Keep the calling thread to the nth processor that this process may use, or to the last there
 * is. */
static inline void stay_on_processor(int nth)
{
    static cpu_set_t all;
    static bool known;
    if (!known)
        known = sched_getaffinity(0, sizeof all, &all) == 0;
    cpu_set_t one;
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && nth >= 0; cpu++)
        if (CPU_ISSET(cpu, &all)) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            nth--;
        }
    sched_setaffinity(0, sizeof one, &one);
}

/* ---- Starting -------------------------------------------------------------------------------- */

static inline void *idle_main(void *unused)
{
    for (;;)
        pause();
    return unused;
}
/* With a single thread the C library leaves locked instructions out, which no program that needs
 * cancellation gets to see. */
static inline void start_idle_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, idle_main, NULL) != 0)
        abort();
    pthread_detach(thread);
}

/* The cases of one program. */
struct bench_case {
    const char *name;
    void (*measure)(long n);
};
static inline int run_case(int argc, char **argv, const struct bench_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (argc > 1 && strcmp(cases[i].name, argv[1]) == 0) {
            start_idle_thread();
            cases[i].measure(argc > 2 ? atol(argv[2]) : 0);
            return 0;
        }
    return UNSUPPORTED;
}
#define CASES(...)                                                                                 \
    static const struct bench_case cases[] = {__VA_ARGS__};                                        \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return run_case(argc, argv, cases, ARRAY_LENGTH(cases));                                   \
    }

#endif
