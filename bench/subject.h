/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* subject.h: the few words that the operations are written in, and the subject that says what they
 * mean: rein, the floor, or another library.
 *
 * SUBJECT is the name of a header in subjects/, which says in HAS what its library can do and
 * defines the words of that:
 *
 *   always    node                            a handle, kept by value
 *             node new_root(void)             something that can be cancelled
 *             void end(node)                  cancel it and give it back
 *
 *   TREE      node derive(node parent)        cancelled with its parent or by itself
 *             void cancel(node)
 *             void release(node)              give a cancelled one back
 *             bool done(node)                 whether it is cancelled
 *   WAITS     void await(node)                block until it is done
 *   CALLBACKS struct watch                    room for a callback, in the program's storage
 *             void watch(node, struct watch *w)   call fired(w) once the node is done
 *             void unwatch(struct watch *w)   or no longer
 *   TIMEOUTS  node derive_timeout(node parent, int64_t ns)
 *   FIRES     node derive_deadline(node parent, int64_t due)   on the clock of now_ns()
 *             void let_fire(long n, int64_t last)   have timers fire until fired() was called n
 *                                             times; the last of them is due then. watch() as
 *                                             above, but there need be no unwatch()
 *             void turn(void)                 have timers fire, for a moment
 *   VALUES    view                            what values are looked up in
 *             view no_values(node below)      where a line of them begins
 *             view bind_value(view above, int key)
 *             void drop_values(view)
 *             const void *lookup(view, int key)
 *   VIEWS     a view may be asked and derived from like a node
 *
 * TIMEOUTS without TREE is a library of timers alone: its nodes have no parents. */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include "measure.h"

#define TREE 1
#define WAITS 2
#define CALLBACKS 4
#define TIMEOUTS 8
#define FIRES 16
#define VALUES 32
#define VIEWS 64

struct watch;
static void (*on_fired)(struct watch *w); /* set by the operation before it watches anything */
/* Counted with release when on_fired() is over, so that whoever waits for the count sees what it
 * has written. */
static long fired_count;
static inline void fired(struct watch *w)
{
    on_fired(w);
    __atomic_fetch_add(&fired_count, 1, __ATOMIC_RELEASE);
}
static inline bool have_fired(long n)
{
    return __atomic_load_n(&fired_count, __ATOMIC_ACQUIRE) >= n;
}
/* let_fire() of a library that has a thread for it. Polling costs processor time, which is being
 * measured: so not before it is over. */
static inline void sleep_while_firing(long n, int64_t last)
{
    sleep_until(last);
    while (!have_fired(n))
        usleep(1000);
}

enum { KEYS = 1001 };

#include SUBJECT

#endif
