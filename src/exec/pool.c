/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* exec/pool.c: an elastic pool: the first worker starts when somebody secures a job, more when the
 * ones there cannot get on, and they leave when they have been idle for a while.
 *
 * Growing. A queued job gets a new thread at once when every worker is parked in rein, because such
 * a worker may be waiting for that very job; otherwise when no job has been taken for STALL, looked
 * at by a timer. If a thread cannot be started then, the job waits for a worker; there always is
 * one, for securing it was what could fail.
 *
 * Locking. mu guards everything in `pool`, and its workers. It is a leaf; threads are started, jobs
 * run and timers armed without it. `securing` is held while the first worker starts, so that nobody
 * counts on one that may yet fail to; it comes before mu. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"
#include "exec/exec.h"
#include "exec/jobs.h"
#include "plat/mutex.h"
#include "plat/plat.h"
#include "time/clock.h"
#include "time/instant.h"
#include "wait/lot.h"
#include "wait/strand.h"

static const int64_t LINGER = 1000000000; /* how long an idle worker stays */
static const int64_t STALL = 2000000;     /* without progress, before there is one more */

struct worker {
    struct park_observer observer;
    struct strand strand; /* signalled once when taken off the idle list */
    struct worker *next_idle;
    bool dismissed; /* by quiesce, which waits for it to leave, or to decide that it does not */
};

static int secure(rein_executor *executor);
static void forgo(rein_executor *executor);
static void post(rein_executor *executor, rein_job *job);
static bool stall_pin(struct timer *timer);
static void stall_fire(struct timer *timer);

static const struct timer_kind stall_kind = {stall_pin, stall_fire, NULL};
static rein_executor executor = {sizeof executor, "pool", secure, forgo, post};

static struct pool {
    reini_mutex securing;
    reini_mutex mu;
    struct jobs queued;
    struct worker *idle;    /* latest first, so that the others get to leave */
    uint32_t threads;       /* all that were started, or are about to be, and have not left */
    uint32_t workers;       /* of these, all but the leaving ones */
    uint32_t starting;      /* those that may fail to, or have left before who started them knew */
    uint32_t parked;        /* of these, in a job that is parked in rein */
    uint32_t running;       /* of these, in a job */
    size_t secured;         /* jobs still to come: one worker stays for them */
    uint64_t taken;         /* jobs taken so far: the measure of progress */
    uint64_t taken_before;  /* the same when the stall timer was armed */
    bool stalling;          /* the stall timer is armed, or firing */
    bool forbidden;
    uint32_t leaving;   /* how many are in quiesce: idle workers leave now */
    uint32_t dismissed; /* workers that have not yet taken note of it */
    uint32_t changes;   /* in what quiesce waits for; atomic for those asleep on it, by the lot */
    bool has_gone;      /* `gone` has left and is to be joined, by the next to leave or quiesce */
    uint32_t joining;   /* how many in quiesce have taken it, and are yet to join it */
    reini_thread gone;
    struct timer stall;
} pool;

static _Thread_local bool at_work; /* in a job */

rein_executor *rein_pool_executor(void)
{
    return &executor;
}

/* ---- parking ---- */

static bool wants_worker(void) HOLDING(pool.mu);
static bool wants_worker(void)
{
    return pool.queued.first && !pool.idle && pool.parked == pool.workers && !pool.forbidden;
}

static void work(void *arg);

static void count_in(void) HOLDING(pool.mu);
static void count_in(void)
{
    pool.threads++;
    pool.workers++;
    pool.starting++;
}

/* Unlock, and have quiesce look again: it has read `changes` under mu, so it is either yet to look,
 * or finds another number when it goes to sleep. */
static void unlock_changed(void) RELEASES(pool.mu);
static void unlock_changed(void)
{
    bool awaited = pool.leaving > 0;
    store_relaxed(&pool.changes, pool.changes + 1);
    mutex_unlock(&pool.mu);
    if (awaited)
        reini_lot_wake(&pool.changes);
}

