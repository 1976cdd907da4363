/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* guest_main.c: the head of a context is ABI for ever; so a head made by hand, to the letter of
 * rein/context.h, has to read as what it says, in a program that has never heard of librein. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

#include "guest.h"

/* As a context in the middle of making its descriptor: the pointer leads to who answers for it. */
static int answer(const void *head)
{
    (void)head;
    return -ETIMEDOUT;
}
static int (*const answers)(const void *) = answer;

static int failures;

static void expect(const char *what, const struct rein_head *head, int err)
{
    const rein_ctx *ctx = (const rein_ctx *)(const void *)head;
    int count = -1;
    int r = guest_count(ctx, 3, &count);
    bool right = rein_err(ctx) == err && rein_done(ctx) == (err != 0) && r == err &&
                 count == (err ? 0 : 3);
    printf("%s %s\n", right ? "ok -" : "not ok -", what);
    failures += !right;
}

int main(void)
{
    const struct rein_head live = {0, 0, NULL};
    const struct rein_head cancelled = {-ECANCELED, 0, NULL};
    const struct rein_head late = {-ETIMEDOUT, 0, NULL};
    const struct rein_head settling = {REIN_WORD_SETTLING, 0, &answers};
    const struct rein_head below_live = {REIN_WORD_FOLLOWS, 0, &live};
    const struct rein_head below_cancelled = {REIN_WORD_FOLLOWS, 0, &cancelled};
    const struct rein_head below_settling = {REIN_WORD_FOLLOWS, 0, &settling};

    expect("live", &live, 0);
    expect("cancelled", &cancelled, -ECANCELED);
    expect("late", &late, -ETIMEDOUT);
    expect("settling", &settling, -ETIMEDOUT);
    expect("below live", &below_live, 0);
    expect("below cancelled", &below_cancelled, -ECANCELED);
    expect("below settling", &below_settling, -ETIMEDOUT);

    bool alone = dlsym(RTLD_DEFAULT, "rein_background") == NULL;
    printf("%s librein is not in this process\n", alone ? "ok -" : "not ok -");
    return failures || !alone;
}
