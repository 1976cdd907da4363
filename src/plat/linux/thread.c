/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/linux/thread.c: threads with all signals blocked. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

#include "base/fault.h"
#include "base/mem.h"
#include "plat/plat.h"

struct start {
    const char *name; /* static */
    void (*run)(void *);
    void *arg;
};

static void *begin(void *memory)
{
    struct start start = *(struct start *)memory;
    reini_free(memory);
    /* By itself: whoever started it may be late, and it detached and gone by then. */
    prctl(PR_SET_NAME, start.name);
    start.run(start.arg);
    return NULL;
}

int reini_thread_start(reini_thread *ret_thread, const char *name, void (*run)(void *), void *arg)
{
    STEP("thread-start");
    struct start *start = reini_alloc(sizeof *start);
    if (!start)
        return -EAGAIN;
    *start = (struct start){name, run, arg};
    int saved = errno;
    /* Blocked before it exists, so that no signal of the program's can ever arrive on it. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int r = pthread_create(&thread, NULL, begin, start);
    STEP("thread-started");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0)
        ret_thread->handle = (unsigned long)thread;
    else
        reini_free(start);
    errno = saved;
    return r == 0 ? 0 : -EAGAIN;
}

void reini_thread_join(reini_thread thread)
{
    /* pthread_join is a cancellation point: a rein call is none. */
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    pthread_join((pthread_t)thread.handle, NULL);
    pthread_setcancelstate(state, NULL);
}

void reini_thread_detach(reini_thread thread)
{
    pthread_detach((pthread_t)thread.handle);
}

reini_thread reini_thread_self(void)
{
    return (reini_thread){(unsigned long)pthread_self()};
}

void reini_thread_precise(void)
{
    int saved = errno;
    prctl(PR_SET_TIMERSLACK, 1UL); /* the default of 50 us is half of all lateness */
    errno = saved;
}
