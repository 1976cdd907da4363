/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/calls/test_idioms.c: the three uses of an after-func that Go's documentation shows
 * (CTX-71). */
#include <poll.h>
#include <rein.h>
#include <rein/testing.h>
#include <sys/socket.h>
#include <unistd.h>

#include "expect.h"
#include "race.h"
#include "suite.h"

static const rein_reason why = REIN_REASON_INIT(-3, "why not");

/* ---- a condition variable ---- */

struct cond {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct race_count results;
    int waiting;
    const rein_clock *clock;
};

static void broadcast(const rein_ctx *ctx, void *arg)
{
    struct cond *is = arg;
    (void)ctx;
    pthread_mutex_lock(&is->mutex); /* so that the waiter is either before its check, or asleep */
    pthread_cond_broadcast(&is->cond);
    pthread_mutex_unlock(&is->mutex);
}

static void wait_on_cond(void *arg, unsigned index)
{
    struct cond *is = arg;
    rein_after after;
    (void)index;
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(is->clock), REIN_MILLISECOND);
    ck_assert_int_eq(rein_after_func(ctx, &after, NULL, broadcast, is), 0);
    pthread_mutex_lock(&is->mutex);
    __atomic_add_fetch(&is->waiting, 1, __ATOMIC_RELEASE);
    while (rein_err(ctx) == 0)
        pthread_cond_wait(&is->cond, &is->mutex);
    pthread_mutex_unlock(&is->mutex);
    race_add(&is->results, rein_err(ctx) == -ETIMEDOUT);
    rein_after_stop_wait(&after);
    rein_end(ctx);
}

static bool all_wait(void *arg)
{
    return __atomic_load_n(&((struct cond *)arg)->waiting, __ATOMIC_ACQUIRE) == 4;
}

static void advance(void *arg)
{
    struct cond *is = arg;
    suite_until(all_wait, is);
    rein_clock_advance((rein_clock *)(uintptr_t)is->clock, REIN_MILLISECOND);
}

/* Four waiters on one condition variable all return when their deadlines pass. */
CASE(ExampleAfterFunc_cond, "CTX-71")
{
    rein_clock *clock = suite_clock();
    struct cond is = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {0}, 0, clock};
    struct race_thread thread;
    race_thread_start(&thread, 0, advance, &is);
    race_run(4, wait_on_cond, &is);
    race_thread_join(&thread);
    ck_assert_uint_eq(race_value(&is.results), 4);
    rein_clock_free(clock);
}

/* ---- a blocked read ---- */

struct connection {
    int fd;
    rein_ctx *ctx;
    struct race_flag interrupted;
};

static void interrupt(const rein_ctx *ctx, void *arg)
{
    struct connection *is = arg;
    (void)ctx;
    shutdown(is->fd, SHUT_RD);
    race_set(&is->interrupted);
}

/* A read that blocks is interrupted by the end; if stop says false, stop_wait waits for the
 * callback, and afterwards the connection is nobody else's. */
CASE(ExampleAfterFunc_connection, "CTX-68", "CTX-71")
{
    int ends[2];
    char byte;
    rein_after after;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct connection is = {.fd = ends[0],
                            .ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND)};
    ck_assert_int_eq(rein_after_func(is.ctx, &after, NULL, interrupt, &is), 0);
    ck_assert_int_eq((int)read(is.fd, &byte, 1), 0);
    ck_assert(!rein_after_stop_wait(&after));
    ck_assert(race_is_set(&is.interrupted));
    expect_expired(is.ctx);
    rein_end(is.ctx);
    close(ends[0]);
    close(ends[1]);
}

/* ---- a merge by hand ---- */

static void pass_on(const rein_ctx *ctx, void *arg)
{
    rein_cancel_cause(arg, rein_cause(ctx));
}

/* A child of one that an after-func on the other cancels with the other's cause; and rein_merge,
 * which is the same in one call. */
CASE(ExampleAfterFunc_merge, "CTX-71", "CTX-36")
{
    rein_after after;
    rein_ctx *a = rein_with_cancel(rein_background()), *b = rein_with_cancel(rein_background());
    rein_ctx *by_hand = rein_with_cancel(a), *merged = rein_merge(a, b);
    ck_assert_int_eq(rein_after_func(b, &after, NULL, pass_on, by_hand), 0);
    rein_cancel_cause(b, &why);
    expect_end(merged, -ECANCELED, &why);
    ck_assert_int_eq(rein_wait(by_hand), -ECANCELED);
    expect_end(by_hand, -ECANCELED, &why);
    expect_live(a);
    ck_assert(!rein_after_stop_wait(&after));
    rein_end(merged);
    rein_end(by_hand);
    rein_end(b);
    rein_end(a);
}

/* The merged context's cancel is a stop and a cancel: afterwards the other's end changes
 * nothing. */
CASE(merge_by_hand_ends_with_a_stop, "CTX-66", "CTX-71")
{
    rein_after after;
    rein_ctx *a = rein_with_cancel(rein_background()), *b = rein_with_cancel(rein_background());
    rein_ctx *by_hand = rein_with_cancel(a);
    ck_assert_int_eq(rein_after_func(b, &after, NULL, pass_on, by_hand), 0);
    ck_assert(rein_after_stop(&after));
    rein_cancel(by_hand);
    rein_cancel_cause(b, &why);
    expect_canceled(by_hand);
    rein_end(by_hand);
    rein_end(b);
    rein_end(a);
}
