/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/exec/test_pool.c: the pool grows when nobody gets on, and shrinks when nothing is to do. */
#include <dirent.h>
#include <rein.h>
#include <stdio.h>

#include "base/fault_control.h"
#include "call.h"
#include "expect.h"
#include "hold.h"
#include "race.h"
#include "suite.h"

/* How many threads of the library's have that name. */
static int threads_called(const char *name)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
        char path[320], comm[32] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "re");
        if (file && fgets(comm, sizeof comm, file))
            count += strncmp(comm, name, strlen(name)) == 0;
        if (file)
            fclose(file);
    }
    if (tasks)
        closedir(tasks);
    return count;
}

struct job {
    rein_job job;
    const rein_ctx *ctx;
    rein_ctx *to_cancel;
    struct race_count *count;
    struct race_flag *begun, *go_on;
};

static void run_parked(rein_job *job)
{
    struct job *is = (struct job *)job;
    race_add(is->count, 1);
    rein_wait(is->ctx);
    race_add(is->count, 1);
}

static void run_and_cancel(rein_job *job)
{
    struct job *is = (struct job *)job;
    rein_cancel(is->to_cancel);
    race_add(is->count, 1);
}

static void run_stuck(rein_job *job)
{
    struct job *is = (struct job *)job;
    race_set(is->begun);
    race_await(is->go_on);
    race_add(is->count, 1);
}

static void run_and_free(rein_job *job)
{
    struct job *is = (struct job *)job;
    race_set(is->go_on);
    race_add(is->count, 1);
}

/* A loop keeps the time and is never run, so that no stall timer fires: the pool grows by what it
 * sees alone. */
static rein_loop *without_timers(void)
{
    rein_loop *loop;
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    return loop;
}

static void come_to_rest(void)
{
    ck_assert_int_eq(rein_quiesce(), 0);
}

/* A job is posted while every worker is parked in rein, waiting for that very job: it runs. */
CASE(pool_grows_when_all_workers_are_parked, "CTX-63", "P-EXEC")
{
    enum { PARKED = 20 };
    static struct job parked[PARKED];
    struct race_count count = {0};
    rein_loop *loop = without_timers();
    rein_ctx *ctx = rein_with_cancel(rein_background());
    for (int i = 0; i < PARKED; i++) {
        parked[i] = (struct job){.job = {NULL, run_parked}, .ctx = ctx, .count = &count};
        ck_assert_int_eq(rein_post(rein_pool_executor(), &parked[i].job), 0);
    }
    race_await_value(&count, PARKED);
    struct job last = {.job = {NULL, run_and_cancel}, .to_cancel = ctx, .count = &count};
    ck_assert_int_eq(rein_post(rein_pool_executor(), &last.job), 0);
    race_await_value(&count, 2 * PARKED + 1);
    come_to_rest();
    rein_end(ctx);
    rein_loop_free(loop);
}

/* Jobs that sit in a system call of their own make no progress: after a while there is one more. */
CASE(pool_grows_when_it_stalls, "P-EXEC")
{
    struct race_count count = {0};
    struct race_flag begun = {0}, go_on = {0};
    struct job stuck = {
        .job = {NULL, run_stuck}, .count = &count, .begun = &begun, .go_on = &go_on};
    struct job freer = {.job = {NULL, run_and_free}, .count = &count, .go_on = &go_on};
    ck_assert_int_eq(rein_post(rein_pool_executor(), &stuck.job), 0);
    race_await(&begun);
    ck_assert_int_eq(rein_post(rein_pool_executor(), &freer.job), 0);
    race_await_value(&count, 2);
    come_to_rest();
}

/* Many after-funcs that wait for one another, on one context: the last frees all. */
struct chain {
    rein_ctx *ctx[64];
    rein_after after[64];
    struct race_count over;
};

struct link {
    struct chain *chain;
    int number;
};

static void wait_for_the_next(const rein_ctx *ctx, void *arg)
{
    struct link *link = arg;
    (void)ctx;
    if (link->number + 1 < 64)
        rein_wait(link->chain->ctx[link->number + 1]);
    rein_cancel(link->chain->ctx[link->number]);
    race_add(&link->chain->over, 1);
}

