/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/conformance/test_cause.c: why a context is done.
 *
 * Covers CTX-34 to CTX-46. */
#include <rein.h>
#include <rein/testing.h>
#include <stdlib.h>

#include "base/fault_control.h"
#include "core/check.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

REIN_KEY_DECLARE(ticket, int)
REIN_KEY_DEFINE(ticket, int)

static rein_reason of_parent = REIN_REASON_INIT(-EPIPE, "the client has left");
static rein_reason of_child = REIN_REASON_INIT(-EIO, "the disk has failed");
static rein_reason too_slow = REIN_REASON_INIT(-ETIME, "the search was too slow");

/* ---- one context ---- */

/* A cancel with a reason: err is canceled, the cause is that reason. */
CASE(ctx_34_the_reason_is_the_cause, "CTX-34", "CTX-46")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_cancel_cause(ctx, &of_child);
    expect_end(ctx, -ECANCELED, &of_child);
    rein_end(ctx);
}

/* No reason is a reason too: it sticks like any other. */
CASE(ctx_34_the_first_reason_sticks, "CTX-34")
{
    rein_ctx *plain = rein_with_cancel(rein_background());
    rein_ctx *reasoned = rein_with_cancel(rein_background());
    rein_cancel_cause(plain, NULL);
    rein_cancel_cause(plain, &of_child);
    expect_canceled(plain);
    rein_cancel_cause(reasoned, &of_child);
    rein_cancel_cause(reasoned, &of_parent);
    rein_cancel_cause(reasoned, NULL);
    expect_end(reasoned, -ECANCELED, &of_child);
    rein_end(reasoned);
    rein_end(plain);
}

/* A reason made on the spot has that code and text; one given too late leaves no trace. */
CASE(ctx_34_a_reason_made_on_the_spot, "CTX-34")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_cancel_causef(ctx, -ENOENT, "no %s in %d places", "file", 3);
    rein_cancel_causef(ctx, -EIO, "too late");
    ck_assert_int_eq(rein_err(ctx), -ECANCELED);
    ck_assert_int_eq(rein_cause(ctx)->code, -ENOENT);
    ck_assert_str_eq(rein_cause(ctx)->text, "no file in 3 places");
    rein_end(ctx);
}

/* Before the end there is no cause; after one without a reason the cause says what err says. */
CASE(ctx_35_without_a_reason_the_cause_is_err, "CTX-35")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_ctx *late = rein_with_timeout(rein_background(), -1);
    expect_live(ctx);
    ck_assert_str_eq(rein_cause(ctx)->text, "not done");
    rein_cancel(ctx);
    expect_canceled(ctx);
    expect_expired(late);
    rein_end(late);
    rein_end(ctx);
}

/* ---- down the line ---- */

/* Every descendant, there already or made later, of whatever kind, has the cause. */
CASE(ctx_36_all_below_inherit_the_cause, "CTX-36")
{
    rein_ctx *top = rein_with_cancel(rein_background());
    rein_ctx *owner[12];
    const rein_ctx *value[2];
    for (int later = 0; later < 2; later++) {
        rein_ctx **own = owner + 6 * later;
        own[0] = rein_with_cancel(top);
        own[1] = rein_with_timeout_cause(own[0], REIN_HOUR, &too_slow);
        value[later] = ticket_with(own[1], 1);
        own[2] = rein_merge(rein_background(), value[later]);
        own[3] = rein_detach(rein_background(), own[2], REIN_HOUR);
        own[4] = rein_with_cancel(own[3]);
        own[5] = rein_share(own[4]);
        rein_cancel_cause(top, &of_parent);
    }
    for (int i = 0; i < 12; i++)
        expect_end(owner[i], -ECANCELED, &of_parent);
    expect_end(value[0], -ECANCELED, &of_parent);
    expect_end(value[1], -ECANCELED, &of_parent);
    for (int i = 12; i-- > 0;)
        rein_end(owner[i]);
    rein_unref(value[0]);
    rein_unref(value[1]);
    rein_end(top);
}

