/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/leaks/test_leaks.c: which contexts are alive, and where they were made. (Every case of
 * every program runs with the list on, and ends with a look at it: tests/lib/suite.c.) */
#include <fcntl.h>
#include <regex.h>
#include <rein.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault_control.h"
#include "child.h"
#include "core/node.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

__attribute__((constructor)) static void list_on(void)
{
    rein_leaks_on(); /* here also where memory fails: see tests/lib/oom.h */
}

REIN_KEY_DECLARE(number, int)
REIN_KEY_DEFINE(number, int)

/* What a report says, in static storage. */
static const char *report(size_t expected)
{
    static char text[100000];
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(rein_leaks_print(fileno(file)), expected);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void expect_like(const char *text, const char *pattern)
{
    regex_t regex;
    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(regexec(&regex, text, 0, NULL, 0) == 0, "\"%s\" is not like %s", text, pattern);
    regfree(&regex);
}

/* A line names the place, the age, how many owners and how many references there are. */
CASE(leaks_lines_say_where_and_how_many, "P-LEAKS")
{
    char pattern[200];
    size_t before = rein_leaks_print(-1);
    rein_ctx *ctx = rein_with_cancel(rein_background());
    int line = __LINE__ - 1;
    snprintf(pattern, sizeof pattern,
             "^rein: live context test_leaks\\.c:%d, [0-9.]+m?s old, 1 owner, 1 reference\n$",
             line);
    expect_like(report(before + 1), pattern);
    rein_ctx *second = rein_share(ctx);
    const rein_ctx *view = rein_ref(ctx);
    snprintf(pattern, sizeof pattern, "test_leaks\\.c:%d, [0-9.]+m?s old, 2 owners, 3 references\n",
             line);
    expect_like(report(before + 1), pattern);
    rein_unref(view);
    rein_end(second);
    rein_end(ctx);
    ck_assert_uint_eq(rein_leaks_print(-1), before);
}

/* Every kind is listed with the place where it was made, and goes with its last reference. */
CASE(leaks_every_kind_is_listed, "P-LEAKS")
{
    size_t before = rein_leaks_print(-1);
    rein_ctx *a = rein_with_cancel(rein_background()), *b = rein_with_timeout(a, REIN_HOUR);
    rein_ctx *c = rein_merge(a, b), *d = rein_detach(b, a, REIN_HOUR);
    const rein_ctx *e = rein_without_cancel(b), *f = number_with(b, 1);
    rein_ctx *g = rein_foreign(f, NULL, NULL);
    ck_assert_uint_eq(rein_leaks_print(-1), before + 7);
    const char *text = report(before + 7);
    ck_assert_ptr_nonnull(strstr(text, "number_with")); /* a typed setter is named itself */
    int named = 0;
    for (const char *at = text; (at = strstr(at, "test_leaks.c:")); at++)
        named++;
    ck_assert_int_eq(named, 6);
    rein_end(a);
    rein_end(b);
    ck_assert_uint_eq(rein_leaks_print(-1), before + 7); /* what is below holds them */
    rein_end(g);
    rein_end(c);
    rein_end(d);
    rein_unref(f);
    rein_unref(e);
    ck_assert_uint_eq(rein_leaks_print(-1), before);
}

/* Directory parts are not printed; names given to the plain functions are. */
CASE(leaks_sites_are_short, "P-LEAKS")
{
    size_t before = rein_leaks_print(-1);
    rein_ctx *bound = (rein_with_cancel)(rein_background()),
             *own = rein_with_cancel_at("binding.py:7", rein_background());
    const char *text = report(before + 2);
    ck_assert_ptr_nonnull(strstr(text, "live context rein_with_cancel, "));
    ck_assert_ptr_nonnull(strstr(text, "live context binding.py:7, "));
    ck_assert_ptr_null(strchr(text, '/'));
    rein_end(own);
    rein_end(bound);
}

/* With nothing alive nothing is written; a descriptor that is not there does no harm. */
CASE(leaks_nothing_to_say, "P-LEAKS", "P-ERRNO")
{
    ck_assert_uint_eq(rein_leaks_print(-1), 0);
    ck_assert_str_eq(report(0), "");
    rein_ctx *ctx = rein_with_cancel(rein_background());
    errno = 0;
    ck_assert_uint_eq(rein_leaks_print(4000), 1);
    ck_assert_int_eq(errno, 0);
    reini_fault_fail_nth(1);
    ck_assert_uint_eq(rein_leaks_print(STDERR_FILENO), 1); /* no memory for the text */
    reini_fault_fail_nth(0);
    rein_end(ctx);
}

/* Off, it costs nothing: no more memory than a context needs, nothing listed. */
CASE(leaks_off_costs_nothing, "P-LEAKS", "P-COST")
{
    size_t before = rein_leaks_print(-1);
    rein_ctx *listed = rein_with_cancel(rein_background());
    store_relaxed(&reini_leaks, 0);
    reini_fault_fail_nth(0);
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(reini_fault_count(), 1);
    ck_assert_uint_eq(rein_leaks_print(-1), before + 1);
    ck_assert_uint_eq(ctx_of(ctx)->flags & LISTED, 0);
    rein_leaks_on();
    rein_end(ctx); /* made before: never was in the list */
    ck_assert_uint_eq(rein_leaks_print(-1), before + 1);
    rein_end(listed);
}

/* ---- while others work ---- */

/* A million lines' worth of reports while contexts come and go: every line is well formed. */
static struct race_flag over;

static void churn(void *arg)
{
    (void)arg;
    while (!race_is_set(&over)) {
        rein_ctx *a = rein_with_cancel(rein_background()), *b = rein_with_cancel(a),
                 *c = rein_merge(a, b);
        rein_end(a);
        rein_end(b);
        rein_end(c); /* the last release goes up two ways */
    }
}

CASE_LONG(60, leaks_report_while_contexts_go, "P-LEAKS", "CTX-28")
{
    struct race_thread threads[2];
    static char text[100000];
    FILE *file = tmpfile();
    for (int i = 0; i < 2; i++)
        race_thread_start(&threads[i], 0, churn, NULL);
    for (size_t i = 0; i < suite_rounds(500); i++) {
        rewind(file);
        ck_assert_int_eq(ftruncate(fileno(file), 0), 0);
        rein_leaks_print(fileno(file));
        rewind(file);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
            *end = '\0';
            expect_like(line, "^rein: live context test_leaks\\.c:[0-9]+, -?[0-9.]+m?s old, "
                              "[0-9]+ owners?, [0-9]+ references?$");
        }
    }
    race_set(&over);
    for (int i = 0; i < 2; i++)
        race_thread_join(&threads[i]);
    fclose(file);
}

/* ---- in the child of a fork ---- */

static void look_in_child(void *arg)
{
    REQUIRE(rein_leaks_print(-1) == 0);
    rein_ctx *ctx = rein_with_cancel(rein_background());
    REQUIRE(rein_leaks_print(-1) == 1);
    rein_end(arg);
    REQUIRE(rein_leaks_print(-1) == 1);
    rein_end(ctx);
    REQUIRE(rein_leaks_print(-1) == 0);
}

/* What was inherited is the parent's business; what is made in the child is listed there. */
CASE(leaks_in_the_child_of_a_fork, "EXEC-16", "P-LEAKS", "P-FORK")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    in_child(look_in_child, ctx);
    rein_end(ctx);
}
