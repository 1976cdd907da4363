/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/values/test_values.c: values: what Go's own tests leave open of CTX-82 to CTX-89. */
#include <rein.h>
#include <rein/testing.h>
#include <stdlib.h>

#include "base/fault_control.h"
#include "core/check.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

static const rein_reason why = REIN_REASON_INIT(-3, "why not");

struct point {
    int x, y;
    char name[20];
};

REIN_KEY_DECLARE(number, int)
REIN_KEY_DEFINE(number, int)
REIN_KEY_DECLARE(other_number, int)
REIN_KEY_DEFINE(other_number, int)
REIN_KEY_DECLARE(place, struct point)
REIN_KEY_DEFINE(place, struct point)
REIN_KEY_DECLARE_STRING(word)
REIN_KEY_DEFINE_STRING(word)
REIN_KEY_DECLARE_BORROWED(lent, struct point)
REIN_KEY_DEFINE_BORROWED(lent, struct point)

static struct race_count drops;
static void *last_dropped;

static void note_drop(void *value)
{
    last_dropped = value;
    race_add(&drops, 1);
}

REIN_KEY_DECLARE_OWNED(own, struct point)
REIN_KEY_DEFINE_OWNED(own, struct point, note_drop)

/* ---- looking up ---- */

/* NULL can be bound, hides what is further up, and is told apart from nothing. */
CASE(ctx_84_null_is_a_value_and_shadows, "CTX-84")
{
    static struct point here = {1, 2, "here"};
    const rein_ctx *bound = word_with(rein_background(), "outer"), *hidden = word_with(bound, NULL);
    ck_assert_ptr_null(rein_value(hidden, &word_key));
    ck_assert(rein_has_value(hidden, &word_key));
    ck_assert_ptr_null(word_of(hidden, "otherwise"));
    ck_assert_str_eq(word_of(bound, NULL), "outer");
    ck_assert(!rein_has_value(rein_background(), &word_key));
    const rein_ctx *lent = lent_with(bound, &here), *none_lent = lent_with(lent, NULL);
    ck_assert_ptr_eq(lent_of(lent, NULL), &here);
    ck_assert_ptr_null(lent_of(none_lent, &here));
    ck_assert(rein_has_value(none_lent, &lent_key));
    rein_unref(none_lent);
    rein_unref(lent);
    rein_unref(hidden);
    rein_unref(bound);
}

/* Looking a NULL or unknown key up simply finds nothing. */
CASE(ctx_85_odd_keys_find_nothing, "CTX-85")
{
    static const rein_key unknown = {.name = "unknown", .kind = REIN_VALUE_STRING};
    const rein_ctx *ctx = number_with(rein_background(), 1);
    ck_assert_ptr_null(rein_value(ctx, none()));
    ck_assert(!rein_has_value(ctx, none()));
    ck_assert_ptr_null(rein_value(ctx, &unknown));
    ck_assert(!rein_has_value(ctx, &unknown));
    rein_unref(ctx);
}

/* Two keys of one name are two keys: the address is the identity. */
CASE(ctx_83_names_do_not_collide, "CTX-83")
{
    static const rein_key first = {.name = "same", .kind = REIN_VALUE_STRING};
    static const rein_key second = {.name = "same", .kind = REIN_VALUE_STRING};
    const rein_ctx *ctx = rein_with_value(rein_background(), &first, "1");
    ck_assert_ptr_null(rein_value(ctx, &second));
    const rein_ctx *both = rein_with_value(ctx, &second, "2");
    ck_assert_str_eq(rein_value(both, &first), "1");
    ck_assert_str_eq(rein_value(both, &second), "2");
    rein_unref(both);
    rein_unref(ctx);
}

