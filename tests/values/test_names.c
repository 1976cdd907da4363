/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/values/test_names.c: a line of contexts in words. Covers CTX-90 to CTX-94. */
#include <regex.h>
#include <rein.h>
#include <rein/foreign.h>
#include <rein/testing.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault_control.h"
#include "expect.h"
#include "suite.h"

REIN_KEY_DECLARE(secret, int)
REIN_KEY_DEFINE(secret, int)

static int print_number(const void *value, char *buf, size_t size)
{
    return snprintf(buf, size, "%d", *(const int *)value);
}

static int print_string(const void *value, char *buf, size_t size)
{
    return snprintf(buf, size, "%s", (const char *)value);
}

REIN_KEY_DECLARE(shown, int)
REIN_KEY_DEFINE_PRINTED(shown, int, print_number)
REIN_KEY_DECLARE_STRING(user)
REIN_KEY_DEFINE_STRING_PRINTED(user, print_string)

static const char *name_of(const rein_ctx *ctx)
{
    static char text[4000];
    int length = rein_describe(ctx, text, sizeof text);
    ck_assert_int_eq(length, (int)strlen(text));
    return text;
}

static void expect_name_like(const rein_ctx *ctx, const char *pattern)
{
    regex_t regex;
    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    const char *name = name_of(ctx);
    ck_assert_msg(regexec(&regex, name, 0, NULL, 0) == 0, "\"%s\" is not like %s", name, pattern);
    regfree(&regex);
}

/* The roots. */
CASE(ctx_90_roots, "CTX-90", "CTX-7", "CTX-8")
{
    ck_assert_str_eq(name_of(rein_background()), "context.Background");
    ck_assert_str_eq(name_of(rein_todo()), "context.TODO");
}

/* A cancel context, with or without a cause; the end does not show. */
CASE(ctx_91_with_cancel, "CTX-91", "CTX-94")
{
    static const rein_reason why = REIN_REASON_INIT(-3, "why not");
    rein_ctx *ctx = rein_with_cancel(rein_background()), *child = rein_with_cancel(ctx);
    ck_assert_str_eq(name_of(ctx), "context.Background.WithCancel");
    rein_cancel_cause(ctx, &why);
    ck_assert_str_eq(name_of(child), "context.Background.WithCancel.WithCancel");
    rein_end(child);
    rein_end(ctx);
}

/* A deadline: its time, and what is left of it now. */
CASE(ctx_92_with_deadline, "CTX-92")
{
    rein_ctx *ctx = rein_with_timeout(rein_todo(), REIN_HOUR);
    expect_name_like(ctx, "^context\\.TODO\\.WithDeadline\\("
                          "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "
                          "\\[59m[0-9.]+s\\]\\)$");
    rein_end(ctx);
}

/* What is left is computed anew each time, and negative once it is over. */
CASE(ctx_92_remaining_is_computed_at_print_time, "CTX-92", "CTX-48")
{
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(clock), REIN_MINUTE);
    ck_assert_ptr_nonnull(strstr(name_of(ctx), " [1m0s])"));
    rein_clock_advance(clock, 55 * REIN_SECOND);
    ck_assert_ptr_nonnull(strstr(name_of(ctx), " [5s])"));
    rein_clock_advance(clock, 7 * REIN_SECOND);
    ck_assert_ptr_nonnull(strstr(name_of(ctx), " [-2s])"));
    rein_end(ctx);
    rein_clock_free(clock);
}

/* A parent's earlier deadline makes it a cancel context, an equal one does not. */
CASE(ctx_50_names_of_stacked_deadlines, "CTX-50", "CTX-92")
{
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(clock), REIN_MINUTE);
    rein_ctx *later = rein_with_timeout(ctx, REIN_HOUR),
             *equal = rein_with_timeout(ctx, REIN_MINUTE);
    expect_name_like(later, "\\]\\)\\.WithCancel$");
    expect_name_like(equal, "\\]\\)\\.WithDeadline\\([^()]+\\)$");
    rein_end(equal);
    rein_end(later);
    rein_end(ctx);
    rein_clock_free(clock);
}

