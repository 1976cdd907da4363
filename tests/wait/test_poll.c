/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/wait/test_poll.c: rein_poll. */
#include <fcntl.h>
#include <rein.h>
#include <rein/testing.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault_control.h"
#include "core/check.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

enum { MOST = 16 };

static void pipes_open(int (*pipes)[2], int n)
{
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(pipe(pipes[i]), 0);
}

static void pipes_close(int (*pipes)[2], int n)
{
    for (int i = 0; i < n; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
}

static void put_byte(int fd)
{
    ck_assert_int_eq((int)write(fd, "x", 1), 1);
}

struct polling {
    const rein_ctx *ctx;
    struct pollfd fds[MOST];
    size_t n;
    int result;
};

static void poll_them(void *arg)
{
    struct polling *is = arg;
    is->result = rein_poll(is->ctx, is->fds, is->n);
}

static bool has_dependents(void *arg)
{
    return reini_check_dependents(arg) > 0;
}

/* What is ready already is told at once: all of it, and the events of the others cleared. */
CASE(poll_tells_what_is_ready, "P-WAIT")
{
    int pipes[3][2];
    pipes_open(pipes, 3);
    put_byte(pipes[1][1]);
    struct pollfd fds[] = {{.fd = pipes[0][0], .events = POLLIN, .revents = 9},
                           {.fd = pipes[1][0], .events = POLLIN},
                           {.fd = pipes[2][1], .events = POLLOUT},
                           {.fd = -1, .events = POLLIN, .revents = 9}};
    ck_assert_int_eq(rein_poll(rein_background(), fds, 4), 2);
    ck_assert_int_eq(fds[0].revents, 0);
    ck_assert_int_eq(fds[1].revents, POLLIN);
    ck_assert_int_eq(fds[2].revents, POLLOUT);
    ck_assert_int_eq(fds[3].revents, 0);
    pipes_close(pipes, 3);
}

/* It blocks until one of up to 16 becomes ready, whichever. */
CASE(poll_blocks_until_one_is_ready, "P-WAIT")
{
    int pipes[MOST][2];
    pipes_open(pipes, MOST);
    rein_ctx *ctx = rein_with_cancel(rein_background());
    for (int chosen = 0; chosen < MOST; chosen += 5) {
        struct race_thread thread;
        struct polling is = {.ctx = ctx, .n = MOST};
        char byte;
        for (int i = 0; i < MOST; i++)
            is.fds[i] = (struct pollfd){.fd = pipes[i][0], .events = POLLIN};
        race_thread_start(&thread, 0, poll_them, &is);
        suite_until(has_dependents, ctx);
        ck_assert(!race_thread_over(&thread));
        put_byte(pipes[chosen][1]);
        race_thread_join(&thread);
        ck_assert_int_eq(is.result, 1);
        for (int i = 0; i < MOST; i++)
            ck_assert_int_eq(is.fds[i].revents, i == chosen ? POLLIN : 0);
        ck_assert_int_eq((int)read(pipes[chosen][0], &byte, 1), 1);
        ck_assert_uint_eq(reini_check_dependents(ctx), 0);
    }
    rein_end(ctx);
    pipes_close(pipes, MOST);
}

/* A cancel ends it, and revents are untouched. */
CASE(poll_is_ended_by_cancel, "CTX-11", "P-WAIT")
{
    int pipes[1][2];
    pipes_open(pipes, 1);
    struct race_thread thread;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct polling is = {.ctx = ctx, .n = 1};
    is.fds[0] = (struct pollfd){.fd = pipes[0][0], .events = POLLIN, .revents = 77};
    race_thread_start(&thread, 0, poll_them, &is);
    suite_until(has_dependents, ctx);
    rein_cancel(ctx);
    race_thread_join(&thread);
    ck_assert_int_eq(is.result, -ECANCELED);
    ck_assert_int_eq(is.fds[0].revents, 77);
    rein_end(ctx);
    pipes_close(pipes, 1);
}

/* A deadline ends it, never early, and by itself. */
CASE(poll_ends_at_the_deadline, "CTX-52", "CTX-54", "P-WAIT")
{
    int pipes[1][2];
    rein_time deadline;
    pipes_open(pipes, 1);
    rein_ctx *ctx = rein_with_timeout(rein_background(), 3 * REIN_MILLISECOND);
    ck_assert(rein_deadline(ctx, &deadline));
    struct pollfd fd = {.fd = pipes[0][0], .events = POLLIN};
    ck_assert_int_eq(rein_poll(ctx, &fd, 1), -ETIMEDOUT);
    ck_assert(rein_now(ctx).ns >= deadline.ns);
    expect_expired(ctx);
    rein_end(ctx);
    pipes_close(pipes, 1);
}

/* A virtual deadline ends it too. */
CASE(poll_ends_at_a_virtual_deadline, "CTX-52", "P-VIRTUAL")
{
    int pipes[1][2];
    pipes_open(pipes, 1);
    struct race_thread thread;
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(clock), REIN_HOUR);
    struct polling is = {.ctx = ctx, .n = 1};
    is.fds[0] = (struct pollfd){.fd = pipes[0][0], .events = POLLIN};
    race_thread_start(&thread, 0, poll_them, &is);
    suite_until(has_dependents, ctx);
    rein_clock_advance(clock, REIN_HOUR);
    race_thread_join(&thread);
    ck_assert_int_eq(is.result, -ETIMEDOUT);
    rein_end(ctx);
    rein_clock_free(clock);
    pipes_close(pipes, 1);
}

