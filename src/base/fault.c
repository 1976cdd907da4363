/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* base/fault.c: the test build's switches; see fault.h. Not part of the released library. */
#include "base/fault.h"

#include "base/atomic.h"
#include "base/fault_control.h"

void (*reini_step_hook)(const char *name);

static long countdown;     /* atomic; allocations still to succeed; <= 0: off or over */
static long allocations;   /* atomic; how many were asked for so far */

void reini_fault_fail_nth(long n)
{
    store_relaxed(&allocations, 0);
    store_relaxed(&countdown, n);
}

long reini_fault_count(void)
{
    return load_relaxed(&allocations);
}

bool reini_fault_alloc(void)
{
    add_relaxed(&allocations, 1);
    if (load_relaxed(&countdown) <= 0)
        return false;
    return sub_acq_rel(&countdown, 1) == 1;
}
