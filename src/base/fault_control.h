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

/* Where children and waiters are put from here on, by all threads: as the load has it; into the
 * nodes' own lists; into stripes, so that every node becomes striped; or now here, now there. At
 * the start, what REIN_TEST_LISTS in the environment says: load, narrow, striped, turns. */
enum fault_lists { FAULT_BY_LOAD, FAULT_NARROW, FAULT_STRIPED, FAULT_IN_TURN };
void reini_fault_force_lists(enum fault_lists lists);

#endif
