/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* check.c: asking whether a context is done. */
#include "subject.h"

static NOINLINE void loop_check(uint64_t n, void *arg)
{
    node asked = *(node *)arg;
    int sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        sum += done(asked);
        ASK_ANEW();
    }
    KEEP(sum);
}

static void live(long unused)
{
    node asked = derive(new_root());
    (void)unused;
    print("check.live", time_loop(loop_check, &asked));
}

static void cancelled(long unused)
{
    node asked = derive(new_root());
    (void)unused;
    cancel(asked);
    print("check.cancelled", time_loop(loop_check, &asked));
}

/* Several threads ask the same one. */
static void threads(long n)
{
    node asked = derive(new_root());
    void *args[MOST_THREADS];
    for (long i = 0; i < n; i++)
        args[i] = &asked;
    print_for("check.threads", n, time_threads((int)n, loop_check, args));
}

#if HAS & TIMEOUTS
static void deadline(long unused)
{
    node asked = derive_timeout(new_root(), 3600 * second);
    (void)unused;
    print("check.deadline", time_loop(loop_check, &asked));
}
#endif

CASES({"live", live}, {"cancelled", cancelled}, {"threads", threads},
#if HAS & TIMEOUTS
      {"deadline", deadline},
#endif
)
