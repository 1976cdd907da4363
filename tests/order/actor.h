/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/order/actor.h: threads that play an interleaving by the script.
 *
 * An actor is a thread that can be made to stand still at a step of the library (base/fault.h), for
 * as long as the case, which directs, wants it to:
 *
 *     stage();
 *     struct actor walker = {.at = "marked-top"};
 *     actor_start(&walker, cancel, p);
 *     actor_await(&walker);                // the top is marked, nothing below it
 *     ...
 *     actor_go(&walker);
 *     actor_join(&walker);
 *     curtain();
 *
 * hold.h stops whoever comes first; this is for scenes where it matters who. Nothing here
 * sleeps. */
#ifndef TESTS_ORDER_ACTOR_H
#define TESTS_ORDER_ACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "race.h"

struct actor {
    const char *at; /* where it is to stand still next, or NULL */
    uint32_t skip;  /* after passing that step so often */
    /* the rest is for actor.c */
    struct race_thread thread;
    void (*fn)(void *arg);
    void *arg;
    uint32_t standing, go, over; /* atomic */
    int id;                      /* atomic; the system's id of the thread */
};

/* Between the two the calling thread directs; it never stands still itself. */
void stage(void);
void curtain(void);

/* The director's own look at every step that anybody comes to, before that one may stand still: on
 * the thread that came, which may hold a lock of rein's. NULL: none. */
void stage_look(void (*look)(const char *step));

/* One actor for all threads that are nobody's: the keeper, workers. Not to be started or joined. */
void stage_stranger(struct actor *actor);

void actor_start(struct actor *actor, void (*fn)(void *arg), void *arg);
void actor_join(struct actor *actor);

/* Let it go on, and wait for its end. */
void actor_finish(struct actor *actor);
bool actor_is_over(const struct actor *actor);

/* Wait until it stands still; fails the case if it comes to its end instead. */
void actor_await(struct actor *actor);

/* Wait until it stands still, true, or has come to its end, false. */
bool actor_stands(struct actor *actor);

/* Wait until the system says that it sleeps. */
void actor_await_asleep(struct actor *actor);

/* It need not stand still any more; if it does already, it still has to be let go on. */
void actor_pass(struct actor *actor);

/* Let it go on: to its end, or until it stands still at another step. */
void actor_go(struct actor *actor);
void actor_go_to(struct actor *actor, const char *step, uint32_t skip);

#endif
