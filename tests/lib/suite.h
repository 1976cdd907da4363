/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/suite.h: a test program is a file of cases.
 *
 * A case has a name that says what holds, and names what it pins: facts ("CTX-15", at most three)
 * and promises ("P-SYNC"). docs/guarantees.md is made from these names.
 *
 *     // A canceller that comes second returns only when the whole subtree is done.
 *     CASE(ctx_15_loser_waits_for_the_winner, "CTX-15", "P-SYNC")
 *     {
 *         ...
 *         ck_assert_int_eq(rein_err(leaf), -ECANCELED);
 *     }
 *
 * Each case is a process of its own with a time limit (Check's fork mode), so a crash or a hang is
 * one failure. When its body returns, the suite waits for rein to be idle (rein_quiesce()) and then
 * fails the case if a context is still alive, or a descriptor or thread more is there than before.
 * CK_FORK=no runs everything in one process, for debuggers and valgrind. There is no way to skip.
 *
 *     test_x                run all cases; prints TAP
 *     test_x NAME...        run these
 *     test_x --oom NAME...  run these, or all, with memory that fails: see oom.h
 *     test_x --list         print each case: name<TAB>tag<TAB>tag...
 *
 * main() comes with suite_dep. */
#ifndef TESTS_LIB_SUITE_H
#define TESTS_LIB_SUITE_H

#include <check.h>
#include <rein/testing.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All assertions pass and fail here, also in a process without a runner of Check's (oom.c). A
 * failure does not return; but nothing says so to the compiler, which would let go of the locals of
 * a case that fails, and LeakSanitizer could not see what they hold. */
#define _ck_assert_failed suite_assertion_failed
#define _mark_point suite_mark_point
void suite_assertion_failed(const char *file, int line, const char *expr, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void suite_mark_point(const char *file, int line);

struct suite_case {
    struct suite_case *next;
    const char *name, *file;
    int line;
    int seconds;       /* the limit, to which CK_TIMEOUT_MULTIPLIER applies; 0: the usual one */
    const char *rule;  /* the panic it is to end with, or NULL */
    void (*run)(void);
    const char *tags[12];
};

extern struct suite_case *suite_cases; /* in the order of their lines */
void suite_register(struct suite_case *one);

/* A case, and what it is asked at its end. */
void suite_run(struct suite_case *one);

#define SUITE_CASE_(time_limit, panic_rule, case_name, ...)                                      \
    static void case_name(void);                                                                 \
    static struct suite_case case_name##_case_ = {.name = #case_name, .file = __FILE__,          \
        .line = __LINE__, .seconds = (time_limit), .rule = (panic_rule), .run = (case_name),     \
        .tags = {__VA_ARGS__}};                                                                  \
    __attribute__((constructor)) static void case_name##_register_(void)                         \
    {                                                                                            \
        suite_register(&case_name##_case_);                                                      \
    }                                                                                            \
    static void case_name(void)

/* CASE(name, tags...) { body } */
#define CASE(...) SUITE_CASE_(0, NULL, __VA_ARGS__, NULL)

/* The same with a limit of its own, for what is large. CASE_LONG(seconds, name, tags...) */
#define CASE_LONG(seconds, ...) SUITE_CASE_(seconds, NULL, __VA_ARGS__, NULL)

/* A case that is to end in rein's panic of that rule. Its body runs in a child process, so this
 * also works with CK_FORK=no. CASE_PANICS("context-required", name, tags...) */
#define CASE_PANICS(rule, ...) SUITE_CASE_(0, rule, __VA_ARGS__, NULL)

/* A number from the environment. */
size_t suite_setting(const char *variable, size_t otherwise);

/* How many of something to use where size is what is tested: n, or REIN_TEST_SCALE if that is
 * set and less (runs under valgrind, sanitizers and failing memory). */
size_t suite_scale(size_t n);

/* How many rounds of a race to run: n, or n / 10 where the program is known to run slowly
 * (REIN_TEST_SLOW), but at least one; two where memory fails. */
size_t suite_rounds(size_t n);

/* The seed of this run: REIN_TEST_SEED, or one and the same every time. */
uint64_t suite_seed(void);

/* The next of a series of pseudo-random numbers. */
uint64_t suite_random(uint64_t *state);

/* Call fn(arg) in a child process; the rule it panicked with, "" if it was ended by SIGABRT without
 * one, NULL if it ended otherwise. In static storage. */
const char *suite_panic_of(void (*fn)(void *arg), void *arg);

/* Call fn(arg) in a child process; its exit status, 0 if fn just returned, or minus the signal that
 * ended it. */
int suite_status_of(void (*fn)(void *arg), void *arg);

/* Wait until holds(arg), however long that takes; the case's time limit is the only other way out.
 * For what another thread, or a thread of rein's, is about to do. */
void suite_until(bool (*holds)(void *arg), void *arg);

/* Let others run: for the loops that wait for one of them in another way. */
void suite_yield(void);

/* The same for loops that must not be late at first, and may wait long: it spins, then yields, then
 * sleeps for a moment at a time. *turns counts, from 0. */
void suite_pause(unsigned *turns);

/* A virtual clock; without memory the case ends here. */
rein_clock *suite_clock(void);

/* Of a clock that does not go back. */
int64_t suite_milliseconds(void);

/* How many descriptors and threads this process has. */
size_t suite_descriptors(void);
size_t suite_threads(void);

#endif
