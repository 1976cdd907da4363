/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/death/test_rules.c: each rule of the public headers, broken. */
#include <rein.h>
#include <rein/testing.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "expect.h"
#include "suite.h"

/* What the compiler would warn about is broken through here: it does not follow the pointer. */
static rein_ctx *again(rein_ctx *ctx)
{
    rein_ctx *volatile same = ctx;
    return same;
}

static rein_ctx *owner_of(const rein_ctx *view)
{
    return again((rein_ctx *)(uintptr_t)view);
}

/* ---- context-required ---- */

/* Every call that needs a context refuses NULL by that rule, checked before anything else. */
typedef void breach(void);

static void null_check(void) { (void)rein_check(none()); }
static void null_interrupted(void) { (void)rein_interrupted(none()); }
static void null_deadline(void) { rein_time t; (void)rein_deadline(none(), &t); }
static void null_remaining(void) { (void)rein_remaining(none()); }
static void null_cause(void) { (void)rein_cause(none()); }
static void null_event(void) { struct rein_event e; (void)rein_event(none(), &e); }
static void null_explain(void) { (void)rein_explain(none(), NULL, 0); }
static void null_describe(void) { (void)rein_describe(none(), NULL, 0); }
static void null_now(void) { (void)rein_now(none()); }
static void null_in(void) { (void)rein_in(none(), 1); }
static void null_cancel(void) { rein_cancel(none()); }
static void null_cancel_cause(void) { rein_cancel_cause(none(), NULL); }
static void null_cancel_causef(void) { rein_cancel_causef(none(), 1, "x"); }
static void null_share(void) { rein_end(rein_share(none())); }
static void null_ref(void) { rein_unref(rein_ref(none())); }
static void null_with_cancel(void) { rein_end(rein_with_cancel(none())); }
static void null_with_deadline(void) { rein_end(rein_with_deadline(none(), REIN_NEVER)); }
static void null_with_timeout(void) { rein_end(rein_with_timeout(none(), 1)); }
static void null_with_deadline_cause(void)
{
    rein_end(rein_with_deadline_cause(none(), REIN_NEVER, NULL));
}
static void null_with_timeout_cause(void) { rein_end(rein_with_timeout_cause(none(), 1, NULL)); }
static void null_merge(void) { rein_end(rein_merge(none(), rein_background())); }
static void null_merge_also(void) { rein_end(rein_merge(rein_background(), none())); }
static void null_detach(void) { rein_end(rein_detach(none(), rein_background(), 1)); }
static void null_detach_onto(void) { rein_end(rein_detach(rein_background(), none(), 1)); }
static void null_without_cancel(void) { rein_unref(rein_without_cancel(none())); }
static void null_with_value(void) { rein_unref(rein_with_value(none(), none(), NULL)); }
static void null_value(void) { (void)rein_value(none(), none()); }
static void null_has_value(void) { (void)rein_has_value(none(), none()); }
static void null_callback(void)
{
    rein_callback c;
    (void)rein_callback_add(none(), &c, do_nothing, NULL);
}
static void null_foreign(void) { rein_end(rein_foreign(none(), NULL, NULL)); }
static void null_foreign_done(void) { rein_foreign_done(none(), -1, NULL); }
static void null_wait(void) { (void)rein_wait(none()); }

static void null_after(void)
{
    rein_after after;
    int r = rein_after_func(none(), &after, NULL, do_nothing, NULL);
    (void)r;
}

static void null_sleep(void)
{
    int r = rein_sleep(none(), 1);
    (void)r;
}

static void null_sleep_until(void)
{
    int r = rein_sleep_until(none(), REIN_NEVER);
    (void)r;
}

static void null_poll(void)
{
    int r = rein_poll(none(), NULL, 0);
    (void)r;
}

static void null_done_fd(void)
{
    int fd, r = rein_done_fd(none(), &fd);
    (void)r;
}

static void null_wait_any(void)
{
    int r = rein_wait_any(none(), NULL, 0);
    (void)r;
}

