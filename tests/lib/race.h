/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/race.h: threads that start together. */
#ifndef TESTS_LIB_RACE_H
#define TESTS_LIB_RACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One thread, with the smallest stack that a program may reasonably have if stack is not 0. */
struct race_thread {
    pthread_t id;
    void (*fn)(void *arg);
    void *arg;
    uint32_t over; /* atomic */
};
void race_thread_start(struct race_thread *thread, size_t stack, void (*fn)(void *arg), void *arg);
void race_thread_join(struct race_thread *thread);
bool race_thread_over(struct race_thread *thread); /* its fn has returned; does not wait */

/* Call fn(arg) on a thread with a stack of so many bytes, and wait for it. */
void race_on_stack(size_t stack, void (*fn)(void *arg), void *arg);

/* Call fn(arg, 0) … fn(arg, n - 1), each on a thread of its own, all let go at the same moment;
 * returns when all have returned. */
void race_run(unsigned n, void (*fn)(void *arg, unsigned index), void *arg);

/* Two functions at the same moment; a runs on the calling thread. */
void race_pair(void (*a)(void *arg), void (*b)(void *arg), void *arg);

/* A flag that one thread sets and others wait for. */
struct race_flag {
    uint32_t set; /* atomic */
};
void race_set(struct race_flag *flag);
bool race_is_set(const struct race_flag *flag);
void race_await(const struct race_flag *flag);

/* A count that threads raise. */
struct race_count {
    uint64_t value; /* atomic */
};
void race_add(struct race_count *counter, uint64_t n);
uint64_t race_value(const struct race_count *counter);
void race_await_value(const struct race_count *counter, uint64_t at_least);

#endif