/* What is copied is the context's own: whatever becomes of the original. */
CASE(ctx_89_copies_are_the_context_s_own, "CTX-89")
{
    char text[] = "text";
    struct point where = {3, 4, "there"};
    const rein_ctx *a = word_with(rein_background(), text), *b = place_with(a, where);
    text[0] = 'X';
    where.x = 99;
    ck_assert_str_eq(word_of(b, NULL), "text");
    ck_assert_int_eq(place_of(b, where).x, 3);
    ck_assert_str_eq(place_of(b, where).name, "there");
    const struct point *in_place = rein_value(b, &place_key);
    ck_assert_uint_eq((uintptr_t)in_place % _Alignof(max_align_t), 0);
    const rein_ctx *empty = word_with(b, "");
    ck_assert_str_eq(word_of(empty, NULL), "");
    rein_unref(empty);
    rein_unref(b);
    rein_unref(a);
}

/* Values cross every kind of context. */
CASE(ctx_82_values_cross_every_kind, "CTX-82", "CTX-59")
{
    const rein_ctx *root = number_with(rein_background(), 7), *each[6];
    rein_ctx *cancel = rein_with_cancel(root), *timed = rein_with_timeout(cancel, REIN_HOUR);
    rein_ctx *merged = rein_merge(timed, rein_background()),
             *off = rein_detach(merged, rein_background(), 1);
    const rein_ctx *without = rein_without_cancel(merged);
    rein_ctx *also = rein_merge(rein_background(), merged);
    each[0] = cancel, each[1] = timed, each[2] = merged, each[3] = off, each[4] = without;
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(number_of(each[i], -1), 7);
    ck_assert_int_eq(number_of(also, -1), -1); /* the values are the first parent's alone */
    rein_end(also);
    rein_unref(without);
    rein_end(off);
    rein_end(merged);
    rein_end(timed);
    rein_end(cancel);
    rein_unref(root);
}

/* They stay readable after cancel and after expiry. */
CASE(ctx_86_values_survive_the_end, "CTX-86")
{
    rein_clock *clock = suite_clock();
    rein_ctx *timed = rein_with_timeout(rein_clock_root(clock), REIN_SECOND);
    const rein_ctx *value = number_with(timed, 5);
    rein_ctx *ctx = rein_with_cancel(value);
    rein_cancel(ctx);
    ck_assert_int_eq(number_of(ctx, 0), 5);
    rein_clock_advance(clock, REIN_SECOND);
    ck_assert_int_eq(number_of(value, 0), 5);
    rein_end(ctx);
    rein_end(timed); /* the value holds it */
    ck_assert_int_eq(number_of(value, 0), 5);
    rein_unref(value);
    rein_clock_free(clock);
}

/* A value changes nothing else: err, cause, deadline, descriptor and clock are its parent's; it is
 * born done if that is, and is no dependent of its own. */
CASE(ctx_87_a_value_changes_nothing_else, "CTX-24", "CTX-87")
{
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(clock), REIN_HOUR);
    const rein_ctx *value = number_with(ctx, 1), *above = number_with(value, 2);
    rein_time mine, its;
    int fd, its_fd;
    ck_assert_uint_eq(reini_check_dependents(ctx), 0);
    ck_assert(rein_deadline(above, &mine) && rein_deadline(ctx, &its));
    ck_assert_int_eq(mine.ns, its.ns);
    ck_assert_int_eq(rein_now(above).ns, rein_now(ctx).ns);
    ck_assert_int_eq(rein_done_fd(above, &fd), 0);
    ck_assert_int_eq(rein_done_fd(ctx, &its_fd), 0);
    ck_assert_int_eq(fd, its_fd);
    expect_live(above);
    rein_cancel_cause(ctx, &why);
    expect_end(above, -ECANCELED, &why);
    const rein_ctx *late = number_with(ctx, 3);
    expect_end(late, -ECANCELED, &why);
    rein_unref(late);
    rein_unref(above);
    rein_unref(value);
    rein_end(ctx);
    rein_clock_free(clock);
}

/* ---- many ---- */

enum { KEYS = 24 };

/* Any line of values answers as a plain search going up would; deep, shadowed, and mixed with other
 * contexts. */