CASE(pool_after_funcs_that_wait_for_each_other, "CTX-63", "CTX-65", "P-EXEC")
{
    static struct chain chain;
    static struct link links[64];
    rein_ctx *start = rein_with_cancel(rein_background());
    for (int i = 0; i < 64; i++) {
        links[i] = (struct link){&chain, i};
        chain.ctx[i] = rein_with_cancel(rein_background());
    }
    for (int i = 0; i < 64; i++)
        ck_assert_int_eq(
            rein_after_func(start, &chain.after[i], NULL, wait_for_the_next, &links[i]), 0);
    rein_cancel(start);
    race_await_value(&chain.over, 64);
    come_to_rest();
    for (int i = 0; i < 64; i++)
        rein_end(chain.ctx[i]);
    rein_end(start);
}

static char any_thread[] = "rein-", any_worker[] = "rein-worker";

/* A thread that has been joined may be seen a moment longer. */
static bool none_is_called(void *name)
{
    return threads_called(name) == 0;
}

static bool one_is_called(void *name)
{
    return threads_called(name) == 1;
}

static void register_and_stop(void *ctx)
{
    rein_after after;
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), 0);
    ck_assert(rein_after_stop(&after));
}

/* A worker names itself: whoever starts it may be so slow that it has left by then. */
CASE(pool_workers_name_themselves, "P-EXEC")
{
    struct race_thread starter;
    struct hold hold = {.step = "thread-started"};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    hold_set(&hold);
    race_thread_start(&starter, 0, register_and_stop, ctx);
    hold_await(&hold);
    suite_until(one_is_called, any_worker);
    hold_release(&hold);
    race_thread_join(&starter);
    hold_clear();
    rein_end(ctx);
}

/* A worker is there as long as somebody has secured it, and leaves by itself when nothing is to
 * come. */
CASE_LONG(60, pool_idle_workers_leave, "P-EXEC", "P-GUEST")
{
    rein_after after;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), 0);
    /* Longer than an idle one lingers. */
    ck_assert_int_eq(rein_sleep(rein_background(), 1500 * REIN_MILLISECOND), 0);
    ck_assert_int_eq(threads_called("rein-worker"), 1);
    ck_assert(rein_after_stop(&after));
    rein_end(ctx);
    suite_until(none_is_called, any_worker);
}

struct quiescer {
    struct race_thread thread;
    int result;
};

static void quiesce(void *arg)
{
    ((struct quiescer *)arg)->result = rein_quiesce();
}

/* Quiesce on a thread of its own; returns when it waits, or has found that it need not. */
static void quiesce_apart(struct quiescer *is, struct hold *awaits)
{
    *awaits = (struct hold){.step = "pool-awaited"};
    *is = (struct quiescer){.result = 1};
    hold_set(awaits);
    race_thread_start(&is->thread, 0, quiesce, is);
    hold_await(awaits);
    hold_release(awaits);
}

/* Quiesce refuses while something is to come, and waits for what is running; the pool works on. */
CASE(pool_quiesce_while_busy, "P-EXEC", "P-ERRORS")
{
    rein_after after;
    struct race_count count = {0};
    struct race_flag begun = {0}, go_on = {0};
    struct quiescer quiescer;
    struct hold awaits;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), 0);
    ck_assert_int_eq(rein_quiesce(), -EBUSY);
    ck_assert(rein_after_stop(&after));
    struct job stuck = {
        .job = {NULL, run_stuck}, .count = &count, .begun = &begun, .go_on = &go_on};
    ck_assert_int_eq(rein_post(rein_pool_executor(), &stuck.job), 0);
    race_await(&begun);
    quiesce_apart(&quiescer, &awaits);
    ck_assert(!race_thread_over(&quiescer.thread));
    race_set(&go_on);
    race_thread_join(&quiescer.thread);
    hold_clear();
    ck_assert_int_eq(quiescer.result, 0);
    ck_assert_uint_eq(race_value(&count), 1);
    suite_until(none_is_called, any_thread);
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), 0); /* starts anew */
    rein_cancel(ctx);
    rein_after_stop_wait(&after);
    rein_end(ctx);
}

static void run_freeing(rein_job *job)
{
    struct job *is = (struct job *)job;
    race_set(is->go_on);
    race_add(is->count, 1);
}

