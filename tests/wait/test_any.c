/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/wait/test_any.c: rein_wait_any. */
#include <rein.h>
#include <rein/testing.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault_control.h"
#include "core/check.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

enum { MOST = 16 };

struct any {
    const rein_ctx *ctx;
    rein_case *cases;
    size_t n;
    int result;
};

static void wait_any(void *arg)
{
    struct any *is = arg;
    is->result = rein_wait_any(is->ctx, is->cases, is->n);
}

static bool has_dependents(void *arg)
{
    return reini_check_dependents(arg) > 0;
}

static void put_byte(int fd)
{
    ck_assert_int_eq((int)write(fd, "x", 1), 1);
}

/* Among cases that hold already the first in order is taken, of whatever kind; of the descriptors
 * one learns what all are ready for. */
CASE(any_takes_the_first_that_holds, "P-WAIT")
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    const rein_ctx *root = rein_background();
    rein_ctx *live = rein_with_cancel(root), *done = rein_with_cancel(root);
    rein_cancel(done);
    rein_case fd_first[] = {REIN_CASE_DONE(live), REIN_CASE_FD(ends[0], POLLIN),
                            REIN_CASE_FD(ends[1], POLLOUT), REIN_CASE_DONE(done)};
    ck_assert_int_eq(rein_wait_any(root, fd_first, 4), 2);
    ck_assert_int_eq(fd_first[2].revents, POLLOUT);
    ck_assert_int_eq(fd_first[1].revents, 0);
    rein_case two[] = {REIN_CASE_FD(ends[1], POLLOUT), REIN_CASE_FD(ends[0], POLLIN),
                       REIN_CASE_FD(ends[1], POLLOUT)};
    two[1].revents = POLLIN; /* of a wait before */
    ck_assert_int_eq(rein_wait_any(root, two, 3), 0);
    ck_assert(two[0].revents == POLLOUT && two[1].revents == 0 && two[2].revents == POLLOUT);
    rein_case done_first[] = {REIN_CASE_AT(REIN_NEVER), REIN_CASE_DONE(done),
                              REIN_CASE_FD(ends[1], POLLOUT)};
    ck_assert_int_eq(rein_wait_any(root, done_first, 3), 1);
    ck_assert_int_eq(done_first[2].revents, POLLOUT);
    rein_case at_first[] = {REIN_CASE_AT(rein_now(root)), REIN_CASE_DONE(done)};
    ck_assert_int_eq(rein_wait_any(root, at_first, 2), 0);
    rein_end(live);
    rein_end(done);
    close(ends[0]);
    close(ends[1]);
}

/* The context of the call wins over every case when it is done at the moment of decision. */
CASE(any_own_context_wins, "P-WAIT")
{
    rein_ctx *ctx = rein_with_cancel(rein_background()), *same = rein_share(ctx);
    rein_case cases[] = {REIN_CASE_DONE(same), REIN_CASE_AT(((rein_time){0}))};
    ck_assert_int_eq(rein_wait_any(ctx, cases, 2), 1);
    rein_cancel(ctx);
    ck_assert_int_eq(rein_wait_any(ctx, cases, 2), -ECANCELED);
    rein_end(same);
    rein_end(ctx);
}

/* It is woken by whichever comes: another context's end, a descriptor, its own context. */
CASE(any_is_woken_by_each_kind, "P-WAIT")
{
    for (int which = 0; which < 3; which++) {
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        struct race_thread thread;
        rein_ctx *ctx = rein_with_cancel(rein_background()),
                 *other = rein_with_cancel(rein_background());
        rein_case cases[] = {REIN_CASE_DONE(other), REIN_CASE_FD(ends[0], POLLIN)};
        struct any is = {.ctx = ctx, .cases = cases, .n = 2, .result = 9};
        race_thread_start(&thread, 0, wait_any, &is);
        suite_until(has_dependents, ctx);
        suite_until(has_dependents, other);
        ck_assert(!race_thread_over(&thread));
        if (which == 0)
            rein_cancel(other);
        else if (which == 1)
            put_byte(ends[1]);
        else
            rein_cancel(ctx);
        race_thread_join(&thread);
        ck_assert_int_eq(is.result, which == 2 ? -ECANCELED : which);
        ck_assert_int_eq(cases[1].revents, which == 1 ? POLLIN : 0);
        ck_assert_uint_eq(reini_check_dependents(other), 0);
        ck_assert_uint_eq(reini_check_dependents(ctx), 0);
        rein_end(other);
        rein_end(ctx);
        close(ends[0]);
        close(ends[1]);
    }
}

static bool one_armed(void *arg)
{
    return rein_clock_armed(arg) == 1;
}

