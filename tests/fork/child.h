/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/fork/child.h: a function in the child of a fork, with its own limit: a child that hangs is
 * ended by SIGALRM, and its case says so. */
#ifndef TESTS_FORK_CHILD_H
#define TESTS_FORK_CHILD_H

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

/* In the child: leave at once if cond does not hold. (Check's own assertions belong to its process.) */
#define REQUIRE(cond)                                                                            \
    do {                                                                                         \
        if (!(cond)) {                                                                           \
            fprintf(stderr, "# in the child, %s:%d: %s\n", __FILE__, __LINE__, #cond);           \
            _exit(1);                                                                            \
        }                                                                                        \
    } while (0)

/* The seconds after which a child counts as hanging; a slow build may take its time. */
static inline unsigned child_limit(void)
{
    const char *times = getenv("CK_TIMEOUT_MULTIPLIER");
    return times ? 10 * (unsigned)atoi(times) : 10;
}

/* First in every child: its limit, also on a thread of rein's, which has all signals blocked. */
static inline void child_begin(void)
{
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    signal(SIGALRM, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
    alarm(child_limit());
}

/* Let other threads come to rest before a fork. AddressSanitizer's allocator has locks that its own
 * threads' coming and going takes, and that a fork copies as they are; only for a case that is not
 * about the moment of the fork. */
static inline void child_settle(void)
{
    poll(NULL, 0, 20);
}

static inline pid_t child_start(void (*fn)(void *arg), void *arg)
{
    pid_t child = fork();
    if (child == 0) { /* Check's lock may have been somebody's at the fork: nothing of it from here */
        child_begin();
        fn(arg);
        _exit(0);
    }
    ck_assert_int_gt(child, 0);
    return child;
}

static inline void child_join(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    ck_assert_msg(!(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM), "the child hung");
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with status 0x%x",
                  (unsigned)status);
}

/* fn(arg) in a child; fails the case unless it returns. */
static inline void in_child(void (*fn)(void *arg), void *arg)
{
    child_join(child_start(fn, arg));
}

#endif
