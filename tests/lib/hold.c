/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/hold.c: see hold.h. */
#include "hold.h"

#include <check.h>
#include <stddef.h>
#include <string.h>

#include "suite.h"

extern void (*reini_step_hook)(const char *name);

enum { HOLDS = 8 };

static struct hold *holds[HOLDS]; /* atomic, as is the hook: a hold may be set while threads run */
static uint32_t inside;           /* atomic: how many threads may be looking at them */

static void stop_at(struct hold *hold)
{
    if (__atomic_fetch_add(&hold->seen, 1, __ATOMIC_ACQ_REL) != hold->skip)
        return;
    __atomic_store_n(&hold->held, 1, __ATOMIC_RELEASE);
    for (unsigned turns = 0; !__atomic_load_n(&hold->released, __ATOMIC_ACQUIRE);)
        suite_pause(&turns);
}

static void step(const char *name)
{
    struct hold *hold;
    __atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST); /* before it looks, in the order of all */
    for (int i = 0; i < HOLDS && (hold = __atomic_load_n(&holds[i], __ATOMIC_SEQ_CST)); i++)
        if (strcmp(hold->step, name) == 0)
            stop_at(hold);
    __atomic_fetch_sub(&inside, 1, __ATOMIC_RELEASE);
}

void hold_set(struct hold *hold)
{
    int i = 0;
    while (i < HOLDS && holds[i])
        i++;
    ck_assert_int_lt(i, HOLDS);
    __atomic_store_n(&holds[i], hold, __ATOMIC_RELEASE);
    __atomic_store_n(&reini_step_hook, step, __ATOMIC_RELEASE);
}

void hold_clear(void)
{
    __atomic_store_n(&reini_step_hook, NULL, __ATOMIC_RELEASE);
    for (int i = 0; i < HOLDS; i++)
        __atomic_store_n(&holds[i], NULL, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) > 0) /* holds live in their cases' frames */
        suite_yield();
}

void hold_await(struct hold *hold)
{
    for (unsigned turns = 0; !__atomic_load_n(&hold->held, __ATOMIC_ACQUIRE);)
        suite_pause(&turns);
}

void hold_release(struct hold *hold)
{
    __atomic_store_n(&hold->released, 1, __ATOMIC_RELEASE);
}

rein_ctx *hold_expiry(struct hold *hold)
{
    *hold = (struct hold){.step = "fire"};
    hold_set(hold);
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    hold_await(hold);
    return ctx;
}

uint32_t hold_seen(const struct hold *hold)
{
    return __atomic_load_n(&hold->seen, __ATOMIC_ACQUIRE);
}

void hold_await_seen(const struct hold *hold, uint32_t at_least)
{
    while (hold_seen(hold) < at_least)
        suite_yield();
}