/* A job that waits behind a stuck one gets its worker, and both are waited for. */
CASE(pool_quiesce_does_not_stall_what_is_queued, "P-EXEC", "P-ERRORS")
{
    struct race_count count = {0};
    struct race_flag begun = {0}, go_on = {0};
    struct job stuck = {
        .job = {NULL, run_stuck}, .count = &count, .begun = &begun, .go_on = &go_on};
    struct job freeing = {.job = {NULL, run_freeing}, .count = &count, .go_on = &go_on};
    ck_assert_int_eq(rein_post(rein_pool_executor(), &stuck.job), 0);
    race_await(&begun);
    ck_assert_int_eq(rein_post(rein_pool_executor(), &freeing.job), 0);
    ck_assert_int_eq(rein_quiesce(), 0);
    ck_assert_uint_eq(race_value(&count), 2);
}

/* The timer that watches for stalls is armed still when the last job is over, and the keeper, who
 * fires it just then, has nothing left: that is rest, and it leaves. */
CASE(pool_quiesce_as_the_watch_for_stalls_ends, "P-EXEC", "P-GUEST")
{
    struct race_count count = {0};
    struct race_flag begun = {0}, go_on = {0};
    struct quiescer quiescer;
    struct hold looks = {.step = "keeper-looks"}, fires = {.step = "fire"};
    struct hold sleeps = {.step = "keeper-sleeps", .skip = UINT32_MAX};
    struct hold awaits, asked = {.step = "quiesce-looks"};
    struct job stuck = {
        .job = {NULL, run_stuck}, .count = &count, .begun = &begun, .go_on = &go_on};
    struct job next = {.job = {NULL, run_freeing}, .count = &count, .go_on = &go_on};
    hold_set(&looks);
    hold_set(&fires);
    hold_set(&sleeps);
    hold_set(&asked);
    ck_assert_int_eq(rein_post(rein_pool_executor(), &stuck.job), 0);
    race_await(&begun);
    ck_assert_int_eq(rein_post(rein_pool_executor(), &next.job), 0);
    hold_await(&looks); /* the watch has begun */
    quiesce_apart(&quiescer, &awaits);
    race_set(&go_on);
    hold_await(&asked); /* the keeper could not leave */
    hold_release(&looks);
    hold_await(&fires);
    uint32_t slept = hold_seen(&sleeps);
    hold_release(&fires);
    hold_await_seen(&sleeps, slept + 1);
    hold_release(&asked);
    race_thread_join(&quiescer.thread);
    hold_clear();
    ck_assert_int_eq(quiescer.result, 0);
    ck_assert_uint_eq(race_value(&count), 2);
}

struct stayer {
    rein_job job; /* first: found from it */
    struct race_flag begun, registers, registered, go_on;
    rein_ctx *ctx;
    rein_after after;
    int result; /* of its own quiesce */
};

static void register_then_stay(rein_job *job)
{
    struct stayer *is = (struct stayer *)job;
    race_set(&is->begun);
    race_await(&is->registers);
    ck_assert_int_eq(rein_after_func(is->ctx, &is->after, NULL, do_nothing, NULL), 0);
    race_set(&is->registered);
    race_await(&is->go_on);
}

/* What is waited for registers an after-func: quiesce waits no longer. */
CASE(pool_quiesce_while_a_job_registers, "P-EXEC", "P-ERRORS")
{
    struct stayer is = {.job = {NULL, register_then_stay}};
    struct quiescer quiescer;
    struct hold awaits;
    is.ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_post(rein_pool_executor(), &is.job), 0);
    race_await(&is.begun);
    quiesce_apart(&quiescer, &awaits);
    race_set(&is.registers);
    race_thread_join(&quiescer.thread);
    ck_assert_int_eq(quiescer.result, -EBUSY);
    race_await(&is.registered); /* securing a worker for it was enough for quiesce */
    race_set(&is.go_on);
    hold_clear();
    ck_assert(rein_after_stop(&is.after));
    rein_end(is.ctx);
    come_to_rest();
}

/* A deadline has ended a context, and the keeper is about to hand its after-func over: that is not
 * registered any more, but under way. */
