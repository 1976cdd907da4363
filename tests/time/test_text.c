/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/time/test_text.c: durations and moments as text. */
#include <errno.h>
#include <rein/time.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "suite.h"
#include "time/text.h"

static const rein_duration untouched = 4711;

static void expect_read(const char *text, rein_duration expected)
{
    rein_duration d = untouched;
    int r = rein_parse_duration(text, &d);
    ck_assert_msg(r == 0 && d == expected, "\"%s\": %d, %lld", text, r, (long long)d);
}

static void expect_refused(const char *text, int expected)
{
    rein_duration d = untouched;
    int r = rein_parse_duration(text, &d);
    ck_assert_msg(r == expected && d == untouched, "\"%s\": %d, %lld", text ? text : "(null)", r,
                  (long long)d);
}

/* What is a duration: any number of parts in any order, whole or not, with any number of digits. */
CASE(duration_is_read)
{
    static const struct {
        const char *text;
        rein_duration d;
    } rows[] = {
        {"0", 0}, {"+0", 0}, {"-0", 0}, {"0s", 0}, {"0h0m0.0s", 0},
        {"1ns", 1}, {"11us", 11000}, {"12\xc2\xb5s", 12000}, {"12\xce\xbcs", 12000},
        {"13ms", 13 * REIN_MILLISECOND}, {"14s", 14 * REIN_SECOND}, {"15m", 15 * REIN_MINUTE},
        {"16h", 16 * REIN_HOUR}, {"-5s", -5 * REIN_SECOND}, {"+5s", 5 * REIN_SECOND},
        {"5.s", 5 * REIN_SECOND}, {".5s", REIN_SECOND / 2}, {"-.5s", -REIN_SECOND / 2},
        {"7.25s", 7250 * REIN_MILLISECOND}, {"020.00200s", 20002 * REIN_MILLISECOND},
        {"2h45m", 165 * REIN_MINUTE}, {"7.5s9m", 9 * REIN_MINUTE + 7500 * REIN_MILLISECOND},
        {"1h2m3s4ms5us6ns", 3723004005006}, {"1ns1ns1ns", 3}, {"007s", 7 * REIN_SECOND},
        {"86400000000001ns", 86400000000001},
        {"9223372036854775807ns", INT64_MAX}, {"-9223372036854775808ns", INT64_MIN},
        {"9223372036.854775807s", INT64_MAX}, {"-9223372036854775.808us", INT64_MIN},
        {"-2562047h47m16.854775808s", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_read(rows[i].text, rows[i].d);
}

/* What is finer than a nanosecond is cut off, and nothing else is, whatever the unit and however
 * many digits say so. */
CASE(duration_fractions_are_exact)
{
    static const struct {
        const char *text;
        rein_duration d;
    } rows[] = {
        {"0.9ns", 0}, {"1.999999ns", 1}, {"-0.5ns", 0}, {"0.0009us", 0}, {"0.001us", 1},
        {"0.000000001s", 1}, {"0.0000000009s", 0}, {"0.9999999999s", 999999999},
        {"0.250000000000000000000000h", 15 * REIN_MINUTE},
        {"0.66666666666666666666h", 2399999999999},
        {"0.66666666666666666666666666666666666667h", 2400000000000},
        {"0.0000000000002777h", 0}, {"0.0000000000002778h", 1}, /* 1 ns is 0.000000000000277… h */
        {"0.00000000000027777777777777h", 0}, {"0.00000000000027777777777778h", 1},
        {"0.000000000000277777777777777777777777777h", 0},
        {"0.000000000000277777777777777777777777778h", 1},
        {"0.999999999999999999999999999m", 59999999999},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_read(rows[i].text, rows[i].d);
}

/* What is none. */
CASE(duration_is_refused, "P-ERRORS")
{
    static const char *const texts[] = {
        NULL, "", "3", "-", "+", "s", ".", "-.", ".s", "+.s", "1.", "00", "0.0", "3 s", " 3s",
        "3s ", "3S", "3sec", "1d", "--1s", "+-1s", "1s-1s", "1s+1s", "1..5s", "1.5.5s", "1,5s",
        "0x1s", "1e3s", "inf", "2999999h3", "99999999999999999999999999999h-",
        "1\xc2s", "1\xce\xb5s", "1ss", "1hm",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_refused(texts[i], -EINVAL);
}

/* What is one, but too long: by a part, by the sum, by one nanosecond. */
CASE(duration_out_of_range, "P-ERRORS")
{
    static const char *const texts[] = {
        "9223372036854775808ns", "-9223372036854775809ns", "9223372036854775.808us",
        "-9223372036854775.809us", "9223372036854.775808ms", "9223372036.854775808s", "2562048h",
        "2562047h47m16.854775808s", "-2562047h47m16.854775809s", "9223372036854775807ns1ns",
        "18446744073709551615ns", "18446744073709551616ns", "18446744073709551616ns1ns",
        "99999999999999999999999999999999999999999h", "9223372036854775807s9223372036854775807s",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_refused(texts[i], -ERANGE);
}

static void expect_written(rein_duration d, const char *expected)
{
    char text[32] = "";
    int length = rein_format_duration(d, text, sizeof text);
    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq((size_t)length, strlen(expected));
}

/* As Go writes them. */
CASE(duration_is_written)
{
    expect_written(0, "0s");
    expect_written(1, "1ns");
    expect_written(-1, "-1ns");
    expect_written(999, "999ns");
    expect_written(1050, "1.05us");
    expect_written(7300000, "7.3ms");
    expect_written(1000000, "1ms");
    expect_written(999999999, "999.999999ms");
    expect_written(REIN_SECOND, "1s");
    expect_written(2750 * REIN_MILLISECOND, "2.75s");
    expect_written(REIN_MINUTE, "1m0s");
    expect_written(2 * REIN_MINUTE + 9030 * REIN_MILLISECOND, "2m9.03s");
    expect_written(26 * REIN_HOUR + 10 * REIN_MINUTE + 50040 * REIN_MILLISECOND, "26h10m50.04s");
    expect_written(REIN_HOUR, "1h0m0s");
    expect_written(REIN_HOUR + 1, "1h0m0.000000001s");
    expect_written(-90 * REIN_MINUTE, "-1h30m0s");
    expect_written(INT64_MAX, "2562047h47m16.854775807s");
    expect_written(INT64_MIN, "-2562047h47m16.854775808s");
}

/* Whatever is written can be read back, fits into 31 bytes, and is cut as snprintf() cuts, to any
 * length. */
CASE(duration_comes_back)
{
    uint64_t random = suite_seed();
    fprintf(stderr, "# seed %llu\n", (unsigned long long)random);
    for (size_t i = 0; i < suite_rounds(2000); i++) {
        rein_duration d = (rein_duration)suite_random(&random) >> suite_random(&random) % 64;
        char text[32], cut[40], expected[40];
        int length = rein_format_duration(d, text, sizeof text);
        ck_assert_uint_eq((size_t)length, strlen(text));
        ck_assert_int_le(length, 31);
        expect_read(text, d);
        for (size_t size = 0; size < sizeof cut; size++) {
            memset(cut, 'x', sizeof cut);
            memset(expected, 'x', sizeof expected);
            snprintf(expected, size, "%s", text);
            ck_assert_int_eq(rein_format_duration(d, cut, size), length);
            ck_assert_mem_eq(cut, expected, sizeof cut);
        }
    }
    ck_assert_int_eq(rein_format_duration(REIN_MINUTE, NULL, 0), 4);
}

/* ---- moments ---- */

/* The same by the system's calendar. */
static void expect_moment(int64_t ns)
{
    char text[64], expected[64], day[32];
    time_t seconds = ns / REIN_SECOND - (ns % REIN_SECOND < 0);
    int ms = (int)((ns % REIN_SECOND + REIN_SECOND) % REIN_SECOND / REIN_MILLISECOND);
    struct tm parts;
    ck_assert_ptr_nonnull(gmtime_r(&seconds, &parts));
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(expected, sizeof expected, "%s.%03dZ", day, ms);
    int length = reini_format_wall(ns, text, sizeof text);
    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq((size_t)length, strlen(expected));
}

static int64_t day_of(int year, int month, int day)
{
    struct tm parts = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    return timegm(&parts) * REIN_SECOND;
}

/* The first and the last moment of every day around the turn of any year and any February; both
 * ends of what 64 bits hold; and any moment in between. */
CASE(moment_is_written)
{
    uint64_t random = suite_seed();
    fprintf(stderr, "# seed %llu\n", (unsigned long long)random);
    for (int year = 1678; year <= 2261; year++) {
        for (int day = -1; day <= 2; day++) {
            expect_moment(day_of(year, 1, day));
            expect_moment(day_of(year, 1, day) - 1);
            expect_moment(day_of(year, 3, day));
            expect_moment(day_of(year, 3, day) - 1);
        }
    }
    for (int month = 1; month <= 12; month++)
        expect_moment(day_of(2026, month, 1) - REIN_MILLISECOND);
    const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        expect_moment(ends[i]);
    for (size_t i = 0; i < suite_rounds(30000); i++)
        expect_moment((int64_t)suite_random(&random));
}

/* Cut as snprintf() cuts. */
CASE(moment_is_cut)
{
    const char *whole = "2026-02-03T04:05:06.789Z";
    int64_t ns = day_of(2026, 2, 3) + 4 * REIN_HOUR + 5 * REIN_MINUTE + 6789 * REIN_MILLISECOND;
    for (size_t size = 0; size < 32; size++) {
        char text[32], expected[32];
        memset(text, 'x', sizeof text);
        memset(expected, 'x', sizeof expected);
        snprintf(expected, size, "%s", whole);
        ck_assert_int_eq(reini_format_wall(ns, text, size), (int)strlen(whole));
        ck_assert_mem_eq(text, expected, sizeof text);
    }
}
