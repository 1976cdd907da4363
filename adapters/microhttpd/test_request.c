/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* test_request.c: a request's context: what it carries, and everything that may end it. Each case
 * that does not say otherwise runs with one thread for each connection and with a pool. */
#include "testing_microhttpd.h"

static const unsigned thread_counts[] = {0, 1, 3};

REIN_KEY_DECLARE_STRING(user_name)
REIN_KEY_DEFINE_STRING(user_name)

static const rein_ctx *add_user(const rein_ctx *ctx, rein_mhd_request *request, void *arg)
{
    (void)arg;
    ck_assert_ptr_eq(rein_mhd_context(request), ctx);
    return user_name_with(ctx, rein_mhd_header(request, "x-user"));
}

static enum MHD_Result describe(const rein_ctx *ctx, rein_mhd_request *request, const char *upload,
                                size_t *upload_size, void *arg)
{
    char page[256];

    (void)upload;
    (void)upload_size;
    (void)arg;
    snprintf(page, sizeof(page), "%s %s q=%s empty=%s none=%s user=%s id=%llu",
             rein_mhd_method(request), rein_mhd_url(request), rein_mhd_argument(request, "q"),
             rein_mhd_argument(request, "empty") ? "yes" : "no",
             rein_mhd_argument(request, "none") ? "yes" : "no", user_name_of(ctx, "nobody"),
             (unsigned long long)rein_mhd_request_id(ctx));
    return rein_mhd_reply(request, MHD_HTTP_OK, "text/plain", page);
}

/* A request carries its number and what the program adds. */
START_TEST(values_travel)
{
    struct rein_mhd_options options = options_for(describe, thread_counts[_i]);
    options.begin = add_user;
    rein_mhd_server *server = start(&options);
    char buf[2048];

    for (unsigned i = 1; i <= 2; i++) {
        char expected[128];
        snprintf(expected, sizeof(expected),
                 "GET /page q=one empty=yes none=no user=eve id=%u", i);
        int fd = ask(server, "X-User: eve\r\n");
        ck_assert_int_eq(answer(fd, buf, sizeof(buf)), 200);
        ck_assert_msg(strstr(buf, expected), "%s", buf);
        wait_seen(0, i);
        ck_assert_uint_eq(seen.id, i);
        close(fd);
    }
    rein_mhd_free(server);
}
END_TEST

/* Two requests on one connection are two contexts, and the first's end is not the second's. */
START_TEST(kept_alive_connection)
{
    struct rein_mhd_options options = options_for(greet, thread_counts[_i]);
    rein_mhd_server *server = start(&options);
    char buf[2048];
    int fd = ask(server, "");

    for (int i = 0; i < 5; i++) {
        static const char again[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        ck_assert_int_eq(answer(fd, buf, sizeof(buf)), 200);
        ck_assert_int_eq(send(fd, again, sizeof(again) - 1, MSG_NOSIGNAL), sizeof(again) - 1);
    }
    ck_assert_int_eq(answer(fd, buf, sizeof(buf)), 200);
    wait_seen(6, 6);
    ck_assert_int_eq(seen.err, 0);
    close(fd);
    rein_mhd_free(server);
}
END_TEST

/* A client that leaves while its handler works ends the context, and the cause says so. */
START_TEST(leaving_client_cancels)
{
    struct rein_mhd_options options = options_for(work, thread_counts[_i]);
    rein_mhd_server *server = start(&options);

    for (unsigned i = 1; i <= 3; i++) {
        int fd = ask(server, "");
        wait_seen(i, i - 1);
        close(fd);
        wait_seen(i, i);
        ck_assert_int_eq(seen.err, -ECANCELED);
        ck_assert_str_eq(seen.cause, "client disconnected");
        ck_assert_uint_eq(seen.status, 499);
    }
    rein_mhd_free(server);
}
END_TEST

/* The server's limit is told as 504; a header that nobody asked for is not believed. */
START_TEST(limit_is_a_deadline)
{
    struct rein_mhd_options options = options_for(work, thread_counts[_i]);
    options.limit = 10 * REIN_MILLISECOND;
    rein_mhd_server *server = start(&options);

    ck_assert_int_eq(answer_status(ask(server, "grpc-timeout: 1H\r\n")), 504);
    wait_seen(0, 1);
    ck_assert_int_eq(seen.err, -ETIMEDOUT);
    rein_mhd_free(server);
}
END_TEST

/* A header shortens the limit; with no time left no handler is called. */
START_TEST(header_is_a_deadline)
{
    struct rein_mhd_options options = options_for(work, thread_counts[_i]);
    options.limit = REIN_HOUR;
    options.timeout_header = "Grpc-Timeout";
    rein_mhd_server *server = start(&options);

    ck_assert_int_eq(answer_status(ask(server, "grpc-timeout: 10m\r\n")), 504);
    wait_seen(0, 1);
    ck_assert_int_eq(seen.err, -ETIMEDOUT);
    unsigned n_begun = seen.n_begun; /* 0, if the time was up before the handler's turn */
    ck_assert_int_eq(answer_status(ask(server, "grpc-timeout: 0S\r\n")), 504);
    wait_seen(0, 2);
    ck_assert_uint_eq(seen.n_begun, n_begun);
    rein_mhd_free(server);
}
END_TEST

static enum MHD_Result tell_remaining(const rein_ctx *ctx, rein_mhd_request *request,
                                      const char *upload, size_t *upload_size, void *arg)
{
    rein_duration left = rein_remaining(ctx);

    (void)upload;
    (void)upload_size;
    (void)arg;
    return rein_mhd_reply(request, MHD_HTTP_OK, NULL,
                          left == REIN_FOREVER          ? "forever"
                          : left <= 30 * REIN_MINUTE    ? "short"
                                                        : "limit");
}

/* A header cannot lengthen the limit; one that cannot be read, or comes twice, is ignored or
 * refused as the options say. */
START_TEST(bad_header_is_a_choice)
{
    struct rein_mhd_options options = options_for(tell_remaining, thread_counts[_i]);
    options.limit = REIN_HOUR;
    options.timeout_header = "x-timeout";
    options.timeout_format = REIN_MHD_TIMEOUT_MILLISECONDS;
    const struct {
        const char *headers, *answer;
        int strict;
    } cases[] = {
        {"", "limit", 200},
        {"X-Timeout: 99999999\r\n", "limit", 200},
        {"X-Timeout: 60000\r\n", "short", 200},
        {"X-Timeout: soon\r\n", "limit", 400},
        {"X-Timeout: 60000\r\nX-Timeout: 70000\r\n", "limit", 400},
    };
    for (unsigned strict = 0; strict <= 1; strict++) {
        options.flags = strict ? REIN_MHD_STRICT_TIMEOUT : 0;
        rein_mhd_server *server = start(&options);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
            char buf[2048];
            int fd = ask(server, cases[i].headers);
            int status = answer(fd, buf, sizeof(buf));
            ck_assert_msg(status == (strict ? cases[i].strict : 200), "%zu: %s", i, buf);
            ck_assert_msg(status != 200 || strstr(buf, cases[i].answer), "%zu: %s", i, buf);
            close(fd);
        }
        rein_mhd_free(server);
    }
}
END_TEST

