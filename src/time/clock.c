/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* time/clock.c: arming, disarming and firing on a clock.
 *
 * Locking. A shard's mu guards its timers; arming and disarming take no other lock. clock->mu
 * guards what is between the driver, those who put calls off, and those who wait for the driver.
 * The order is mu, then the shards' by number. Nothing is fired or called under any of them but
 * timer_kind.pin, which only counts, and driver.poke, which only wakes. The driver changes under
 * all of them: so under any one of them it stays what it is, and can be poked.
 *
 * No wake-up is lost. sleeps_until is raised by the driver alone, and lowered by whoever then pokes
 * it. settle() raises it to NEVER, looks at mu and at one shard after the other, and then lowers it
 * to what it has found. What was armed before it had a shard's lock there is found. Who arms after
 * that takes the lock after the driver, and so reads that NEVER or what was written later:
 *
 *   what settle() lowered it to       the driver comes by then of itself,
 *   what another has lowered it to    who pokes: the driver looks at all shards again,
 *   or AT_ONCE, of a later turn       at whose end the driver looks at all shards again.
 *
 * So the locks give all the order there has to be, and the word itself is relaxed. The same holds
 * for calls that are put off, under mu. */
#include "time/clock.h"

#include "base/fault.h"
#include "time/instant.h"
#include "time/keeper.h"

struct reini_clock reini_real_clock;
static struct shard real_shards[SHARDS];
static _Thread_local bool driving;
const int32_t reini_not_over = 0;

void reini_clock_init(struct reini_clock *clock, struct shard *shards, uint8_t count, int64_t now)
{
    *clock = (struct reini_clock){.shard_count = count, .now = now, .sleeps_until = NEVER};
    for (int i = 0; i < SHARDS; i++)
        clock->shards[i] = &shards[i % count];
    for (int i = 0; i < count; i++)
        shard_init(&shards[i], now);
}

/* Before any other constructor of a program can derive a context. */
__attribute__((constructor(101))) static void begin(void)
{
    reini_clock_init(&reini_real_clock, real_shards, SHARDS, reini_plat_now());
}

void reini_clock_forked(void)
{
    driving = false; /* if this thread was, it is an ordinary one of the child's */
    begin();
    reini_vclock_forked();
    reini_keeper_forked();
}

/* Under mu or a shard's, so that the driver is not taken away meanwhile. */
static COLD void poke(struct reini_clock *clock, int64_t when, int64_t until)
{
    while (when < until) {
        if (!cas_relaxed(&clock->sleeps_until, &until, when))
            continue;
        if (clock->driver)
            clock->driver->poke(clock->driver);
        return; /* what comes next, and is due later, need not poke again */
    }
}

/* The same: tell the driver about something due at `when`, if that is sooner than it would look by
 * itself. */
static inline void tell(struct reini_clock *clock, int64_t when)
{
    int64_t until = load_relaxed(&clock->sleeps_until);
    if (UNLIKELY(when < until))
        poke(clock, when, until);
}

/* Under the shard's mu: whether it is a virtual one, and has not been moved to that instant yet. */
static bool virtually_comes(const struct reini_clock *clock, int64_t when)
{
    return clock->is_virtual && when > load_relaxed(&clock->now);
}

/* Returns false if nobody would fire it: then it is not armed. */
static inline bool try_to_arm(struct reini_clock *clock, struct timer *timer, const int32_t *over)
{
    struct shard *shard = clock->shards[timer->shard];
    STEP("arm");
    mutex_lock(&shard->mu);
    bool needless = load_relaxed(over) != 0;
    bool fires = LIKELY(clock->driver != NULL) || virtually_comes(clock, timer->when);
    if (LIKELY(fires && !needless)) {
        timerq_insert(&shard->queue, timer);
        tell(clock, timer->when);
    }
    mutex_unlock(&shard->mu);
    return fires || needless;
}

static COLD int start_and_arm(struct reini_clock *clock, struct timer *timer, const int32_t *over)
{
    do {
        int r = clock->is_virtual ? 1 : reini_keeper_start();
        if (r != 0)
            return r;
    } while (!try_to_arm(clock, timer, over)); /* it has left already */
    return 0;
}

int reini_clock_arm(struct reini_clock *clock, struct timer *timer, const int32_t *over)
{
    return LIKELY(try_to_arm(clock, timer, over)) ? 0 : start_and_arm(clock, timer, over);
}

bool reini_clock_disarm(struct reini_clock *clock, struct timer *timer)
{
    if (MISTAKE(timer_not_disarmed))
        return false;
    struct shard *shard = clock->shards[timer->shard];
    mutex_lock(&shard->mu);
    bool armed = timer->state == TIMER_ARMED;
    if (armed)
        timerq_remove(&shard->queue, timer);
    mutex_unlock(&shard->mu);
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
    tell(clock, AT_ONCE);
    mutex_unlock(&clock->mu);
}

static struct timer *timer_of(struct list *link)
{
    return CONTAINER_OF(link, struct timer, link);
}

