/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* test_timeout.c: timeouts as headers carry them, and statuses as contexts end; no server. */
#include "testing_microhttpd.h"

static void check(enum rein_mhd_timeout_format format, const char *text, int r, rein_duration d)
{
    rein_duration got = -7;
    ck_assert_msg(rein_mhd_parse_timeout(text, format, &got) == r, "%s", text ? text : "NULL");
    ck_assert_msg(got == (r == 0 ? d : -7), "%s", text ? text : "NULL");
}

START_TEST(grpc_timeout)
{
    enum rein_mhd_timeout_format grpc = REIN_MHD_TIMEOUT_GRPC;
    check(grpc, "1H", 0, REIN_HOUR);
    check(grpc, "2M", 0, 2 * REIN_MINUTE);
    check(grpc, "3S", 0, 3 * REIN_SECOND);
    check(grpc, "4m", 0, 4 * REIN_MILLISECOND);
    check(grpc, "5u", 0, 5 * REIN_MICROSECOND);
    check(grpc, " 00000006n\t", 0, 6);
    check(grpc, "0m", 0, 0);
    check(grpc, "99999999H", 0, REIN_FOREVER); /* longer than 64 bits can say */
    check(grpc, "123456789S", -EINVAL, 0);     /* nine digits */
    const char *bad[] = {NULL,  "",     "1",  "S",  "1 S", "-1S",
                         "+1S", "1.5S", "1s", "1h", "1SS", "1S,2S"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        check(grpc, bad[i], -EINVAL, 0);
}
END_TEST

START_TEST(plain_numbers)
{
    check(REIN_MHD_TIMEOUT_MILLISECONDS, "1500", 0, 1500 * REIN_MILLISECOND);
    check(REIN_MHD_TIMEOUT_MILLISECONDS, "0", 0, 0);
    check(REIN_MHD_TIMEOUT_SECONDS, " 3 ", 0, 3 * REIN_SECOND);
    check(REIN_MHD_TIMEOUT_SECONDS, "99999999999999999999999", 0, REIN_FOREVER);
    check(REIN_MHD_TIMEOUT_SECONDS, "9223372036854775808", 0, REIN_FOREVER);
    check(REIN_MHD_TIMEOUT_MILLISECONDS, "9223372036854775807", 0, REIN_FOREVER);
    check(REIN_MHD_TIMEOUT_MILLISECONDS, "", -EINVAL, 0);
    check(REIN_MHD_TIMEOUT_MILLISECONDS, "-1", -EINVAL, 0);
    check(REIN_MHD_TIMEOUT_MILLISECONDS, "1.5", -EINVAL, 0);
    check(REIN_MHD_TIMEOUT_MILLISECONDS, "0x10", -EINVAL, 0);
    check((enum rein_mhd_timeout_format)99, "1", -EINVAL, 0);
}
END_TEST

START_TEST(durations)
{
    check(REIN_MHD_TIMEOUT_DURATION, "1.5s", 0, 1500 * REIN_MILLISECOND);
    check(REIN_MHD_TIMEOUT_DURATION, "0", 0, 0);
    check(REIN_MHD_TIMEOUT_DURATION, "9999999999h", 0, REIN_FOREVER);
    check(REIN_MHD_TIMEOUT_DURATION, "-1s", -EINVAL, 0);
    check(REIN_MHD_TIMEOUT_DURATION, "-9999999999h", -EINVAL, 0);
    check(REIN_MHD_TIMEOUT_DURATION, "soon", -EINVAL, 0);
}
END_TEST

static void check_status(const rein_reason *cause, unsigned status)
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_uint_eq(rein_mhd_status(ctx), 0);
    rein_cancel_cause(ctx, cause);
    rein_ctx *below = rein_with_cancel(ctx);
    ck_assert_uint_eq(rein_mhd_status(below), status);
    rein_end(below);
    rein_end(ctx);
}

START_TEST(statuses)
{
    static const rein_reason no_memory = REIN_REASON_INIT(-ENOMEM, "no memory");
    static const rein_reason own = REIN_REASON_INIT(7, "own");

    check_status(&rein_hangup_client_gone, 499);
    check_status(&rein_mhd_shutting_down, 503);
    check_status(&no_memory, 503);
    check_status(&rein_mhd_connection_timeout, 504);
    check_status(&own, 500);
    check_status(NULL, 500);
    rein_ctx *late = rein_with_timeout(rein_background(), 0);
    ck_assert_uint_eq(rein_mhd_status(late), 504);
    rein_end(late);
    ck_assert_uint_eq(rein_mhd_request_id(rein_background()), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("microhttpd-timeout");
    TCase *tcase = new_case(suite, "timeout");
    tcase_add_test(tcase, grpc_timeout);
    tcase_add_test(tcase, plain_numbers);
    tcase_add_test(tcase, durations);
    tcase_add_test(tcase, statuses);
    return run(suite);
}
