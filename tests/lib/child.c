/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/child.c: see child.h. */
#include "child.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "suite.h"

void child_begin(void)
{
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    signal(SIGALRM, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
    alarm(10 * (unsigned)suite_setting("CK_TIMEOUT_MULTIPLIER", 1));
}

/* ---- a fork while nothing moves ---- */

static bool sleeps(const char *thread)
{
    char path[300], stat[200] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/stat", thread);
    FILE *file = fopen(path, "r");
    if (!file)
        return true; /* it has ended meanwhile */
    const char *name_end = fgets(stat, sizeof stat, file) ? strrchr(stat, ')') : NULL;
    fclose(file);
    return !name_end || strchr("SZX", name_end[2]);
}

static bool others_sleep(void)
{
    bool all = true;
    DIR *threads = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(threads);
    for (struct dirent *thread; all && (thread = readdir(threads));)
        all =
            thread->d_name[0] == '.' || atoi(thread->d_name) == gettid() || sleeps(thread->d_name);
    closedir(threads);
    return all;
}

pid_t child_fork(void)
{
    while (!others_sleep())
        poll(NULL, 0, 1);
    return fork();
}

/* ---- a function in a child ---- */

pid_t child_run(pid_t forked, void (*fn)(void *arg), void *arg)
{
    if (forked == 0) { /* Check's lock may be somebody's for ever: nothing of it from here */
        child_begin();
        fn(arg);
        _exit(0);
    }
    ck_assert_int_gt(forked, 0);
    return forked;
}

void child_join(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    ck_assert_msg(!(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM), "the child hung");
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with status 0x%x",
                  (unsigned)status);
}

pid_t child_start(void (*fn)(void *arg), void *arg)
{
    return child_run(child_fork(), fn, arg);
}

void in_child(void (*fn)(void *arg), void *arg)
{
    child_join(child_start(fn, arg));
}