CASE_LONG(60, ctx_82_lines_against_a_model, "CTX-82", "CTX-84", "CTX-88")
{
    static rein_key keys[KEYS];
    enum { DEEP = 600 };
    static const rein_ctx *line[DEEP + 1];
    static int bound[DEEP + 1], value[DEEP + 1];
    uint64_t random = suite_seed();
    for (int i = 0; i < KEYS; i++)
        keys[i] = (rein_key){.name = "key", .kind = REIN_VALUE_COPY, .size = sizeof(int)};
    for (size_t round = 0; round < suite_rounds(20); round++) {
        line[0] = rein_ref(rein_background());
        int depth = (int)(suite_random(&random) % DEEP) + 1;
        for (int i = 1; i <= depth; i++) {
            bound[i] = suite_random(&random) % 5 ? (int)(suite_random(&random) % (KEYS - 1)) : -1;
            value[i] = i;
            line[i] = bound[i] >= 0 ? rein_with_value(line[i - 1], &keys[bound[i]], &value[i])
                                    : rein_with_cancel(line[i - 1]);
            if (suite_random(&random) % 16 == 0) /* an index may be made at any depth */
                (void)rein_value(line[i], &keys[0]);
        }
        for (int tries = 0; tries < 300; tries++) {
            int at = (int)(suite_random(&random) % (uint64_t)depth) + 1,
                key = (int)(suite_random(&random) % KEYS);
            int nearest = at;
            while (nearest > 0 && bound[nearest] != key)
                nearest--;
            const int *found = rein_value(line[at], &keys[key]);
            ck_assert(rein_has_value(line[at], &keys[key]) == (nearest > 0));
            ck_assert_int_eq(found ? *found : 0, nearest);
        }
        for (int i = depth; i > 0; i--) {
            if (bound[i] >= 0)
                rein_unref(line[i]);
            else
                rein_end((rein_ctx *)(uintptr_t)line[i]);
        }
    }
}

/* A hundred thousand deep, on a small stack: found at the far end, or not at all. */
static void look_up_deep(void *leaf)
{
    ck_assert_int_eq(number_of(leaf, -1), 1);
    ck_assert_int_eq(other_number_of(leaf, -1), -1);
    ck_assert_str_eq(word_of(leaf, NULL), "x");
    rein_unref(leaf); /* the whole line goes, by its last reference */
}

CASE_LONG(60, ctx_88_deep_lookups_need_no_stack, "CTX-88", "CTX-28")
{
    size_t deep = suite_scale(100000);
    const rein_ctx *leaf = number_with(rein_background(), 1);
    for (size_t i = 0; i < deep; i++) {
        const rein_ctx *next = word_with(leaf, "x");
        rein_unref(leaf);
        leaf = next;
    }
    race_on_stack(64 * 1024, look_up_deep, (void *)(uintptr_t)leaf);
}

/* Without memory for anything to speed it up, a lookup is answered all the same. */
CASE(ctx_88_lookups_need_no_memory, "CTX-88", "CTX-96")
{
    enum { DEEP = 64 };
    const rein_ctx *line[DEEP + 1] = {rein_background()};
    for (int i = 0; i < DEEP; i++)
        line[i + 1] = i == 0 ? number_with(line[i], 1) : word_with(line[i], "x");
    for (int i = 0; i < 8; i++) {
        reini_fault_fail_nth(1);
        ck_assert_int_eq(number_of(line[DEEP], -1), 1);
        ck_assert_int_eq(other_number_of(line[DEEP], -1), -1);
    }
    reini_fault_fail_nth(0);
    for (int i = DEEP; i > 0; i--)
        rein_unref(line[i]);
}

static void look_at_once(void *leaf, unsigned index)
{
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(number_of(leaf, -1), 1);
        ck_assert_int_eq(other_number_of(leaf, -1), -1);
    }
    (void)index;
}