/* The earliest of several instants wakes it, on the context's own clock, and nothing stays
 * armed. */
CASE(any_instants_on_a_virtual_clock, "TIME-6", "P-VIRTUAL")
{
    struct race_thread thread;
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_case cases[] = {REIN_CASE_AT(rein_in(root, REIN_HOUR)),
                         REIN_CASE_AT(rein_in(root, REIN_MINUTE)), REIN_CASE_AT(REIN_NEVER)};
    struct any is = {.ctx = root, .cases = cases, .n = 3, .result = 9};
    race_thread_start(&thread, 0, wait_any, &is);
    suite_until(one_armed, clock);
    rein_clock_advance(clock, REIN_MINUTE - 1);
    ck_assert(!race_thread_over(&thread));
    rein_clock_advance(clock, 1);
    race_thread_join(&thread);
    ck_assert_int_eq(is.result, 1);
    ck_assert_uint_eq(rein_clock_armed(clock), 0);
    rein_clock_free(clock);
}

/* On the real clock an instant is never early, and a deadline that comes before it wins. */
CASE(any_instants_on_the_real_clock, "CTX-52", "P-WAIT")
{
    const rein_ctx *root = rein_background();
    rein_time when = rein_in(root, 2 * REIN_MILLISECOND);
    rein_case cases[] = {REIN_CASE_AT(when)};
    ck_assert_int_eq(rein_wait_any(root, cases, 1), 0);
    ck_assert(rein_now(root).ns >= when.ns);
    rein_ctx *ctx = rein_with_timeout(root, REIN_MILLISECOND);
    cases[0].when = rein_in(root, REIN_HOUR);
    ck_assert_int_eq(rein_wait_any(ctx, cases, 1), -ETIMEDOUT);
    expect_expired(ctx);
    rein_end(ctx);
}

/* A deadline of another context's wakes it too, though nobody else notices that it has passed. */
CASE(any_ends_at_a_case_s_deadline, "CTX-54", "P-WAIT")
{
    rein_loop *loop; /* which keeps the time, and is never run */
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    rein_ctx *other = rein_with_timeout(rein_background(), 2 * REIN_MILLISECOND);
    rein_case cases[] = {REIN_CASE_DONE(other)};
    ck_assert_int_eq(rein_wait_any(rein_background(), cases, 1), 0);
    expect_expired(other);
    rein_end(other);
    rein_loop_free(loop);
}

/* No cases: a wait. A case that can never come is accepted. */
CASE(any_of_nothing_is_a_wait, "CTX-3", "P-WAIT")
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    ck_assert_int_eq(rein_wait_any(ctx, NULL, 0), -ETIMEDOUT);
    rein_end(ctx);
    ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    rein_case never[] = {REIN_CASE_DONE(rein_background()), REIN_CASE_AT(REIN_NEVER)};
    ck_assert_int_eq(rein_wait_any(ctx, never, 2), -ETIMEDOUT);
    rein_end(ctx);
}

/* 16 descriptors and 16 contexts beside its own at once are fine, and any of them wakes it. */
CASE(any_of_thirty_two, "P-WAIT")
{
    int pipes[MOST][2];
    rein_ctx *others[MOST];
    rein_case cases[2 * MOST];
    rein_ctx *ctx = rein_with_cancel(rein_background());
    for (int i = 0; i < MOST; i++) {
        ck_assert_int_eq(pipe(pipes[i]), 0);
        others[i] = rein_with_cancel(rein_background());
        cases[2 * i] = REIN_CASE_FD(pipes[i][0], POLLIN);
        cases[2 * i + 1] = REIN_CASE_DONE(others[i]);
    }
    struct race_thread thread;
    struct any is = {.ctx = ctx, .cases = cases, .n = 2 * MOST, .result = 99};
    race_thread_start(&thread, 0, wait_any, &is);
    suite_until(has_dependents, others[MOST - 1]);
    rein_cancel(others[MOST - 1]);
    race_thread_join(&thread);
    ck_assert_int_eq(is.result, 2 * MOST - 1);
    put_byte(pipes[3][1]);
    ck_assert_int_eq(rein_wait_any(ctx, cases, 2 * MOST), 6);
    for (int i = 0; i < MOST; i++) {
        ck_assert_uint_eq(reini_check_dependents(others[i]), 0);
        rein_end(others[i]);
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    rein_end(ctx);
}

/* What a caller can get wrong is refused: too many, no known kind, a descriptor below 0, NULL. */
CASE(any_refuses_what_is_wrong, "P-WAIT", "P-ERRORS")
{
    const rein_ctx *root = rein_background();
    rein_ctx *ctx = rein_with_cancel(root);
    rein_case cases[MOST + 1];
    for (int i = 0; i <= MOST; i++)
        cases[i] = REIN_CASE_FD(1, POLLOUT);
    ck_assert_int_eq(rein_wait_any(ctx, cases, MOST + 1), -E2BIG);
    for (int i = 0; i <= MOST; i++)
        ck_assert_int_eq(cases[i].revents, 0);
    for (int i = 0; i <= MOST; i++)
        cases[i] = REIN_CASE_DONE(root);
    ck_assert_int_eq(rein_wait_any(ctx, cases, MOST + 1), -E2BIG);
    cases[0] = REIN_CASE_AT(((rein_time){0}));
    cases[1] = REIN_CASE_FD(-1, POLLIN);
    ck_assert_int_eq(rein_wait_any(ctx, cases, 2), -EINVAL);
    cases[1] = (rein_case){.kind = 77};
    ck_assert_int_eq(rein_wait_any(ctx, cases, 2), -EINVAL);
    cases[1] = (rein_case){.kind = 0};
    ck_assert_int_eq(rein_wait_any(ctx, cases, 2), -EINVAL);
    ck_assert_int_eq(rein_wait_any(ctx, none(), 1), -EINVAL);
    ck_assert_uint_eq(reini_check_dependents(ctx), 0);
    rein_end(ctx);
}

/* A done context comes before all that. */
CASE(any_done_wins_over_other_errors, "P-WAIT", "P-ERRORS")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_cancel(ctx);
    ck_assert_int_eq(rein_wait_any(ctx, none(), 1), -ECANCELED);
    rein_end(ctx);
}

