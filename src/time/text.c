/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* time/text.c: durations and moments as text, and the public arithmetic on instants. */
#include "time/text.h"

#include <errno.h>
#include <limits.h>
#include <rein/time.h>
#include <stdio.h>
#include <string.h>

#include "plat/plat.h"
#include "time/instant.h"

rein_time rein_time_add(rein_time t, rein_duration d)
{
    return (rein_time){instant_add(t.ns, d)};
}

rein_duration rein_time_sub(rein_time a, rein_time b)
{
    return instant_sub(a.ns, b.ns);
}

rein_time rein_from_wall(struct timespec wall)
{
    return (rein_time){reini_plat_from_wall((int64_t)wall.tv_sec, wall.tv_nsec)};
}

int rein_poll_timeout(rein_duration d)
{
    if (d <= 0)
        return 0;
    if (d == REIN_FOREVER)
        return -1;
    int64_t ms = d / REIN_MILLISECOND + (d % REIN_MILLISECOND != 0);
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* ---- reading ---- */

struct unit {
    const char *name;
    uint64_t ns;
};
static const struct unit units[] = {
    /* those that others begin with come after them */
    {"ns", 1},
    {"us", REIN_MICROSECOND},
    {"\xc2\xb5s", REIN_MICROSECOND}, /* U+00B5, micro sign */
    {"\xce\xbcs", REIN_MICROSECOND}, /* U+03BC, Greek mu */
    {"ms", REIN_MILLISECOND},
    {"s", REIN_SECOND},
    {"m", REIN_MINUTE},
    {"h", REIN_HOUR},
};

static uint64_t read_unit(const char **at)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t length = strlen(units[i].name);
        if (strncmp(*at, units[i].name, length) == 0) {
            *at += length;
            return units[i].ns;
        }
    }
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Saturating: what is too large stays too large. */
static uint64_t more(uint64_t a, uint64_t times, uint64_t plus)
{
    uint64_t r;
    if (__builtin_mul_overflow(a, times, &r) || __builtin_add_overflow(r, plus, &r))
        return UINT64_MAX;
    return r;
}

/* One "12.5ms": its nanoseconds, saturating; false if it is none. */
static bool read_part(const char **at, uint64_t *ret_ns)
{
    uint64_t whole = 0, rest = 0;
    const char *start = *at;
    for (; is_digit(**at); ++*at)
        whole = more(whole, 10, (uint64_t)(**at - '0'));
    bool any = *at > start;
    const char *fraction = *at + (**at == '.');
    for (*at = fraction; is_digit(**at); ++*at)
        any = true;
    const char *end = *at;
    uint64_t unit = any ? read_unit(at) : 0;
    /* From the last digit to the first: what is cut off at each is what would be cut off in the
     * end, so any number of digits is exact. */
    while (end > fraction)
        rest = ((uint64_t)(*--end - '0') * unit + rest) / 10;
    *ret_ns = more(whole, unit, rest);
    return unit != 0;
}

int rein_parse_duration(const char *text, rein_duration *ret_d)
{
    if (!text)
        return -EINVAL;
    bool negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    uint64_t total = 0;
    if (strcmp(text, "0") != 0) {
        do {
            uint64_t part;
            if (!read_part(&text, &part))
                return -EINVAL;
            total = more(total, 1, part);
        } while (*text);
    }
    uint64_t most = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    if (total > most)
        return -ERANGE;
    *ret_d = negative ? (int64_t)(0 - total) : (int64_t)total;
    return 0;
}

/* ---- writing ---- */

/* value / 10^digits, without trailing zeros, written backwards before `at`. */
static char *put_decimal(char *at, uint64_t value, int digits)
{
    bool any = false;
    for (int i = 0; i < digits; i++, value /= 10) {
        any = any || value % 10 != 0;
        if (any)
            *--at = (char)('0' + value % 10);
    }
    if (any)
        *--at = '.';
    do
        *--at = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    return at;
}

static char *put_text(char *at, const char *text)
{
    size_t length = strlen(text);
    return memcpy(at - length, text, length);
}

int rein_format_duration(rein_duration d, char *buf, size_t size)
{
    char text[32], *end = text + sizeof text - 1, *at = end;
    uint64_t ns = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
    *end = '\0';
    if (ns == 0) {
        at = put_text(at, "0s");
    } else if (ns < (uint64_t)REIN_SECOND) {
        bool ms = ns >= (uint64_t)REIN_MILLISECOND, us = ns >= (uint64_t)REIN_MICROSECOND;
        at = put_text(at, ms ? "ms" : us ? "us" : "ns");
        at = put_decimal(at, ns, ms ? 6 : us ? 3 : 0);
    } else {
        uint64_t minutes = ns / (uint64_t)REIN_MINUTE;
        at = put_decimal(put_text(at, "s"), ns % (uint64_t)REIN_MINUTE, 9);
        if (minutes > 0)
            at = put_decimal(put_text(at, "m"), minutes % 60, 0);
        if (minutes >= 60)
            at = put_decimal(put_text(at, "h"), minutes / 60, 0);
    }
    if (d < 0)
        *--at = '-';
    size_t length = (size_t)(end - at);
    if (size > 0) {
        size_t fits = length < size ? length : size - 1;
        memcpy(buf, at, fits);
        buf[fits] = '\0';
    }
    return (int)length;
}

int reini_format_wall(int64_t ns, char *buf, size_t size)
{
    /* Years are counted from the first of March 1600: the leap day is the last of its year, and
     * four centuries, of 146097 days each, begin there. No int64_t of ns is older than that. */
    const int64_t day = 24 * REIN_HOUR;
    int64_t days = ns / day - (ns % day < 0), in_day = (ns % day + day) % day;
    int since = (int)(days + 135080), centuries4 = since / 146097, in_centuries = since % 146097;
    int year =
        (in_centuries - in_centuries / 1460 + in_centuries / 36524 - in_centuries / 146096) / 365;
    int in_year = in_centuries - (365 * year + year / 4 - year / 100);
    int month = (5 * in_year + 2) / 153; /* five months of 31, 30, 31, 30, 31 days are 153 */
    int date = in_year - (153 * month + 2) / 5 + 1;
    int january = month >= 10; /* January and February are the next calendar year's */
    int seconds = (int)(in_day / REIN_SECOND);
    return snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                    1600 + 400 * centuries4 + year + january, january ? month - 9 : month + 3, date,
                    seconds / 3600, seconds / 60 % 60, seconds % 60,
                    (int)(in_day % REIN_SECOND / REIN_MILLISECOND));
}
