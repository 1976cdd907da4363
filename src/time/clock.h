/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* time/clock.h: a clock with the timers that are armed on it: the real one, or a virtual one.
 *
 * A clock is *driven* by somebody who sleeps until its next timer and fires what is due: the real
 * one by the keeper's thread or by a rein_loop, a virtual one by whoever advances it. */
#ifndef REIN_TIME_CLOCK_H
#define REIN_TIME_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "plat/mutex.h"
#include "plat/plat.h"
#include "time/shard.h"

/* Something to run after the marks, put off by whoever may not run it (a noticer). */
struct deferred {
    struct deferred *next;
};
typedef void deferred_fn(struct deferred *chain);

/* Who drives a clock. poke: come and look, something is to be done sooner than you were told;
 * called from any thread, under mu or a shard's lock. */
struct driver {
    void (*poke)(struct driver *driver);
};

/* Sooner than any timer: that of a driver who looks at once, and that of calls put off. */
#define AT_ONCE INT64_MIN

struct reini_clock {
    /* Read by everybody who arms. */
    struct shard *shards[SHARDS]; /* set once; a virtual clock's are all the same one */
    uint8_t shard_count;     /* set once; how many there are */
    bool is_virtual;         /* set once */
    uint8_t id;              /* set once; 0 is the real clock */
    struct driver *driver;   /* NULL: nobody; changes under mu and every shard's, read under any */
    int64_t sleeps_until;    /* atomic; only what is due before this has to wake the driver */
    int64_t now;             /* virtual: the instant; atomic, written under its shard's mu */

    reini_mutex mu;          /* guards all below that does not say otherwise */
    struct deferred *calls, *last_call; /* put off; run by run_calls */
    deferred_fn *run_calls;
    uint32_t running;        /* how often the driver is in run_calls, which may drive it too */
    uint32_t firing;         /* how often it takes or fires timers, or unpins them: as well */
    uint32_t noticers;       /* who may still put calls off: the keeper stays for them */
    uint32_t leaving;        /* drivers' threads that have resigned, and are there still */
    uint32_t changes;        /* how often one of these four ended; atomic for those asleep on it */
    uint32_t awaiting;       /* how many are */
};

extern struct reini_clock reini_real_clock;

/* The clock of an id that some context carries. */
struct reini_clock *reini_vclock_of(uint8_t id);
static inline struct reini_clock *reini_clock_of(uint8_t id)
{
    return LIKELY(id == 0) ? &reini_real_clock : reini_vclock_of(id);
}

/* A clock with so many shards, SHARDS or one, which are made with it. */
void reini_clock_init(struct reini_clock *clock, struct shard *shards, uint8_t count, int64_t now);

static inline int64_t clock_now(const struct reini_clock *clock)
{
    /* acquire: pairs with the release in move_on(); whoever sees the instant sees what the
     * advancing thread had done before it moved the clock there. */
    return clock->is_virtual ? load_acquire(&clock->now) : reini_plat_now();
}

/* Arm a timer, unless *over has become nonzero: looked at under its shard's lock, so that a
 * disarm that comes after setting it either finds the timer or prevents it.
 * Returns 0; 1 if a virtual clock has been moved to its instant already: nobody may ever come by
 * again to fire it, so it is not armed, and the caller sees to it; or -EAGAIN if nobody drives the
 * clock and no thread can be started. */
int reini_clock_arm(struct reini_clock *clock, struct timer *timer, const int32_t *over);
extern const int32_t reini_not_over; /* 0: for a timer that nothing else makes needless */

/* Disarm it now, if it is armed. Returns whether this call did; a timer that is FIRING is left
 * to whoever fires it. */
bool reini_clock_disarm(struct reini_clock *clock, struct timer *timer);

/* Around what may disarm a timer and then put its calls off. As the timer was armed there is a
 * driver, and from expect to expect_no_more it does not leave: no new one has to be started. */
void reini_clock_expect(struct reini_clock *clock);
void reini_clock_expect_no_more(struct reini_clock *clock);

/* Of a driver's thread that was counted in `leaving`: it has nothing left to do. */
void reini_clock_left(struct reini_clock *clock);

/* Put a chain of calls off until the driver's next turn. last->next is overwritten. */
void reini_clock_defer(struct reini_clock *clock, struct deferred *first, struct deferred *last,
                       deferred_fn *run);

/* For drivers: fire what is due at `now`, all marks first, then unpin it and run what was put off.
 * Returns how many timers that was. */
size_t reini_clock_fire(struct reini_clock *clock, int64_t now);

/* Under clock->mu, which is given back: wait until one of what `changes` counts has ended. Not for
 * a thread that is driving the clock. */
void reini_clock_await_change(struct reini_clock *clock) RELEASES(clock->mu);

/* Whether this thread drives the real clock, and is now in what may be anybody's code. */
bool reini_clock_is_driving(void);

/* ---- who drives ----
 *
 * These take the locks of all shards, so that nobody arms meanwhile. */

/* Under clock->mu: nothing is armed, firing, put off (or about to be), or running. */
bool reini_clock_is_idle(struct reini_clock *clock) HOLDING(clock->mu);

/* Under clock->mu: from here on `driver` drives it, or NULL: nobody. */
void reini_clock_set_driver(struct reini_clock *clock, struct driver *driver) HOLDING(clock->mu);

/* Under clock->mu: if `driver` drives it and it is idle, nobody does from here on, and whoever arms
 * next sees it. Returns whether that is so. */
bool reini_clock_resign(struct reini_clock *clock, const struct driver *driver) HOLDING(clock->mu);

/* How many timers are armed. */
size_t reini_clock_armed(struct reini_clock *clock);

/* For drivers: say when you will look again, and be told of what is due before. Returns the next
 * instant at which there is something to do, but not one before `not_before`: what falls due until
 * then is to wait for that. AT_ONCE if calls are waiting, which wait for nothing. */
int64_t reini_clock_settle(struct reini_clock *clock, int64_t not_before);

/* In the child of a fork(): all clocks start anew, without timers or a driver; virtual ones stand
 * still for ever. */
void reini_clock_forked(void);

/* ---- virtual clocks ---- */

/* A clock that stands still at now, or NULL (memory, or no id left). */
struct reini_clock *reini_clock_new_virtual(int64_t now);
void reini_clock_free_virtual(struct reini_clock *clock);
void reini_vclock_forked(void);
int64_t reini_vclock_next(struct reini_clock *clock); /* the instant of its next timer, or NEVER */
size_t reini_clock_advance_to(struct reini_clock *clock, int64_t when);

#endif