static void null_case(void)
{
    rein_case cases[] = {REIN_CASE_DONE(none())};
    int r = rein_wait_any(rein_background(), cases, 1);
    (void)r;
}

static const struct {
    const char *name;
    breach *commit;
} needs_context[] = {
#define BREACH(name) {#name, name}
    BREACH(null_check), BREACH(null_interrupted), BREACH(null_deadline), BREACH(null_remaining),
    BREACH(null_cause), BREACH(null_event), BREACH(null_explain), BREACH(null_describe),
    BREACH(null_now), BREACH(null_in), BREACH(null_cancel), BREACH(null_cancel_cause),
    BREACH(null_cancel_causef), BREACH(null_share), BREACH(null_ref), BREACH(null_with_cancel),
    BREACH(null_with_deadline), BREACH(null_with_timeout), BREACH(null_with_deadline_cause),
    BREACH(null_with_timeout_cause), BREACH(null_merge), BREACH(null_merge_also),
    BREACH(null_detach), BREACH(null_detach_onto), BREACH(null_without_cancel),
    BREACH(null_with_value), BREACH(null_value), BREACH(null_has_value), BREACH(null_callback),
    BREACH(null_foreign), BREACH(null_foreign_done), BREACH(null_wait), BREACH(null_after),
    BREACH(null_sleep), BREACH(null_sleep_until), BREACH(null_poll), BREACH(null_done_fd),
    BREACH(null_wait_any), BREACH(null_case),
};

static void commit(void *index)
{
    needs_context[*(size_t *)index].commit();
}

CASE_LONG(60, rule_context_required, "CTX-9", "P-RULES")
{
    for (size_t i = 0; i < sizeof needs_context / sizeof *needs_context; i++) {
        const char *rule = suite_panic_of(commit, &i);
        ck_assert_msg(rule && strcmp(rule, "context-required") == 0, "%s: %s",
                      needs_context[i].name, rule ? rule : "no panic");
    }
}

/* Giving NULL back is fine, and so is what needs no context. */
CASE(rule_null_is_fine_to_give_back, "CTX-12", "P-RULES")
{
    rein_end(none());
    rein_unref(none());
    rein_reason_unref(none());
    ck_assert_ptr_null(rein_reason_ref(none()));
    rein_loop_free(none());
    rein_serial_free(none());
    rein_clock_free(none());
}

/* ---- owners and views ---- */

/* One rein_end() too many, while others still hold the context. */
CASE_PANICS("end-without-owner", rule_end_without_owner, "P-RULES")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    const rein_ctx *view = rein_ref(ctx);
    rein_end(ctx);
    rein_end(owner_of(view));
}

/* A view is not an owner, of whatever kind it is. */
CASE_PANICS("end-without-owner", rule_end_of_a_view, "P-RULES")
{
    static const rein_key key = {.name = "key", .kind = REIN_VALUE_STRING};
    rein_end(owner_of(rein_with_value(rein_background(), &key, "x")));
}

/* As many rein_end() as owners are right. */
CASE(rule_as_many_ends_as_owners, "P-RULES")
{
    rein_ctx *ctx = rein_with_cancel(rein_background()), *second = rein_share(ctx),
             *third = rein_share(ctx);
    rein_end(ctx);
    ck_assert_int_eq(rein_err(second), -ECANCELED);
    rein_end(second);
    rein_end(third);
}

/* One rein_unref() too many: an owner is not a view. */
CASE_PANICS("unref-without-view", rule_unref_without_view, "P-RULES")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_unref(rein_ref(ctx));
    rein_unref(again(ctx));
}

/* The roots can be given back as often as one likes. */
CASE(rule_roots_are_not_counted, "CTX-7", "P-RULES")
{
    for (int i = 0; i < 3; i++) {
        rein_unref(rein_background());
        rein_unref(rein_todo());
        rein_end(owner_of(rein_background()));
    }
    expect_live(rein_background());
}

/* ---- one-clock ---- */

static void merge_two_clocks(void *arg)
{
    rein_end(rein_merge(arg, rein_background()));
}