/* A cause is readable through what is left of the line when all owners above have gone. */
CASE(ctx_36_the_cause_outlives_who_gave_it, "CTX-36", "CTX-46", "P-LIFETIME")
{
    rein_ctx *top = rein_with_cancel(rein_background()), *child = rein_with_cancel(top);
    const rein_ctx *leaf = ticket_with(child, 1);
    rein_cancel_causef(top, -ENOENT, "counted and %s", "kept");
    rein_end(top);
    rein_end(child);
    ck_assert_str_eq(rein_cause(leaf)->text, "counted and kept");
    rein_unref(leaf);
}

/* For each order of two ends, what child and parent report. NULL is an end without a reason. */
CASE(ctx_37_order_decides_per_node, "CTX-37", "CTX-19")
{
    const struct {
        const rein_reason *parent, *child;
        bool child_first;
        const rein_reason *child_says, *parent_says;
    } rows[] = {
        {&of_parent, &of_child, false, &of_parent, &of_parent},
        {&of_parent, &of_child, true, &of_child, &of_parent},
        {&of_parent, NULL, false, &of_parent, &of_parent},
        {&of_parent, NULL, true, NULL, &of_parent},
        {NULL, &of_child, false, NULL, NULL},
        {NULL, &of_child, true, &of_child, NULL},
        {NULL, NULL, false, NULL, NULL},
        {NULL, NULL, true, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rein_ctx *parent = rein_with_cancel(rein_background()), *child = rein_with_cancel(parent);
        if (rows[i].child_first)
            rein_cancel_cause(child, rows[i].child);
        rein_cancel_cause(parent, rows[i].parent);
        rein_cancel_cause(child, rows[i].child);
        if (rows[i].child_says)
            expect_end(child, -ECANCELED, rows[i].child_says);
        else
            expect_canceled(child);
        if (rows[i].parent_says)
            expect_end(parent, -ECANCELED, rows[i].parent_says);
        else
            expect_canceled(parent);
        rein_end(child);
        rein_end(parent);
    }
}

/* ---- the cause of a deadline ---- */

/* A deadline's cause is reported when that deadline ends the context; a cancel before it does
 * not use it, be it with a reason of its own or without. */
CASE(ctx_38_a_deadlines_cause_is_for_the_deadline, "CTX-38")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *expires = rein_with_timeout_cause(root, REIN_SECOND, &too_slow);
    rein_ctx *at = rein_with_deadline_cause(root, rein_in(root, REIN_SECOND), &too_slow);
    rein_ctx *cancelled = rein_with_timeout_cause(root, REIN_SECOND, &too_slow);
    rein_ctx *reasoned = rein_with_timeout_cause(root, REIN_SECOND, &too_slow);
    rein_ctx *late = rein_with_timeout_cause(root, 0, &too_slow);
    rein_cancel(cancelled);
    rein_cancel_cause(reasoned, &of_child);
    rein_clock_advance(clock, REIN_SECOND);
    expect_end(expires, -ETIMEDOUT, &too_slow);
    expect_end(at, -ETIMEDOUT, &too_slow);
    expect_end(late, -ETIMEDOUT, &too_slow);
    expect_canceled(cancelled);
    expect_end(reasoned, -ECANCELED, &of_child);
    rein_end(late);
    rein_end(reasoned);
    rein_end(cancelled);
    rein_end(at);
    rein_end(expires);
    rein_clock_free(clock);
}

/* Of a parent's cancel and a child's deadline with a cause, the one that came first is the
 * child's. */
CASE(ctx_39_deadline_cause_against_the_parents_end, "CTX-39", "CTX-19")
{
    rein_clock *clock = suite_clock();
    rein_ctx *parent = rein_with_cancel(rein_clock_root(clock));
    rein_ctx *before = rein_with_timeout_cause(parent, 1, &too_slow);
    rein_ctx *after = rein_with_timeout_cause(parent, 2, &too_slow);
    rein_clock_advance(clock, 1);
    rein_cancel_cause(parent, &of_parent);
    rein_clock_advance(clock, 1);
    expect_end(before, -ETIMEDOUT, &too_slow);
    expect_end(after, -ECANCELED, &of_parent);
    rein_end(after);
    rein_end(before);
    rein_end(parent);
    rein_clock_free(clock);
}

