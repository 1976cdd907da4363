/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* wait/events.c: at most KEPT idle events for the whole process. */
#include "wait/events.h"

#include "base/atomic.h"
#include "base/fault.h"
#include "plat/mutex.h"
#include "plat/plat.h"

enum { KEPT = 8 };

static reini_mutex mu; /* guards both below */
static int kept[KEPT];
static int count; /* atomic where it grows */

int reini_events_take(void)
{
    int fd = -1;
    mutex_lock(&mu);
    if (count > 0)
        fd = kept[--count];
    mutex_unlock(&mu);
    return fd >= 0 ? fd : reini_event_open(false);
}

void reini_events_give(int fd)
{
    reini_event_clear(fd);
    mutex_lock(&mu);
    if (count < KEPT) {
        kept[count] = fd;
        STEP("event-kept");
        /* release: a fork by another thread may come in between, and its child, which needs no
         * lock, closes what is counted: a slot that is still empty would be its standard input. */
        store_release(&count, count + 1);
        fd = -1;
    }
    mutex_unlock(&mu);
    if (fd >= 0)
        reini_fd_close(fd);
}

void reini_events_close(void)
{
    mutex_lock(&mu);
    while (count > 0)
        reini_fd_close(kept[--count]);
    mutex_unlock(&mu);
}

void reini_events_forked(void)
{
    /* They are the parent's too: raising one here would wake a thread there. */
    mu = (reini_mutex){0};
    reini_events_close();
}
