/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* test_api.c: every name of the version map can be linked, and found by dlsym(), in librein.so.
 *
 * The first is what a C program needs, the second what a binding needs: there, macros and inline
 * functions have to exist as functions too. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <rein.h>
#include <rein/testing.h>

static int failures;

static void look_up(const char *name, const void *linked)
{
    Dl_info where;
    void *found = dlsym(RTLD_DEFAULT, name);
    bool there = linked && found && dladdr(found, &where) && where.dli_fname &&
                 strstr(where.dli_fname, "librein.so");
    printf("%s %s\n", there ? "ok -" : "not ok -", name);
    failures += !there;
}

int main(void)
{
    /* A function-like macro is not expanded without parentheses: this is the function. */
#define NAME(name) look_up(#name, (const void *)&name);
#include "names.inc"
#undef NAME

    /* And one life, so that it is not only names. */
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_cancel(ctx);
    int err = rein_err(ctx);
    rein_end(ctx);
    printf("%s err after cancel: %s\n", err ? "ok -" : "not ok -", rein_strerror(err));
    return failures || !err;
}