/* Where the parent's deadline is strictly earlier, the child's own cause is dropped: it reports the
 * parent's, or the plain deadline if the parent had none. */
CASE(ctx_40_an_earlier_parent_drops_the_childs_cause, "CTX-40", "P-HONEST")
{
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *plain = rein_with_timeout(root, REIN_SECOND);
    rein_ctx *reasoned = rein_with_timeout_cause(root, REIN_SECOND, &of_parent);
    rein_ctx *of_plain = rein_with_timeout_cause(plain, REIN_SECOND + 1, &too_slow);
    rein_ctx *of_reasoned = rein_with_timeout_cause(reasoned, REIN_HOUR, &too_slow);
    rein_clock_advance(clock, 2 * REIN_HOUR);
    expect_expired(of_plain);
    expect_end(of_reasoned, -ETIMEDOUT, &of_parent);
    rein_end(of_reasoned);
    rein_end(of_plain);
    rein_end(reasoned);
    rein_end(plain);
    rein_clock_free(clock);
}

/* Equal deadlines: err is the deadline's either way; the child's cause is its own or the
 * parent's. */
CASE(ctx_41_equal_deadlines, "CTX-41")
{
    rein_clock *clock = suite_clock();
    rein_ctx *parent = rein_with_timeout_cause(rein_clock_root(clock), REIN_SECOND, &of_parent);
    rein_ctx *child = rein_with_timeout_cause(parent, REIN_SECOND, &too_slow);
    rein_clock_advance(clock, REIN_SECOND);
    expect_end(parent, -ETIMEDOUT, &of_parent);
    ck_assert_int_eq(rein_err(child), -ETIMEDOUT);
    ck_assert(rein_cause(child) == &of_parent || rein_cause(child) == &too_slow);
    rein_end(child);
    rein_end(parent);
    rein_clock_free(clock);
}

/* An earlier deadline of the child's ends the child alone, with its cause. */
CASE(ctx_41_an_earlier_child_ends_alone, "CTX-41", "CTX-17")
{
    rein_clock *clock = suite_clock();
    rein_ctx *parent = rein_with_timeout_cause(rein_clock_root(clock), REIN_SECOND, &of_parent);
    rein_ctx *child = rein_with_timeout_cause(parent, REIN_SECOND - 1, &too_slow);
    rein_clock_advance(clock, REIN_SECOND - 1);
    expect_end(child, -ETIMEDOUT, &too_slow);
    expect_live(parent);
    rein_clock_advance(clock, 1);
    expect_end(parent, -ETIMEDOUT, &of_parent);
    expect_end(child, -ETIMEDOUT, &too_slow);
    rein_end(child);
    rein_end(parent);
    rein_clock_free(clock);
}

/* ---- while it happens ---- */

struct polled {
    rein_ctx *ctx;
    const rein_ctx *asked;
};

static void cancel_with_reason(void *arg)
{
    rein_cancel_cause(((struct polled *)arg)->ctx, &of_parent);
}

static void poll_cause(void *arg)
{
    struct polled *it = arg;
    const rein_reason *cause;
    while ((cause = rein_cause(it->asked))->code == 0)
        suite_yield();
    ck_assert_ptr_eq(cause, &of_parent);
    ck_assert_int_eq(rein_err(it->asked), -ECANCELED);
}

/* Whoever polls the cause during a cancel, on the context itself or far below, sees none and
 * then the final reason, never a stand-in. */
CASE(ctx_42_the_cause_is_never_a_stand_in, "CTX-42", "CTX-1")
{
    for (size_t round = 0; round < suite_rounds(500); round++) {
        rein_ctx *top = rein_with_cancel(rein_background()), *child = rein_with_cancel(top);
        const rein_ctx *value = ticket_with(child, 1);
        struct polled it = {top, round % 3 == 0 ? top : round % 3 == 1 ? child : value};
        race_pair(poll_cause, cancel_with_reason, &it);
        rein_unref(value);
        rein_end(child);
        rein_end(top);
    }
}

