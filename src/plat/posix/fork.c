/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/posix/fork.c: one pthread_atfork for the process. */
#include <pthread.h>

#include "plat/plat.h"

void reini_at_fork(void (*child)(void))
{
    pthread_atfork(NULL, NULL, child);
}
