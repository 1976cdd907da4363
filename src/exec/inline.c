/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* exec/inline.c: run it here and now. */
#include <rein/exec.h>

static void post(rein_executor *executor, rein_job *job)
{
    (void)executor;
    job->run(job);
}

static rein_executor executor = {.size = sizeof executor, .name = "inline", .post = post};

rein_executor *rein_inline_executor(void)
{
    return &executor;
}
