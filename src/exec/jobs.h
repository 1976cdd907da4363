/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* exec/jobs.h: jobs that wait for their turn, in the order they came. */
#ifndef REIN_EXEC_JOBS_H
#define REIN_EXEC_JOBS_H

#include <rein/exec.h>
#include <stddef.h>

struct jobs {
    rein_job *first; /* NULL: there are none */
    rein_job *last;  /* if there are any */
};

static inline void jobs_add(struct jobs *jobs, rein_job *job)
{
    job->next = NULL;
    if (jobs->first)
        jobs->last->next = job;
    else
        jobs->first = job;
    jobs->last = job;
}

/* The one that came first, or NULL. */
static inline rein_job *jobs_take(struct jobs *jobs)
{
    rein_job *job = jobs->first;
    if (job)
        jobs->first = job->next;
    return job;
}

#endif
