/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* time/keeper.c: the one place that fires timers on the real clock: a thread of its own, which
 * starts with the first timer and leaves when there has been none for a while.
 *
 *     (none) --start()--> running --idle for LINGER, or quiesce()--> (none)
 *
 * Locking. `starting` serialises start, replace, quiesce and forbid; it is taken before the clock's
 * mu. The thread's coming and going is one fact: reini_real_clock.driver, which changes under all
 * locks of the clock; so a timer is armed either while the thread is there or before a new one is
 * started.
 *
 * The keeper is below the layer `wait`, so it sleeps on a word of its own: `pokes` counts the
 * reasons to look again, and is read before looking, so that none is lost. */
#include "time/keeper.h"

#include <errno.h>

#include "base/fault.h"
#include "time/instant.h"
#include "time/pace.h"

/* How long a thread with nothing to do stays: it costs nothing, and starting one costs 50 us. */
static const int64_t LINGER = 1000000000;

static void poke(struct driver *driver);

static struct driver keeper = {.poke = poke};
static reini_mutex starting;
static bool forbidden;       /* guarded by starting */
static reini_thread thread;  /* guarded by starting; the last that was started */
static uint32_t pokes;       /* atomic */
static uint32_t dismissed;   /* atomic; quiesce() has resigned for the thread: it is to leave */

static void poke(struct driver *driver)
{
    (void)driver;
    /* release: pairs with the acquire in keep(); what it is to find is there by now. */
    add_release(&pokes, 1);
    reini_word_wake(&pokes, false);
}

/* Who resigns for it sees it off: the thread itself, by needing no join; or quiesce(), by a join.
 * In the first case quiesce() waits until there is nothing left to do but to return. */
static bool leave(void)
{
    mutex_lock(&reini_real_clock.mu);
    /* Only when it is idle: what a callback arms, on the keeper's own thread, included. */
    bool resigned = reini_clock_resign(&reini_real_clock, &keeper);
    reini_real_clock.leaving += resigned;
    mutex_unlock(&reini_real_clock.mu);
    if (resigned) {
        STEP("keeper-leaves");
        reini_thread_detach(reini_thread_self());
        reini_clock_left(&reini_real_clock);
    }
    return resigned;
}

/* A disarmed timer does not wake the thread, for then every timeout that was not needed would cost
 * a system call. So it naps rather than sleep until a far instant, each time twice as long while
 * nothing happens: it finds out soon that there is nothing left, and hardly ever wakes for it. Nor
 * does it wake for each of many that fall due together, but at its pace. */
static void keep(void *arg)
{
    (void)arg;
    struct reini_clock *clock = &reini_real_clock;
    reini_thread_precise();
    uint16_t birth = reini_birth;
    struct pace pace = {INT64_MIN};
    int64_t nap = LINGER;
    bool napped = false; /* a whole nap long nobody poked and nothing was due */
    for (;;) {
        /* acquire: what was armed, or said, before a poke that is counted in `seen` is found below;
         * what comes later changes the word, and there is no sleep. */
        uint32_t seen = load_acquire(&pokes);
        STEP("keeper-looks");
        if (load_relaxed(&dismissed))
            return;
        int64_t now = reini_plat_now();
        pace_spend(&pace, now);
        size_t fired = reini_clock_fire(clock, now);
        if (birth != reini_birth) { /* a callback has forked: the child starts its own */
            reini_thread_detach(reini_thread_self());
            return;
        }
        int64_t until = reini_clock_settle(clock, pace_next(&pace));
        if (until == AT_ONCE)
            continue;
        if (fired > 0)
            napped = false;
        if (until == NEVER && napped && leave())
            return;
        nap = napped ? instant_add(nap, nap) : LINGER;
        int64_t wake = instant_add(reini_plat_now(), nap);
        STEP("keeper-sleeps");
        bool woken = reini_word_sleep(&pokes, seen, wake < until ? wake : until);
        napped = !woken && wake < until;
    }
}