static void poll_err(void *arg)
{
    struct polled *it = arg;
    while (rein_err(it->asked) == 0)
        suite_yield();
    struct rein_event event;
    ck_assert_ptr_eq(rein_cause(it->asked), &of_parent);
    ck_assert(rein_event(it->asked, &event));
    ck_assert_ptr_eq(event.cause, &of_parent);
    ck_assert_str_eq(event.site, "rein_cancel_cause");
}

static void cancel_bare(void *arg)
{
    (rein_cancel_cause)(((struct polled *)arg)->ctx, &of_parent);
}

/* Err and cause come together: whoever sees err set finds the final cause and the whole record. */
CASE(ctx_43_err_and_cause_come_together, "CTX-43", "CTX-42", "P-EVENT")
{
    for (size_t round = 0; round < suite_rounds(500); round++) {
        rein_ctx *top = rein_with_cancel(rein_background()), *child = rein_with_cancel(top);
        struct polled it = {top, round % 2 ? top : child};
        race_pair(poll_err, cancel_bare, &it);
        rein_end(child);
        rein_end(top);
    }
}

/* A context that hides its ancestors' end hides their cause too: no err, no cause. */
CASE(ctx_43_no_err_no_cause, "CTX-43", "CTX-44", "CTX-73")
{
    rein_ctx *above = rein_with_cancel(rein_background());
    const rein_ctx *value = ticket_with(above, 7);
    rein_ctx *foreign = rein_foreign(value, NULL, NULL), *child = rein_with_cancel(foreign);
    const rein_ctx *without = rein_without_cancel(value);
    rein_cancel_cause(above, &of_parent);
    const rein_ctx *hidden[] = {foreign, child, without};
    for (int i = 0; i < 3; i++) {
        expect_live(hidden[i]);
        ck_assert_int_eq(ticket_of(hidden[i], 0), 7);
    }
    rein_unref(without);
    rein_end(child);
    rein_end(foreign);
    rein_unref(value);
    rein_end(above);
}

/* ---- foreign contexts ---- */

/* The cause of a foreign context and of all below it: none while it is live, then the reason its
 * owner gave, or else its err. */
CASE(ctx_44_the_cause_of_a_foreign_context, "CTX-44", "CTX-76")
{
    rein_ctx *plain = rein_foreign(rein_background(), NULL, NULL);
    rein_ctx *reasoned = rein_foreign(rein_background(), NULL, NULL);
    rein_ctx *late = rein_foreign(rein_background(), NULL, NULL);
    rein_ctx *below = rein_with_cancel(reasoned);
    expect_live(plain);
    expect_live(below);
    rein_foreign_done(plain, -ECANCELED, NULL);
    rein_foreign_done(reasoned, -ETIMEDOUT, &too_slow);
    rein_foreign_done(late, -ETIMEDOUT, NULL);
    expect_canceled(plain);
    expect_end(reasoned, -ETIMEDOUT, &too_slow);
    expect_end(below, -ETIMEDOUT, &too_slow);
    expect_expired(late);
    rein_end(late);
    rein_end(below);
    rein_end(reasoned);
    rein_end(plain);
}

/* One that forwards reports what it forwards. */
CASE(ctx_44_a_forwarding_one_reports_its_parents, "CTX-44", "CTX-72")
{
    static const rein_foreign_ops forwarding = {.size = sizeof forwarding, .forwards = true};
    rein_ctx *parent = rein_with_cancel(rein_background());
    rein_ctx *foreign = rein_foreign(parent, &forwarding, NULL), *child = rein_with_cancel(foreign);
    rein_cancel_cause(parent, &of_parent);
    expect_end(foreign, -ECANCELED, &of_parent);
    expect_end(child, -ECANCELED, &of_parent);
    rein_end(child);
    rein_end(foreign);
    rein_end(parent);
}

/* Better than in Go, and written down as a difference: a foreign context that ended by itself
 * keeps its cause when an ancestor ends later; and an ancestor's earlier end is not its own. */