/* A thread for the worker that has been counted in. Without mu. */
static int start_worker(void)
{
    reini_thread thread;
    int r = reini_thread_start(&thread, "rein-worker", work, NULL);
    mutex_lock(&pool.mu);
    pool.starting--;
    if (r < 0) {
        pool.workers--;
        pool.threads--;
    }
    unlock_changed();
    return r;
}

static void watch_for_stall(void);

/* Is it for the caller to watch_for_stall()? */
static bool begin_watch(void) HOLDING(pool.mu);
static bool begin_watch(void)
{
    if (pool.stalling)
        return false;
    pool.stalling = true;
    pool.taken_before = pool.taken;
    return true;
}

/* The same for a job that is queued already: if there can be no thread now, try again later. */
static void start_worker_for_job(void)
{
    if (start_worker() == 0)
        return;
    mutex_lock(&pool.mu);
    bool watch = begin_watch();
    mutex_unlock(&pool.mu);
    if (watch)
        watch_for_stall();
}

static void parking(struct park_observer *observer)
{
    (void)observer;
    mutex_lock(&pool.mu);
    pool.parked++;
    bool start = wants_worker();
    if (start)
        count_in();
    mutex_unlock(&pool.mu);
    if (start)
        start_worker_for_job();
}

static void resumed(struct park_observer *observer)
{
    (void)observer;
    mutex_lock(&pool.mu);
    pool.parked--;
    mutex_unlock(&pool.mu);
}

/* ---- workers ---- */

/* The next job, or NULL. */
static rein_job *take(void) HOLDING(pool.mu);
static rein_job *take(void)
{
    rein_job *job = jobs_take(&pool.queued);
    if (job) {
        pool.taken++;
        pool.running++;
    }
    return job;
}

/* Unlock, when it is decided that this worker does not leave now. Quiesce, if it asked, has its
 * answer: not sooner, or it would not wait for one that is about to leave. */
static void unlock_noted(struct worker *worker) RELEASES(pool.mu);
static void unlock_noted(struct worker *worker)
{
    if (!worker->dismissed) {
        mutex_unlock(&pool.mu);
        return;
    }
    worker->dismissed = false;
    pool.dismissed--;
    unlock_changed();
    STEP("worker-noted");
}

/* Be idle until signalled or LINGER is over; mu is let go for the wait. */
static void linger(struct worker *worker) HOLDING(pool.mu);
static void linger(struct worker *worker)
{
    reini_strand_init(&worker->strand);
    worker->next_idle = pool.idle;
    pool.idle = worker;
    unlock_noted(worker);
    bool signalled = reini_strand_wait(&worker->strand, 1, instant_add(reini_plat_now(), LINGER));
    mutex_lock(&pool.mu);
    struct worker **at = &pool.idle;
    while (!signalled && *at && *at != worker)
        at = &(*at)->next_idle;
    if (!signalled && *at) {
        *at = worker->next_idle;
    } else if (!signalled) { /* taken off meanwhile: its one signal is on the way */
        mutex_unlock(&pool.mu);
        reini_strand_wait(&worker->strand, 1, INT64_MAX);
        mutex_lock(&pool.mu);
    }
}

/* May this worker, which found no job after lingering, leave? */
static bool may_leave(void) HOLDING(pool.mu);
static bool may_leave(void)
{
    return !pool.queued.first && (pool.workers > pool.starting + 1 || pool.secured == 0);
}

static void leave(const struct worker *worker) RELEASES(pool.mu);
static void leave(const struct worker *worker)
{
    pool.dismissed -= worker->dismissed;
    pool.workers--; /* with may_leave(), so that the last one that is wanted does not leave too */
    bool join = pool.has_gone, dismissed = pool.leaving > 0;
    reini_thread before = pool.gone;
    pool.has_gone = dismissed;
    pool.gone = reini_thread_self();
    mutex_unlock(&pool.mu);
    STEP("worker-leaves");
    if (join)
        reini_thread_join(before);
    if (!dismissed)
        reini_thread_detach(reini_thread_self());
    /* Last, so that quiesce, which waits for 0, finds in `gone` the one still to be joined. */
    mutex_lock(&pool.mu);
    pool.threads--;
    unlock_changed();
}