static bool driven(void)
{
    mutex_lock(&reini_real_clock.mu);
    bool is = reini_real_clock.driver != NULL;
    mutex_unlock(&reini_real_clock.mu);
    return is;
}

int reini_keeper_start(void)
{
    int r = 0;
    mutex_lock(&starting);
    if (!driven()) {
        r = forbidden ? -EAGAIN : reini_thread_start(&thread, "rein-keeper", keep, NULL);
        if (r == 0) {
            /* Only now, as a timer may be armed as soon as there is a driver. The thread may have
             * settled already for an empty queue, so it is told to look again. */
            mutex_lock(&reini_real_clock.mu);
            reini_clock_set_driver(&reini_real_clock, &keeper);
            mutex_unlock(&reini_real_clock.mu);
            poke(&keeper);
        }
    }
    mutex_unlock(&starting);
    return r;
}

int reini_keeper_replace(struct driver *driver)
{
    mutex_lock(&starting);
    mutex_lock(&reini_real_clock.mu);
    int r = reini_real_clock.driver ? -EBUSY : 0;
    if (r == 0)
        reini_clock_set_driver(&reini_real_clock, driver);
    mutex_unlock(&reini_real_clock.mu);
    mutex_unlock(&starting);
    return r;
}

void reini_keeper_release(struct driver *driver)
{
    mutex_lock(&starting);
    mutex_lock(&reini_real_clock.mu);
    if (reini_real_clock.driver == driver)
        reini_clock_set_driver(&reini_real_clock, NULL);
    mutex_unlock(&reini_real_clock.mu);
    mutex_unlock(&starting);
}

/* Is there something that will be over without anybody's doing? */
static bool is_under_way(void) HOLDING(reini_real_clock.mu);
static bool is_under_way(void)
{
    const struct reini_clock *clock = &reini_real_clock;
    return clock->firing || clock->running || clock->noticers > 0 ||
           (clock->calls && clock->driver == &keeper);
}

void reini_keeper_await(void)
{
    mutex_lock(&reini_real_clock.mu);
    while (is_under_way()) {
        STEP("keeper-awaited");
        reini_clock_await_change(&reini_real_clock);
        mutex_lock(&reini_real_clock.mu);
    }
    mutex_unlock(&reini_real_clock.mu);
}

int reini_keeper_quiesce(bool wait)
{
    mutex_lock(&starting);
    mutex_lock(&reini_real_clock.mu);
    while (reini_real_clock.leaving > 0 || (wait && is_under_way())) {
        mutex_unlock(&starting); /* what is waited for may itself wait for somebody who needs it */
        STEP("keeper-awaited");
        reini_clock_await_change(&reini_real_clock);
        mutex_lock(&starting);
        mutex_lock(&reini_real_clock.mu);
    }
    bool resigned = reini_clock_resign(&reini_real_clock, &keeper);
    int r = reini_clock_is_idle(&reini_real_clock) ? 0 : -EBUSY;
    mutex_unlock(&reini_real_clock.mu);
    if (resigned) {
        store_relaxed(&dismissed, 1); /* published by the poke */
        poke(&keeper);
        STEP("keeper-dismissed");
        reini_thread_join(thread);
        store_relaxed(&dismissed, 0);
    }
    mutex_unlock(&starting);
    return r;
}

int reini_keeper_forbid(int (*also)(void))
{
    mutex_lock(&starting);
    mutex_lock(&reini_real_clock.mu);
    bool running = reini_real_clock.driver == &keeper || reini_real_clock.leaving > 0;
    mutex_unlock(&reini_real_clock.mu);
    int r = running ? -EBUSY : also();
    if (r == 0)
        forbidden = true;
    mutex_unlock(&starting);
    return r;
}

void reini_keeper_forked(void)
{
    starting = (reini_mutex){0};
    pokes = dismissed = 0;
}