CASE(ctx_45_a_foreign_end_keeps_its_cause, "CTX-45", "CTX-19")
{
    for (int ancestor_first = 0; ancestor_first < 2; ancestor_first++) {
        rein_ctx *above = rein_with_cancel(rein_background());
        rein_ctx *foreign = rein_foreign(above, NULL, NULL), *child = rein_with_cancel(foreign);
        if (ancestor_first)
            rein_cancel_cause(above, &of_parent);
        rein_foreign_done(foreign, -ECANCELED, NULL);
        rein_cancel_cause(above, &of_parent);
        expect_canceled(foreign);
        expect_canceled(child);
        rein_end(child);
        rein_end(foreign);
        rein_end(above);
    }
}

/* ---- identity and ownership ---- */

static void count_drop(void *payload)
{
    race_add(payload, 1);
}

/* The very object that was given comes back, with its payload; the context keeps a reference of
 * its own and gives it back with its memory. */
CASE(ctx_46_a_cause_is_one_object, "CTX-46")
{
    struct race_count dropped = {0};
    rein_reason *made = rein_reason_new(-ENOENT, "no such file", &dropped, count_drop);
    ck_assert_ptr_nonnull(made);
    rein_ctx *top = rein_with_cancel(rein_background()), *leaf = rein_with_cancel(top);
    rein_cancel_cause(top, made);
    rein_cancel_cause(leaf, made); /* too late: it takes no reference, or gives it back */
    rein_reason_unref(made);
    ck_assert_ptr_eq(rein_cause(leaf), made); /* first: its text is the contexts' now */
    expect_end(leaf, -ECANCELED, made);
    ck_assert_ptr_eq(rein_cause(leaf)->payload, &dropped);
    rein_end(top);
    ck_assert_uint_eq(race_value(&dropped), 0);
    const rein_reason *kept = rein_reason_ref(rein_cause(leaf));
    rein_end(leaf);
    ck_assert_uint_eq(race_value(&dropped), 0);
    ck_assert_str_eq(kept->text, "no such file");
    rein_reason_unref(kept);
    ck_assert_uint_eq(race_value(&dropped), 1);
}

/* A deadline's cause is given back whether it was used or not. */
CASE(ctx_46_a_deadlines_cause_is_given_back, "CTX-46", "CTX-38")
{
    struct race_count dropped = {0};
    rein_clock *clock = suite_clock();
    const rein_ctx *root = rein_clock_root(clock);
    rein_reason *made = rein_reason_new(-ETIME, "too slow", &dropped, count_drop);
    ck_assert_ptr_nonnull(made);
    rein_ctx *ctx[] = {
        rein_with_timeout_cause(root, 1, made),
        rein_with_timeout_cause(root, REIN_HOUR, made),
        rein_with_timeout_cause(root, -1, made),
        rein_with_timeout_cause(root, REIN_FOREVER, made),
        rein_with_timeout_cause(root, REIN_HOUR, made),
    };
    rein_cancel(ctx[4]);
    rein_clock_advance(clock, 1);
    expect_end(ctx[0], -ETIMEDOUT, made);
    rein_reason_unref(made);
    for (int i = 0; i < 5; i++) {
        ck_assert_uint_eq(race_value(&dropped), 0);
        rein_end(ctx[(i + 1) % 5]);
    }
    ck_assert_uint_eq(race_value(&dropped), 1);
    rein_clock_free(clock);
}

/* ---- the record of the end ---- */

/* Every end says who ended what, where and when; all below point to the same record. */
CASE(event_says_who_where_and_when, "P-EVENT")
{
    rein_clock *clock = suite_clock();
    rein_ctx *top = rein_with_cancel(rein_clock_root(clock)), *leaf = rein_with_cancel(top);
    rein_ctx *timed = rein_with_timeout(leaf, REIN_HOUR);
    struct rein_event event, below;
    char line[200];
    rein_clock_advance(clock, REIN_SECOND);
    rein_time at = rein_now(leaf);
    rein_cancel_cause(top, &of_parent);
    rein_clock_advance(clock, REIN_SECOND);
    ck_assert(rein_event(top, &event) && rein_event(timed, &below));
    ck_assert_ptr_nonnull(strstr(event.site, "test_cause.c:"));
    ck_assert_ptr_nonnull(strstr(event.context_site, "test_cause.c:"));
    ck_assert_str_ne(event.site, event.context_site);
    ck_assert_int_eq(event.at.ns, at.ns);
    ck_assert_int_gt(event.thread, 0);
    ck_assert_ptr_eq(below.site, event.site);
    ck_assert_ptr_eq(below.context_site, event.context_site);
    ck_assert_int_eq(below.at.ns, at.ns);
    rein_explain(timed, line, sizeof line);
    ck_assert_ptr_nonnull(strstr(line, "context canceled: the client has left (test_cause.c:"));
    ck_assert_ptr_nonnull(strstr(line, "1s ago"));
    rein_end(timed);
    rein_end(leaf);
    rein_end(top);
    rein_clock_free(clock);
}

