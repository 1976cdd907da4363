/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/time/test_pace.c: when the keeper may wake: precise while that is rare, else merged. Of
 * instants alone; what the keeper makes of it is in test_keeper.c. */
#include <rein/time.h>

#include "suite.h"
#include "time/pace.h"

/* When the turn begins that serves what is due at `due`. */
static int64_t serve(struct pace *pace, int64_t due)
{
    int64_t next = pace_next(pace), at = due > next ? due : next;
    pace_spend(pace, at);
    return at;
}

/* What is sparse is served at its instant, for ever; so is a handful at once, after a rest. */
CASE(pace_sparse_is_exact, "P-PRECISE")
{
    struct pace pace = {INT64_MIN};
    int64_t due = -REIN_HOUR;
    for (int i = 0; i < 1000; i++, due += PACE_STEP)
        ck_assert_int_eq(serve(&pace, due), due);
    due += PACE_BUDGET * (int64_t)PACE_STEP;
    for (int i = 0; i < PACE_BUDGET; i++)
        ck_assert_int_eq(serve(&pace, due + i), due + i);
    ck_assert_int_gt(serve(&pace, due + PACE_BUDGET), due + PACE_BUDGET);
}

/* However dense it is: nothing early, nothing later than a step, and in the long run one turn in a
 * step. */
CASE(pace_dense_is_merged, "P-PRECISE", "P-NEVER-EARLY", "P-COST")
{
    uint64_t random = suite_seed();
    for (size_t round = 0; round < suite_rounds(200); round++) {
        struct pace pace = {INT64_MIN};
        int64_t begin = REIN_HOUR, due = begin, at = begin, span = 1 + 3 * PACE_STEP;
        int64_t gap = 1 + (int64_t)(suite_random(&random) % (uint64_t)span), turns = 0;
        while (due < begin + 100 * PACE_STEP) {
            at = serve(&pace, due);
            turns++;
            ck_assert_int_ge(at, due);
            ck_assert_int_le(at, due + PACE_STEP);
            while (due <= at) /* all that is due then is served by this turn */
                due += 1 + (int64_t)(suite_random(&random) % (uint64_t)gap);
        }
        ck_assert_int_le(turns, PACE_BUDGET + (at - begin) / PACE_STEP + 1);
    }
}

/* Turns that come for another reason, sooner than they should, spend what there is; but then the
 * budget is empty, not in debt: the next is at most a step away. */
CASE(pace_has_no_debt, "P-PRECISE")
{
    struct pace pace = {INT64_MIN};
    int64_t now = 0;
    for (int i = 0; i < 1000; i++, now++)
        pace_spend(&pace, now);
    ck_assert_int_eq(pace_next(&pace), now - 1 + PACE_STEP);
    ck_assert_int_eq(serve(&pace, now), now - 1 + PACE_STEP);
}

/* Near both ends of time nothing wraps. */
CASE(pace_at_the_ends_of_time, "P-PRECISE")
{
    struct pace pace = {INT64_MIN};
    ck_assert_int_eq(pace_next(&pace), INT64_MIN);
    pace_spend(&pace, INT64_MIN);
    ck_assert_int_eq(pace_next(&pace), INT64_MIN);
    for (int i = 0; i < 2 * PACE_BUDGET; i++)
        pace_spend(&pace, INT64_MAX - 1);
    ck_assert_int_ge(pace_next(&pace), INT64_MAX - 1);
}
