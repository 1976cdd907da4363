/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/oom.h: a program's cases once more, with each allocation of rein's failing in turn.
 *
 * A case is run again and again, each time in a process of its own: with its first allocation
 * failing, with its second, and so on until there is none that could; of those beyond the 1,000th
 * with a random sample, by the seed that is printed. It expects memory, so once that has failed an
 * assertion of the case's may fail too. What may not happen even then is a crash, a panic, a hang,
 * a sanitizer's report, or lost memory; what the case still holds in its frames is not lost.
 * And a case that passes in spite of it leaves nothing behind, as ever.
 *
 * So that LeakSanitizer sees what is lost, the list of live contexts is off here: a case that is
 * about that list turns it on by itself. */
#ifndef TESTS_LIB_OOM_H
#define TESTS_LIB_OOM_H

#include <stdbool.h>

#include "suite.h"

/* Do this with the count cases in `chosen`; prints TAP. Returns whether all of them held. */
bool oom_run(struct suite_case *const *chosen, int count);

/* Whether this process runs a case for oom_run(). */
bool oom_is_on(void);

/* The case's body is over, or has done what is never excused: no assertion may fail any more. */
void oom_no_more_excuses(void);

/* One turn of a loop that waits for another thread. Where memory has failed, what is waited for may
 * never come: such a loop ends the case after a while, so that what hangs then hangs in rein. */
void oom_turn(void);

#endif
