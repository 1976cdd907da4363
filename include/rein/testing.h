/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/testing.h: for tests of programs that use rein. Not part of <rein.h>.
 *
 * A virtual clock stands still until it is told to move; contexts below its root live on it, with
 * their deadlines, sleeps and waits. A test of one thread sleeps nowhere and depends on nobody's
 * speed:
 *
 *     rein_clock *clock = rein_clock_new();
 *     rein_ctx *ctx = rein_with_timeout(rein_clock_root(clock), REIN_HOUR);
 *     rein_clock_advance(clock, REIN_HOUR - 1);      // rein_err(ctx) == 0
 *     rein_clock_advance(clock, 1);                  // rein_err(ctx) == -ETIMEDOUT
 *     rein_end(ctx);
 *     rein_clock_free(clock);
 *
 * Moving the clock wakes other threads, but does not wait for what they do then: one that sleeps
 * again reckons from wherever the clock is by that time. So move it to one sleep at a time:
 *
 *     while (rein_clock_armed(clock) < 1)            // until the thread sleeps: see there
 *         sched_yield();
 *     rein_time next;
 *     if (rein_clock_next(clock, &next))
 *         rein_clock_advance_to(clock, next);
 *
 * Any thread may call these, but not from a signal handler; a clock is advanced by one thread at a
 * time [rule: one-advance], and not at all in the child of a fork(). None changes errno. */
#ifndef REIN_TESTING_H
#define REIN_TESTING_H

#include <rein/base.h>
#include <rein/time.h>

REIN_BEGIN_DECLS

typedef struct rein_clock rein_clock;

/* A virtual clock, at an arbitrary instant that is the same every time.
 * Returns  it, or NULL if memory is short or 255 virtual clocks are alive */
REIN_API REIN_NODISCARD rein_clock *rein_clock_new(void);

/* Give it back; it lasts until the last context on it has gone, but cannot be moved any more. */
REIN_API void rein_clock_free(rein_clock *clock);

/* The root of the contexts that live on it: as rein_background(), with this clock. A view that the
 * clock holds. */
REIN_API REIN_RETURNS_NONNULL const rein_ctx *rein_clock_root(const rein_clock *clock);

/* Move the clock forward by d, or to an instant; never back (then nothing happens). Everything that
 * falls due on the way is done in the order of the instants, each at its very instant: deadlines
 * mark, sleepers wake, callbacks run on this thread. What a callback arms on the way fires too if
 * it falls due. Sleepers have been woken when this returns, but may not have run yet.
 * Returns  how many timers fired; those of waits that ended at the same instant may be included */
REIN_API size_t rein_clock_advance(rein_clock *clock, rein_duration d);
REIN_API size_t rein_clock_advance_to(rein_clock *clock, rein_time when);

/* The instant of the next timer on the clock.
 * Returns  whether there is one; if not, *ret_when is untouched */
REIN_API bool rein_clock_next(const rein_clock *clock, rein_time *ret_when);

/* How many timers are armed on it: one for each context that is not done and has a deadline of its
 * own, no later than its parent's, and one for each thread in rein_sleep(), rein_sleep_until() or a
 * rein_wait_any() with an instant. A test that waits until a thread sleeps adds its contexts'
 * deadlines to that, and looks whether the thread has ended instead. */
REIN_API size_t rein_clock_armed(const rein_clock *clock);

REIN_END_DECLS

#endif
