/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/cost/operations.c: `operations NAME N` does one of the commonest operations N times, and
 * nothing else that would grow with N: so that two runs differ by what the operation costs. */
#include <errno.h>
#include <rein.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

REIN_KEY_DECLARE(number, long)
REIN_KEY_DEFINE(number, long)

static rein_ctx *parent;
static const rein_ctx *view; /* of ten values below it */

static void check(long n)
{
    int live = 0;
    for (long i = 0; i < n; i++) {
        live += rein_err(view) == 0;
        __asm__ volatile("" : : "r"(live) : "memory"); /* each asks anew */
    }
}

static void child(long n)
{
    for (long i = 0; i < n; i++)
        rein_end(rein_with_cancel(parent));
}

static void child_cancelled(long n)
{
    for (long i = 0; i < n; i++) {
        rein_ctx *ctx = rein_with_cancel(parent);
        rein_cancel(ctx);
        rein_end(ctx);
    }
}

static void timeout(long n)
{
    for (long i = 0; i < n; i++)
        rein_end(rein_with_timeout(parent, REIN_HOUR));
}

/* For each of the n: made, done with a family of a hundred, given back. */
static void family(long n)
{
    enum { SIZE = 100 };
    rein_ctx *children[SIZE];
    for (long i = 0; i < n; i += SIZE) {
        rein_ctx *top = rein_with_cancel(parent);
        for (int j = 0; j < SIZE; j++)
            children[j] = rein_with_cancel(top);
        rein_cancel(top);
        for (int j = 0; j < SIZE; j++)
            rein_end(children[j]);
        rein_end(top);
    }
}

static void nothing(const rein_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
}

static void callback(long n)
{
    for (long i = 0; i < n; i++) {
        rein_callback record;
        rein_callback_add(parent, &record, nothing, NULL);
        rein_callback_remove(&record);
    }
}

static void value(long n)
{
    for (long i = 0; i < n; i++)
        rein_unref(number_with(parent, i));
}

static void lookup(long n)
{
    for (long i = 0; i < n; i++)
        if (number_of(view, -1) != 9)
            abort();
}

static const struct {
    const char *name;
    void (*times)(long n);
} operations[] = {
    {"check", check},       {"child", child},       {"child_cancelled", child_cancelled},
    {"timeout", timeout},   {"family", family},     {"callback", callback},
    {"value", value},       {"lookup", lookup},
};

int main(int argc, char **argv)
{
    if (argc != 3)
        return EINVAL;
    parent = rein_with_cancel(rein_background());
    view = rein_ref(parent);
    for (long i = 0; i < 10; i++) {
        const rein_ctx *below = number_with(view, i);
        rein_unref(view);
        view = below;
    }
    int r = EINVAL;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (strcmp(operations[i].name, argv[1]) != 0)
            continue;
        operations[i].times(atol(argv[2]));
        r = 0;
    }
    rein_unref(view);
    rein_end(parent);
    return r;
}
