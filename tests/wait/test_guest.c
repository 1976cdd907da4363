/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/wait/test_guest.c: what no call may do to its caller: change errno, act on a pending
 * pthread_cancel(), or take a signal. */
#include <fcntl.h>
#include <rein.h>
#include <rein/testing.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault_control.h"
#include "call.h"
#include "expect.h"
#include "hold.h"
#include "race.h"
#include "suite.h"

REIN_KEY_DECLARE(number, int)
REIN_KEY_DEFINE(number, int)

static const rein_reason why = REIN_REASON_INIT(-3, "why not");

/* An errno that no system call sets. */
enum { MINE = 12345 };

#define KEEPS(call)                                                                              \
    do {                                                                                         \
        errno = MINE;                                                                            \
        __typeof__(call) unused_ = (call);                                                       \
        (void)unused_;                                                                           \
        ck_assert_msg(errno == MINE, "%s set errno to %d", #call, errno);                        \
    } while (0)
#define KEEPS_VOID(call)                                                                         \
    do {                                                                                         \
        errno = MINE;                                                                            \
        call;                                                                                    \
        ck_assert_msg(errno == MINE, "%s set errno to %d", #call, errno);                        \
    } while (0)
#define KEEPS_R(expected, call)                                                                  \
    do {                                                                                         \
        errno = MINE;                                                                            \
        int r_ = (call);                                                                         \
        ck_assert_msg(errno == MINE, "%s set errno to %d", #call, errno);                        \
        ck_assert_int_eq(r_, (expected));                                                        \
    } while (0)

/* ---- errno ---- */

/* Asking and deriving. */
CASE(guest_errno_is_kept_by_asking_and_deriving, "P-ERRNO")
{
    char text[300];
    rein_time when;
    struct rein_event event;
    rein_ctx *ctx;
    KEEPS(ctx = rein_with_timeout_cause(rein_background(), REIN_HOUR, &why));
    rein_ctx *other = rein_with_cancel(ctx), *third;
    const rein_ctx *value;
    KEEPS(value = number_with(other, 1));
    KEEPS(rein_check(value));
    KEEPS(rein_deadline(value, &when));
    KEEPS(rein_remaining(value));
    KEEPS(number_of(value, 0));
    KEEPS(rein_event(value, &event));
    KEEPS(rein_explain(value, text, sizeof text));
    KEEPS(rein_describe(value, text, sizeof text));
    KEEPS(rein_describe(value, NULL, 0));
    KEEPS(rein_strerror(-EBADF));
    KEEPS(rein_strerror(-4000));
    KEEPS(rein_now(ctx));
    KEEPS(rein_from_wall((struct timespec){1, 0}));
    KEEPS(third = rein_merge(value, ctx));
    KEEPS_VOID(rein_end(third));
    KEEPS(third = rein_detach(value, rein_background(), REIN_HOUR));
    KEEPS_VOID(rein_end(third));
    KEEPS(third = rein_with_timeout(value, 0));
    KEEPS_VOID(rein_end(third));
    KEEPS_VOID(rein_cancel_causef(other, -5, "because of %s", "this"));
    KEEPS(rein_explain(value, text, sizeof text));
    KEEPS(rein_event(value, &event));
    KEEPS_VOID(rein_unref(value));
    KEEPS_VOID(rein_end(other));
    KEEPS_VOID(rein_end(ctx));
}

/* Blocking, successful or not. */
CASE(guest_errno_is_kept_by_blocking_calls, "P-ERRNO", "P-WAIT")
{
    int ends[2], fd;
    ck_assert_int_eq(pipe(ends), 0);
    struct pollfd poller = {.fd = ends[0], .events = POLLIN};
    rein_case cases[] = {REIN_CASE_FD(ends[0], POLLIN)};
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    KEEPS_R(-ETIMEDOUT, rein_poll(ctx, &poller, 1));
    KEEPS_R(-ETIMEDOUT, rein_wait(ctx));
    rein_end(ctx);
    ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    KEEPS_R(-ETIMEDOUT, rein_wait_any(ctx, cases, 1));
    rein_end(ctx);
    ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    KEEPS_R(-ETIMEDOUT, rein_wait(ctx));
    rein_end(ctx);
    ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    KEEPS_R(0, rein_sleep(ctx, REIN_MILLISECOND));
    KEEPS_R(0, rein_done_fd(ctx, &fd));
    KEEPS_R(-E2BIG, rein_poll(ctx, &poller, 17));
    KEEPS_R(-EINVAL, rein_poll(ctx, none(), 1));
    cases[0].fd = -1;
    KEEPS_R(-EINVAL, rein_wait_any(ctx, cases, 1));
    poller.fd = 5000; /* not open: poll would say so by POLLNVAL */
    KEEPS_R(1, rein_poll(ctx, &poller, 1));
    KEEPS_VOID(rein_cancel(ctx));
    KEEPS_R(-ECANCELED, rein_wait(ctx));
    rein_end(ctx);
    close(ends[0]);
    close(ends[1]);
}

/* Executors, loops, the library; starting threads and letting them go. */
CASE(guest_errno_is_kept_by_executors_and_loops, "P-ERRNO", "P-EXEC")
{
    rein_loop *loop;
    rein_after after;
    rein_callback callback;
    rein_clock *clock;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    KEEPS_R(0, rein_after_func(ctx, &after, NULL, do_nothing, NULL));
    KEEPS(rein_callback_add(ctx, &callback, do_nothing, NULL));
    KEEPS(rein_callback_remove(&callback));
    KEEPS_VOID(rein_cancel(ctx));
    KEEPS(rein_after_stop_wait(&after));
    rein_end(ctx);
    KEEPS_R(0, rein_loop_new(&loop));
    KEEPS(rein_loop_run(loop));
    KEEPS_VOID(rein_loop_free(loop));
    rein_executor *serial;
    KEEPS(serial = rein_serial_new(NULL));
    KEEPS_VOID(rein_serial_free(serial));
    KEEPS(clock = rein_clock_new());
    ck_assert_ptr_nonnull(clock);
    ctx = rein_with_timeout(rein_clock_root(clock), REIN_HOUR);
    KEEPS(rein_clock_advance(clock, REIN_HOUR));
    rein_end(ctx);
    KEEPS_VOID(rein_clock_free(clock));
    KEEPS(rein_leaks_print(-1));
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    ctx = rein_with_cancel(rein_background());
    KEEPS(rein_leaks_print(null));
    close(null);
    KEEPS(rein_leaks_print(null)); /* not open any more */
    rein_end(ctx);
    rein_duration d;
    KEEPS_R(-EINVAL, rein_parse_duration("x", &d));
    KEEPS_R(-ERANGE, rein_parse_duration("9999999h", &d));
    KEEPS(rein_quiesce());
}

/* And on every way out when memory is short. */
static rein_ctx *derived;

CASE(guest_errno_is_kept_without_memory, "P-ERRNO", "CTX-96")
{
    int fd;
    rein_loop *loop;
    rein_ctx *ctx = rein_with_cancel(rein_background());
#define WITHOUT_MEMORY(check, call)                                                              \
    do {                                                                                         \
        reini_fault_fail_nth(1);                                                                 \
        check(call);                                                                             \
        reini_fault_fail_nth(0);                                                                 \
    } while (0)
    WITHOUT_MEMORY(KEEPS, derived = rein_with_cancel(ctx));
    WITHOUT_MEMORY(KEEPS, derived = rein_with_timeout(ctx, REIN_HOUR));
    WITHOUT_MEMORY(KEEPS, derived = rein_merge(ctx, ctx));
    WITHOUT_MEMORY(KEEPS, rein_without_cancel(ctx));
    WITHOUT_MEMORY(KEEPS, number_with(ctx, 3));
    WITHOUT_MEMORY(KEEPS, rein_done_fd(ctx, &fd));
    WITHOUT_MEMORY(KEEPS, rein_loop_new(&loop));
    WITHOUT_MEMORY(KEEPS, rein_serial_new(NULL));
    WITHOUT_MEMORY(KEEPS, rein_clock_new());
    WITHOUT_MEMORY(KEEPS, rein_reason_new(1, "text", NULL, NULL));
    WITHOUT_MEMORY(KEEPS_VOID, rein_cancel_causef(ctx, -1, "a reason that %s", "cannot be made"));
    rein_end(ctx);
}

/* And without descriptors. */
CASE(guest_errno_is_kept_without_descriptors, "P-ERRNO")
{
    int fd, ends[2];
    rein_loop *loop;
    struct rlimit before, none_left;
    ck_assert_int_eq(pipe(ends), 0);
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    struct pollfd poller = {.fd = ends[0], .events = POLLIN};
    rein_case cases[] = {REIN_CASE_FD(ends[0], POLLIN)};
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none_left = before;
    none_left.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    KEEPS_R(-EMFILE, rein_done_fd(ctx, &fd));
    KEEPS_R(-EMFILE, rein_poll(ctx, &poller, 1));
    KEEPS_R(-EMFILE, rein_wait_any(ctx, cases, 1));
    KEEPS_R(-EMFILE, rein_loop_new(&loop));
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    rein_end(ctx);
    close(ends[0]);
    close(ends[1]);
}

/* ---- pthread_cancel ---- */

struct uncancelled {
    int wrong;            /* the first line that did not find what it expected */
    uint32_t got_through; /* atomic */
    int ends[2];
    struct race_flag begun, go_on, cancel_now;
    rein_ctx *to_cancel;
};

/* Check's assertions write to its pipe, and are cancellation points themselves. */
#define EXPECT(cond) (is->wrong = (cond) || is->wrong ? is->wrong : __LINE__)

static void until_told(const rein_ctx *ctx, void *arg)
{
    struct uncancelled *is = arg;
    (void)ctx;
    race_set(&is->begun);
    race_await(&is->go_on);
}

static void wait_in_every_way(struct uncancelled *is)
{
    struct pollfd poller = {.fd = is->ends[0], .events = POLLIN};
    rein_case cases[] = {REIN_CASE_FD(is->ends[0], POLLIN)};
    for (int way = 0; way < 5; way++) {
        rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
        int r = way == 0   ? rein_wait(ctx)
                : way == 1 ? rein_sleep(ctx, REIN_HOUR)
                : way == 2 ? rein_poll(ctx, &poller, 1)
                : way == 3 ? rein_wait_any(ctx, cases, 1)
                           : rein_wait_any(ctx, NULL, 0);
        EXPECT(r == -ETIMEDOUT);
        rein_end(ctx);
    }
    EXPECT((rein_sleep(rein_background(), REIN_MILLISECOND)) == 0);
}

static void cancel_the_other(void *arg)
{
    struct uncancelled *is = arg;
    race_await(&is->cancel_now);
    rein_cancel(is->to_cancel);
}

static void use_calls(struct uncancelled *is)
{
    rein_after after;
    rein_callback callback;
    char text[200];
    rein_ctx *ctx = rein_with_cancel(rein_background());
    EXPECT((rein_after_func(ctx, &after, NULL, until_told, is)) == 0);
    rein_cancel_causef(ctx, -4, "enough %d", 1);
    race_await(&is->begun);
    race_set(&is->go_on);
    EXPECT(!rein_after_stop_wait(&after));
    EXPECT((rein_explain(ctx, text, sizeof text)) > 0);
    EXPECT((rein_describe(ctx, text, sizeof text)) > 0);
    rein_end(ctx);
    is->begun = is->go_on = (struct race_flag){0};
    ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    EXPECT(rein_callback_add(ctx, &callback, until_told, is));
    is->to_cancel = rein_share(ctx);
    race_set(&is->cancel_now);
    race_await(&is->begun);
    race_set(&is->go_on);
    EXPECT(!rein_callback_remove(&callback));
    EXPECT((rein_describe(ctx, text, sizeof text)) > 0);
    rein_leaks_print(is->ends[1]);
    rein_end(ctx);
    rein_quiesce();
}

static void *run_with_a_cancel_pending(void *arg)
{
    struct uncancelled *is = arg;
    pthread_cancel(pthread_self()); /* deferred: acted on at the next cancellation point */
    wait_in_every_way(is);
    use_calls(is);
    __atomic_store_n(&is->got_through, 1, __ATOMIC_RELEASE);
    pthread_testcancel();
    return NULL;
}

/* No call of rein's is a cancellation point: a thread that is to be cancelled comes through all of
 * them, and goes only at a point of its own. */
CASE(guest_no_call_is_a_cancellation_point, "P-GUEST", "P-WAIT")
{
    struct uncancelled is = {.wrong = 0};
    struct race_thread canceller;
    pthread_t thread;
    void *result;
    ck_assert_int_eq(pipe(is.ends), 0);
    race_thread_start(&canceller, 0, cancel_the_other, &is);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_with_a_cancel_pending, &is), 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    race_thread_join(&canceller);
    rein_end(is.to_cancel);
    ck_assert_int_eq(is.wrong, 0);
    ck_assert_uint_eq(__atomic_load_n(&is.got_through, __ATOMIC_ACQUIRE), 1);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    close(is.ends[0]);
    close(is.ends[1]);
}

/* ---- signals ---- */

/* All but KILL, STOP, and the two that libc keeps for itself, are blocked on the calling thread. */
static void count_if_all_blocked(const rein_ctx *ctx, void *arg)
{
    sigset_t blocked;
    (void)ctx;
    bool all = pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0;
    for (int signal = 1; signal <= SIGRTMAX; signal++) {
        bool can_be = signal != SIGKILL && signal != SIGSTOP && (signal < 32 || signal >= SIGRTMIN);
        all = all && (!can_be || sigismember(&blocked, signal) == 1);
    }
    race_add(arg, all ? 1 : 1000);
}

/* The library's threads, the keeper and the pool's, take no signal of the program's. */
CASE(guest_threads_have_all_signals_blocked, "P-GUEST")
{
    struct race_count blocked = {0};
    struct hold expiry;
    rein_callback on_keeper;
    rein_after on_worker;
    rein_ctx *ctx = hold_expiry(&expiry);
    ck_assert(rein_callback_add(ctx, &on_keeper, count_if_all_blocked, &blocked));
    ck_assert_int_eq(rein_after_func(ctx, &on_worker, NULL, count_if_all_blocked, &blocked), 0);
    hold_release(&expiry);
    race_await_value(&blocked, 2);
    rein_callback_remove(&on_keeper);
    ck_assert(!rein_after_stop_wait(&on_worker));
    ck_assert_uint_eq(race_value(&blocked), 2);
    hold_clear();
    rein_end(ctx);
}
