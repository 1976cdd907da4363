/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/time.h: instants and durations.
 *
 * A rein_time is an instant on a monotonic clock, a rein_duration a span in nanoseconds. The first
 * is a struct and the second a number, so that passing one for the other does not compile. Below
 * the convenience calls all of rein speaks of instants: a span has to be computed once only, and
 * cannot be restarted by accident.
 *
 *     rein_ctx *ctx = rein_with_timeout(parent, 1500 * REIN_MILLISECOND);
 *     rein_ctx *same = rein_with_deadline(parent, rein_in(parent, 1500 * REIN_MILLISECOND));
 *
 * The real clock is CLOCK_MONOTONIC: it does not jump when the wall clock is set, and it stands
 * still while the machine is suspended. A test may put a virtual clock under a root context
 * instead (<rein/testing.h>); rein_now() and rein_in() read the clock of the context they get.
 *
 * Unless a function says otherwise: any thread may call it at any time, also from a signal
 * handler; it never blocks; it changes neither errno nor anything else. */
#ifndef REIN_TIME_H
#define REIN_TIME_H

#include <rein/base.h>
#include <time.h>

REIN_BEGIN_DECLS

/* An instant: nanoseconds on a monotonic clock, from an origin that means nothing. */
typedef struct rein_time {
    int64_t ns;
} rein_time;

/* A span in nanoseconds; may be negative. */
typedef int64_t rein_duration;

#define REIN_NANOSECOND INT64_C(1)
#define REIN_MICROSECOND (1000 * REIN_NANOSECOND)
#define REIN_MILLISECOND (1000 * REIN_MICROSECOND)
#define REIN_SECOND (1000 * REIN_MILLISECOND)
#define REIN_MINUTE (60 * REIN_SECOND)
#define REIN_HOUR (60 * REIN_MINUTE)

/* Longer than any wait: a timeout of REIN_FOREVER is none. */
#define REIN_FOREVER INT64_MAX

/* Later than any instant: a deadline of REIN_NEVER is none. */
#ifdef __cplusplus
#define REIN_NEVER (::rein_time{INT64_MAX})
#else
#define REIN_NEVER ((rein_time){INT64_MAX})
#endif

/* The current instant of the clock that ctx lives on.
 * Panics  ctx is NULL  [rule: context-required] */
REIN_API rein_time rein_now(const rein_ctx *ctx);

/* The instant d from now on ctx's clock; saturates.
 * Panics  ctx is NULL  [rule: context-required] */
REIN_API rein_time rein_in(const rein_ctx *ctx, rein_duration d);

/* t + d, saturating at both ends; REIN_NEVER stays REIN_NEVER. */
REIN_API rein_time rein_time_add(rein_time t, rein_duration d);

/* a - b, saturating at both ends; anything from REIN_NEVER on is REIN_FOREVER away. */
REIN_API rein_duration rein_time_sub(rein_time a, rein_time b);

/* The instant of the real monotonic clock at which the wall clock will show `wall` if nobody sets
 * it meanwhile. Converted once, here: a later step of the wall clock moves nothing. */
REIN_API rein_time rein_from_wall(struct timespec wall);

/* Read a duration such as "150ms", "1h2m3.5s", "-0.5us", "2s" or "0": one or more decimal numbers,
 * each with a unit (ns, us, µs, ms, s, m, h), optionally signed; fractions finer than a nanosecond
 * are cut off.
 *
 * Returns  0
 * Errors   -EINVAL  text is NULL or not a duration
 *          -ERANGE  it is one, but outside what 64 bits of nanoseconds hold
 *          In both cases *ret_d is untouched. */
REIN_API REIN_NODISCARD int rein_parse_duration(const char *text, rein_duration *ret_d);

/* Write d the way Go does: "0s", "150ms", "1.5s", "1h2m3.5s". What it writes, it can read back.
 * At most size bytes are written, the last of them a NUL; size may be 0 (and buf NULL).
 *
 * Returns  the length of the whole text without the NUL, as snprintf does; never more than 31 */
REIN_API int rein_format_duration(rein_duration d, char *buf, size_t size);

/* d as poll(2) and its like want it: milliseconds, rounded up so that the call is never early and
 * never spins, capped at INT_MAX; 0 for a span that is over, -1 (wait for ever) for
 * REIN_FOREVER. */
REIN_API int rein_poll_timeout(rein_duration d);

REIN_END_DECLS

#endif