CASE(pool_quiesce_as_the_keeper_hands_over, "CTX-64", "P-EXEC", "P-ERRORS")
{
    rein_after after;
    struct quiescer quiescer = {.result = 1};
    struct hold fires, claims = {.step = "claimed"};
    struct hold awaits = {.step = "keeper-awaited", .skip = UINT32_MAX};
    rein_ctx *ctx = hold_expiry(&fires);
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), 0);
    hold_set(&claims);
    hold_set(&awaits);
    hold_release(&fires);
    hold_await(&claims);
    ck_assert_int_eq(rein_wait(ctx), -ETIMEDOUT);
    race_thread_start(&quiescer.thread, 0, quiesce, &quiescer);
    while (!race_thread_over(&quiescer.thread) && hold_seen(&awaits) == 0)
        suite_yield();
    hold_release(&claims);
    race_thread_join(&quiescer.thread);
    hold_clear();
    ck_assert_int_eq(quiescer.result, 0);
    ck_assert(!rein_after_stop_wait(&after));
    rein_end(ctx);
}

static void quiesce_inside(rein_job *job)
{
    struct stayer *is = (struct stayer *)job;
    race_set(&is->begun);
    race_await(&is->registers);
    is->result = rein_quiesce();
}

/* One that waits for a job, and that job itself: it is refused there, so neither waits for ever. */
CASE(pool_quiesce_inside_and_outside_at_once, "P-EXEC", "P-ERRORS")
{
    struct stayer is = {.job = {NULL, quiesce_inside}, .result = 1};
    struct quiescer quiescer;
    struct hold awaits;
    ck_assert_int_eq(rein_post(rein_pool_executor(), &is.job), 0);
    race_await(&is.begun);
    quiesce_apart(&quiescer, &awaits);
    race_set(&is.registers);
    race_thread_join(&quiescer.thread);
    hold_clear();
    ck_assert_int_eq(quiescer.result, 0);
    ck_assert_int_eq(is.result, -EBUSY);
}

static void quiesce_from_within(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    *(int *)arg = rein_quiesce();
}

/* From inside a job it refuses: the caller itself is running. */
CASE(pool_quiesce_from_inside_a_job, "P-EXEC", "P-ERRORS")
{
    rein_after after;
    int r = 1;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, quiesce_from_within, &r), 0);
    rein_cancel(ctx);
    ck_assert(!rein_after_stop_wait(&after));
    ck_assert_int_eq(r, -EBUSY);
    rein_end(ctx);
}

/* The first worker cannot be started: the registration is refused, nothing else has changed. */
CASE(pool_without_a_thread, "CTX-96", "P-EXEC", "P-ERRORS")
{
    rein_after after;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    reini_fault_fail_nth(1); /* of the thread's start */
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), -EAGAIN);
    reini_fault_fail_nth(0);
    ck_assert_int_eq(rein_quiesce(), 0);
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), 0);
    ck_assert(rein_after_stop(&after));
    rein_end(ctx);
}

/* A secured job runs even if no further thread can be started: by the one that was secured. */
CASE(pool_secured_jobs_need_no_more_threads, "CTX-96", "P-EXEC")
{
    enum { MANY = 50 };
    static rein_after after[MANY];
    struct race_count count = {0};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(rein_after_func(ctx, &after[i], NULL, do_nothing, &count), 0);
    reini_fault_fail_nth(1);
    rein_cancel(ctx);
    for (int i = 0; i < MANY; i++)
        ck_assert(!rein_after_stop_wait(&after[i]));
    reini_fault_fail_nth(0);
    rein_end(ctx);
}

/* ---- quiet and start, at the wrong moment ---- */

/* Somebody registers just as the idle workers are told that they may leave: quiesce does not wait
 * for the one that now stays. */
CASE(pool_quiesce_as_somebody_registers, "P-EXEC", "P-ERRORS")
{
    struct quiescer other = {.result = 1};
    struct hold dismisses = {.step = "strand-signal"};
    struct hold idles = {.step = "strand-sleep", .skip = UINT32_MAX};
    rein_after after;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    hold_set(&idles);
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), 0);
    ck_assert(rein_after_stop(&after)); /* there is a worker, with nothing to do */
    hold_await_seen(&idles, 1);
    hold_set(&dismisses);
    race_thread_start(&other.thread, 0, quiesce, &other);
    hold_await(&dismisses);
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), 0);
    hold_release(&dismisses);
    race_thread_join(&other.thread);
    ck_assert_int_eq(other.result, -EBUSY);
    hold_clear();
    ck_assert(rein_after_stop(&after));
    rein_end(ctx);
}

