/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* time/clock.c: arming, disarming and firing on a clock.
 *
 * Locking. clock->mu guards the queue and every timer in it. It is a leaf: nothing is locked,
 * fired or called while it is held, but for timer_kind.pin, which only counts, and driver.poke,
 * which only wakes. */
#include "time/clock.h"

#include "base/fault.h"
#include "time/instant.h"
#include "time/keeper.h"

struct reini_clock reini_real_clock;
static _Thread_local bool driving;

void reini_clock_init(struct reini_clock *clock, int64_t now)
{
    *clock = (struct reini_clock){.now = now, .sleeps_until = NEVER};
    reini_timerq_init(&clock->queue, now);
}

/* Before any other constructor of a program can derive a context. */
__attribute__((constructor(101))) static void begin(void)
{
    reini_clock_init(&reini_real_clock, reini_plat_now());
}

void reini_clock_forked(void)
{
    driving = false; /* if this thread was, it is an ordinary one of the child's */
    reini_clock_init(&reini_real_clock, reini_plat_now());
    reini_vclock_forked();
    reini_keeper_forked();
}

/* Under clock->mu, so that the driver is not taken away meanwhile: tell it about something due at
 * `when`, if that is sooner than it would look by itself. */
static void tell(struct reini_clock *clock, int64_t when)
{
    if (when >= clock->sleeps_until)
        return;
    clock->sleeps_until = when; /* the next, later one need not tell it again */
    if (clock->driver)
        clock->driver->poke(clock->driver);
}

/* Under clock->mu: whether it is a virtual one, and has not been moved to that instant yet. */
static bool virtually_comes(const struct reini_clock *clock, int64_t when)
{
    return clock->is_virtual && when > load_relaxed(&clock->now);
}

int reini_clock_arm(struct reini_clock *clock, struct timer *timer, const int32_t *over)
{
    int r = 0;
    STEP("arm");
    mutex_lock(&clock->mu);
    while (LIKELY(!over || load_relaxed(over) == 0)) {
        if (LIKELY(clock->driver != NULL) || virtually_comes(clock, timer->when)) {
            timerq_insert(&clock->queue, timer);
            tell(clock, timer->when);
            break;
        }
        if (clock->is_virtual) {
            r = 1;
            break;
        }
        mutex_unlock(&clock->mu);
        r = reini_keeper_start();
        if (r < 0)
            return r;
        mutex_lock(&clock->mu);
    }
    mutex_unlock(&clock->mu);
    return r;
}

bool reini_clock_disarm(struct reini_clock *clock, struct timer *timer)
{
    if (MISTAKE(timer_not_disarmed))
        return false;
    mutex_lock(&clock->mu);
    bool armed = timer->state == TIMER_ARMED;
    if (armed)
        timerq_remove(&clock->queue, timer);
    mutex_unlock(&clock->mu);
    return armed;
}

/* Whoever waits for an end looks again: under mu he has read `changes`, and found no end. */
static void unlock_changed(struct reini_clock *clock) RELEASES(clock->mu);
static void unlock_changed(struct reini_clock *clock)
{
    bool awaited = clock->awaiting > 0;
    store_relaxed(&clock->changes, clock->changes + 1);
    mutex_unlock(&clock->mu);
    if (awaited)
        reini_word_wake(&clock->changes, true);
}

void reini_clock_await_change(struct reini_clock *clock)
{
    uint32_t seen = clock->changes;
    clock->awaiting++;
    mutex_unlock(&clock->mu);
    reini_word_sleep(&clock->changes, seen, NEVER);
    mutex_lock(&clock->mu);
    clock->awaiting--;
    mutex_unlock(&clock->mu);
}

void reini_clock_expect(struct reini_clock *clock)
{
    mutex_lock(&clock->mu);
    clock->noticers++;
    mutex_unlock(&clock->mu);
}

void reini_clock_expect_no_more(struct reini_clock *clock)
{
    mutex_lock(&clock->mu);
    clock->noticers--;
    unlock_changed(clock);
}

void reini_clock_left(struct reini_clock *clock)
{
    mutex_lock(&clock->mu);
    clock->leaving--;
    unlock_changed(clock);
}

void reini_clock_defer(struct reini_clock *clock, struct deferred *first, struct deferred *last,
                       deferred_fn *run)
{
    mutex_lock(&clock->mu);
    if (UNLIKELY(!clock->driver && !clock->is_virtual)) {
        mutex_unlock(&clock->mu); /* it was a loop, and has been freed meanwhile */
        reini_keeper_start();     /* if that fails, they wait for the next driver */
        mutex_lock(&clock->mu);
    }
    last->next = NULL;
    if (clock->calls)
        clock->last_call->next = first; /* in the order of the instants */
    else
        clock->calls = first;
    clock->last_call = last;
    clock->run_calls = run;
    tell(clock, INT64_MIN);
    mutex_unlock(&clock->mu);
}

static void fire(struct timer *timer, struct list *fired)
{
    const struct timer_kind *kind = timer->kind; /* fire() is its end if it has no unpin() */
    STEP("fire");
    kind->fire(timer);
    if (kind->unpin)
        list_insert(fired, &timer->link);
}

/* After all marks, as the last release of a context may run anybody's code. */
static void unpin(struct list *fired)
{
    while (!list_empty(fired)) {
        struct timer *timer = CONTAINER_OF(list_take(fired), struct timer, link);
        timer->kind->unpin(timer);
    }
}

bool reini_clock_is_driving(void)
{
    return driving;
}

size_t reini_clock_fire(struct reini_clock *clock, int64_t now)
{
    struct list due, pinned, fired;
    list_init(&due);
    list_init(&pinned);
    list_init(&fired);
    size_t count = 0;
    uint16_t birth = reini_birth;
    mutex_lock(&clock->mu);
    clock->sleeps_until = INT64_MIN; /* awake: nobody need poke before the next settle */
    reini_timerq_take_due(&clock->queue, now, &due);
    while (!list_empty(&due)) {
        struct timer *timer = CONTAINER_OF(list_take(&due), struct timer, link);
        if (timer->kind->pin(timer))
            list_insert(&pinned, &timer->link);
        else
            timer->state = TIMER_IDLE; /* its owner is about to disarm it, and waits for mu */
    }
    clock->firing++;
    mutex_unlock(&clock->mu);

    for (; !list_empty(&pinned); count++)
        fire(CONTAINER_OF(list_take(&pinned), struct timer, link), &fired);
    bool nested = driving;
    driving = nested || !clock->is_virtual;
    unpin(&fired);
    mutex_lock(&clock->mu);
    struct deferred *calls = clock->calls;
    deferred_fn *run = clock->run_calls;
    clock->calls = NULL;
    clock->running += calls != NULL;
    if (birth == reini_birth) /* else one has forked, and in the child the clock began anew */
        clock->firing--;
    unlock_changed(clock);
    if (calls) {
        run(calls);
        mutex_lock(&clock->mu);
        if (birth == reini_birth) /* the same */
            clock->running--;
        unlock_changed(clock);
    }
    driving = nested;
    return count;
}

int64_t reini_clock_settle(struct reini_clock *clock)
{
    mutex_lock(&clock->mu);
    int64_t until = clock->calls ? INT64_MIN : reini_timerq_wake_at(&clock->queue);
    clock->sleeps_until = until;
    mutex_unlock(&clock->mu);
    return until;
}