static void detach_onto_another_clock(void *arg)
{
    rein_end(rein_detach(rein_background(), arg, REIN_FOREVER));
}

static void wait_for_another_clock(void *arg)
{
    rein_case cases[] = {REIN_CASE_DONE(arg)};
    int r = rein_wait_any(rein_background(), cases, 1);
    (void)r;
}

CASE(rule_one_clock, "P-RULES", "P-VIRTUAL")
{
    void (*breaches[])(void *) = {merge_two_clocks, detach_onto_another_clock,
                                  wait_for_another_clock};
    rein_clock *clock = rein_clock_new();
    rein_ctx *ctx = rein_with_cancel(rein_clock_root(clock));
    for (int i = 0; i < 3; i++) {
        const char *rule = suite_panic_of(breaches[i], ctx);
        ck_assert_ptr_nonnull(rule);
        ck_assert_str_eq(rule, "one-clock");
    }
    rein_end(ctx);
    rein_clock_free(clock);
}

/* ---- detach-below-itself ---- */

struct family {
    rein_ctx *top, *middle, *leaf, *merged;
    const rein_ctx *value;
};

static void detach_onto_itself(void *arg)
{
    struct family *is = arg;
    rein_end(rein_detach(is->top, is->top, 1));
}

static void detach_onto_a_grandchild(void *arg)
{
    struct family *is = arg;
    rein_end(rein_detach(is->top, is->leaf, 1));
}

static void detach_onto_its_value(void *arg)
{
    struct family *is = arg;
    rein_end(rein_detach(is->top, is->value, 1));
}

static void detach_onto_a_merge(void *arg)
{
    struct family *is = arg;
    rein_end(rein_detach(is->middle, is->merged, 1));
}

CASE(rule_detach_below_itself, "P-RULES")
{
    static const rein_key key = {.name = "key", .kind = REIN_VALUE_STRING};
    void (*breaches[])(void *) = {detach_onto_itself, detach_onto_a_grandchild,
                                  detach_onto_its_value, detach_onto_a_merge};
    struct family is = {.top = rein_with_cancel(rein_background())};
    rein_ctx *other = rein_with_cancel(rein_background());
    is.middle = rein_with_timeout(is.top, REIN_HOUR);
    is.leaf = rein_with_cancel(is.middle);
    is.value = rein_with_value(is.top, &key, "x");
    is.merged = rein_merge(other, is.leaf);
    for (int i = 0; i < 4; i++) {
        const char *rule = suite_panic_of(breaches[i], &is);
        ck_assert_ptr_nonnull(rule);
        ck_assert_str_eq(rule, "detach-below-itself");
    }
    rein_ctx *fine = rein_detach(is.leaf, is.top, REIN_FOREVER); /* upwards is what it is for */
    expect_live(fine);
    rein_end(fine);
    fine = rein_detach(is.leaf, other, REIN_FOREVER);
    expect_live(fine);
    rein_end(fine);
    rein_end(is.merged);
    rein_unref(is.value);
    rein_end(is.leaf);
    rein_end(is.middle);
    rein_end(other);
    rein_end(is.top);
}

/* ---- key-required ---- */

CASE_PANICS("key-required", rule_key_required, "CTX-85", "P-RULES")
{
    rein_unref(rein_with_value(rein_background(), none(), "x"));
}

/* ---- callback-outlives-context ---- */

CASE_PANICS("callback-outlives-context", rule_callback_outlives_context, "CTX-25", "P-RULES")
{
    rein_callback callback;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_callback_add(ctx, &callback, do_nothing, NULL);
    rein_end(ctx);
}

/* ---- foreign contexts ---- */

CASE_PANICS("foreign-required", rule_foreign_required, "CTX-81", "P-RULES")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_foreign_done(ctx, -EIO, NULL);
}

static const rein_foreign_ops forwarding = {.size = sizeof forwarding, .forwards = true};

