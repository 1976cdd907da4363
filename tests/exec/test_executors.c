/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/exec/test_executors.c: the inline executor, serial ones, and one of the program's own. */
#include <rein.h>

#include "base/fault_control.h"
#include "call.h"
#include "core/check.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

/* ---- inline ---- */

/* On the inline executor an after-func runs on the canceller's stack, before cancel returns. */
CASE(inline_runs_on_the_canceller, "CTX-63", "P-EXEC")
{
    rein_after after;
    struct call is = {.err = 0};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func(ctx, &after, rein_inline_executor(), note, &is), 0);
    ck_assert_uint_eq(race_value(&is.runs), 0);
    rein_cancel(ctx);
    ck_assert_uint_eq(race_value(&is.runs), 1);
    ck_assert(pthread_equal(is.thread, pthread_self()));
    ck_assert_int_eq(is.err, -ECANCELED);
    ck_assert(!rein_after_stop(&after));
    rein_end(ctx);
}

/* ---- the program's own ---- */

struct own {
    rein_executor executor;
    int secured, forgone, posted, refuse;
    rein_job *job;
};

static int own_secure(rein_executor *executor)
{
    struct own *own = (struct own *)executor;
    if (own->refuse)
        return -EAGAIN;
    own->secured++;
    return 0;
}

static void own_forgo(rein_executor *executor)
{
    ((struct own *)executor)->forgone++;
}

static void own_post(rein_executor *executor, rein_job *job)
{
    struct own *own = (struct own *)executor;
    own->posted++;
    job->next = own->job;
    own->job = job;
}

static int own_run(struct own *own)
{
    int ran = 0;
    while (own->job) {
        rein_job *job = own->job;
        own->job = job->next;
        job->run(job);
        ran++;
    }
    return ran;
}

static struct own own_make(void)
{
    return (struct own){
        .executor = {sizeof(rein_executor), "own", own_secure, own_forgo, own_post}};
}

/* A program's own executor is asked to secure at registration, and gets the job at the end. */
CASE(own_executor_gets_the_job, "CTX-61", "CTX-63", "P-EXEC")
{
    struct own own = own_make();
    rein_after after;
    struct call is = {.err = 0};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func(ctx, &after, &own.executor, note, &is), 0);
    ck_assert_int_eq(own.secured, 1);
    ck_assert_int_eq(own.posted, 0);
    rein_cancel(ctx);
    ck_assert_int_eq(own.posted, 1);
    ck_assert_uint_eq(race_value(&is.runs), 0);
    ck_assert_int_eq(own_run(&own), 1);
    ck_assert_uint_eq(race_value(&is.runs), 1);
    ck_assert_int_eq(own.forgone, 0);
    rein_end(ctx);
}

/* Whatever becomes of a registration, each secured job is posted or forgone, exactly one of the
 * two: run, stopped, dropped with its context, run at once. */
CASE(own_executor_secures_are_settled, "CTX-66", "CTX-70", "P-EXEC")
{
    struct own own = own_make();
    rein_after after;
    struct call is = {.err = 0};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func(ctx, &after, &own.executor, note, &is), 0);
    ck_assert(rein_after_stop(&after));
    ck_assert_int_eq(own.forgone, 1);
    ck_assert(!rein_after_stop(&after) && !rein_after_stop_wait(&after));
    ck_assert_int_eq(own.forgone, 1);
    ck_assert_int_eq(rein_after_func(ctx, &after, &own.executor, note, &is), 0);
    rein_end(ctx); /* nobody else holds it: dropped */
    ck_assert_int_eq(own.forgone, 2);
    ck_assert_int_eq(own.posted, 0);
    ctx = rein_with_cancel(rein_background());
    rein_cancel(ctx);
    ck_assert_int_eq(rein_after_func(ctx, &after, &own.executor, note, &is), 0);
    ck_assert_int_eq(own.posted, 1);
    ck_assert_int_eq(own_run(&own), 1);
    rein_end(ctx);
    ck_assert_int_eq(own.secured, own.forgone + own.posted);
}

