/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* wait/strand.h: a strand is whoever waits: here a thread, in another build a coroutine. The one
 * parking place: what blocks in rein blocks in reini_strand_wait(), or in poll where there are
 * descriptors to wait for.
 *
 * A strand lives in the frame of the call that waits. It only counts: each thing that was asked to
 * signal does so exactly once, and the waiter knows how many have been committed to (they were
 * taken off their lists) and stays until that many have come. So no signaller ever touches a strand
 * whose call has returned; which thing it was the waiter sees from the things themselves.
 *
 *     token   bits 0..30  how many signals have come
 *             bit  31     the waiter is asleep, or about to be, and wants to be woken */
#ifndef REIN_WAIT_STRAND_H
#define REIN_WAIT_STRAND_H

#include <stdbool.h>
#include <stdint.h>

struct strand {
    uint32_t token; /* atomic */
    int fd;         /* -1, or an event to raise too: the waiter sleeps in poll; set at first */
};

void reini_strand_init(struct strand *strand);

/* Signal once. The add is the last access to *strand; waking needs only its address. */
void reini_strand_signal(struct strand *strand);

/* How many signals have come. acquire: pairs with the release in signal. */
uint32_t reini_strand_count(const struct strand *strand);

/* Sleep until `want` signals have come: true; or until an instant of the real clock: false. */
bool reini_strand_wait(struct strand *strand, uint32_t want, int64_t until);

/* Who this is: equal for two calls on one strand of control, different for any two that are alive
 * at once. */
const void *reini_strand_self(void);

/* ---- being told when a strand parks ----
 *
 * The pool wants to know when all its workers sit in rein. Set for the calling thread, NULL to
 * end it. */
struct park_observer {
    void (*parking)(struct park_observer *observer);
    void (*resumed)(struct park_observer *observer);
};
void reini_observe_parking(struct park_observer *observer);

/* Around a sleep in poll, the one other way to park. */
void reini_strand_park_begin(void);
void reini_strand_park_end(void);

#endif
