/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/conformance/test_roots.c: what every context answers, and the roots.
 *
 * Covers CTX-1 to CTX-9. */
#include <rein.h>
#include <rein/testing.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault_control.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

REIN_KEY_DECLARE(ticket, int)
REIN_KEY_DEFINE(ticket, int)

static rein_reason reason = REIN_REASON_INIT(-EPIPE, "the client has left");

/* ---- four questions ---- */

struct asked {
    rein_ctx *owner;
    const rein_ctx *ctx;
    rein_time deadline;
};

/* One of a round's threads; the first one cancels. */
static void ask_everything(void *arg, unsigned index)
{
    struct asked *asked = arg;
    if (index == 0) {
        rein_cancel_cause(asked->owner, &reason);
        return;
    }
    for (int seen = 0, last = 0; seen < 3 || last == 0; seen += last != 0) {
        rein_time deadline = {0};
        int err = rein_err(asked->ctx), fd;
        const rein_reason *cause = rein_cause(asked->ctx);
        ck_assert(last == 0 || err == last);
        ck_assert(err == 0 || err == -ECANCELED);
        ck_assert(err == 0 || cause == &reason);
        ck_assert(rein_deadline(asked->ctx, &deadline) && deadline.ns == asked->deadline.ns);
        ck_assert_int_eq(ticket_of(asked->ctx, 0), 7);
        ck_assert_int_eq(rein_done_fd(asked->ctx, &fd), 0);
        last = err;
        suite_yield();
    }
}

/* All four questions may be asked by any number of threads while the context ends. */
CASE(ctx_01_anybody_may_ask_while_it_ends, "CTX-1", "CTX-2")
{
    for (size_t round = 0; round < suite_rounds(100); round++) {
        struct asked asked = {.owner = rein_with_timeout(rein_background(), REIN_HOUR)};
        asked.ctx = ticket_with(asked.owner, 7);
        ck_assert(rein_deadline(asked.owner, &asked.deadline));
        race_run(4, ask_everything, &asked);
        expect_end(asked.ctx, -ECANCELED, &reason);
        rein_unref(asked.ctx);
        rein_end(asked.owner);
    }
}

/* Every answer is the same before and after the end, but for err and cause, which change once. */
CASE(ctx_02_answers_are_stable, "CTX-2", "CTX-86", "P-STABLE")
{
    rein_clock *clock = suite_clock();
    rein_ctx *owner = rein_with_timeout(rein_clock_root(clock), REIN_SECOND);
    const rein_ctx *ctx = ticket_with(owner, 7);
    rein_time before, after;
    int fd, again, value;
    ck_assert_int_eq(rein_done_fd(ctx, &fd), 0);
    ck_assert(rein_deadline(ctx, &before));
    value = ticket_of(ctx, 0);

    rein_cancel_cause(owner, &reason);
    for (int i = 0; i < 2; i++) {
        expect_end(ctx, -ECANCELED, &reason);
        ck_assert_int_eq(rein_done_fd(ctx, &again), 0);
        ck_assert_int_eq(again, fd);
        ck_assert(rein_deadline(ctx, &after) && after.ns == before.ns);
        ck_assert_int_eq(ticket_of(ctx, 0), value);
        rein_clock_advance(clock, REIN_HOUR); /* past the deadline: too late to matter */
        rein_cancel(owner);
    }
    rein_unref(ctx);
    rein_end(owner);
    rein_clock_free(clock);
}

/* ---- a handle that may be none ---- */

/* Contexts that can never be done have the descriptor -1, for which poll() never reports
 * anything. */
CASE(ctx_03_no_handle_where_nothing_can_end, "CTX-3")
{
    const rein_ctx *without = rein_without_cancel(rein_background());
    const rein_ctx *with_value = ticket_with(rein_background(), 1);
    const rein_ctx *never[] = {rein_background(), rein_todo(), without, with_value};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        int fd = 99;
        ck_assert_int_eq(rein_done_fd(never[i], &fd), 0);
        ck_assert_int_eq(fd, -1);
        ck_assert(!has_fired(never[i]));
    }
    rein_unref(with_value);
    rein_unref(without);
}

