/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/child.h: a function in the child of a fork, with its own limit: a child that hangs is
 * ended by SIGALRM, and its case says so. */
#ifndef TESTS_LIB_CHILD_H
#define TESTS_LIB_CHILD_H

#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

/* In the child: leave at once if cond does not hold. (Check's own assertions belong to its
 * process.) */
#define REQUIRE(cond)                                                                            \
    do {                                                                                         \
        if (!(cond)) {                                                                           \
            fprintf(stderr, "# in the child, %s:%d: %s\n", __FILE__, __LINE__, #cond);           \
            _exit(1);                                                                            \
        }                                                                                        \
    } while (0)

/* fork() as soon as every other thread sleeps, wherever it does: at a step where it is held, too. A
 * fork copies AddressSanitizer's own locks as they are, and those of its allocator are somebody's
 * whenever a thread begins or ends: with gcc 12 the child would wait for them for ever. */
pid_t child_fork(void);

/* fn(arg) in a child; in_child() fails the case unless it returns. child_run() takes what a fork()
 * of the case's own returned. */
void in_child(void (*fn)(void *arg), void *arg);
pid_t child_start(void (*fn)(void *arg), void *arg);
pid_t child_run(pid_t forked, void (*fn)(void *arg), void *arg);
void child_join(pid_t child);

/* First in a child that does not come from these: its limit (ten seconds times
 * CK_TIMEOUT_MULTIPLIER), also on a thread of rein's, which has all signals blocked. */
void child_begin(void);

#endif
