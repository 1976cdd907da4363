/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/time/test_instants.c: arithmetic on instants and spans. */
#include <limits.h>
#include <rein.h>

#include "suite.h"

/* Wide enough for any sum of two 64-bit numbers: what the result would be without limits. */
typedef __int128 wide;

static int64_t saturated(wide value)
{
    return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, -REIN_HOUR, -1, 0, 1, REIN_HOUR,
                               INT64_MAX - 1, INT64_MAX};
enum { ENDS = sizeof ends / sizeof *ends };

static void expect_sums(int64_t a, int64_t b)
{
    wide sum = a == INT64_MAX ? INT64_MAX : (wide)a + b;
    wide span = a == INT64_MAX ? INT64_MAX : (wide)a - b;
    ck_assert_int_eq(rein_time_add((rein_time){a}, b).ns, saturated(sum));
    ck_assert_int_eq(rein_time_sub((rein_time){a}, (rein_time){b}), saturated(span));
}

/* Sums and differences saturate at both ends; what is never, stays it, and is for ever away. */
CASE(time_5_sums_saturate, "TIME-5", "CTX-56")
{
    uint64_t random = suite_seed();
    for (int i = 0; i < ENDS; i++)
        for (int j = 0; j < ENDS; j++)
            expect_sums(ends[i], ends[j]);
    for (size_t i = 0; i < suite_rounds(10000); i++)
        expect_sums((int64_t)suite_random(&random), (int64_t)suite_random(&random));
}

/* From now on likewise, on any clock. */
CASE(time_5_in_saturates, "TIME-5", "CTX-56")
{
    const rein_ctx *root = rein_background();
    ck_assert_int_eq(rein_in(root, REIN_FOREVER).ns, REIN_NEVER.ns);
    ck_assert_int_eq(rein_in(root, REIN_FOREVER - 1).ns, REIN_NEVER.ns);
    ck_assert_int_lt(rein_in(root, INT64_MIN).ns, 0);
    ck_assert_int_lt(rein_in(root, -REIN_HOUR).ns, rein_now(root).ns);
}

/* Milliseconds for poll(): none for a span that is over, else rounded up, so that nobody wakes
 * early and asks again at once; as many as an int holds; and -1 only for ever. */
CASE(poll_timeouts_are_rounded_up, "P-NEVER-EARLY")
{
    static const struct {
        rein_duration d;
        int ms;
    } rows[] = {
        {INT64_MIN, 0}, {-1, 0}, {0, 0}, {1, 1}, {REIN_MILLISECOND - 1, 1}, {REIN_MILLISECOND, 1},
        {REIN_MILLISECOND + 1, 2}, {REIN_SECOND, 1000}, {INT_MAX * REIN_MILLISECOND - 1, INT_MAX},
        {INT_MAX * REIN_MILLISECOND, INT_MAX}, {INT_MAX * REIN_MILLISECOND + 1, INT_MAX},
        {REIN_FOREVER - 1, INT_MAX}, {REIN_FOREVER, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_int_eq(rein_poll_timeout(rows[i].d), rows[i].ms);
}

/* A wall-clock time that no instant can be for is one of the ends: past is past, far is far, and a
 * sum that overflows does not turn one into the other. */
CASE(ctx_57_wall_times_saturate, "CTX-57", "CTX-56")
{
    const int64_t edge = INT64_MAX / REIN_SECOND; /* the last second that 64 bits of ns hold */
    const int64_t past[] = {INT64_MIN, -edge - 2, -edge - 1, -edge, -edge / 2, -1, 0};
    const int64_t future[] = {edge / 2, edge, edge + 1, INT64_MAX};
    for (int i = 0; i < 7; i++)
        ck_assert_int_lt(rein_from_wall((struct timespec){.tv_sec = past[i]}).ns,
                         rein_now(rein_background()).ns);
    for (int i = 0; i < 4; i++)
        ck_assert_int_gt(rein_from_wall((struct timespec){.tv_sec = future[i]}).ns,
                         rein_in(rein_background(), REIN_HOUR).ns);
    ck_assert_int_eq(rein_from_wall((struct timespec){INT64_MIN, 0}).ns, INT64_MIN);
    ck_assert_int_eq(rein_from_wall((struct timespec){-edge, 0}).ns, INT64_MIN);
    ck_assert_int_eq(rein_from_wall((struct timespec){INT64_MAX, 999999999}).ns, REIN_NEVER.ns);
}
