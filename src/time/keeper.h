/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* time/keeper.h: the thread that drives the real clock, and who may instead. */
#ifndef REIN_TIME_KEEPER_H
#define REIN_TIME_KEEPER_H

#include <stdbool.h>

#include "time/clock.h"

/* Make sure the real clock has a driver: 0, or -EAGAIN (no thread can be started, or none may). */
int reini_keeper_start(void);

/* Let `driver` drive the real clock: 0, or -EBUSY if somebody does. Taken back by release. */
int reini_keeper_replace(struct driver *driver);
void reini_keeper_release(struct driver *driver);

/* Wait for what is under way: marks, calls, noticers. Not for a thread that drives the clock. */
void reini_keeper_await(void);

/* Have an idle thread leave now, and wait until it has: 0, or -EBUSY if timers are armed, or a loop
 * has yet to make calls. With `wait`, wait first for what is under way; without, that is -EBUSY. */
int reini_keeper_quiesce(bool wait);

/* No thread from here on: 0, or -EBUSY if the keeper's is running. `also` is asked first, while no
 * keeper can start: what it returns below 0 is returned, with nothing changed. */
int reini_keeper_forbid(int (*also)(void));

void reini_keeper_forked(void);

#endif
