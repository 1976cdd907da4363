/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* shot.h: a timeout that tells how late it was. */
#ifndef BENCH_SHOT_H
#define BENCH_SHOT_H

#include "subject.h"

struct shot {
    struct watch watch; /* first, so that the one is the other */
    int64_t due;
    double late; /* written by whoever fires it */
};
static inline void note_lateness(struct watch *w)
{
    struct shot *shot = (struct shot *)w;
    shot->late = (double)(now_ns() - shot->due);
}
/* Before any other thread is there. */
static inline void prepare_shots(void)
{
    on_fired = note_lateness;
}
static inline void take_aim(struct shot *shot, node n, int64_t due)
{
    shot->due = due;
    watch(n, &shot->watch);
}
static inline double *lateness_of(const struct shot *shots, size_t n)
{
    double *late = (double *)touched(n, sizeof *late);
    for (size_t i = 0; i < n; i++)
        late[i] = shots[i].late;
    return late;
}

#endif
