/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* base/fault.c: the test build's switches; see fault.h. Not part of the released library. */
#include "base/fault.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/fault_control.h"

void (*reini_step_hook)(const char *name);
struct reini_fault *reini_fault_sweep;

static struct reini_fault nth;

void reini_fault_fail_nth(long n)
{
    store_relaxed(&nth.asked, 0);
    store_relaxed(&nth.left, n);
}

long reini_fault_count(void)
{
    return load_relaxed(&nth.asked);
}

static bool is_the_one(struct reini_fault *fault)
{
    add_relaxed(&fault->asked, 1);
    return load_relaxed(&fault->left) > 0 && sub_acq_rel(&fault->left, 1) == 1;
}

static int forced;    /* atomic; enum fault_lists */
static uint32_t turn; /* atomic */

void reini_fault_force_lists(enum fault_lists lists)
{
    store_relaxed(&forced, (int)lists);
}

__attribute__((constructor)) static void begin(void)
{
    static const char *const names[] = {"load", "narrow", "striped", "turns"};
    const char *name = getenv("REIN_TEST_LISTS");
    for (int i = 0; name && i < (int)(sizeof names / sizeof names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            forced = i;
}

bool reini_fault_lists(void)
{
    return load_relaxed(&forced) != FAULT_BY_LOAD;
}

enum fault_list reini_fault_list(void)
{
    switch (load_relaxed(&forced)) {
    case FAULT_NARROW:
        return FAULT_OWN_LIST;
    case FAULT_STRIPED:
        return FAULT_STRIPE;
    case FAULT_IN_TURN:
        return add_relaxed(&turn, 1) % 2 ? FAULT_OWN_LIST : FAULT_STRIPE;
    default:
        return FAULT_ANY_LIST;
    }
}

bool reini_fault_alloc(void)
{
    bool swept = reini_fault_sweep && is_the_one(reini_fault_sweep);
    return is_the_one(&nth) || swept;
}
