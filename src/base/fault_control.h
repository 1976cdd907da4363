/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* base/fault_control.h: how a test works the switches of fault.h. */
#ifndef REIN_BASE_FAULT_CONTROL_H
#define REIN_BASE_FAULT_CONTROL_H

/* Let the n-th allocation from here on fail, once; 0 for none. Starts the count anew. */
void reini_fault_fail_nth(long n);

/* How many allocations were asked for since. */
long reini_fault_count(void);

#endif