/* A blocking call accepts what never is done, and goes by its other cases. */
CASE(ctx_03_waiting_for_never_is_waiting_for_the_rest, "CTX-3")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock), *never = rein_without_cancel(root);
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);

    rein_case cases[] = {REIN_CASE_DONE(never), REIN_CASE_AT(REIN_NEVER),
                         REIN_CASE_FD(ends[0], POLLIN)};
    ck_assert_int_eq(rein_wait_any(root, cases, 3), 2);
    struct pollfd fds[] = {{.fd = -1, .events = POLLIN}, {.fd = ends[0], .events = POLLIN}};
    ck_assert_int_eq(rein_poll(never, fds, 2), 1);
    ck_assert_int_eq(fds[0].revents, 0);
    ck_assert_int_eq(rein_sleep(root, 0), 0);

    close(ends[0]);
    close(ends[1]);
    rein_unref(never);
    rein_clock_free(clock);
}

static void wait_for_never(void *arg)
{
    ck_assert_int_eq(rein_wait(arg), -ECANCELED);
}

/* A wait is over with the end of what it waits for and not before, however its parent is made. */
CASE(ctx_03_a_wait_lasts_as_long_as_the_context, "CTX-3", "P-WAKE")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct race_thread waiter;
    race_thread_start(&waiter, 0, wait_for_never, ctx);
    for (int i = 0; i < 50; i++) {
        ck_assert(!race_thread_over(&waiter));
        suite_yield();
    }
    rein_cancel(ctx);
    race_thread_join(&waiter);
    rein_end(ctx);
}

/* ---- err and the handle are one event ---- */

struct agreement {
    rein_ctx *ctx;
    int fd;
};

static void end_it(void *arg)
{
    rein_cancel(((struct agreement *)arg)->ctx);
}

static void spin_on_err(void *arg)
{
    struct agreement *it = arg;
    while (rein_err(it->ctx) == 0)
        suite_yield();
    struct pollfd poller = {.fd = it->fd, .events = POLLIN};
    ck_assert_int_eq(poll(&poller, 1, 0), 1);
}

static void spin_on_handle(void *arg)
{
    struct agreement *it = arg;
    struct pollfd poller = {.fd = it->fd, .events = POLLIN};
    while (poll(&poller, 1, 0) == 0)
        suite_yield();
    ck_assert_int_eq(rein_err(it->ctx), -ECANCELED);
}

/* Whoever sees err set finds the descriptor readable; whoever sees it readable finds err set. */
CASE(ctx_04_err_and_handle_are_one, "CTX-4")
{
    for (size_t round = 0; round < suite_rounds(500); round++) {
        struct agreement it = {.ctx = rein_with_cancel(rein_background())};
        ck_assert_int_eq(rein_done_fd(it.ctx, &it.fd), 0);
        race_pair(round % 2 ? spin_on_err : spin_on_handle, end_it, &it);
        rein_end(it.ctx);
    }
}

/* A descriptor that is asked for after the end is readable from the start. */
CASE(ctx_04_late_handle_has_fired, "CTX-4", "CTX-33")
{
    rein_ctx *ctx = rein_with_cancel(rein_background()), *late = rein_with_timeout(ctx, -1);
    rein_cancel(ctx);
    ck_assert(has_fired(ctx));
    ck_assert(has_fired(late));
    rein_end(late);
    rein_end(ctx);
}

/* ---- two errs ---- */

/* A reason of the user's, whatever its code, shows in the cause alone. */
CASE(ctx_05_a_reason_never_shows_in_err, "CTX-5", "P-STABLE")
{
    static const rein_reason codes[] = {REIN_REASON_INIT(-ETIMEDOUT, "the peer is slow"),
                                        REIN_REASON_INIT(0, "no code"),
                                        REIN_REASON_INIT(4711, "a positive one")};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        rein_ctx *ctx = rein_with_cancel(rein_background());
        rein_cancel_cause(ctx, &codes[i]);
        expect_end(ctx, -ECANCELED, &codes[i]);
        rein_end(ctx);
    }
}

/* Only a deadline, own or inherited, ends a context with -ETIMEDOUT; a context with a deadline
 * that is cancelled before it says canceled for ever. */