/* However far off the instant, its text is well formed. */
CASE(ctx_92_far_instants, "CTX-56", "CTX-92")
{
    const int64_t instants[] = {INT64_MIN,     INT64_MIN + 1, -1,           0,
                                INT64_MAX - 1, INT64_MAX / 2, INT64_MIN / 2};
    for (size_t i = 0; i < sizeof instants / sizeof *instants; i++) {
        rein_ctx *ctx = rein_with_deadline(rein_background(), (rein_time){instants[i]});
        expect_name_like(ctx, "\\.WithDeadline\\([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z "
                              "\\[-?([0-9]+h)?([0-9]+m)?[0-9.]+s\\]\\)$");
        rein_end(ctx);
    }
}

/* A value shows its key and nothing of its content, unless the key brings a printer. */
CASE(ctx_93_values_are_not_printed, "CTX-93")
{
    const rein_ctx *hidden = secret_with(rein_background(), 424242), *shown = shown_with(hidden, 7);
    const rein_ctx *named = user_with(shown, "ann"), *nobody = user_with(named, NULL);
    ck_assert_str_eq(name_of(hidden), "context.Background.WithValue(secret)");
    ck_assert_str_eq(name_of(nobody),
                     "context.Background.WithValue(secret).WithValue(shown, 7).WithValue(user, ann)"
                     ".WithValue(user, <nil>)");
    ck_assert_ptr_null(strstr(name_of(nobody), "4242"));
    rein_unref(nobody);
    rein_unref(named);
    rein_unref(shown);
    rein_unref(hidden);
}

/* The other kinds have names of the same form. */
CASE(ctx_94_other_kinds, "CTX-94", "CTX-59")
{
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_cancel(rein_background()),
             *merged = rein_merge(ctx, rein_background());
    rein_ctx *off = rein_detach(ctx, rein_background(), REIN_FOREVER);
    const rein_ctx *without = rein_without_cancel(ctx);
    ck_assert_str_eq(name_of(without), "context.Background.WithCancel.WithoutCancel");
    ck_assert_str_eq(name_of(merged), "context.Background.WithCancel.Merge");
    ck_assert_str_eq(name_of(off), "context.Background.WithCancel.Detach");
    ck_assert_ptr_nonnull(name_of(rein_clock_root(clock)));
    reini_fault_fail_nth(1);
    rein_ctx *failed = rein_with_cancel(ctx);
    reini_fault_fail_nth(0);
    ck_assert_str_eq(name_of(failed), "rein.failed");
    rein_end(failed);
    rein_unref(without);
    rein_end(off);
    rein_end(merged);
    rein_end(ctx);
    rein_clock_free(clock);
}

/* ---- foreign contexts ---- */

static int name_own(void *self, char *buf, size_t size)
{
    return snprintf(buf, size, "GCancellable(%s)", (const char *)self);
}

/* A foreign context has a text of its own in place of its parent's, or is called Foreign. */
CASE(ctx_94_foreign_names, "CTX-94")
{
    static const rein_foreign_ops named = {.size = sizeof named, .name = name_own};
    char text[] = "a";
    rein_ctx *top = rein_with_cancel(rein_background()), *own = rein_foreign(top, &named, text);
    rein_ctx *below = rein_with_cancel(own), *plain = rein_foreign(top, NULL, NULL);
    ck_assert_str_eq(name_of(own), "GCancellable(a)");
    ck_assert_str_eq(name_of(below), "GCancellable(a).WithCancel");
    ck_assert_str_eq(name_of(plain), "context.Background.WithCancel.Foreign");
    rein_end(plain);
    rein_end(below);
    rein_end(own);
    rein_end(top);
}

/* ---- as snprintf ---- */

/* Cut short at any length, the text is the beginning of the whole, with its NUL, and what is beyond
 * is not written to; the length is that of the whole. */
CASE(ctx_94_cut_at_any_length, "CTX-94")
{
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_timeout(rein_clock_root(clock), REIN_MINUTE);
    const rein_ctx *value = user_with(ctx, "somebody"), *last = secret_with(value, 1);
    char whole[300];
    int length = rein_describe(last, whole, sizeof whole);
    ck_assert_int_eq(rein_describe(last, NULL, 0), length);
    for (int size = 1; size <= length + 2; size++) {
        char *buf = malloc((size_t)size); /* exactly, for AddressSanitizer */
        ck_assert_int_eq(rein_describe(last, buf, (size_t)size), length);
        int fits = length < size ? length : size - 1;
        ck_assert_int_eq(memcmp(buf, whole, (size_t)fits), 0);
        ck_assert_int_eq(buf[fits], '\0');
        free(buf);
    }
    rein_unref(last);
    rein_unref(value);
    rein_end(ctx);
    rein_clock_free(clock);
}

