/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/suite.c: the list of cases, what helps them, and what each is asked at its end. */
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <rein/library.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/node.h"
#include "oom.h"

enum { USUAL_LIMIT = 30 };

struct suite_case *suite_cases;

void suite_register(struct suite_case *one)
{
    struct suite_case **at = &suite_cases;
    while (*at && (strcmp((*at)->file, one->file) != 0 || (*at)->line < one->line))
        at = &(*at)->next;
    one->next = *at;
    *at = one;
    one->seconds = one->seconds > 0 ? one->seconds : USUAL_LIMIT;
}

/* ---- for cases ---- */

size_t suite_setting(const char *variable, size_t otherwise)
{
    const char *text = getenv(variable);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

size_t suite_scale(size_t n)
{
    size_t scale = suite_setting("REIN_TEST_SCALE", n);
    return scale > 0 && scale < n ? scale : n;
}

size_t suite_rounds(size_t n)
{
    enum { FEW = 2 }; /* where each allocation of each round fails in turn */
    if (oom_is_on())
        return n < FEW ? n : FEW;
    size_t rounds = getenv("REIN_TEST_SLOW") ? n / 10 : n;
    return rounds > 0 ? rounds : 1;
}

uint64_t suite_seed(void)
{
    return suite_setting("REIN_TEST_SEED", 20240229);
}

uint64_t suite_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void nap(void) /* no cancellation point: a case may have cancelled its thread */
{
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    nanosleep(&(struct timespec){.tv_nsec = 200 * 1000}, NULL);
    pthread_setcancelstate(state, NULL);
}

void suite_until(bool (*holds)(void *arg), void *arg)
{
    for (; !holds(arg); nap())
        oom_turn();
}

void suite_yield(void)
{
    oom_turn();
    sched_yield();
}

void suite_pause(unsigned *turns)
{
    if (++*turns > 2000)
        nap();
    if (*turns > 200)
        suite_yield();
}

rein_clock *suite_clock(void)
{
    rein_clock *clock = rein_clock_new();
    ck_assert_ptr_nonnull(clock);
    return clock;
}

int64_t suite_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t entries(const char *folder)
{
    DIR *dir = opendir(folder);
    size_t n = 0;
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

size_t suite_descriptors(void)
{
    return entries("/proc/self/fd");
}

size_t suite_threads(void)
{
    return entries("/proc/self/task");
}

/* ---- panics ---- */

static int panic_pipe;

static void tell_rule(const char *rule, const char *message, const void *object)
{
    (void)message, (void)object;
    if (write(panic_pipe, rule, strlen(rule)) < 0)
        _exit(3);
}

static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        ck_assert_int_eq(errno, EINTR);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static pid_t fork_quietly(void)
{
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        prctl(PR_SET_DUMPABLE, 0);
    }
    return child;
}

int suite_status_of(void (*fn)(void *arg), void *arg)
{
    pid_t child = fork_quietly();
    if (child == 0) {
        fn(arg);
        _exit(0);
    }
    return wait_for(child);
}

const char *suite_panic_of(void (*fn)(void *arg), void *arg)
{
    static char rule[64];
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork_quietly();
    if (child == 0) {
        close(ends[0]);
        panic_pipe = ends[1];
        rein_set_panic(tell_rule);
        fn(arg);
        _exit(0);
    }
    close(ends[1]);
    size_t used = 0;
    for (ssize_t n; (n = read(ends[0], rule + used, sizeof rule - 1 - used)) > 0;)
        used += (size_t)n;
    rule[used] = '\0';
    close(ends[0]);
    return wait_for(child) == -SIGABRT ? rule : NULL;
}

static void call_body(void *arg)
{
    ((struct suite_case *)arg)->run();
}

static void run_to_panic(struct suite_case *one)
{
    const char *rule = suite_panic_of(call_body, one);
    ck_assert_msg(rule != NULL, "did not panic; expected [rule: %s]", one->rule);
    oom_no_more_excuses();
    ck_assert_msg(strcmp(rule, one->rule) == 0, "panicked with [rule: %s]; expected [rule: %s]",
                  rule, one->rule);
}

/* ---- what every case is asked at its end ---- */

/* What has been started may still be on its way out, so all of this is given a while; a case that
 * leaves nothing behind does not wait at all. */
static bool comes_down_to(size_t (*measure)(void), size_t before)
{
    int64_t patience = 5000 * (int64_t)suite_setting("CK_TIMEOUT_MULTIPLIER", 1);
    int64_t give_up = suite_milliseconds() + patience;
    while (measure() > before) {
        if (suite_milliseconds() > give_up)
            return false;
        nap();
    }
    return true;
}

/* Of the test build alone: in the shared library they are hidden. */
extern __attribute__((weak)) struct node reini_failed_memory, reini_failed_thread;

/* The failed contexts are static, and keep the descriptor that was once asked for. */
static size_t passing_descriptors(void)
{
    const struct node *failed[] = {&reini_failed_memory, &reini_failed_thread};
    size_t kept = 0;
    for (size_t i = 0; i < sizeof failed / sizeof *failed; i++)
        kept += failed[i] && failed[i]->ctx.aux;
    return suite_descriptors() - kept;
}

static size_t busy(void)
{
    return rein_quiesce() < 0;
}

static size_t alive(void)
{
    return rein_leaks_print(-1);
}

static void *return_at_once(void *arg)
{
    return arg;
}

/* A race detector starts a thread of its own with a process's first; that is not one left
 * behind. */
static void start_a_first_thread(void)
{
    pthread_t first;
    ck_assert_int_eq(pthread_create(&first, NULL, return_at_once, NULL), 0);
    ck_assert_int_eq(pthread_join(first, NULL), 0);
}

void suite_run(struct suite_case *one)
{
    start_a_first_thread();
    size_t contexts = alive(), descriptors = passing_descriptors(), threads = suite_threads();
    if (one->rule)
        run_to_panic(one);
    else
        one->run();
    oom_no_more_excuses();
    ck_assert_msg(comes_down_to(busy, 0), "deadlines, after-funcs or jobs are left behind");
    if (!comes_down_to(alive, contexts))
        rein_leaks_print(STDERR_FILENO);
    ck_assert_msg(alive() <= contexts, "contexts are left behind: %zu", alive() - contexts);
    ck_assert_msg(comes_down_to(passing_descriptors, descriptors), "a descriptor is left behind");
    ck_assert_msg(comes_down_to(suite_threads, threads), "a thread is left behind");
}
