/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* waiters.c: many threads wait on one context: until the last of them runs, and how long the
 * canceller is busy. To the floor it is a bare broadcast on a futex. */
#include "subject.h"

static node awaited;
static pthread_barrier_t all_there;
static long threads, running; /* threads that have woken; the last one writes last_ran */
static int64_t last_ran;

static void *waiter_main(void *unused)
{
    pthread_barrier_wait(&all_there);
    await(awaited);
    if (__atomic_add_fetch(&running, 1, __ATOMIC_ACQ_REL) == threads)
        last_ran = now_ns();
    return unused;
}
static void time_broadcast(double *ret_last, double *ret_busy)
{
    pthread_t *thread = (pthread_t *)touched((size_t)threads, sizeof(pthread_t));
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 * 1024);
    pthread_barrier_init(&all_there, NULL, (unsigned)threads + 1);
    awaited = new_root();
    running = 0;
    for (long i = 0; i < threads; i++)
        if (pthread_create(&thread[i], &small, waiter_main, NULL) != 0)
            abort();
    pthread_barrier_wait(&all_there);
    usleep(100000); /* long enough for all to fall asleep */
    int64_t start = now_ns();
    cancel(awaited);
    *ret_busy = (double)(now_ns() - start);
    for (long i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    *ret_last = (double)(last_ran - start);
    release(awaited);
    free(thread);
}
static void broadcast(long n)
{
    enum { RUNS = 9 };
    double last[RUNS], busy[RUNS];
    int runs = times(RUNS);
    threads = sized(n);
    for (int i = 0; i < runs; i++)
        time_broadcast(&last[i], &busy[i]);
    print_for("waiters.last", n, undisturbed(last, (size_t)runs));
    print_for("waiters.busy", n, undisturbed(busy, (size_t)runs));
}

CASES({"broadcast", broadcast})