/* For a deadline the record names the line that set it. */
CASE(event_names_the_deadline_that_ran_out, "P-EVENT")
{
    rein_clock *clock = suite_clock();
    rein_ctx *outer = rein_with_timeout(rein_clock_root(clock), REIN_SECOND);
    rein_ctx *inner = rein_with_timeout(outer, REIN_HOUR);
    struct rein_event event;
    rein_time deadline;
    ck_assert(rein_deadline(inner, &deadline));
    rein_clock_advance(clock, REIN_MINUTE);
    ck_assert(rein_event(inner, &event));
    ck_assert_int_eq(event.err, -ETIMEDOUT);
    ck_assert_int_eq(event.at.ns, deadline.ns);
    ck_assert_ptr_eq(event.site, event.context_site);
    ck_assert_ptr_nonnull(strstr(event.site, "test_cause.c:"));
    rein_end(inner);
    rein_end(outer);
    rein_clock_free(clock);
}

/* Without memory a cancel with a formatted reason cancels all the same, with a standing reason. */
CASE(cancel_needs_no_memory, "P-NOMEMORY", "CTX-96")
{
    rein_ctx *ctx = rein_with_cancel(rein_background()), *plain = rein_with_timeout(ctx, REIN_HOUR);
    reini_fault_fail_nth(0);
    rein_cancel_cause(plain, &of_child);
    ck_assert_int_eq(reini_fault_count(), 0);
    reini_fault_fail_nth(1);
    rein_cancel_causef(ctx, -EIO, "number %d", 1);
    reini_fault_fail_nth(0);
    ck_assert_int_eq(rein_err(ctx), -ECANCELED);
    ck_assert_int_eq(rein_cause(ctx)->code, -ENOMEM);
    rein_end(plain);
    rein_end(ctx);
}

/* Without memory a derive call gives a context that is done: work under it, and under all
 * derived from it, is refused; nothing has changed above. */
CASE(deriving_without_memory_fails_closed, "P-FAILED", "CTX-96")
{
    rein_ctx *parent = rein_with_cancel(rein_background());
    rein_ctx *onto = rein_with_cancel(rein_background());
    unsigned references = reini_check_references(parent);
    for (int kind = 0; kind < 6; kind++) {
        const rein_ctx *refused = NULL;
        reini_fault_fail_nth(1);
        switch (kind) {
        case 0: refused = rein_with_cancel(parent); break;
        case 1: refused = rein_with_timeout(parent, REIN_HOUR); break;
        case 2: refused = rein_merge(parent, onto); break;
        case 3: refused = rein_detach(parent, onto, REIN_HOUR); break;
        case 4: refused = rein_without_cancel(parent); break;
        case 5: refused = ticket_with(parent, 7); break;
        }
        reini_fault_fail_nth(0);
        ck_assert_int_eq(rein_err(refused), -ECANCELED);
        ck_assert_int_eq(rein_cause(refused)->code, -ENOMEM);
        ck_assert_int_eq(rein_remaining(refused), 0);
        ck_assert(!rein_has_value(refused, &ticket_key));
        ck_assert_int_eq(rein_sleep(refused, REIN_HOUR), -ECANCELED);
        const rein_ctx *life = rein_without_cancel(refused);
        ck_assert_int_eq(rein_err(life), -ECANCELED);
        rein_unref(life);
        rein_unref(refused);
        ck_assert_uint_eq(reini_check_references(parent), references);
        ck_assert_uint_eq(reini_check_dependents(parent), 0);
        expect_live(parent);
    }
    rein_end(onto);
    rein_end(parent);
}
