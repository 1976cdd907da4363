/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/suite.c: from a list of cases to Check, and what every case is asked at its end. */
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <rein/library.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { USUAL_LIMIT = 30, FACTS_OF_A_CASE = 3 };

static struct suite_case *cases; /* in the order of their lines */
static int count;

void suite_register(struct suite_case *one)
{
    struct suite_case **at = &cases;
    while (*at && (strcmp((*at)->file, one->file) != 0 || (*at)->line < one->line))
        at = &(*at)->next;
    one->next = *at;
    *at = one;
    count++;
}

static struct suite_case *case_at(int index)
{
    struct suite_case *one = cases;
    while (index-- > 0)
        one = one->next;
    return one;
}

/* ---- for cases ---- */

static size_t number_from(const char *variable, size_t otherwise)
{
    const char *text = getenv(variable);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

size_t suite_scale(size_t n)
{
    size_t scale = number_from("REIN_TEST_SCALE", n);
    return scale > 0 && scale < n ? scale : n;
}

size_t suite_rounds(size_t n)
{
    size_t rounds = getenv("REIN_TEST_SLOW") ? n / 10 : n;
    return rounds > 0 ? rounds : 1;
}

uint64_t suite_seed(void)
{
    return number_from("REIN_TEST_SEED", 20240229);
}

uint64_t suite_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 200 * 1000}, NULL);
}

void suite_until(bool (*holds)(void *arg), void *arg)
{
    while (!holds(arg))
        nap();
}

static time_t seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
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
    ck_assert_msg(strcmp(rule, one->rule) == 0, "panicked with [rule: %s]; expected [rule: %s]",
                  rule, one->rule);
}

/* ---- what every case is asked at its end ---- */

/* What has been started may still be on its way out, so all of this is given a while; a case that
 * leaves nothing behind does not wait at all. */
static bool comes_down_to(size_t (*measure)(void), size_t before)
{
    time_t give_up = seconds_now() + 5 * (time_t)number_from("CK_TIMEOUT_MULTIPLIER", 1);
    while (measure() > before) {
        if (seconds_now() > give_up)
            return false;
        nap();
    }
    return true;
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

/* A race detector starts a thread of its own with a process's first; that is not one left behind. */
static void start_a_first_thread(void)
{
    pthread_t first;
    ck_assert_int_eq(pthread_create(&first, NULL, return_at_once, NULL), 0);
    ck_assert_int_eq(pthread_join(first, NULL), 0);
}

static void run(int index)
{
    struct suite_case *one = case_at(index);
    start_a_first_thread();
    size_t contexts = alive(), descriptors = suite_descriptors(), threads = suite_threads();
    if (one->rule)
        run_to_panic(one);
    else
        one->run();
    ck_assert_msg(comes_down_to(busy, 0), "deadlines, after-funcs or jobs are left behind");
    if (!comes_down_to(alive, contexts))
        rein_leaks_print(STDERR_FILENO);
    ck_assert_msg(alive() <= contexts, "contexts are left behind: %zu", alive() - contexts);
    ck_assert_msg(comes_down_to(suite_descriptors, descriptors), "a descriptor is left behind");
    ck_assert_msg(comes_down_to(suite_threads, threads), "a thread is left behind");
}

/* ---- the program ---- */

static bool is_fact(const char *tag)
{
    return strncmp(tag, "P-", 2) != 0;
}

/* Whether all cases keep the rules for cases. */
static bool sound(void)
{
    bool good = true;
    for (struct suite_case *one = cases; one; one = one->next) {
        int facts = 0;
        for (const char **tag = one->tags; *tag; tag++)
            facts += is_fact(*tag);
        if (facts > FACTS_OF_A_CASE) {
            fprintf(stderr, "%s:%d: %s claims %d facts; at most %d\n", one->file, one->line,
                    one->name, facts, FACTS_OF_A_CASE);
            good = false;
        }
        for (struct suite_case *other = one->next; other; other = other->next) {
            if (strcmp(one->name, other->name) == 0) {
                fprintf(stderr, "two cases are called %s\n", one->name);
                good = false;
            }
        }
    }
    return good;
}

static void list(void)
{
    for (struct suite_case *one = cases; one; one = one->next) {
        fputs(one->name, stdout);
        for (const char **tag = one->tags; *tag; tag++)
            printf("\t%s", *tag);
        putchar('\n');
    }
}

static bool wanted(const struct suite_case *one, int names, char **name)
{
    for (int i = 0; i < names; i++)
        if (strcmp(one->name, name[i]) == 0)
            return true;
    return names == 0;
}

static const char *stem(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int main(int argc, char **argv)
{
    if (!sound())
        return 2;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list();
        return 0;
    }
    rein_leaks_on();
    Suite *suite = suite_create(stem(argv[0]));
    TTest *tests = calloc((size_t)count + 1, sizeof *tests);
    int index = 0, chosen = 0;
    for (struct suite_case *one = cases; one; one = one->next, index++) {
        if (!wanted(one, argc - 1, argv + 1))
            continue;
        TCase *tcase = tcase_create(one->name);
        tests[index] = (TTest){one->name, run, one->file, one->line};
        tcase_set_timeout(tcase, one->seconds > 0 ? one->seconds : USUAL_LIMIT);
        tcase_add_loop_test(tcase, &tests[index], index, index + 1);
        suite_add_tcase(suite, tcase);
        chosen++;
    }
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    free(tests);
    if (chosen == 0)
        fprintf(stderr, "%s: no such case\n", stem(argv[0]));
    return failed > 0 || chosen == 0;
}
