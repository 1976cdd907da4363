/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/time/still.h: the system's clock stands still, and the keeper sleeps as told.
 *
 * A virtual clock has no keeper. Here the real one has, on a machine of which nothing depends: time
 * passes by still_pass() alone, and what the keeper does is waited for and counted. For programs
 * linked with --wrap for reini_plat_now, reini_word_sleep and reini_word_wake. */
#ifndef TESTS_TIME_STILL_H
#define TESTS_TIME_STILL_H

#include <stdint.h>

/* Let d pass. The keeper, if it has slept until now or less, wakes. */
void still_pass(int64_t d);

/* The same, but the keeper is late and does not wake yet: the next wake ends that. */
void still_pass_unnoticed(int64_t d);

/* Wait until the keeper is asleep with nothing to wake for; the instant until which it sleeps. */
int64_t still_await_sleep(void);

/* How often the keeper has gone to sleep, and how often it was woken, asleep or not. */
uint64_t still_sleeps(void);
uint64_t still_wakes(void);

#endif
