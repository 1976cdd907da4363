/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/foreign/test_foreign.c: foreign contexts, which push. What Go's own tests leave open
 * of CTX-72 to CTX-81, in that form; docs/foreign.md is the other half of this. */
#include <rein.h>
#include <rein/foreign.h>
#include <rein/testing.h>

#include "base/fault_control.h"
#include "core/check.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

static const rein_reason why = REIN_REASON_INIT(-3, "why not");
static const rein_reason first = REIN_REASON_INIT(-4, "first");

REIN_KEY_DECLARE(number, int)
REIN_KEY_DEFINE(number, int)
REIN_KEY_DECLARE_STRING(word)
REIN_KEY_DEFINE_STRING(word)

/* ---- a foreign kind with everything ---- */

struct token {
    const rein_key *key;
    const void *value;
    rein_time deadline;
    struct race_count drops, asked;
};

static bool token_value(void *self, const rein_key *key, const void **ret_value)
{
    struct token *token = self;
    race_add(&token->asked, 1);
    if (key != token->key)
        return false;
    *ret_value = token->value;
    return true;
}

static bool token_deadline(void *self, rein_time *ret_deadline)
{
    *ret_deadline = ((struct token *)self)->deadline;
    return true;
}

static void token_drop(void *self)
{
    race_add(&((struct token *)self)->drops, 1);
}

static const rein_foreign_ops plain = {.size = sizeof plain};
static const rein_foreign_ops forwarding = {
    .size = sizeof forwarding, .forwards = true, .drop = token_drop};
static const rein_foreign_ops with_value = {
    .size = sizeof with_value, .value = token_value, .drop = token_drop};
static const rein_foreign_ops with_deadline = {.size = sizeof with_deadline,
                                               .deadline = token_deadline};

/* ---- one that forwards ---- */

/* A foreign context that merely forwards costs nothing: children link to the context behind it and
 * are done when its cancel returns. (Go's name: TestWithCancel, with its wrapper.) */
CASE(ctx_72_forwarding_costs_nothing, "CTX-72", "CTX-14")
{
    struct token token = {.key = NULL};
    rein_ctx *c1 = rein_with_cancel(rein_background()), *o = rein_foreign(c1, &forwarding, &token);
    rein_ctx *c2 = rein_with_cancel(o);
    ck_assert_uint_eq(reini_check_dependents(c1), 1);
    expect_live(o);
    expect_live(c2);
    ck_assert(!has_fired(o) && !has_fired(c2));
    rein_cancel_cause(c1, &why);
    expect_end(o, -ECANCELED, &why);
    expect_end(c2, -ECANCELED, &why);
    ck_assert(has_fired(o) && has_fired(c2));
    rein_end(c2);
    rein_end(o);
    ck_assert_uint_eq(race_value(&token.drops), 1);
    rein_end(c1);
}

/* It has no end of its own: giving it back ends nothing, above a root or a live context, held by
 * others or not. */
CASE(ctx_72_forwarding_has_no_end_of_its_own, "CTX-72", "CTX-81")
{
    struct token token = {.key = NULL};
    rein_ctx *top = rein_with_cancel(rein_background());
    const rein_ctx *parents[] = {rein_background(), top};
    for (int i = 0; i < 2; i++) {
        rein_ctx *o = rein_foreign(parents[i], &forwarding, &token), *child = rein_with_cancel(o);
        const rein_ctx *view = rein_ref(o);
        rein_end(o);
        expect_live(view);
        expect_live(child);
        rein_end(child);
        rein_unref(view);
    }
    expect_live(top);
    rein_end(top);
    ck_assert_uint_eq(race_value(&token.drops), 2);
}

/* A deadline behind it is its own, and its children's. */
CASE(ctx_51_deadlines_cross_what_forwards, "CTX-51", "CTX-72")
{
    struct token token = {.key = NULL};
    rein_clock *clock = suite_clock();
    rein_ctx *timed = rein_with_timeout(rein_clock_root(clock), REIN_SECOND);
    rein_ctx *o = rein_foreign(timed, &forwarding, &token),
             *child = rein_with_timeout(o, REIN_HOUR);
    rein_time mine, its;
    ck_assert(rein_deadline(child, &mine) && rein_deadline(timed, &its));
    ck_assert_int_eq(mine.ns, its.ns);
    rein_clock_advance(clock, REIN_SECOND);
    expect_expired(o);
    expect_expired(child);
    rein_end(child);
    rein_end(o);
    rein_end(timed);
    rein_clock_free(clock);
}

