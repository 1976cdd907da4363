/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* exec/loop.c: jobs and deadlines on the thread of a program's own event loop.
 *
 * The program watches one descriptor, an epoll of two: `posted`, raised when the queue stops being
 * empty, and `alarm`, set to the earliest deadline while this loop drives the real clock.
 *
 * Locking. mu guards the queue and is a leaf. */
#include <rein/loop.h>

#include <errno.h>
#include <rein/exec.h>
#include <stdbool.h>

#include "base/atomic.h"
#include "base/attr.h"
#include "base/mem.h"
#include "base/panic.h"
#include "exec/jobs.h"
#include "plat/mutex.h"
#include "plat/plat.h"
#include "time/clock.h"
#include "time/keeper.h"

struct rein_loop {
    rein_executor executor;
    struct driver driver;
    int posted, alarm, all; /* descriptors, set once */
    bool keeps_time;        /* atomic */
    reini_mutex mu;
    struct jobs queued;
    size_t secured; /* jobs still to come */
};

static struct rein_loop *loop_of(rein_executor *executor)
{
    return CONTAINER_OF(executor, struct rein_loop, executor);
}

static int secure(rein_executor *executor)
{
    struct rein_loop *loop = loop_of(executor);
    mutex_lock(&loop->mu);
    loop->secured++;
    mutex_unlock(&loop->mu);
    return 0;
}

static void forgo(rein_executor *executor)
{
    struct rein_loop *loop = loop_of(executor);
    mutex_lock(&loop->mu);
    loop->secured--;
    mutex_unlock(&loop->mu);
}

static void post(rein_executor *executor, rein_job *job)
{
    struct rein_loop *loop = loop_of(executor);
    mutex_lock(&loop->mu);
    loop->secured--;
    if (!loop->queued.first)
        reini_event_raise(loop->posted); /* under mu: the loop may be freed once its job has run */
    jobs_add(&loop->queued, job);
    mutex_unlock(&loop->mu);
}

/* A timer sooner than the alarm, or a deferred call: from any thread. */
static void poke(struct driver *driver)
{
    struct rein_loop *loop = CONTAINER_OF(driver, struct rein_loop, driver);
    reini_event_raise(loop->posted);
}

static void close_all(struct rein_loop *loop)
{
    int fds[] = {loop->all, loop->alarm, loop->posted};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            reini_fd_close(fds[i]);
}

int rein_loop_new(rein_loop **ret_loop)
{
    struct rein_loop *loop = reini_alloc_zero(sizeof *loop);
    if (!loop)
        return -ENOMEM;
    loop->executor = (rein_executor){sizeof loop->executor, "loop", secure, forgo, post};
    loop->driver.poke = poke;
    loop->all = loop->alarm = -1;
    int r = loop->posted = reini_event_open(false);
    if (r >= 0)
        r = loop->alarm = reini_alarm_open();
    if (r >= 0)
        r = loop->all = reini_union_open((int[]){loop->posted, loop->alarm}, 2);
    if (r < 0) {
        close_all(loop);
        reini_free(loop);
        return r;
    }
    *ret_loop = loop;
    return 0;
}

void rein_loop_free(rein_loop *loop)
{
    if (!loop)
        return;
    mutex_lock(&loop->mu);
    bool busy = loop->queued.first || loop->secured > 0;
    mutex_unlock(&loop->mu);
    if (busy)
        reini_panic("loop-busy", "freed with jobs still to come", loop);
    if (load_acquire(&loop->keeps_time))
        reini_keeper_release(&loop->driver);
    close_all(loop);
    reini_free(loop);
}

int rein_loop_keep_time(rein_loop *loop)
{
    int r = reini_keeper_replace(&loop->driver);
    if (r < 0)
        return r;
    /* release: pairs with the acquires on the loop's own thread: the clock is driven by it by
     * now. */
    store_release(&loop->keeps_time, true);
    reini_event_raise(loop->posted); /* look once, in case timers were left by a loop before */
    return 0;
}

int rein_loop_fd(const rein_loop *loop)
{
    return loop->all;
}

rein_executor *rein_loop_executor(rein_loop *loop)
{
    return &loop->executor;
}

/* Run the jobs that were posted before this; what they post waits for the next turn, so that a job
 * that posts itself again cannot keep the program's loop. */
static int run_jobs(struct rein_loop *loop)
{
    int count = 0;
    uint16_t birth = reini_birth;
    mutex_lock(&loop->mu);
    struct jobs turn = loop->queued;
    loop->queued.first = NULL;
    mutex_unlock(&loop->mu);
    for (rein_job *job; birth == reini_birth && (job = jobs_take(&turn)); count++)
        job->run(job);
    return count;
}

int rein_loop_run(rein_loop *loop)
{
    int count = 0;
    uint16_t birth = reini_birth;
    reini_event_clear(loop->posted); /* before looking: what comes after raises it again */
    if (load_acquire(&loop->keeps_time)) { /* if not yet, `posted` is raised anew when it does */
        count += (int)reini_clock_fire(&reini_real_clock, reini_plat_now());
        if (birth != reini_birth)
            return count; /* a callback has forked: in the child the descriptors are the parent's */
        /* Not put off: how often a program's loop wakes is for the program to say. */
        int64_t until = reini_clock_settle(&reini_real_clock, AT_ONCE);
        if (until == AT_ONCE)
            reini_event_raise(loop->posted);
        else
            reini_alarm_set(loop->alarm, until);
    }
    return count + run_jobs(loop);
}