/* Two quiesce at once, and one of them joins the last worker: the other waits for that as well. */
CASE(pool_quiesce_while_another_joins, "P-EXEC", "P-GUEST")
{
    struct race_count count = {0};
    struct race_flag begun = {0}, go_on = {0};
    struct quiescer first = {.result = 1}, second = {.result = 1};
    struct hold awaits = {.step = "pool-awaited"}, joins = {.step = "pool-joins"};
    struct hold sleeps = {.step = "strand-sleep", .skip = UINT32_MAX};
    struct job stuck = {
        .job = {NULL, run_stuck}, .count = &count, .begun = &begun, .go_on = &go_on};
    ck_assert_int_eq(rein_post(rein_pool_executor(), &stuck.job), 0);
    race_await(&begun);
    hold_set(&awaits);
    hold_set(&joins);
    race_thread_start(&first.thread, 0, quiesce, &first);
    hold_await(&awaits);
    race_set(&go_on);
    race_thread_start(&second.thread, 0, quiesce, &second);
    hold_await(&joins);
    hold_set(&sleeps);
    hold_release(&awaits);
    while (!race_thread_over(&first.thread) && hold_seen(&sleeps) == 0)
        suite_yield();
    bool waited = hold_seen(&sleeps) > 0;
    hold_release(&joins);
    race_thread_join(&first.thread);
    race_thread_join(&second.thread);
    hold_clear();
    ck_assert_msg(waited, "it has returned while a thread was there");
    ck_assert_int_eq(first.result, 0);
    ck_assert_int_eq(second.result, 0);
}

struct registering {
    const rein_ctx *ctx;
    rein_after after;
    struct race_count ran;
    int result;
};

static void register_it(void *arg)
{
    struct registering *is = arg;
    is->result = rein_after_func(is->ctx, &is->after, NULL, count_call, &is->ran);
}

/* Nobody counts on a worker that is starting: it may fail to. */
CASE(pool_worker_that_fails_to_start_is_nobody_s, "CTX-96", "P-EXEC", "P-ERRORS")
{
    struct race_thread first, second;
    struct hold starts = {.step = "thread-start"};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct registering one = {.ctx = ctx, .result = 1}, two = {.ctx = ctx, .result = 1};
    hold_set(&starts);
    race_thread_start(&first, 0, register_it, &one);
    hold_await(&starts);
    race_thread_start(&second, 0, register_it, &two);
    for (int i = 0; i < 100; i++) /* it comes to that worker, or to wait for what becomes of it */
        suite_yield();
    reini_fault_fail_nth(1);
    hold_release(&starts);
    race_thread_join(&first);
    race_thread_join(&second);
    reini_fault_fail_nth(0);
    ck_assert_int_eq(one.result + two.result, -EAGAIN); /* whose thread it was, and nobody else */
    ck_assert_uint_eq(hold_seen(&starts), 2);           /* who was secured has started another */
    rein_cancel(ctx);
    struct registering *done = one.result == 0 ? &one : &two;
    race_await_value(&done->ran, 1);
    ck_assert(!rein_after_stop_wait(&done->after));
    hold_clear();
    rein_end(ctx);
}

static void run_followed(rein_job *job)
{
    hold_follow_me();
    run_parked(job);
}

static void post_it(void *job)
{
    ck_assert_int_eq(rein_post(rein_pool_executor(), job), 0);
}

/* There is one worker, and it is idle, so that it takes the next job, and no other starts. */
static void have_one_idle(struct hold *idles, rein_ctx *ctx)
{
    *idles = (struct hold){.step = "strand-sleep", .skip = UINT32_MAX};
    hold_set(idles);
    register_and_stop(ctx);
    hold_await_seen(idles, 1);
}

