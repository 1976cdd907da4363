/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/death/test_panic.c: how a panic is told: by the hook, and without one by a line on standard
 * error; in both cases the process ends by SIGABRT. */
#include <rein.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"
#include "suite.h"

/* fn in a child whose standard error goes to text: its wait status. */
static int run_apart(void (*fn)(void), char *text, size_t size)
{
    int ends[2], status;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        fn();
        _exit(0);
    }
    close(ends[1]);
    size_t used = 0;
    for (ssize_t n; (n = read(ends[0], text + used, size - 1 - used)) > 0;)
        used += (size_t)n;
    text[used] = '\0';
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

static bool aborted(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void without_a_hook(void)
{
    rein_set_panic(NULL);
    (void)rein_wait(none());
}

/* Without a hook the rule and what it means go to standard error, and SIGABRT ends the process. */
CASE(panic_default_prints_and_aborts, "P-RULES")
{
    char text[500];
    ck_assert(aborted(run_apart(without_a_hook, text, sizeof text)));
    ck_assert_ptr_nonnull(strstr(text, "context-required"));
    ck_assert_ptr_nonnull(strstr(text, "rein:"));
    ck_assert_ptr_nonnull(strchr(text, '\n'));
}

static void tell(const char *rule, const char *message, const void *object)
{
    fprintf(stderr, "[%s|%d|%p]", rule, strlen(message) > 10, object);
}

static void tell_message(const char *rule, const char *message, const void *object)
{
    (void)rule, (void)object;
    fprintf(stderr, "%s", message);
}

static void end_twice(void)
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    const rein_ctx *view = rein_ref(ctx);
    rein_end(ctx);
    rein_set_panic(tell_message);
    rein_end_at("here.c:12", (rein_ctx *)(uintptr_t)view);
}

/* A call that knows its caller's line says it. */
CASE(panic_names_the_line, "P-RULES")
{
    char text[500];
    ck_assert(aborted(run_apart(end_twice, text, sizeof text)));
    ck_assert_str_eq(text, "ended more often than there are owners, at here.c:12");
}

static rein_ctx *broken;

static void with_a_hook(void)
{
    rein_set_panic(tell);
    rein_foreign_done(broken, -1, NULL);
}

/* The hook gets the rule, words and the object; when it returns the process aborts. */
CASE(panic_hook_is_told_the_object, "P-RULES")
{
    char text[500], expected[100];
    broken = rein_with_cancel(rein_background());
    snprintf(expected, sizeof expected, "[foreign-required|1|%p]", (void *)broken);
    ck_assert(aborted(run_apart(with_a_hook, text, sizeof text)));
    ck_assert_str_eq(text, expected);
    rein_end(broken);
}

static void leave(const char *rule, const char *message, const void *object)
{
    (void)rule, (void)message, (void)object;
    _exit(42);
}

static void with_a_hook_that_leaves(void)
{
    rein_set_panic(leave);
    (void)rein_wait(none());
}

/* A hook may leave in its own way. */
CASE(panic_hook_may_leave_by_itself, "P-RULES")
{
    char text[500];
    int status = run_apart(with_a_hook_that_leaves, text, sizeof text);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    ck_assert_str_eq(text, "");
}

/* Setting a hook answers the one before, NULL for the default. */
CASE(panic_hook_is_exchanged, "P-RULES")
{
    rein_panic_fn *before = rein_set_panic(tell);
    ck_assert(rein_set_panic(leave) == tell);
    ck_assert(rein_set_panic(NULL) == leave);
    ck_assert(rein_set_panic(before) == NULL);
}