/* Take what is due out of a shard, pinned. */
static void take_due(struct shard *shard, int64_t now, struct list *due)
{
    list_init(due);
    mutex_lock(&shard->mu);
    reini_timerq_take_due(&shard->queue, now, due);
    for (struct list *link = due->next, *next; link != due; link = next) {
        struct timer *timer = timer_of(link);
        next = link->next;
        if (timer->kind->pin(timer))
            continue;
        list_remove(link);
        timer->state = TIMER_IDLE; /* its owner is about to disarm it, and waits for the lock */
    }
    mutex_unlock(&shard->mu);
}

/* The earliest of what was taken out of all shards, each list in order; NULL if nothing is left. Of
 * equal instants those of one shard, and so those of one thread, keep their order. */
static struct timer *take_earliest(struct list *due, int count)
{
    struct list *from = NULL;
    for (int i = 0; i < count; i++) {
        if (list_empty(&due[i]))
            continue;
        if (!from || (timer_of(due[i].next)->when < timer_of(from->next)->when &&
                      !MISTAKE(shard_after_shard)))
            from = &due[i];
    }
    return from ? timer_of(list_take(from)) : NULL;
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
        struct timer *timer = timer_of(list_take(fired));
        timer->kind->unpin(timer);
    }
}

bool reini_clock_is_driving(void)
{
    return driving;
}

size_t reini_clock_fire(struct reini_clock *clock, int64_t now)
{
    struct list due[SHARDS], fired;
    list_init(&fired);
    size_t count = 0;
    uint16_t birth = reini_birth;
    mutex_lock(&clock->mu);
    clock->firing++; /* before any is taken: to others a timer is either armed or firing */
    mutex_unlock(&clock->mu);
    store_relaxed(&clock->sleeps_until, AT_ONCE); /* awake: nobody need poke before it settles */
    for (int i = 0; i < clock->shard_count; i++)
        take_due(clock->shards[i], now, &due[i]);

    for (struct timer *timer; (timer = take_earliest(due, clock->shard_count)); count++)
        fire(timer, &fired);
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

/* ---- the driver ---- */

int64_t reini_clock_settle(struct reini_clock *clock, int64_t not_before)
{
    if (!MISTAKE(settles_unheard))
        store_relaxed(&clock->sleeps_until, NEVER); /* see the top for why it is not lost */
    mutex_lock(&clock->mu);
    int64_t until = clock->calls ? AT_ONCE : NEVER;
    mutex_unlock(&clock->mu);
    for (int i = 0; i < clock->shard_count; i++) {
        STEP("settle");
        struct shard *shard = clock->shards[i];
        mutex_lock(&shard->mu);
        int64_t wake_at = reini_timerq_wake_at(&shard->queue);
        mutex_unlock(&shard->mu);
        if (wake_at < until)
            until = wake_at;
    }
    STEP("settled");
    int64_t heard_before = until, unheard = NEVER;
    if (until != AT_ONCE && until < not_before) {
        until = not_before;
        heard_before = AT_ONCE + 1; /* calls alone: no timer is to come sooner */
    }
    cas_relaxed(&clock->sleeps_until, &unheard, heard_before); /* if not, it has been poked */
    return until;
}

static void lock_shards(struct reini_clock *clock) UNCHECKED_LOCKING
{
    for (int i = 0; i < clock->shard_count; i++)
        mutex_lock(&clock->shards[i]->mu);
}

static void unlock_shards(struct reini_clock *clock) UNCHECKED_LOCKING
{
    for (int i = 0; i < clock->shard_count; i++)
        mutex_unlock(&clock->shards[i]->mu);
}

/* Under the locks of all shards. */
static size_t count_armed(const struct reini_clock *clock)
{
    size_t armed = 0;
    for (int i = 0; i < (MISTAKE(one_shard_is_all) ? 1 : clock->shard_count); i++)
        armed += clock->shards[i]->queue.count;
    return armed;
}

/* Under all locks. */
static bool is_idle(const struct reini_clock *clock)
{
    return count_armed(clock) == 0 && !clock->firing && !clock->calls && !clock->running &&
           clock->noticers == 0;
}

/* Under all locks. */
static void set_driver(struct reini_clock *clock, struct driver *driver)
{
    clock->driver = driver;
    /* A new one looks once by itself. */
    store_relaxed(&clock->sleeps_until, driver ? AT_ONCE : NEVER);
}

size_t reini_clock_armed(struct reini_clock *clock)
{
    lock_shards(clock);
    size_t armed = count_armed(clock);
    unlock_shards(clock);
    return armed;
}

bool reini_clock_is_idle(struct reini_clock *clock)
{
    lock_shards(clock);
    bool idle = is_idle(clock);
    unlock_shards(clock);
    return idle;
}

void reini_clock_set_driver(struct reini_clock *clock, struct driver *driver)
{
    lock_shards(clock);
    set_driver(clock, driver);
    unlock_shards(clock);
}

bool reini_clock_resign(struct reini_clock *clock, const struct driver *driver)
{
    lock_shards(clock);
    bool resigns = clock->driver == driver && is_idle(clock);
    if (resigns)
        set_driver(clock, NULL);
    unlock_shards(clock);
    return resigns;
}
