/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* base/fault.h: what the test build can do to the library; nothing at all in any other build.
 *
 * STEP("name")    a point between two lines where a test may hold a thread, to force an
 *                 interleaving
 * FAULT_ALLOC()   whether this allocation is the one that is to fail
 * FAULT_LIST()    in which of a node's lists the next dependent is to be put; see core/stripe.h.
 *                 Asked once for each: it may take turns
 * FAULT_LISTS()   whether it says so for any, and leaves nothing to the load
 * MISTAKE(name)   1 in a test build made with -DREIN_MISTAKE_name=1: a seeded mistake, to show that
 *                 the suite catches it. Always a constant, so the compiler drops the wrong
 *                 branch. */
#ifndef REIN_BASE_FAULT_H
#define REIN_BASE_FAULT_H

#include <stdbool.h>

#include "base/atomic.h"

enum fault_list { FAULT_ANY_LIST, FAULT_OWN_LIST, FAULT_STRIPE };

#ifdef REIN_TESTING
extern void (*reini_step_hook)(const char *name); /* atomic; NULL: none */
bool reini_fault_alloc(void);
enum fault_list reini_fault_list(void);
bool reini_fault_lists(void);
#define STEP(name)                                                                              \
    do {                                                                                        \
        void (*hook_)(const char *) = load_acquire(&reini_step_hook);                           \
        if (hook_)                                                                              \
            hook_(name);                                                                        \
    } while (0)
#define FAULT_ALLOC() reini_fault_alloc()
#define FAULT_LIST() reini_fault_list()
#define FAULT_LISTS() reini_fault_lists()
#else
#define STEP(name) ((void)0)
#define FAULT_ALLOC() 0
#define FAULT_LIST() FAULT_ANY_LIST
#define FAULT_LISTS() 0
#endif

#ifndef REIN_MISTAKE_loser_returns_early
#define REIN_MISTAKE_loser_returns_early 0
#endif
#ifndef REIN_MISTAKE_leaves_parent_before_marking
#define REIN_MISTAKE_leaves_parent_before_marking 0
#endif
#ifndef REIN_MISTAKE_err_before_cause
#define REIN_MISTAKE_err_before_cause 0
#endif
#ifndef REIN_MISTAKE_timer_not_disarmed
#define REIN_MISTAKE_timer_not_disarmed 0
#endif
#ifndef REIN_MISTAKE_link_without_recheck
#define REIN_MISTAKE_link_without_recheck 0
#endif
#ifndef REIN_MISTAKE_callback_under_lock
#define REIN_MISTAKE_callback_under_lock 0
#endif
#ifndef REIN_MISTAKE_stop_wait_does_not_wait
#define REIN_MISTAKE_stop_wait_does_not_wait 0
#endif
#ifndef REIN_MISTAKE_missed_wake
#define REIN_MISTAKE_missed_wake 0
#endif
#ifndef REIN_MISTAKE_born_done_without_cause
#define REIN_MISTAKE_born_done_without_cause 0
#endif
#ifndef REIN_MISTAKE_handover_ignored
#define REIN_MISTAKE_handover_ignored 0
#endif
#ifndef REIN_MISTAKE_settles_unheard
#define REIN_MISTAKE_settles_unheard 0
#endif
#ifndef REIN_MISTAKE_shard_after_shard
#define REIN_MISTAKE_shard_after_shard 0
#endif
#ifndef REIN_MISTAKE_one_shard_is_all
#define REIN_MISTAKE_one_shard_is_all 0
#endif
#ifndef REIN_MISTAKE_stripes_looked_for_too_soon
#define REIN_MISTAKE_stripes_looked_for_too_soon 0
#endif
#ifndef REIN_MISTAKE_stripe_has_no_reference
#define REIN_MISTAKE_stripe_has_no_reference 0
#endif
#ifndef REIN_MISTAKE_stripe_link_without_recheck
#define REIN_MISTAKE_stripe_link_without_recheck 0
#endif
#define MISTAKE(name) (REIN_MISTAKE_##name)

#endif
