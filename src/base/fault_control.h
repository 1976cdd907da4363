/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* base/fault_control.h: how a test works the switches of fault.h. */
#ifndef REIN_BASE_FAULT_CONTROL_H
#define REIN_BASE_FAULT_CONTROL_H

/* Let the n-th allocation from here on fail, once; 0 for none. Starts the count anew. */
void reini_fault_fail_nth(long n);

/* How many allocations were asked for since. */
long reini_fault_count(void);

/* A second switch, for whoever makes a whole test fail whatever that test does with the first; in
 * the tester's memory, which may be shared with the processes that the test forks. */
struct reini_fault {
    long left;  /* atomic; the allocation that is to fail is the left-th from here; <= 0: none */
    long asked; /* atomic; how many were asked for */
};
extern struct reini_fault *reini_fault_sweep; /* set before threads start; NULL: none */

#endif