/* ---- one with an end of its own ---- */

/* -ETIMEDOUT and -ECANCELED pass through; any other err becomes -ECANCELED with that code in the
 * cause; a reason that is given is the cause. */
CASE(ctx_76_any_err_is_one_of_the_two, "CTX-5", "CTX-76")
{
    static const struct {
        int err, expected, code;
    } rows[] = {{-ECANCELED, -ECANCELED, -ECANCELED},
                {-ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT},
                {-EIO, -ECANCELED, -EIO},
                {-ECONNRESET, -ECANCELED, -ECONNRESET},
                {7, -ECANCELED, 7},
                {INT32_MIN, -ECANCELED, INT32_MIN}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rein_ctx *o = rein_foreign(rein_background(), &plain, NULL), *child = rein_with_cancel(o);
        rein_foreign_done(o, rows[i].err, NULL);
        ck_assert_int_eq(rein_err(o), rows[i].expected);
        ck_assert_int_eq(rein_err(child), rows[i].expected);
        ck_assert_int_eq(rein_cause(child)->code, rows[i].code);
        ck_assert_uint_gt(strlen(rein_cause(child)->text), 0);
        rein_end(child);
        rein_end(o);
        o = rein_foreign(rein_background(), &plain, NULL);
        rein_foreign_done(o, rows[i].err, &why);
        expect_end(o, rows[i].expected, &why);
        rein_end(o);
    }
}

/* Without memory for the cause of an odd err it is done all the same. */
CASE(ctx_76_done_needs_no_memory, "CTX-76", "CTX-96")
{
    rein_ctx *o = rein_foreign(rein_background(), &plain, NULL);
    reini_fault_fail_nth(1);
    rein_foreign_done(o, -EIO, NULL);
    reini_fault_fail_nth(0);
    ck_assert_int_eq(rein_err(o), -ECANCELED);
    ck_assert_int_ne(rein_cause(o)->code, 0);
    rein_end(o);
}

/* A child's end does not touch it; a child ended first keeps its own cause. */
CASE(ctx_81_children_do_not_end_it, "CTX-17", "CTX-19", "CTX-81")
{
    rein_ctx *o = rein_foreign(rein_background(), &plain, NULL), *child = rein_with_cancel(o);
    rein_cancel_cause(child, &why);
    expect_live(o);
    rein_foreign_done(o, -ECANCELED, NULL);
    expect_end(child, -ECANCELED, &why);
    expect_canceled(o);
    rein_end(child);
    rein_end(o);
}

/* Its owner may end its child by the child's own cancel, and cancel it like any other context. */
CASE(ctx_81_an_owner_cancels_as_any, "CTX-81")
{
    rein_ctx *o = rein_foreign(rein_background(), &plain, NULL), *child = rein_with_cancel(o);
    rein_cancel(child);
    rein_cancel_cause(o, &why);
    expect_canceled(child);
    expect_end(o, -ECANCELED, &why);
    rein_end(child);
    rein_end(o);
}

/* Never told that it is done, it is live for ever; its last owner's end is its end. */
CASE(ctx_78_never_pushed_it_never_ends, "CTX-78", "CTX-12")
{
    rein_ctx *o = rein_foreign(rein_background(), NULL, NULL), *child = rein_with_cancel(o);
    expect_live(o);
    ck_assert(!has_fired(o));
    rein_end(o);
    expect_canceled(child);
    rein_end(child);
}

struct pushing {
    rein_ctx *ctx, *child;
};