/* A descriptor that is ready and a cancel at the same moment: one or the other, never neither, and
 * what is told to be ready is. */
struct both {
    struct polling is;
    int fd;
    rein_ctx *ctx;
};

static void make_ready(void *arg)
{
    put_byte(((struct both *)arg)->fd);
}

static void cancel_at_once(void *arg)
{
    rein_cancel(((struct both *)arg)->ctx);
}

static void wait_for_both(void *arg)
{
    poll_them(&((struct both *)arg)->is);
}

static void three_at_once(void *arg, unsigned index)
{
    void (*const each[])(void *) = {wait_for_both, make_ready, cancel_at_once};
    each[index](arg);
}

CASE_LONG(60, poll_ready_and_cancel_at_once, "CTX-54", "P-WAIT")
{
    for (size_t round = 0; round < suite_rounds(300); round++) {
        int pipes[1][2];
        pipes_open(pipes, 1);
        struct both both = {.fd = pipes[0][1], .ctx = rein_with_cancel(rein_background())};
        both.is = (struct polling){.ctx = both.ctx, .n = 1, .result = 5};
        both.is.fds[0] = (struct pollfd){.fd = pipes[0][0], .events = POLLIN};
        race_run(3, three_at_once, &both);
        ck_assert(both.is.result == 1 || both.is.result == -ECANCELED);
        ck_assert_int_eq(both.is.fds[0].revents, both.is.result == 1 ? POLLIN : 0);
        rein_end(both.ctx);
        pipes_close(pipes, 1);
    }
}

/* What a caller can get wrong is refused and nothing is touched: over 16, and NULL with a count. */
CASE(poll_refuses_too_many_and_none, "P-WAIT", "P-ERRORS")
{
    struct pollfd fds[MOST + 1];
    for (int i = 0; i <= MOST; i++)
        fds[i] = (struct pollfd){.fd = 1, .events = POLLOUT, .revents = 77};
    ck_assert_int_eq(rein_poll(rein_background(), fds, MOST + 1), -E2BIG);
    ck_assert_int_eq(rein_poll(rein_background(), fds, SIZE_MAX), -E2BIG);
    for (int i = 0; i <= MOST; i++)
        ck_assert_int_eq(fds[i].revents, 77);
    ck_assert_int_eq(rein_poll(rein_background(), none(), 1), -EINVAL);
}

/* A done context comes before all that. */
CASE(poll_done_wins_over_other_errors, "P-WAIT", "P-ERRORS")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_cancel(ctx);
    ck_assert_int_eq(rein_poll(ctx, none(), 1), -ECANCELED);
    ck_assert_int_eq(rein_poll(ctx, none(), MOST + 1), -ECANCELED);
    rein_end(ctx);
}