CASE(ctx_05_only_a_deadline_times_out, "CTX-5", "P-HONEST")
{
    rein_clock *clock = suite_clock();
    rein_ctx *timed = rein_with_timeout(rein_clock_root(clock), REIN_SECOND);
    rein_ctx *below = rein_with_cancel(timed);
    rein_ctx *early = rein_with_timeout(rein_clock_root(clock), REIN_SECOND);
    rein_cancel(early);
    rein_clock_advance(clock, REIN_MINUTE);
    expect_expired(timed);
    expect_expired(below);
    expect_canceled(early);
    rein_end(early);
    rein_end(below);
    rein_end(timed);
    rein_clock_free(clock);
}

/* A foreign owner's own error becomes "canceled" with that code in the cause. */
CASE(ctx_05_a_foreign_error_becomes_canceled, "CTX-5", "CTX-76")
{
    rein_ctx *ctx = rein_foreign(rein_background(), NULL, NULL);
    rein_ctx *below = rein_with_cancel(ctx);
    rein_foreign_done(ctx, -ECONNRESET, NULL);
    ck_assert_int_eq(rein_err(below), -ECANCELED);
    ck_assert_int_eq(rein_cause(below)->code, -ECONNRESET);
    rein_end(below);
    rein_end(ctx);
}

/* ---- texts ---- */

/* The two errs have Go's texts, and only the deadline's is a timeout. */
CASE(ctx_06_texts, "CTX-6")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_ctx *late = rein_with_timeout(rein_background(), -1);
    rein_cancel(ctx);
    ck_assert_str_eq(rein_strerror(rein_err(ctx)), "context canceled");
    ck_assert_str_eq(rein_cause(ctx)->text, "context canceled");
    ck_assert_str_eq(rein_strerror(rein_err(late)), "context deadline exceeded");
    ck_assert_str_eq(rein_cause(late)->text, "context deadline exceeded");
    ck_assert_int_ne(rein_err(ctx), -ETIMEDOUT);
    ck_assert_int_eq(rein_err(late), -ETIMEDOUT);
    ck_assert_str_eq(rein_strerror(0), "not done");
    rein_end(late);
    rein_end(ctx);
}

/* A socket's ETIMEDOUT, passed on as a reason, can be told from the context's own deadline. */
CASE(ctx_06_a_deadline_is_not_the_sockets_timeout, "CTX-6", "P-HONEST")
{
    static const rein_reason by_socket = REIN_REASON_INIT(-ETIMEDOUT, "connect: timed out");
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_ctx *late = rein_with_timeout(rein_background(), -1);
    rein_cancel_cause(ctx, &by_socket);
    ck_assert_int_eq(rein_cause(ctx)->code, rein_cause(late)->code);
    ck_assert_int_ne(rein_err(ctx), rein_err(late));
    ck_assert_ptr_ne(rein_cause(ctx), rein_cause(late));
    rein_end(late);
    rein_end(ctx);
}

/* ---- roots ---- */

static const rein_ctx *before_main;
static int err_before_main = 1;

__attribute__((constructor)) static void use_before_main(void)
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    before_main = rein_background();
    err_before_main = rein_err(ctx);
    rein_end(ctx);
}

/* Background is one object, the same before main(): never done, without deadline, value or
 * cause. */
CASE(ctx_07_background_has_nothing, "CTX-7", "CTX-3")
{
    const rein_ctx *root = rein_background();
    rein_time deadline = {4711};
    ck_assert_ptr_eq(root, rein_background());
    ck_assert_ptr_eq(root, before_main);
    ck_assert_int_eq(err_before_main, 0);
    expect_live(root);
    ck_assert_int_eq(rein_check(root), 0);
    ck_assert(!rein_deadline(root, &deadline) && deadline.ns == 4711);
    ck_assert_int_eq(rein_remaining(root), REIN_FOREVER);
    ck_assert(!rein_has_value(root, &ticket_key));
    ck_assert_ptr_null(rein_value(root, &ticket_key));
}