static void push_or_cancel(void *arg, unsigned index)
{
    struct pushing *is = arg;
    switch (index) {
    case 0:
        rein_foreign_done(is->ctx, -ETIMEDOUT, NULL);
        break;
    case 1:
        rein_foreign_done(is->ctx, -EIO, &why);
        break;
    case 2:
        rein_cancel_cause(is->ctx, &first);
        break;
    default:
        while (rein_err(is->child) == 0)
            ;
        break;
    }
    ck_assert_int_ne(rein_err(is->child), 0);
}

/* However many push at once, one counts, err and cause belong together, and all find the child
 * done. */
CASE_LONG(60, ctx_80_many_push_at_once, "CTX-13", "CTX-15", "CTX-80")
{
    for (size_t round = 0; round < suite_rounds(300); round++) {
        struct pushing is = {.ctx = rein_foreign(rein_background(), &plain, NULL)};
        is.child = rein_with_cancel(is.ctx);
        race_run(4, push_or_cancel, &is);
        int err = rein_err(is.ctx);
        const rein_reason *cause = rein_cause(is.child);
        ck_assert_int_eq(rein_err(is.child), err);
        ck_assert(err == -ETIMEDOUT ? cause->code == -ETIMEDOUT : cause == &why || cause == &first);
        rein_end(is.child);
        rein_end(is.ctx);
    }
}

/* A callback of its own may push another, or itself again: nothing is held while it runs. */
static void push_again(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    rein_foreign_done(arg, -EIO, NULL);
}

CASE(ctx_80_nothing_is_locked_while_callbacks_run, "CTX-65", "CTX-80")
{
    rein_callback callback, second;
    rein_ctx *a = rein_foreign(rein_background(), &plain, NULL), *b = rein_foreign(a, &plain, NULL);
    ck_assert(rein_callback_add(a, &callback, push_again, b));
    ck_assert(rein_callback_add(b, &second, push_again, a));
    rein_foreign_done(a, -ECANCELED, &why);
    expect_end(a, -ECANCELED, &why);
    ck_assert_int_eq(rein_cause(b)->code, -EIO);
    rein_end(b);
    rein_end(a);
}

/* ---- values ---- */

/* Lookups ask it on the way up; what it does not know is looked for above it. */
CASE(ctx_82_foreign_values, "CTX-82", "CTX-84", "CTX-88")
{
    static const int mine = 77;
    struct token token = {.key = &number_key, .value = &mine}, hides = {.key = &number_key};
    const rein_ctx *root = word_with(rein_background(), "above");
    rein_ctx *o = rein_foreign(root, &with_value, &token), *child = rein_with_cancel(o);
    const rein_ctx *below = word_with(child, "below");
    ck_assert_int_eq(number_of(below, -1), 77);
    ck_assert_str_eq(word_of(below, NULL), "below");
    ck_assert_str_eq(word_of(o, NULL), "above");
    ck_assert(rein_has_value(child, &number_key));
    uint64_t asked = race_value(&token.asked);
    ck_assert_str_eq(word_of(below, NULL), "below"); /* stops at the first match */
    ck_assert_uint_eq(race_value(&token.asked), asked);
    rein_ctx *hidden = rein_foreign(below, &with_value, &hides); /* answers NULL, which shadows */
    ck_assert_ptr_null(rein_value(hidden, &number_key));
    ck_assert(rein_has_value(hidden, &number_key));
    rein_end(hidden);
    rein_unref(below);
    rein_end(child);
    rein_end(o);
    ck_assert_uint_eq(race_value(&token.drops), 1);
    rein_unref(root);
}

/* Among hundreds of values, before and behind it, it is still asked in its place. */
CASE(ctx_88_foreign_in_a_long_line, "CTX-82", "CTX-88")
{
    enum { DEEP = 100 };
    static const int mine = 77, outer = 5;
    struct token token = {.key = &number_key, .value = &mine};
    const rein_ctx *line[2 * DEEP + 1] = {rein_background()};
    rein_ctx *o = NULL;
    for (int i = 0; i < 2 * DEEP; i++) {
        if (i == DEEP)
            line[i + 1] = o = rein_foreign(line[i], &with_value, &token);
        else if (i == 3)
            line[i + 1] = number_with(line[i], outer);
        else
            line[i + 1] = word_with(line[i], "x");
    }
    for (int i = 5; i <= 2 * DEEP; i++)
        ck_assert_int_eq(number_of(line[i], -1), i > DEEP ? 77 : 5);
    for (int i = 2 * DEEP; i > 0; i--) {
        if (line[i] == o)
            rein_end(o);
        else
            rein_unref(line[i]);
    }
}

