/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* timeout.c: how long a client will wait, as headers say it. There is no standard; these are the
 * formats in use. Case matters in gRPC's: "M" are minutes, "m" is a millisecond. */
#include <rein/microhttpd.h>

#include <errno.h>
#include <string.h>

#define GRPC_MOST_DIGITS 8
#define DURATION_MOST_CHARS 63

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static rein_duration grpc_unit(char c)
{
    switch (c) {
    case 'H':
        return REIN_HOUR;
    case 'M':
        return REIN_MINUTE;
    case 'S':
        return REIN_SECOND;
    case 'm':
        return REIN_MILLISECOND;
    case 'u':
        return REIN_MICROSECOND;
    case 'n':
        return REIN_NANOSECOND;
    default:
        return 0;
    }
}

/* All of text[0..n) as digits, times unit; what is longer than 64 bits can say is for ever. */
static int parse_number(const char *text, size_t n, rein_duration unit, rein_duration *ret_d)
{
    rein_duration number = 0;

    if (n == 0)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -EINVAL;
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text[i] - '0', &number))
            number = REIN_FOREVER; /* stays so: any further step overflows again */
    }
    if (__builtin_mul_overflow(number, unit, &number))
        number = REIN_FOREVER;
    *ret_d = number;
    return 0;
}

static int parse_grpc(const char *text, size_t n, rein_duration *ret_d)
{
    if (n < 2 || n > GRPC_MOST_DIGITS + 1)
        return -EINVAL;
    rein_duration unit = grpc_unit(text[n - 1]);
    return unit ? parse_number(text, n - 1, unit, ret_d) : -EINVAL;
}

static int parse_duration(const char *text, size_t n, rein_duration *ret_d)
{
    char copy[DURATION_MOST_CHARS + 1];
    rein_duration d;

    if (n > DURATION_MOST_CHARS)
        return -EINVAL;
    memcpy(copy, text, n);
    copy[n] = '\0';
    int r = rein_parse_duration(copy, &d);
    if (r == -ERANGE && copy[0] != '-') {
        d = REIN_FOREVER;
        r = 0;
    }
    if (r < 0 || d < 0)
        return -EINVAL;
    *ret_d = d;
    return 0;
}

int rein_mhd_parse_timeout(const char *text, enum rein_mhd_timeout_format format,
                           rein_duration *ret_timeout)
{
    if (!text)
        return -EINVAL;
    while (is_blank(*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && is_blank(text[n - 1]))
        n--;
    switch (format) {
    case REIN_MHD_TIMEOUT_GRPC:
        return parse_grpc(text, n, ret_timeout);
    case REIN_MHD_TIMEOUT_MILLISECONDS:
        return parse_number(text, n, REIN_MILLISECOND, ret_timeout);
    case REIN_MHD_TIMEOUT_SECONDS:
        return parse_number(text, n, REIN_SECOND, ret_timeout);
    case REIN_MHD_TIMEOUT_DURATION:
        return parse_duration(text, n, ret_timeout);
    default:
        return -EINVAL;
    }
}