/* Using Background allocates nothing, and references to it need not balance. */
CASE(ctx_07_background_costs_nothing, "CTX-7", "CTX-95")
{
    int fd;
    reini_fault_fail_nth(0);
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_eq(rein_ref(rein_background()), rein_background());
        rein_unref(rein_background());
        rein_unref(rein_background());
        ck_assert_int_eq(rein_done_fd(rein_background(), &fd), 0);
    }
    ck_assert_int_eq(reini_fault_count(), 0);
    expect_live(rein_background());
}

static void use_at_exit(void)
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    rein_cancel(ctx);
    int err = rein_err(ctx);
    rein_end(ctx);
    if (err == -ECANCELED)
        _exit(7);
}

static void exit_with_handler(void *arg)
{
    (void)arg;
    atexit(use_at_exit);
    exit(1);
}

/* Contexts can be made and ended in atexit handlers. */
CASE(ctx_07_background_works_at_exit, "CTX-7")
{
    ck_assert_int_eq(suite_status_of(exit_with_handler, NULL), 7);
}

static void exit_amid_everything(void *arg)
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    static struct race_thread waiter;
    race_thread_start(&waiter, 0, wait_for_never, ctx);
    (void)arg;
    exit(rein_err(ctx) == 0 ? 7 : 1);
}

/* exit() does not wait: not for armed deadlines, the keeper's thread or a blocked call. */
CASE(exit_waits_for_nothing, "P-EXIT")
{
    ck_assert_int_eq(suite_status_of(exit_amid_everything, NULL), 7);
}

/* TODO is as Background, but another object with another name. */
CASE(ctx_08_todo_is_another_root, "CTX-8", "CTX-90")
{
    char text[64];
    ck_assert_ptr_ne(rein_todo(), rein_background());
    ck_assert_ptr_eq(rein_todo(), rein_todo());
    expect_live(rein_todo());
    rein_describe(rein_todo(), text, sizeof text);
    ck_assert_str_eq(text, "context.TODO");
    rein_describe(rein_background(), text, sizeof text);
    ck_assert_str_eq(text, "context.Background");
}

/* ---- no parent ---- */

static void of_cancel(void *arg)
{
    rein_end(rein_with_cancel(arg));
}

static void of_deadline(void *arg)
{
    rein_end(rein_with_deadline(arg, (rein_time){0}));
}

static void of_deadline_cause(void *arg)
{
    rein_end(rein_with_deadline_cause(arg, (rein_time){0}, NULL));
}

static void of_timeout(void *arg)
{
    rein_end(rein_with_timeout(arg, -1));
}

static void of_timeout_cause(void *arg)
{
    rein_end(rein_with_timeout_cause(arg, -1, &reason));
}

static void of_merge(void *arg)
{
    rein_end(rein_merge(arg, rein_background()));
}

static void of_merge_also(void *arg)
{
    rein_end(rein_merge(rein_background(), arg));
}

static void of_detach(void *arg)
{
    rein_end(rein_detach(arg, rein_background(), REIN_SECOND));
}

static void of_detach_onto(void *arg)
{
    rein_end(rein_detach(rein_background(), arg, REIN_SECOND));
}

static void of_without_cancel(void *arg)
{
    rein_unref(rein_without_cancel(arg));
}

static void of_value(void *arg)
{
    rein_unref(rein_with_value(arg, NULL, NULL)); /* the parent is looked at before the key */
}

static void of_foreign(void *arg)
{
    rein_end(rein_foreign(arg, NULL, NULL));
}

/* Every deriving call stops at a NULL parent, before it looks at anything else. */
CASE(ctx_09_no_parent_panics, "CTX-9", "P-RULES")
{
    void (*derive[])(void *) = {of_cancel, of_deadline, of_deadline_cause, of_timeout,
                                of_timeout_cause, of_merge, of_merge_also, of_detach,
                                of_detach_onto, of_without_cancel, of_value, of_foreign};
    for (size_t i = 0; i < sizeof derive / sizeof *derive; i++) {
        const char *rule = suite_panic_of(derive[i], none());
        ck_assert_msg(rule && strcmp(rule, "context-required") == 0, "call %zu: %s", i,
                      rule ? rule : "no panic");
    }
}
