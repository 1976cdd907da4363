/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* base/fault.c: the test build's switches; see fault.h. Not part of the released library. */
#include "base/fault.h"

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

bool reini_fault_alloc(void)
{
    bool swept = reini_fault_sweep && is_the_one(reini_fault_sweep);
    return is_the_one(&nth) || swept;
}
