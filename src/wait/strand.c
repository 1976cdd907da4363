/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* wait/strand.c: sleeping and waking; the only code above the keeper that does. */
#include "wait/strand.h"

#include "base/atomic.h"
#include "base/fault.h"
#include "plat/plat.h"

static const uint32_t ASLEEP = UINT32_C(1) << 31;

static _Thread_local struct park_observer *observer;
static _Thread_local char self; /* its address is the thread's name */

void reini_strand_init(struct strand *strand)
{
    *strand = (struct strand){.token = 0, .fd = -1};
}

const void *reini_strand_self(void)
{
    return &self;
}

void reini_observe_parking(struct park_observer *replacement)
{
    observer = replacement;
}

void reini_strand_signal(struct strand *strand)
{
    /* The event first: after the add the waiter may be gone, and its descriptor another's. */
    if (strand->fd >= 0)
        reini_event_raise(strand->fd);
    STEP("strand-signal");
    /* release: what was written before the signal is seen by the waiter that counts it. */
    uint32_t before = add_release(&strand->token, 1);
    if ((before & ASLEEP) && !MISTAKE(missed_wake))
        reini_word_wake(&strand->token, true);
}

uint32_t reini_strand_count(const struct strand *strand)
{
    return load_acquire(&strand->token) & ~ASLEEP;
}

/* The four ways out of a sleep, spelled out once: signalled, changed before it slept, woken for no
 * reason (then the loop looks again), and the instant has come. */
static bool sleep_for(struct strand *strand, uint32_t want, int64_t until)
{
    for (;;) {
        /* acq_rel: the signaller either sees ASLEEP in its add, or added before and is counted. */
        uint32_t token = or_acq_rel(&strand->token, ASLEEP) | ASLEEP;
        if ((token & ~ASLEEP) >= want)
            return true;
        STEP("strand-sleep");
        if (!reini_word_sleep(&strand->token, token, until))
            return reini_strand_count(strand) >= want;
    }
}

void reini_strand_park_begin(void)
{
    if (observer)
        observer->parking(observer);
}

void reini_strand_park_end(void)
{
    if (observer)
        observer->resumed(observer);
}

bool reini_strand_wait(struct strand *strand, uint32_t want, int64_t until)
{
    if (reini_strand_count(strand) >= want)
        return true;
    reini_strand_park_begin();
    bool done = sleep_for(strand, want, until);
    reini_strand_park_end();
    return done;
}