static void work(void *arg)
{
    (void)arg;
    struct worker worker = {.observer = {parking, resumed}};
    uint16_t birth = reini_birth;
    mutex_lock(&pool.mu);
    for (bool lingered = false;;) {
        rein_job *job = take();
        if (job) {
            lingered = false;
            unlock_noted(&worker);
            reini_observe_parking(&worker.observer);
            at_work = true;
            job->run(job);
            at_work = false;
            if (birth != reini_birth) { /* the job has forked: the child's pool does not know us */
                reini_thread_detach(reini_thread_self());
                return;
            }
            reini_observe_parking(NULL);
            mutex_lock(&pool.mu);
            pool.running--;
        } else if ((lingered || pool.leaving > 0) && may_leave()) {
            leave(&worker);
            return;
        } else {
            linger(&worker);
            lingered = true;
        }
    }
}

/* ---- stalls ---- */

static bool stall_pin(struct timer *timer)
{
    (void)timer; /* static */
    return true;
}

/* Without mu, with `stalling` set by this thread. */
static void watch_for_stall(void)
{
    pool.stall.kind = &stall_kind;
    pool.stall.when = instant_add(reini_plat_now(), STALL);
    if (reini_clock_arm(&reini_real_clock, &pool.stall, &reini_not_over) == 0)
        return;
    mutex_lock(&pool.mu); /* no keeper: jobs wait for a worker, or for one to park */
    pool.stalling = false;
    mutex_unlock(&pool.mu);
}

static void stall_fire(struct timer *timer)
{
    (void)timer;
    mutex_lock(&pool.mu);
    bool stuck = pool.queued.first && !pool.idle;
    bool start = stuck && pool.taken == pool.taken_before && !pool.forbidden;
    if (start)
        count_in();
    pool.taken_before = pool.taken;
    pool.stalling = stuck;
    mutex_unlock(&pool.mu);
    if (start)
        start_worker();
    if (stuck)
        watch_for_stall();
}

/* With nothing queued, the watch would only keep the keeper. A job that came meanwhile has relied
 * on it. */
static void stop_watching(void)
{
    if (!reini_clock_disarm(&reini_real_clock, &pool.stall))
        return;
    mutex_lock(&pool.mu);
    bool watch = pool.queued.first && !pool.idle;
    pool.stalling = watch;
    mutex_unlock(&pool.mu);
    if (watch)
        watch_for_stall();
}

/* ---- the executor ---- */

/* Secure a job with a worker that is there for certain: it stays, may_leave(). */
static bool secure_with_a_worker(void)
{
    mutex_lock(&pool.mu);
    bool is_there = pool.workers > pool.starting;
    if (is_there)
        pool.secured++;
    unlock_changed();
    return is_there;
}

/* Under `securing`: with one that has to be started. */
static int secure_with_a_thread(void)
{
    mutex_lock(&pool.mu);
    bool may = !pool.forbidden;
    if (may) {
        pool.secured++; /* at once, or it could linger and leave before */
        count_in();
    }
    unlock_changed();
    int r = may ? start_worker() : -EAGAIN;
    if (may && r < 0)
        forgo(&executor);
    return r;
}

static int secure(rein_executor *unused)
{
    (void)unused;
    if (secure_with_a_worker())
        return 0;
    mutex_lock(&pool.securing);
    int r = secure_with_a_worker() ? 0 : secure_with_a_thread();
    mutex_unlock(&pool.securing);
    return r;
}

static void forgo(rein_executor *unused)
{
    (void)unused;
    mutex_lock(&pool.mu);
    pool.secured--;
    mutex_unlock(&pool.mu);
}

