/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* value.c: finding and binding values, and what a line of them costs what is below it. */
#include "line.h"

enum { ABSENT = KEYS - 1 }; /* never bound */

struct question {
    view at;
    int key;
};
static NOINLINE void loop_lookup(uint64_t n, void *arg)
{
    const struct question *question = (const struct question *)arg;
    for (uint64_t i = 0; i < n; i++)
        KEEP(lookup(question->at, question->key));
}
static void hit(long depth)
{
    struct question question = {line_under(new_root(), depth), 0};
    print_for("value.hit", depth, time_loop(loop_lookup, &question));
}
static void miss(long depth)
{
    struct question question = {line_under(new_root(), depth), ABSENT};
    print_for("value.miss", depth, time_loop(loop_lookup, &question));
}

static NOINLINE void loop_bind(uint64_t n, void *arg)
{
    const struct question *question = (const struct question *)arg;
    for (uint64_t i = 0; i < n; i++)
        drop_values(bind_value(question->at, question->key));
}
static void bound(long depth)
{
    struct question question = {line_under(new_root(), depth), ABSENT};
    print_for("value.bind", depth, time_loop(loop_bind, &question));
}

#if HAS & VIEWS
static NOINLINE void loop_check(uint64_t n, void *arg)
{
    view asked = *(view *)arg;
    int sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        sum += done(asked);
        ASK_ANEW();
    }
    KEEP(sum);
}
static NOINLINE void loop_derive(uint64_t n, void *arg)
{
    view parent = *(view *)arg;
    for (uint64_t i = 0; i < n; i++)
        end(derive(parent));
}
static void check_under(long depth)
{
    view at = line_under(new_root(), depth);
    print_for("check.under", depth, time_loop(loop_check, &at));
}
static void derive_under(long depth)
{
    view at = line_under(new_root(), depth);
    print_for("derive.under", depth, time_loop(loop_derive, &at));
}
#endif

CASES({"hit", hit}, {"miss", miss}, {"bind", bound},
#if HAS & VIEWS
      {"check", check_under}, {"derive", derive_under},
#endif
)