/* A client that only stopped sending still gets its answer where that is allowed. */
START_TEST(half_close_is_a_choice)
{
    struct rein_mhd_options options = options_for(work, thread_counts[_i]);
    options.limit = 50 * REIN_MILLISECOND;
    options.flags = REIN_MHD_HALF_CLOSE_OK;
    rein_mhd_server *server = start(&options);

    int fd = ask(server, "");
    shutdown(fd, SHUT_WR);
    ck_assert_int_eq(answer_status(fd), 504);
    rein_mhd_free(server);
}
END_TEST

/* A body is handed over piece by piece; the handler's own object lives as long as the request. */
static enum MHD_Result add_up(const rein_ctx *ctx, rein_mhd_request *request, const char *upload,
                              size_t *upload_size, void *arg)
{
    size_t *total = rein_mhd_user(request);
    char page[32];

    (void)ctx;
    (void)upload;
    (void)arg;
    if (!total) {
        total = calloc(1, sizeof(*total));
        rein_mhd_set_user(request, total, free);
    }
    *total += *upload_size;
    if (*upload_size) {
        *upload_size = 0;
        return MHD_YES;
    }
    snprintf(page, sizeof(page), "%zu bytes", *total);
    return rein_mhd_reply(request, MHD_HTTP_OK, NULL, page);
}

START_TEST(body_arrives)
{
    static const char post[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234";
    struct rein_mhd_options options = options_for(add_up, thread_counts[_i]);
    rein_mhd_server *server = start(&options);
    char buf[2048];
    int fd = try_connect(rein_mhd_port(server));

    ck_assert_int_eq(send(fd, post, sizeof(post) - 1, MSG_NOSIGNAL), sizeof(post) - 1);
    ck_assert_int_eq(send(fd, "56789", 5, MSG_NOSIGNAL), 5);
    ck_assert_int_eq(answer(fd, buf, sizeof(buf)), 200);
    ck_assert(strstr(buf, "10 bytes"));
    close(fd);
    rein_mhd_free(server);
}
END_TEST

/* Clients that leave at any moment, beside clients that stay: all requests end, those who stayed
 * are served, nothing grows. */
START_TEST(many_rounds)
{
    struct rein_mhd_options options = options_for(greet, thread_counts[_i]);
    rein_mhd_server *server = start(&options);
    uint64_t seed = 1;
    unsigned descriptors = 0, threads = 0, last = rounds(300) - 1, early = last / 3;

    for (unsigned round = 0; round <= last; round++) {
        int leaver = ask(server, "");
        spin(next_random(&seed) % 50000);
        close(leaver);
        ck_assert_int_eq(answer_status(ask(server, "")), 200);
        if (round == early || round == last) {
            while (rein_mhd_active(server) > 0)
                sched_yield();
            threads = round == early ? count_of_own("task") : threads;
            descriptors = round == early ? count_of_own("fd") : descriptors;
        }
    }
    wait_count("fd", descriptors);
    wait_count("task", threads);
    rein_mhd_free(server);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("microhttpd-request");
    TCase *tcase = new_case(suite, "request");
    tcase_add_loop_test(tcase, values_travel, 0, 3);
    tcase_add_loop_test(tcase, kept_alive_connection, 0, 3);
    tcase_add_loop_test(tcase, leaving_client_cancels, 0, 3);
    tcase_add_loop_test(tcase, limit_is_a_deadline, 0, 3);
    tcase_add_loop_test(tcase, header_is_a_deadline, 0, 3);
    tcase_add_loop_test(tcase, bad_header_is_a_choice, 0, 3);
    tcase_add_loop_test(tcase, half_close_is_a_choice, 0, 3);
    tcase_add_loop_test(tcase, body_arrives, 0, 3);
    tcase_add_loop_test(tcase, many_rounds, 0, 3);
    return run(suite);
}