/* Hundreds of instants need no room. */
CASE(any_instants_have_no_limit, "P-WAIT")
{
    const rein_ctx *root = rein_background();
    rein_case cases[300];
    for (int i = 0; i < 300; i++)
        cases[i] = REIN_CASE_AT(rein_in(root, REIN_HOUR));
    cases[299].when = rein_now(root);
    ck_assert_int_eq(rein_wait_any(root, cases, 300), 299);
}

/* Without a descriptor to be woken by: -EMFILE and nothing has changed; without descriptors among
 * the cases none is needed. */
CASE(any_without_a_descriptor_left, "P-WAIT", "P-ERRORS")
{
    struct rlimit before, none_left;
    const rein_ctx *root = rein_background();
    rein_ctx *ctx = rein_with_cancel(root), *done = rein_with_cancel(root);
    rein_cancel(done);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none_left = before;
    none_left.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    rein_case with_fd[] = {REIN_CASE_FD(0, POLLIN), REIN_CASE_DONE(root)};
    rein_case without[] = {REIN_CASE_DONE(done)};
    int r = rein_wait_any(ctx, with_fd, 2), r_without = rein_wait_any(ctx, without, 1);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_int_eq(r, -EMFILE);
    ck_assert_int_eq(r_without, 0);
    ck_assert_uint_eq(reini_check_dependents(ctx), 0);
    rein_end(done);
    rein_end(ctx);
}

/* The failed context belongs to no clock: a program under a virtual one that ran out of memory
 * waits for it like for any other. */
CASE(any_failed_context_joins_any_clock, "CTX-96", "P-FAILED")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *ctx = rein_with_cancel(root);
    reini_fault_fail_nth(1);
    rein_ctx *failed = rein_with_cancel(root);
    reini_fault_fail_nth(0);
    ck_assert_int_eq(rein_cause(failed)->code, -ENOMEM);
    rein_case cases[] = {REIN_CASE_DONE(failed)};
    ck_assert_int_eq(rein_wait_any(ctx, cases, 1), 0);
    ck_assert_int_eq(rein_err(rein_merge(ctx, failed)), -ECANCELED);
    rein_end(failed);
    rein_end(ctx);
    rein_clock_free(clock);
}

/* One and the same context twice, and the call's own among the cases, is no mistake. */
CASE(any_the_same_context_twice, "P-WAIT")
{
    struct race_thread thread;
    rein_ctx *ctx = rein_with_cancel(rein_background()),
             *other = rein_with_cancel(rein_background());
    rein_case cases[] = {REIN_CASE_DONE(ctx), REIN_CASE_DONE(other), REIN_CASE_DONE(other)};
    struct any is = {.ctx = ctx, .cases = cases, .n = 3, .result = 9};
    race_thread_start(&thread, 0, wait_any, &is);
    suite_until(has_dependents, other);
    rein_cancel(other);
    race_thread_join(&thread);
    ck_assert_int_eq(is.result, 1);
    rein_end(other);
    rein_end(ctx);
}