/* One of two idle workers stays for a job to come. When quiesce returns, the other has left. */
CASE(pool_quiesce_waits_for_those_that_may_leave, "P-EXEC", "P-GUEST", "P-ERRORS")
{
    rein_after after;
    struct race_count count = {0};
    struct hold idles, leaves = {.step = "worker-leaves", .skip = UINT32_MAX};
    struct hold sleeps = {.step = "strand-sleep", .skip = UINT32_MAX, .only_followed = true};
    struct hold stays[2] = {{.step = "worker-noted"}, {.step = "worker-noted"}}; /* two in turn */
    rein_ctx *ctx = rein_with_cancel(rein_background()), *end = rein_with_cancel(rein_background());
    struct job parked = {.job = {NULL, run_followed}, .ctx = end, .count = &count};
    struct job cancels = {.job = {NULL, run_and_cancel}, .to_cancel = end, .count = &count};
    have_one_idle(&idles, ctx);
    hold_set(&sleeps);
    post_it(&parked.job);
    hold_await_seen(&sleeps, 1);
    post_it(&cancels.job);
    hold_await_seen(&idles, 4); /* before its job, in it, after it; and so is the other */
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, do_nothing, NULL), 0);
    hold_set(&leaves);
    hold_set(&stays[0]);
    hold_set(&stays[1]);
    ck_assert_int_eq(rein_quiesce(), -EBUSY);
    ck_assert_uint_eq(hold_seen(&leaves), 1);
    hold_release(&stays[0]);
    hold_release(&stays[1]);
    hold_clear();
    ck_assert(rein_after_stop(&after));
    rein_end(ctx);
    rein_end(end);
}

/* Who starts a worker may be so slow that it has worked and left by then. That is not taken off
 * those who are there: the only one stays while a job is to come. */
CASE(pool_worker_stays_though_a_starter_is_late, "CTX-96", "P-EXEC")
{
    struct race_thread poster, registrant;
    struct race_count count = {0};
    struct hold idles[2],
        sleeps = {.step = "strand-sleep", .skip = UINT32_MAX, .only_followed = true};
    struct hold posts = {.step = "thread-started"}, registers = {.step = "thread-started"};
    rein_ctx *ctx = rein_with_cancel(rein_background()), *end = rein_with_cancel(rein_background());
    struct job parked = {.job = {NULL, run_followed}, .ctx = end, .count = &count};
    struct job cancels = {.job = {NULL, run_and_cancel}, .to_cancel = end, .count = &count};
    struct registering is = {.ctx = ctx, .result = 1};
    have_one_idle(&idles[0], ctx);
    hold_set(&sleeps);
    post_it(&parked.job);
    hold_await_seen(&sleeps, 1); /* all workers are parked: the next job gets another */
    hold_set(&posts);
    race_thread_start(&poster, 0, post_it, &cancels.job);
    hold_await(&posts);
    race_await_value(&count, 3);
    ck_assert_int_eq(rein_quiesce(), 0); /* both have left, and the poster is still starting one */
    hold_set(&registers);
    idles[1] = (struct hold){.step = "strand-sleep", .skip = UINT32_MAX};
    hold_set(&idles[1]);
    race_thread_start(&registrant, 0, register_it, &is);
    hold_await(&registers);
    hold_await_seen(&idles[1], 1); /* so is the registrant; its worker has nothing to do yet */
    ck_assert_int_eq(rein_quiesce(), -EBUSY);
    ck_assert_int_eq(rein_forbid_threads(), -EBUSY); /* a thread is running, for the job to come */
    hold_release(&registers);
    hold_release(&posts);
    race_thread_join(&registrant);
    race_thread_join(&poster);
    hold_clear();
    ck_assert_int_eq(is.result, 0);
    rein_cancel(ctx);
    race_await_value(&is.ran, 1);
    ck_assert(!rein_after_stop_wait(&is.after));
    rein_end(ctx);
    rein_end(end);
}

/* Storms of registrations, cancels and stops on the pool: nothing is lost, nothing runs twice. */
static struct race_count stormed, stopped;

static void count_it(const rein_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    race_add(&stormed, 1);
}

static void register_and_race(void *arg, unsigned index)
{
    (void)arg;
    uint64_t random = suite_seed() + index;
    for (size_t i = 0; i < suite_rounds(500); i++) {
        rein_after after;
        rein_ctx *ctx = rein_with_timeout(rein_background(),
                                          (rein_duration)(suite_random(&random) % 200000) + 1);
        ck_assert_int_eq(rein_after_func(ctx, &after, NULL, count_it, NULL), 0);
        if (suite_random(&random) % 2)
            rein_cancel(ctx);
        else if (suite_random(&random) % 2)
            rein_wait(ctx);
        race_add(&stopped, rein_after_stop_wait(&after));
        rein_end(ctx);
    }
}

CASE_LONG(60, pool_storm, "CTX-67", "P-EXEC")
{
    race_run(4, register_and_race, NULL);
    ck_assert_uint_eq(race_value(&stormed) + race_value(&stopped), 4 * suite_rounds(500));
}