static void post(rein_executor *unused, rein_job *job)
{
    (void)unused;
    mutex_lock(&pool.mu);
    pool.secured--;
    jobs_add(&pool.queued, job);
    bool start = wants_worker();
    if (start)
        count_in();
    struct worker *idle = pool.idle;
    if (idle)
        pool.idle = idle->next_idle;
    bool watch = !idle && !start && begin_watch();
    mutex_unlock(&pool.mu);
    if (idle)
        reini_strand_signal(&idle->strand);
    if (start)
        start_worker_for_job();
    if (watch)
        watch_for_stall();
}

/* ---- the process ---- */

static bool is_busy(void) HOLDING(pool.mu);
static bool is_busy(void)
{
    return pool.secured > 0 || pool.queued.first || pool.running > 0;
}

/* Have all workers that are idle take note that they may leave. */
static void dismiss_idle(void) HOLDING(pool.mu);
static void dismiss_idle(void)
{
    struct worker *idle = pool.idle;
    pool.idle = NULL;
    for (struct worker *worker = idle; worker; worker = worker->next_idle, pool.dismissed++)
        worker->dismissed = true;
    mutex_unlock(&pool.mu);
    while (idle) {
        struct worker *worker = idle;
        idle = worker->next_idle; /* before the signal, after which it is gone */
        reini_strand_signal(&worker->strand);
    }
    mutex_lock(&pool.mu);
}

bool reini_pool_is_at_work(void)
{
    return at_work;
}

/* Is there a thread that will leave without anybody's doing? */
static bool is_coming_to_rest(bool wait) HOLDING(pool.mu);
static bool is_coming_to_rest(bool wait)
{
    bool busy = wait ? pool.secured > 0 : is_busy();
    return pool.dismissed > 0 || pool.joining > 0 || pool.threads > pool.workers ||
           (pool.threads > 0 && !busy);
}

/* Without mu, counted in: others that quiesce do not return before it has gone, either. */
static void join_for_all(reini_thread gone)
{
    STEP("pool-joins");
    reini_thread_join(gone);
    mutex_lock(&pool.mu);
    pool.joining--;
    unlock_changed();
}

int reini_pool_quiesce(bool wait)
{
    mutex_lock(&pool.mu);
    pool.leaving++;
    dismiss_idle();
    bool busy = is_busy();
    mutex_unlock(&pool.mu);
    if (!busy)
        stop_watching();
    mutex_lock(&pool.mu);
    while (is_coming_to_rest(wait)) {
        uint32_t seen = pool.changes;
        if (pool.idle && pool.secured == 0) { /* idle since, while something was to come */
            dismiss_idle();
            continue;
        }
        mutex_unlock(&pool.mu);
        STEP("pool-awaited");
        reini_lot_wait(&pool.changes, seen);
        mutex_lock(&pool.mu);
    }
    int r = is_busy() ? -EBUSY : 0;
    bool join = pool.has_gone;
    reini_thread gone = pool.gone;
    pool.has_gone = false;
    pool.joining += join;
    pool.leaving--;
    mutex_unlock(&pool.mu);
    if (join)
        join_for_all(gone);
    return r;
}

bool reini_pool_is_alive(void)
{
    mutex_lock(&pool.mu);
    bool alive = pool.threads > 0 || pool.stalling;
    mutex_unlock(&pool.mu);
    return alive;
}

int reini_pool_forbid(void)
{
    mutex_lock(&pool.mu);
    int r = pool.threads > 0 ? -EBUSY : 0;
    if (r == 0)
        pool.forbidden = true;
    mutex_unlock(&pool.mu);
    return r;
}

void reini_pool_forked(void)
{
    bool forbidden = pool.forbidden;
    reini_observe_parking(NULL); /* if a job forks, it is on no worker of the child's */
    at_work = false;
    pool = (struct pool){.forbidden = forbidden};
}
