/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/oom.c: see oom.h. One process forks all attempts: none pays for a new program. */
#include "oom.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault_control.h"

enum { EVERY = 1000, SAMPLE = 20 };
enum { PATIENCE = 300 }; /* milliseconds, of a loop that waits */

/* Missing where the library is linked as it is shipped. */
extern __attribute__((weak)) struct reini_fault *reini_fault_sweep;

/* Missing where there is no sanitizer. Does not return if memory is lost. */
extern __attribute__((weak)) void __lsan_do_leak_check(void);

/* How an attempt ended, by its own account. */
enum ending { UNTIDY, PASSED, ASSERTED, GAVE_UP, BROKEN, ENDINGS };

static struct shared {
    struct reini_fault fault;
    enum ending ending;
} *shared; /* with the attempt's process, and those it forks */

/* ---- in an attempt's process ---- */

static pid_t attempt; /* 0: this process is none */
static long failing;  /* which allocation */
static bool no_excuse;

bool oom_is_on(void)
{
    return attempt != 0;
}

void oom_no_more_excuses(void)
{
    no_excuse = true;
}

static bool memory_failed(void)
{
    return failing > 0 && __atomic_load_n(&shared->fault.asked, __ATOMIC_ACQUIRE) >= failing;
}

/* From any thread, while others run on. */
static _Noreturn void finish(enum ending ending)
{
    static bool finished;
    struct rlimit descriptors;
    if (getpid() != attempt)
        _exit(3); /* a process that the case forked, and judges itself */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL); /* the frames are to stay */
    while (__atomic_exchange_n(&finished, true, __ATOMIC_ACQ_REL))
        pause();
    getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors); /* the leak check opens a file */
    if (__lsan_do_leak_check)
        __lsan_do_leak_check();
    shared->ending = ending;
    _exit(0);
}

void oom_turn(void)
{
    static int64_t since; /* atomic; when a loop was first seen to wait after memory had failed */
    if (!oom_is_on() || !memory_failed())
        return;
    int64_t now = suite_milliseconds(), none = 0;
    bool first = __atomic_compare_exchange_n(&since, &none, now, false, __ATOMIC_RELAXED,
                                             __ATOMIC_RELAXED);
    if (!first && now - none > PATIENCE)
        finish(GAVE_UP);
}

/* Check's own write to its runner, and end the process without a look at what is lost. */
#undef _ck_assert_failed
#undef _mark_point

void suite_mark_point(const char *file, int line)
{
    if (!oom_is_on())
        _mark_point(file, line);
}

void suite_assertion_failed(const char *file, int line, const char *expr, const char *format, ...)
{
    char text[BUFSIZ] = "";
    va_list args;
    va_start(args, format);
    if (format)
        vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!oom_is_on())
        _ck_assert_failed(file, line, expr, format ? "%s" : NULL, text);
    if (memory_failed() && !no_excuse)
        finish(ASSERTED);
    fprintf(stderr, "%s:%d: %s\n", file, line, format ? text : expr);
    finish(BROKEN);
}