/* ---- deadline ---- */

/* Its deadline is asked once, is reported, and clips those of its children; that it is then done is
 * its owner's business, and children whose deadline was clipped wait for that, as in Go. */
CASE(ctx_51_foreign_deadlines, "CTX-50", "CTX-51")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    struct token token = {.deadline = rein_in(root, REIN_SECOND)};
    rein_ctx *o = rein_foreign(root, &with_deadline, &token);
    rein_ctx *later = rein_with_timeout(o, REIN_HOUR),
             *sooner = rein_with_timeout(o, REIN_MILLISECOND);
    rein_time when;
    token.deadline = (rein_time){1};
    ck_assert(rein_deadline(o, &when) && when.ns == rein_in(root, REIN_SECOND).ns);
    ck_assert(rein_deadline(later, &when) && when.ns == rein_in(root, REIN_SECOND).ns);
    ck_assert_int_eq(rein_remaining(later), REIN_SECOND);
    rein_clock_advance(clock, REIN_MINUTE);
    expect_expired(sooner);
    expect_live(o);
    expect_live(later);
    ck_assert_int_eq(rein_check(later), 0);
    rein_foreign_done(o, -ETIMEDOUT, NULL);
    expect_expired(later);
    rein_end(sooner);
    rein_end(later);
    rein_end(o);
    rein_clock_free(clock);
}

/* Work detached from it onto something else keeps its values and not its deadline. */
CASE(ctx_59_detached_from_a_foreign, "CTX-51", "CTX-59")
{
    static const int mine = 77;
    struct token token = {.key = &number_key, .value = &mine};
    rein_ctx *o = rein_foreign(rein_background(), &with_value, &token);
    rein_ctx *off = rein_detach(o, rein_background(), REIN_HOUR);
    rein_foreign_done(o, -EIO, NULL);
    expect_live(off);
    ck_assert_int_eq(number_of(off, -1), 77);
    rein_end(o);
    ck_assert_uint_eq(race_value(&token.drops), 0);
    rein_end(off);
    ck_assert_uint_eq(race_value(&token.drops), 1);
}

/* ---- memory and versions ---- */

/* If it could only be the failed context, self is dropped from within the call; pushing that
 * changes nothing. */
CASE(ctx_96_foreign_without_memory, "CTX-96", "P-FAILED")
{
    struct token token = {.key = NULL};
    reini_fault_fail_nth(1);
    rein_ctx *failed = rein_foreign(rein_background(), &with_value, &token);
    reini_fault_fail_nth(0);
    ck_assert_int_eq(rein_cause(failed)->code, -ENOMEM);
    ck_assert_uint_eq(race_value(&token.drops), 1);
    rein_ctx *below = rein_foreign(failed, &with_value, &token);
    ck_assert_ptr_eq(below, failed);
    ck_assert_uint_eq(race_value(&token.drops), 2);
    rein_foreign_done(failed, -ETIMEDOUT, &why);
    ck_assert_int_eq(rein_err(failed), -ECANCELED);
    ck_assert_int_eq(rein_cause(failed)->code, -ENOMEM);
    rein_end(below);
    rein_end(failed);
}

/* A table built against an older, shorter header: what it has not got counts as NULL. */
CASE(foreign_tables_may_be_shorter, "P-ABI")
{
    struct token token = {.key = NULL};
    rein_foreign_ops older = {
        .size = offsetof(rein_foreign_ops, drop), .drop = token_drop, .forwards = true};
    rein_ctx *o = rein_foreign(rein_background(), &older, &token);
    rein_foreign_done(o, -EIO, NULL); /* it does not forward: the field is beyond its table */
    ck_assert_int_eq(rein_err(o), -ECANCELED);
    rein_end(o);
    ck_assert_uint_eq(race_value(&token.drops), 0);
}