/* explain likewise. */
CASE(ctx_94_explain_cut_at_any_length, "CTX-6", "CTX-94")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_clock *clock = suite_clock();
    rein_ctx *still = rein_with_timeout(rein_clock_root(clock), REIN_SECOND);
    char whole[200];
    rein_clock_advance(clock, 3 * REIN_SECOND);
    int length = rein_explain(still, whole, sizeof whole);
    ck_assert_int_eq(length, (int)strlen(whole));
    ck_assert_ptr_eq(strstr(whole, "context deadline exceeded (test_names.c:"), whole);
    ck_assert_ptr_nonnull(strstr(whole, "2s ago)"));
    for (int size = 1; size <= length; size++) {
        char *buf = malloc((size_t)size);
        ck_assert_int_eq(rein_explain(still, buf, (size_t)size), length);
        ck_assert_int_eq(memcmp(buf, whole, (size_t)size - 1), 0);
        ck_assert_int_eq(buf[size - 1], '\0');
        free(buf);
    }
    ck_assert_int_eq(rein_explain(ctx, whole, sizeof whole), 8);
    ck_assert_str_eq(whole, "not done");
    rein_cancel_causef(ctx, -5, "client %d left", 7);
    rein_explain(ctx, whole, sizeof whole);
    ck_assert_ptr_eq(strstr(whole, "context canceled: client 7 left (test_names.c:"), whole);
    rein_end(still);
    rein_end(ctx);
    rein_clock_free(clock);
}

/* Thirty layers of every kind begin with the root; a hundred thousand are written too, and end
 * where the buffer does. */
CASE_LONG(60, ctx_94_long_lines, "CTX-94", "CTX-28")
{
    size_t deep = suite_scale(100000);
    rein_ctx *leaf = rein_with_cancel(rein_background());
    for (size_t i = 1; i < deep; i++) {
        rein_ctx *next = rein_with_cancel(leaf);
        rein_end(rein_share(leaf)); /* cancels, which does not show */
        rein_end(leaf);
        leaf = next;
    }
    size_t length = strlen("context.Background") + deep * strlen(".WithCancel");
    ck_assert_int_eq(rein_describe(leaf, NULL, 0), (int)length);
    char *text = malloc(length + 1), few[40];
    ck_assert_int_eq(rein_describe(leaf, text, length + 1), (int)length);
    ck_assert_uint_eq(strlen(text), length);
    ck_assert_ptr_eq(strstr(text, "context.Background.WithCancel"), text);
    ck_assert_int_eq(rein_describe(leaf, few, sizeof few), (int)length);
    ck_assert_int_eq(strncmp(few, text, sizeof few - 1), 0);
    free(text);
    rein_end(leaf);
}

/* A printer that writes more than fits, or says it failed, does no harm. */
static int print_too_much(const void *value, char *buf, size_t size)
{
    (void)value;
    for (size_t i = 0; i + 1 < size; i++)
        buf[i] = 'x';
    if (size > 0)
        buf[size - 1] = '\0';
    return 50;
}

static int print_nothing(const void *value, char *buf, size_t size)
{
    (void)value, (void)buf, (void)size;
    return -1;
}

CASE(ctx_93_odd_printers, "CTX-93")
{
    static const rein_key much = {
        .name = "much", .kind = REIN_VALUE_STRING, .print = print_too_much};
    static const rein_key fails = {
        .name = "fails", .kind = REIN_VALUE_STRING, .print = print_nothing};
    const rein_ctx *a = rein_with_value(rein_background(), &fails, "v");
    const rein_ctx *b = rein_with_value(a, &much, "v");
    ck_assert_str_eq(name_of(a), "context.Background.WithValue(fails, )");
    for (size_t size = 0; size < 140; size++) {
        char *buf = malloc(size + 1);
        buf[size] = '#';
        rein_describe(b, buf, size);
        ck_assert_int_eq(buf[size], '#');
        free(buf);
    }
    rein_unref(b);
    rein_unref(a);
}
