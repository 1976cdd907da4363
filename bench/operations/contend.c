/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* contend.c: several threads make and end children at once, of one parent or each of its own.
 *
 * Two figures: wall-clock ns for each operation over all threads, and thread-ns, which is what one
 * operation keeps a thread busy: wall-clock ns times the threads that can run at a time. */
#include "life.h"

static double in_thread_ns(double ns, long threads)
{
    int most = processors();
    return ns * (double)(threads < most ? threads : most);
}

static void shared(long threads)
{
    node parent = new_root();
    void *args[MOST_THREADS];
    for (long i = 0; i < threads; i++)
        args[i] = &parent;
    double ns = time_threads((int)threads, loop_derive, args);
    print_for("contend.shared", threads, ns);
    print_for("contend.shared.thread", threads, in_thread_ns(ns, threads));
}
static void own(long threads)
{
    node parents[MOST_THREADS];
    void *args[MOST_THREADS];
    for (long i = 0; i < threads; i++) {
        parents[i] = new_root();
        args[i] = &parents[i];
        KEEP(malloc(1024)); /* parents share no cache line */
    }
    print_for("contend.own", threads, time_threads((int)threads, loop_derive, args));
}

#if HAS & TIMEOUTS
static void timeout_shared(long threads)
{
    node parent = new_root();
    void *args[MOST_THREADS];
    for (long i = 0; i < threads; i++)
        args[i] = &parent;
    print_for("contend.timeout", threads, time_threads((int)threads, loop_timeout, args));
}
#endif

CASES({"shared", shared}, {"own", own},
#if HAS & TIMEOUTS
      {"timeout", timeout_shared},
#endif
)
