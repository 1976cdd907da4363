/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/race.c: see race.h. Everybody gives way while waiting: there may be one processor. */
#include "race.h"

#include <check.h>
#include <stdlib.h>

#include "suite.h"

static uint32_t load(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* ---- one thread ---- */

static void *thread_main(void *arg)
{
    struct race_thread *thread = arg;
    thread->fn(thread->arg);
    __atomic_store_n(&thread->over, 1, __ATOMIC_RELEASE);
    return NULL;
}

void race_thread_start(struct race_thread *thread, size_t stack, void (*fn)(void *arg), void *arg)
{
    pthread_attr_t attr;
    ck_assert_int_eq(pthread_attr_init(&attr), 0);
    if (stack)
        ck_assert_int_eq(pthread_attr_setstacksize(&attr, stack), 0);
    thread->fn = fn;
    thread->arg = arg;
    thread->over = 0;
    ck_assert_int_eq(pthread_create(&thread->id, &attr, thread_main, thread), 0);
    pthread_attr_destroy(&attr);
}

void race_thread_join(struct race_thread *thread)
{
    ck_assert_int_eq(pthread_join(thread->id, NULL), 0);
}

bool race_thread_over(struct race_thread *thread)
{
    return load(&thread->over) != 0;
}

void race_on_stack(size_t stack, void (*fn)(void *arg), void *arg)
{
    struct race_thread thread;
    race_thread_start(&thread, stack, fn, arg);
    race_thread_join(&thread);
}

/* ---- many ---- */

/* Where those meet who are to start together. */
struct start {
    uint32_t parties;
    uint32_t here; /* atomic */
};

static void meet(struct start *start)
{
    __atomic_add_fetch(&start->here, 1, __ATOMIC_ACQ_REL);
    for (unsigned turns = 0; load(&start->here) < start->parties;)
        suite_pause(&turns);
}

struct runner {
    struct race_thread thread;
    struct start *start;
    void (*fn)(void *arg, unsigned index);
    void *arg;
    unsigned index;
};

static void run_one(void *arg)
{
    struct runner *runner = arg;
    meet(runner->start);
    runner->fn(runner->arg, runner->index);
}

void race_run(unsigned n, void (*fn)(void *arg, unsigned index), void *arg)
{
    struct start start = {.parties = n};
    struct runner *runners = calloc(n, sizeof *runners);
    ck_assert_ptr_nonnull(runners);
    for (unsigned i = 0; i < n; i++) {
        runners[i] = (struct runner){.start = &start, .fn = fn, .arg = arg, .index = i};
        race_thread_start(&runners[i].thread, n > 16 ? 256 * 1024 : 0, run_one, &runners[i]);
    }
    for (unsigned i = 0; i < n; i++)
        race_thread_join(&runners[i].thread);
    free(runners);
}

struct pair {
    struct start start;
    void (*fn)(void *arg);
    void *arg;
};

static void run_second(void *arg)
{
    struct pair *pair = arg;
    meet(&pair->start);
    pair->fn(pair->arg);
}

void race_pair(void (*a)(void *arg), void (*b)(void *arg), void *arg)
{
    struct pair pair = {.start = {.parties = 2}, .fn = b, .arg = arg};
    struct race_thread thread;
    race_thread_start(&thread, 0, run_second, &pair);
    meet(&pair.start);
    a(arg);
    race_thread_join(&thread);
}

/* ---- flags and counts ---- */

void race_set(struct race_flag *flag)
{
    __atomic_store_n(&flag->set, 1, __ATOMIC_RELEASE);
}

bool race_is_set(const struct race_flag *flag)
{
    return load(&flag->set) != 0;
}

void race_await(const struct race_flag *flag)
{
    for (unsigned turns = 0; !race_is_set(flag);)
        suite_pause(&turns);
}

void race_add(struct race_count *counter, uint64_t n)
{
    __atomic_add_fetch(&counter->value, n, __ATOMIC_ACQ_REL);
}

uint64_t race_value(const struct race_count *counter)
{
    return __atomic_load_n(&counter->value, __ATOMIC_ACQUIRE);
}

void race_await_value(const struct race_count *counter, uint64_t at_least)
{
    for (unsigned turns = 0; race_value(counter) < at_least;)
        suite_pause(&turns);
}