/* Many threads look up at once, the first time too. */
CASE_LONG(60, ctx_1_lookups_at_once, "CTX-1", "CTX-82")
{
    enum { DEEP = 200 };
    for (size_t round = 0; round < suite_rounds(30); round++) {
        const rein_ctx *line[DEEP + 1] = {rein_background()};
        for (int i = 0; i < DEEP; i++)
            line[i + 1] = i == 0 ? number_with(line[i], 1) : word_with(line[i], "x");
        race_run(4, look_at_once, (void *)(uintptr_t)line[DEEP]);
        for (int i = DEEP; i > 0; i--)
            rein_unref(line[i]);
    }
}

/* ---- the value's owner ---- */

/* An owned value is dropped with the last reference, once, on the thread that gives it back; long
 * after the end if a child holds it. */
CASE(ctx_89_owned_values_are_dropped_once, "CTX-89")
{
    static struct point where;
    rein_ctx *top = rein_with_cancel(rein_background());
    const rein_ctx *value = own_with(top, &where);
    rein_ctx *child = rein_with_cancel(value);
    ck_assert_ptr_eq(own_of(child, NULL), &where);
    rein_unref(value);
    rein_cancel(top);
    rein_end(top);
    ck_assert_uint_eq(race_value(&drops), 0);
    ck_assert_ptr_eq(own_of(child, NULL), &where);
    rein_end(child);
    ck_assert_uint_eq(race_value(&drops), 1);
    ck_assert_ptr_eq(last_dropped, &where);
}

/* NULL has no owner to tell. */
CASE(ctx_89_null_is_not_dropped, "CTX-84", "CTX-89")
{
    const rein_ctx *value = own_with(rein_background(), NULL);
    ck_assert(rein_has_value(value, &own_key));
    rein_unref(value);
    ck_assert_uint_eq(race_value(&drops), 0);
}

/* If memory is short the value has been dropped already, and so it is when the parent had
 * failed. */
CASE(ctx_96_owned_values_of_the_failed_context, "CTX-89", "CTX-96", "P-FAILED")
{
    static struct point where;
    reini_fault_fail_nth(1);
    const rein_ctx *failed = own_with(rein_background(), &where);
    reini_fault_fail_nth(0);
    ck_assert_int_eq(rein_err(failed), -ECANCELED);
    ck_assert_int_eq(rein_cause(failed)->code, -ENOMEM);
    ck_assert_uint_eq(race_value(&drops), 1);
    ck_assert_ptr_null(own_of(failed, NULL));
    const rein_ctx *again = own_with(failed, &where);
    ck_assert_ptr_eq(again, failed);
    ck_assert_uint_eq(race_value(&drops), 2);
    rein_unref(again);
    rein_unref(failed);
}

static const rein_ctx *to_touch;
static int seen_by_drop;

static void use_contexts(void *value)
{
    rein_ctx *ctx = rein_with_timeout(to_touch, REIN_HOUR); /* a sibling of what is going */
    seen_by_drop = number_of(ctx, -1);
    rein_cancel(ctx);
    rein_end(ctx);
    free(value);
}

REIN_KEY_DECLARE_OWNED(busy, void)
REIN_KEY_DEFINE_OWNED(busy, void, use_contexts)

/* drop runs with no lock of rein's held: it may derive, cancel and release. */
CASE(ctx_89_drop_may_use_contexts, "CTX-65", "CTX-89")
{
    rein_ctx *top = rein_with_cancel(rein_background());
    to_touch = number_with(top, 9);
    const rein_ctx *value = busy_with(to_touch, malloc(8)), *above = number_with(value, 1);
    rein_unref(value);
    rein_unref(above);
    ck_assert_int_eq(seen_by_drop, 9);
    rein_unref(to_touch);
    rein_end(top);
}

/* Each of a line's owned values is dropped when the line goes, though it is long. */
CASE(ctx_28_long_lines_drop_every_value, "CTX-28", "CTX-89")
{
    static struct point where;
    size_t deep = suite_scale(10000);
    const rein_ctx *leaf = rein_ref(rein_background());
    for (size_t i = 0; i < deep; i++) {
        const rein_ctx *next = own_with(leaf, &where);
        rein_unref(leaf);
        leaf = next;
    }
    rein_unref(leaf);
    ck_assert_uint_eq(race_value(&drops), deep);
}
