/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/main.c: the program that runs the cases. Apart from suite.c, since a program of another
 * kind, with a main() of its own, may want the rest. */
#include <check.h>
#include <rein/library.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "suite.h"

static struct suite_case **chosen; /* those to run */
static int count;

static void list(void)
{
    for (struct suite_case *one = suite_cases; one; one = one->next) {
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

static void choose(int names, char **name)
{
    int all = 0;
    for (struct suite_case *one = suite_cases; one; one = one->next)
        all++;
    chosen = calloc((size_t)all + 1, sizeof(struct suite_case *));
    for (struct suite_case *one = suite_cases; one; one = one->next)
        if (wanted(one, names, name))
            chosen[count++] = one;
}

static const char *stem(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void run(int index)
{
    suite_run(chosen[index]);
}

/* By Check. Returns whether all passed. */
static bool check(const char *program)
{
    rein_leaks_on();
    Suite *suite = suite_create(program);
    TTest *tests = calloc((size_t)count + 1, sizeof *tests);
    for (int i = 0; i < count; i++) {
        const struct suite_case *one = chosen[i];
        TCase *tcase = tcase_create(one->name);
        tests[i] = (TTest){one->name, run, one->file, one->line};
        tcase_set_timeout(tcase, one->seconds);
        tcase_add_loop_test(tcase, &tests[i], i, i + 1);
        suite_add_tcase(suite, tcase);
    }
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    free(tests);
    return failed == 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list();
        return 0;
    }
    bool oom = argc > 1 && strcmp(argv[1], "--oom") == 0;
    choose(argc - 1 - oom, argv + 1 + oom);
    if (count == 0)
        fprintf(stderr, "%s: no such case\n", stem(argv[0]));
    bool good = oom ? oom_run(chosen, count) : check(stem(argv[0]));
    free(chosen);
    return !good || count == 0;
}