static _Noreturn void make_attempt(struct suite_case *one, int output)
{
    attempt = getpid();
    setpgid(0, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    close(output);
    reini_fault_sweep = &shared->fault;
    suite_run(one);
    finish(PASSED);
}

/* ---- in the process that forks them ---- */

static char said[1 << 16]; /* what the last attempt wrote, or its beginning */
static int tally[ENDINGS]; /* of a case's attempts in which memory failed */

/* Read what it writes, until it and all that it forked have ended. False if that takes too long. */
static bool listen(int from, int64_t limit)
{
    size_t used = 0;
    char beyond[4096];
    struct pollfd input = {.fd = from, .events = POLLIN};
    int64_t end = suite_milliseconds() + limit;
    for (int64_t left; (left = end - suite_milliseconds()) > 0;) {
        if (poll(&input, 1, (int)left) < 1)
            continue;
        size_t room = sizeof said - 1 - used;
        ssize_t n = room > 0 ? read(from, said + used, room) : read(from, beyond, sizeof beyond);
        if (n <= 0)
            return true;
        used += room > 0 ? (size_t)n : 0;
        said[used] = '\0';
    }
    return false;
}

/* Run a case with its n-th allocation failing (0: none). What is wrong with its end, or NULL. */
static const char *try(struct suite_case *one, long n)
{
    static char wrong[64];
    int ends[2], status;
    *shared = (struct shared){.fault = {.left = n}};
    failing = n;
    said[0] = '\0';
    if (pipe(ends) < 0)
        return "no pipe";
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        make_attempt(one, ends[1]);
    }
    close(ends[1]);
    if (child > 0)
        setpgid(child, child); /* whichever of the two is first */
    int64_t limit = 1000 * one->seconds * (int64_t)suite_setting("CK_TIMEOUT_MULTIPLIER", 1);
    bool ended = child > 0 && listen(ends[0], limit);
    close(ends[0]);
    if (child < 0)
        return "no process";
    kill(-child, SIGKILL); /* if it hangs, all of it */
    waitpid(child, &status, 0);
    if (!ended)
        return "it hangs";
    if (strstr(said, "Sanitizer") || strstr(said, "runtime error:"))
        return "a sanitizer's report";
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        snprintf(wrong, sizeof wrong, WIFSIGNALED(status) ? "signal %d" : "status %d",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        return wrong;
    }
    if (shared->ending == UNTIDY || shared->ending == BROKEN)
        return shared->ending == UNTIDY ? "it left by itself" : "an assertion without an excuse";
    tally[shared->ending] += n > 0 && shared->fault.asked >= n;
    return NULL;
}

/* Beyond the first thousand: a sample. *ret_n is the last one tried. */
static const char *try_some_more(struct suite_case *one, long *ret_n)
{
    const char *wrong = try(one, *ret_n = 0);
    uint64_t random = suite_seed();
    long beyond = shared->fault.asked - EVERY;
    for (int i = 0; i < SAMPLE && beyond > 0 && !wrong; i++) {
        *ret_n = EVERY + 1 + (long)(suite_random(&random) % (uint64_t)beyond);
        wrong = try(one, *ret_n);
    }
    return wrong;
}

static bool sweep(int number, struct suite_case *one)
{
    const char *wrong = NULL;
    long n = 1;
    memset(tally, 0, sizeof tally);
    while (n <= EVERY && !(wrong = try(one, n)) && shared->fault.asked >= n)
        n++;
    if (n > EVERY)
        wrong = try_some_more(one, &n);
    if (wrong) {
        printf("not ok %d %s: %s, with allocation %ld failing, seed %llu\n", number, one->name,
               wrong, n, (unsigned long long)suite_seed());
        for (char *rest = said, *line; (line = strsep(&rest, "\n"));)
            printf("# %s\n", line);
    } else {
        printf("ok %d %s: of %d attempts %d passed, %d asserted, %d gave up waiting\n", number,
               one->name, tally[PASSED] + tally[ASSERTED] + tally[GAVE_UP], tally[PASSED],
               tally[ASSERTED], tally[GAVE_UP]);
    }
    fflush(stdout); /* or each child would have a copy */
    return !wrong;
}

bool oom_run(struct suite_case *const *chosen, int count)
{
    bool good = &reini_fault_sweep != NULL;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!good || shared == MAP_FAILED) {
        fputs("this library's memory cannot be made to fail\n", stderr);
        return false;
    }
    setenv("REIN_TEST_SCALE", "1000", 0);
    printf("1..%d\n# seed %llu\n", count, (unsigned long long)suite_seed());
    fflush(stdout);
    for (int i = 0; i < count; i++)
        good &= sweep(i + 1, chosen[i]);
    return good;
}