/* One that cannot secure refuses: nothing is registered, and drop is not called. */
CASE(own_executor_may_refuse, "CTX-70", "P-EXEC", "P-ERRORS")
{
    struct own own = own_make();
    own.refuse = 1;
    rein_after after;
    struct call is = {.err = 0};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    memset(&after, 0xA5, sizeof after);
    ck_assert_int_eq(rein_after_func_owned(ctx, &after, &own.executor, note, &is, note_drop),
                     -EAGAIN);
    ck_assert(!rein_after_stop(&after) && !rein_after_stop_wait(&after));
    ck_assert_int_eq(own.forgone, 0);
    ck_assert_uint_eq(reini_check_dependents(ctx), 0);
    ck_assert_uint_eq(reini_check_references(ctx), 1);
    rein_cancel(ctx);
    ck_assert_int_eq(rein_after_func_owned(ctx, &after, &own.executor, note, &is, note_drop),
                     -EAGAIN);
    ck_assert_int_eq(own.posted, 0);
    ck_assert_uint_eq(race_value(&is.runs) + race_value(&is.drops), 0);
    rein_end(ctx);
}

/* What is all zeros was never registered, and may be taken back. */
CASE(zeroed_registrations_may_be_taken_back, "CTX-66", "P-ERRORS")
{
    rein_after after = {{NULL}};
    rein_callback callback = {{NULL}};
    ck_assert(!rein_after_stop(&after) && !rein_after_stop_wait(&after));
    ck_assert(!rein_callback_remove(&callback));
}

/* secure and forgo may be NULL. */
CASE(own_executor_with_post_alone, "P-EXEC")
{
    struct own own = own_make();
    own.executor.secure = NULL;
    own.executor.forgo = NULL;
    rein_after after;
    struct call is = {.err = 0};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func(ctx, &after, &own.executor, note, &is), 0);
    ck_assert(rein_after_stop(&after));
    ck_assert_int_eq(rein_after_func(ctx, &after, &own.executor, note, &is), 0);
    rein_cancel(ctx);
    ck_assert_int_eq(own_run(&own), 1);
    rein_end(ctx);
}

/* Between claim and run, the job keeps its context: the owner may have given it back long ago. */
CASE(own_executor_job_holds_its_context, "CTX-64", "CTX-58")
{
    struct own own = own_make();
    rein_after after;
    struct call is = {.err = 0};
    rein_ctx *top = rein_with_cancel(rein_background()), *ctx = rein_with_cancel(top);
    ck_assert_int_eq(rein_after_func(ctx, &after, &own.executor, note, &is), 0);
    rein_cancel(top);
    rein_end(ctx);
    rein_end(top);
    ck_assert_int_eq(own_run(&own), 1);
    ck_assert_int_eq(is.err, -ECANCELED);
}

/* ---- posting ---- */

struct posted {
    rein_job job;
    int *log, *length, number;
};

static void log_it(rein_job *job)
{
    struct posted *is = (struct posted *)job;
    is->log[(*is->length)++] = is->number;
}

/* rein_post secures and posts; a refusal is passed on and nothing runs. */
CASE(post_secures_first, "P-EXEC", "P-ERRORS")
{
    struct own own = own_make();
    int log[4], length = 0;
    struct posted is = {{NULL, log_it}, log, &length, 1};
    own.refuse = 1;
    ck_assert_int_eq(rein_post(&own.executor, &is.job), -EAGAIN);
    ck_assert_int_eq(own.posted, 0);
    own.refuse = 0;
    ck_assert_int_eq(rein_post(&own.executor, &is.job), 0);
    own_run(&own);
    ck_assert_int_eq(length, 1);
    ck_assert_int_eq(rein_post(rein_inline_executor(), &is.job), 0);
    ck_assert_int_eq(length, 2);
}

/* ---- serial ---- */

enum { JOBS = 200 };

static bool all_done(void *length)
{
    return __atomic_load_n((int *)length, __ATOMIC_ACQUIRE) == JOBS;
}

static int running, overlaps;

static void log_alone(rein_job *job)
{
    struct posted *is = (struct posted *)job;
    overlaps += __atomic_fetch_add(&running, 1, __ATOMIC_ACQ_REL) != 0;
    is->log[*is->length] = is->number;
    __atomic_fetch_sub(&running, 1, __ATOMIC_ACQ_REL);
    __atomic_fetch_add(is->length, 1, __ATOMIC_ACQ_REL);
}

static rein_executor *serial_make(rein_executor *over)
{
    rein_executor *serial = rein_serial_new(over);
    ck_assert_ptr_nonnull(serial);
    return serial;
}

