/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* testing.h: what the tests of all adapters share, on top of Check: the runner, and counting what
 * must not grow. Each case runs in a process of its own with a time limit; that limit is the only
 * clock in these tests: a call that should have come back and did not fails its case there. */
#ifndef REIN_ADAPTER_TESTING_H
#define REIN_ADAPTER_TESTING_H

#include <rein/library.h>

#include <check.h>
#include <dirent.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* Generous, for a busy machine; CK_TIMEOUT_MULTIPLIER stretches it for sanitizers. */
#define CASE_LIMIT_SECONDS 30

/* How many entries a directory of /proc/self has: "fd" or "task". */
static inline unsigned count_of_own(const char *what)
{
    char path[32] = "/proc/self/";
    unsigned n = 0;

    for (size_t i = 11; *what && i < sizeof(path) - 1; i++)
        path[i] = *what++;
    DIR *dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

/* Wait until no more than `most` are left: the entry of a joined thread, and a connection that a
 * server is closing, linger a moment. */
static inline void wait_count(const char *what, unsigned most)
{
    while (count_of_own(what) > most)
        sched_yield();
}

/* A small generator, so that a failing round can be run again. */
static inline uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* How many rounds to run where that many are usual: fewer where each costs fifty times as much. */
static inline unsigned rounds(unsigned usual)
{
    return getenv("REIN_TEST_SLOW") ? usual / 20 : usual;
}

/* Waste a number of turns that no clock decides. */
static inline void spin(uint32_t turns)
{
    for (volatile uint32_t i = 0; i < turns; i++)
        ;
}

static inline void begin_case(void)
{
    rein_leaks_on();
}

/* At the end of each case: no context is alive, and all of rein's threads can leave. */
static inline void end_case(void)
{
    ck_assert_int_eq(rein_quiesce(), 0);
    ck_assert_msg(rein_leaks_print(STDERR_FILENO) == 0, "contexts are left behind");
}

static inline TCase *new_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, CASE_LIMIT_SECONDS);
    tcase_add_checked_fixture(tcase, begin_case, end_case);
    suite_add_tcase(suite, tcase);
    return tcase;
}

/* Run the suite, each case in its own process, and write TAP. */
static inline int run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