/* Of no descriptors it is a wait. */
CASE(poll_of_nothing_is_a_wait, "P-WAIT")
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    ck_assert_int_eq(rein_poll(ctx, NULL, 0), -ETIMEDOUT);
    rein_end(ctx);
}

/* A closed descriptor is ready, with POLLNVAL, as poll says. */
CASE(poll_closed_descriptors_are_told, "P-WAIT")
{
    int fd = fcntl(0, F_DUPFD, 300); /* out of the way of what rein opens meanwhile */
    ck_assert_int_ge(fd, 0);
    close(fd);
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    ck_assert_int_eq(rein_poll(rein_background(), &polled, 1), 1);
    ck_assert_int_eq(polled.revents, POLLNVAL);
}

/* The peer's going is told too. */
CASE(poll_hang_ups_are_told, "P-WAIT")
{
    int pipes[1][2];
    pipes_open(pipes, 1);
    close(pipes[0][1]);
    struct pollfd polled = {.fd = pipes[0][0], .events = POLLIN};
    ck_assert_int_eq(rein_poll(rein_background(), &polled, 1), 1);
    ck_assert_int_eq(polled.revents & POLLHUP, POLLHUP);
    close(pipes[0][0]);
}

/* Without a descriptor to be woken by: -EMFILE, revents and context as before, and it works again
 * once there is one. */
CASE(poll_without_a_descriptor_left, "P-WAIT", "P-ERRORS")
{
    int pipes[1][2];
    struct rlimit before, none_left;
    pipes_open(pipes, 1);
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none_left = before;
    none_left.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    struct pollfd fd = {.fd = pipes[0][0], .events = POLLIN, .revents = 77};
    errno = 0;
    int r = rein_poll(ctx, &fd, 1), after = errno;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_int_eq(r, -EMFILE);
    ck_assert_int_eq(after, 0);
    ck_assert_int_eq(fd.revents, 77);
    ck_assert_uint_eq(reini_check_dependents(ctx), 0);
    expect_live(ctx);
    put_byte(pipes[0][1]);
    ck_assert_int_eq(rein_poll(ctx, &fd, 1), 1);
    rein_end(ctx);
    pipes_close(pipes, 1);
}

/* The descriptor to be woken by is kept and used again: a thousand polls need one. */
CASE(poll_reuses_its_descriptor, "P-WAIT", "P-COST")
{
    int pipes[1][2];
    pipes_open(pipes, 1);
    put_byte(pipes[0][1]);
    struct pollfd fd = {.fd = pipes[0][0], .events = POLLIN};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_poll(ctx, &fd, 1), 1);
    size_t descriptors = suite_descriptors();
    reini_fault_fail_nth(0);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(rein_poll(ctx, &fd, 1), 1);
    ck_assert_int_eq(reini_fault_count(), 0);
    ck_assert_uint_eq(suite_descriptors(), descriptors);
    rein_end(ctx);
    pipes_close(pipes, 1);
}

static struct race_count handled;

static void on_signal(int number)
{
    (void)number;
    race_add(&handled, 1);
}

/* Interrupting signals restart it. */
CASE(poll_is_restarted_by_signals, "P-WAIT", "P-GUEST")
{
    int pipes[1][2];
    pipes_open(pipes, 1);
    struct race_thread thread;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct polling is = {.ctx = ctx, .n = 1};
    is.fds[0] = (struct pollfd){.fd = pipes[0][0], .events = POLLIN};
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_signal}, NULL);
    race_thread_start(&thread, 0, poll_them, &is);
    suite_until(has_dependents, ctx);
    for (int i = 0; i < 20; i++) {
        uint64_t before = race_value(&handled);
        ck_assert_int_eq(pthread_kill(thread.id, SIGUSR1), 0);
        race_await_value(&handled, before + 1);
    }
    ck_assert(!race_thread_over(&thread));
    put_byte(pipes[0][1]);
    race_thread_join(&thread);
    ck_assert_int_eq(is.result, 1);
    rein_end(ctx);
    pipes_close(pipes, 1);
}
