/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/posix/fork.c: one pthread_atfork for the process. */
#include <pthread.h>

#include "base/attr.h"
#include "plat/plat.h"

READ_MOSTLY uint16_t reini_birth;
static void (*then)(void);

static void in_child(void)
{
    reini_birth++; /* no thread but this one is there to see it change */
    then();
}

void reini_at_fork(void (*child)(void))
{
    then = child;
    pthread_atfork(NULL, NULL, in_child);
}