/* A serial executor runs its jobs one at a time and in the order they were posted. */
CASE(serial_keeps_the_order, "P-EXEC")
{
    static struct posted jobs[JOBS];
    static int log[JOBS], length;
    rein_executor *serial = serial_make(NULL);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct posted){{NULL, log_alone}, log, &length, i};
        ck_assert_int_eq(rein_post(serial, &jobs[i].job), 0);
    }
    suite_until(all_done, &length);
    for (int i = 0; i < JOBS; i++)
        ck_assert_int_eq(log[i], i);
    ck_assert_int_eq(overlaps, 0);
    rein_serial_free(serial);
}

static struct posted racing[JOBS];
static int racing_log[JOBS], racing_length;

static void post_a_share(void *arg, unsigned index)
{
    for (int i = (int)index * (JOBS / 4); i < (int)(index + 1) * (JOBS / 4); i++)
        ck_assert_int_eq(rein_post(arg, &racing[i].job), 0);
}

/* Posted to by four threads at once, still one at a time, each thread's in its order. */
CASE(serial_of_many_posters, "P-EXEC")
{
    rein_executor *serial = serial_make(rein_pool_executor());
    int last[4] = {-1, -1, -1, -1};
    for (int i = 0; i < JOBS; i++)
        racing[i] = (struct posted){{NULL, log_alone}, racing_log, &racing_length, i};
    race_run(4, post_a_share, serial);
    suite_until(all_done, &racing_length);
    for (int i = 0; i < JOBS; i++) {
        int poster = racing_log[i] / (JOBS / 4);
        ck_assert_int_lt(last[poster], racing_log[i]);
        last[poster] = racing_log[i];
    }
    ck_assert_int_eq(overlaps, 0);
    rein_serial_free(serial);
}

/* Over an executor of one's own: one turn is outstanding at a time, and secures are settled
 * below. */
CASE(serial_over_an_own_executor, "P-EXEC")
{
    struct own own = own_make();
    int log[3], length = 0;
    struct posted jobs[3];
    rein_executor *serial = serial_make(&own.executor);
    for (int i = 0; i < 3; i++) {
        jobs[i] = (struct posted){{NULL, log_it}, log, &length, i};
        ck_assert_int_eq(rein_post(serial, &jobs[i].job), 0);
    }
    ck_assert_int_eq(own.posted, 1);
    ck_assert_int_eq(own_run(&own), 3);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(log[i], i);
    ck_assert_int_eq(own.secured, own.posted + own.forgone);
    own.refuse = 1;
    ck_assert_int_eq(rein_post(serial, &jobs[0].job), -EAGAIN);
    rein_serial_free(serial);
}

/* Over the inline one, and a serial over a serial. */
CASE(serial_over_others, "P-EXEC")
{
    int log[4], length = 0;
    struct posted first = {{NULL, log_it}, log, &length, 1};
    rein_executor *below = serial_make(rein_inline_executor()), *above = serial_make(below);
    ck_assert_int_eq(rein_post(above, &first.job), 0);
    ck_assert_int_eq(length, 1);
    rein_serial_free(above);
    rein_serial_free(below);
    rein_serial_free(NULL);
}

struct last {
    rein_job job;
    rein_executor *serial;
    struct race_flag over;
};

static void free_from_within(rein_job *job)
{
    struct last *is = (struct last *)job;
    rein_serial_free(is->serial);
    race_set(&is->over);
}

/* Its own last job may free it. */
CASE(serial_freed_by_its_own_last_job, "P-EXEC")
{
    struct last is = {{NULL, free_from_within}, serial_make(NULL), {0}};
    ck_assert_int_eq(rein_post(is.serial, &is.job), 0);
    race_await(&is.over);
}

/* Without memory there is none. */
CASE(serial_without_memory, "CTX-96", "P-EXEC")
{
    reini_fault_fail_nth(1);
    ck_assert_ptr_null(rein_serial_new(NULL));
    reini_fault_fail_nth(0);
}

/* An after-func on a serial executor that is stopped gives its place back, so it can be freed. */
CASE(serial_stopped_after_funcs_leave_it_idle, "CTX-66", "P-EXEC")
{
    rein_after after;
    struct call is = {.err = 0};
    rein_executor *serial = serial_make(NULL);
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func(ctx, &after, serial, note, &is), 0);
    ck_assert(rein_after_stop(&after));
    ck_assert_int_eq(rein_after_func(ctx, &after, serial, note, &is), 0);
    rein_end(ctx);
    rein_serial_free(serial);
    ck_assert_uint_eq(race_value(&is.runs), 0);
}