CASE_PANICS("foreign-required", rule_foreign_that_forwards_is_not_pushed, "CTX-72", "P-RULES")
{
    rein_ctx *top = rein_with_cancel(rein_background());
    rein_foreign_done(rein_foreign(top, &forwarding, NULL), -EIO, NULL);
}

CASE_PANICS("done-needs-err", rule_done_needs_err, "CTX-77", "P-RULES")
{
    rein_foreign_done(rein_foreign(rein_background(), NULL, NULL), 0, NULL);
}

CASE_PANICS("cannot-be-cancelled", rule_cannot_be_cancelled, "CTX-72", "P-RULES")
{
    rein_ctx *top = rein_with_cancel(rein_background());
    rein_cancel(rein_foreign(top, &forwarding, NULL));
}

/* Also where there is nothing above that could end it. */
CASE_PANICS("cannot-be-cancelled", rule_cannot_be_cancelled_below_a_root, "CTX-72", "P-RULES")
{
    rein_cancel_cause(rein_foreign(rein_background(), &forwarding, NULL), NULL);
}

/* A root neither, nor a view of values, if somebody casts the const away. */
CASE_PANICS("cannot-be-cancelled", rule_a_root_cannot_be_cancelled, "CTX-7", "P-RULES")
{
    rein_cancel(owner_of(rein_background()));
}

/* ---- executors and loops ---- */

static void stay(rein_job *job)
{
    (void)job;
    for (;;)
        pause();
}

CASE_PANICS("serial-busy", rule_serial_busy, "P-RULES", "P-EXEC")
{
    rein_job first = {NULL, stay}, second = {NULL, stay};
    rein_executor *serial = rein_serial_new(NULL);
    int r = rein_post(serial, &first) | rein_post(serial, &second);
    if (r == 0)
        rein_serial_free(serial);
}

CASE_PANICS("serial-required", rule_serial_required, "P-RULES", "P-EXEC")
{
    rein_serial_free(rein_pool_executor());
}

/* A registration that was not stopped is a job still to come. */
CASE_PANICS("serial-busy", rule_serial_busy_with_a_registration, "P-RULES", "P-EXEC")
{
    rein_after after;
    rein_executor *serial = rein_serial_new(rein_inline_executor());
    rein_ctx *ctx = rein_with_cancel(rein_background());
    if (rein_after_func(ctx, &after, serial, do_nothing, NULL) == 0)
        rein_serial_free(serial);
}

CASE_PANICS("loop-busy", rule_loop_busy, "P-RULES", "P-LOOP")
{
    rein_loop *loop;
    rein_job job = {NULL, stay};
    if (rein_loop_new(&loop) == 0 && rein_post(rein_loop_executor(loop), &job) == 0)
        rein_loop_free(loop);
}

CASE_PANICS("loop-busy", rule_loop_busy_with_a_registration, "P-RULES", "P-LOOP")
{
    rein_loop *loop;
    rein_after after;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    if (rein_loop_new(&loop) == 0 &&
        rein_after_func(ctx, &after, rein_loop_executor(loop), do_nothing, NULL) == 0)
        rein_loop_free(loop);
}

/* ---- virtual clocks ---- */

static void advance_again(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    rein_clock_advance(arg, REIN_SECOND);
}

CASE_PANICS("one-advance", rule_one_advance, "P-RULES", "P-VIRTUAL")
{
    rein_callback callback;
    rein_clock *clock = rein_clock_new();
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(clock), REIN_SECOND);
    rein_callback_add(ctx, &callback, advance_again, clock);
    rein_clock_advance(clock, REIN_SECOND);
}

static void advance_inherited(void *arg)
{
    rein_clock_advance(arg, REIN_SECOND);
}

/* An inherited clock cannot be moved in the child of a fork; suite_panic_of is one. */
CASE(rule_frozen, "EXEC-16", "P-RULES", "P-FORK")
{
    rein_clock *clock = rein_clock_new();
    const char *rule = suite_panic_of(advance_inherited, clock);
    ck_assert_ptr_nonnull(rule);
    ck_assert_str_eq(rule, "frozen");
    rein_clock_free(clock);
}
