/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* test_shutdown.c: a server stops in good order, whatever its requests are doing: served, told to
 * stop, suspended, or held by other threads. */
#include "testing_microhttpd.h"

static const unsigned thread_counts[] = {0, 1, 3};

struct gate {
    rein_ctx *open; /* cancelled to let the handlers answer */
};

static enum MHD_Result answer_at_gate(const rein_ctx *ctx, rein_mhd_request *request,
                                      const char *upload, size_t *upload_size, void *arg)
{
    struct gate *gate = arg;
    rein_case cases[] = {REIN_CASE_DONE(gate->open)};

    (void)upload;
    (void)upload_size;
    seen_begun();
    if (rein_wait_any(ctx, cases, 1) < 0)
        return rein_mhd_reply_done(request);
    return rein_mhd_reply(request, MHD_HTTP_OK, NULL, "in time\n");
}

struct shutter {
    rein_mhd_server *server;
    const rein_ctx *grace;
    int result;
};

static void *shut_down(void *arg)
{
    struct shutter *shutter = arg;
    shutter->result = rein_mhd_shutdown(shutter->grace, shutter->server);
    return NULL;
}

/* Within the grace a request is served, and told that the connection closes; new clients are
 * refused from the beginning. */
START_TEST(grace_serves)
{
    struct gate gate = {rein_with_cancel(rein_background())};
    struct rein_mhd_options options = options_for(answer_at_gate, thread_counts[_i]);
    options.arg = &gate;
    rein_mhd_server *server = start(&options);
    struct shutter shutter = {.server = server, .grace = rein_background()};
    pthread_t thread;
    char buf[2048];
    uint16_t port = rein_mhd_port(server);
    int fd = ask(server, "");

    wait_seen(1, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, shut_down, &shutter), 0);
    while (!rein_mhd_draining(server))
        sched_yield();
    int refused;
    while ((refused = try_connect(port)) >= 0) /* until the socket is shut */
        close(refused);
    ck_assert_int_eq(refused, -ECONNREFUSED);
    rein_cancel(gate.open);
    ck_assert_int_eq(answer(fd, buf, sizeof(buf)), 200);
    ck_assert(strstr(buf, "Connection: close"));
    pthread_join(thread, NULL);
    ck_assert_int_eq(shutter.result, 0);
    ck_assert_int_eq(seen.err, 0);
    close(fd);
    rein_mhd_free(server);
    rein_end(gate.open);
}
END_TEST

/* After the grace what is left is told to stop, and its client gets to know. */
START_TEST(after_the_grace_503)
{
    struct rein_mhd_options options = options_for(work, thread_counts[_i]);
    rein_mhd_server *server = start(&options);
    rein_ctx *grace = rein_with_timeout(rein_background(), 5 * REIN_MILLISECOND);
    int fd = ask(server, "");

    wait_seen(1, 0);
    ck_assert_int_eq(rein_mhd_shutdown(grace, server), -ETIMEDOUT);
    ck_assert_int_eq(answer_status(fd), 503);
    ck_assert_int_eq(seen.err, -ECANCELED);
    ck_assert_str_eq(seen.cause, "server shutting down");
    ck_assert_int_eq(rein_mhd_shutdown(rein_background(), server), 0);
    ck_assert_ptr_null(rein_mhd_daemon(server));
    ck_assert_uint_eq(rein_mhd_port(server), 0);
    rein_end(grace);
    rein_mhd_free(server);
}
END_TEST

/* When the base is done its requests are, and new ones are refused with 503 and no handler. */
START_TEST(done_base_refuses)
{
    struct rein_mhd_options options = options_for(work, thread_counts[_i]);
    rein_ctx *base = rein_with_cancel(rein_background());
    rein_mhd_server *server = NULL;
    ck_assert_int_eq(rein_mhd_start(base, &options, &server), 0);
    int fd = ask(server, "");

    wait_seen(1, 0);
    rein_cancel(base);
    ck_assert_int_eq(answer_status(fd), 503);
    wait_seen(1, 1);
    ck_assert_int_eq(answer_status(ask(server, "")), 503);
    ck_assert_uint_eq(seen.n_begun, 1);
    rein_mhd_free(server);
    server = NULL;
    ck_assert_int_eq(rein_mhd_start(base, &options, &server), -ECANCELED);
    ck_assert_ptr_null(server);
    rein_end(base);
}
END_TEST

/* Suspends the request the first time, for others to go on with; answers the second. */
static enum MHD_Result suspend(const rein_ctx *ctx, rein_mhd_request *request, const char *upload,
                               size_t *upload_size, void *arg)
{
    (void)upload;
    (void)upload_size;
    (void)arg;
    if (rein_mhd_user(request))
        return rein_done(ctx) ? rein_mhd_reply_done(request)
                              : rein_mhd_reply(request, MHD_HTTP_OK, NULL, "later\n");
    rein_mhd_set_user(request, request, NULL);
    ck_assert_int_eq(rein_mhd_suspend(request), 0);
    pthread_mutex_lock(&seen.lock);
    seen.held = rein_mhd_request_ref(request);
    seen.n_begun++;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
    return MHD_YES;
}

/* A suspended request goes on when it is resumed, by a thread that outlives it. */
START_TEST(suspended_and_resumed)
{
    struct rein_mhd_options options = options_for(suspend, thread_counts[_i]);
    rein_mhd_server *server = start(&options);
    int fd = ask(server, "");

    wait_seen(1, 0);
    ck_assert_uint_eq(rein_mhd_active(server), 1);
    rein_mhd_resume(seen.held);
    ck_assert_int_eq(answer_status(fd), 200);
    wait_seen(1, 1);
    rein_mhd_free(server);
    rein_mhd_resume(seen.held);
    ck_assert_str_eq(rein_mhd_url(seen.held), "/page");
    ck_assert_int_eq(rein_err(rein_mhd_context(seen.held)), -ECANCELED);
    rein_mhd_request_unref(seen.held);
}
END_TEST

/* The client of a suspended request leaves: the context says so, and the request ends by itself. */
START_TEST(client_leaves_while_suspended)
{
    struct rein_mhd_options options = options_for(suspend, thread_counts[_i]);
    rein_mhd_server *server = start(&options);
    int fd = ask(server, "");

    wait_seen(1, 0);
    close(fd);
    ck_assert_int_eq(rein_wait(rein_mhd_context(seen.held)), -ECANCELED);
    ck_assert_ptr_eq(rein_cause(rein_mhd_context(seen.held)), &rein_hangup_client_gone);
    wait_seen(1, 1);
    ck_assert_uint_eq(seen.status, 499);
    rein_mhd_request_unref(seen.held);
    rein_mhd_free(server);
}
END_TEST

/* A shutdown with a suspended request resumes it, instead of aborting the process. */
START_TEST(shutdown_while_suspended)
{
    struct rein_mhd_options options = options_for(suspend, thread_counts[_i]);
    rein_mhd_server *server = start(&options);
    int fd = ask(server, "");

    wait_seen(1, 0);
    rein_mhd_free(server);
    ck_assert_int_eq(answer_status(fd), 503);
    ck_assert_uint_eq(seen.status, 503);
    rein_mhd_request_unref(seen.held);
}
END_TEST

static enum MHD_Result cannot_suspend(const rein_ctx *ctx, rein_mhd_request *request,
                                      const char *upload, size_t *upload_size, void *arg)
{
    (void)ctx;
    (void)upload;
    (void)upload_size;
    (void)arg;
    ck_assert_int_eq(rein_mhd_suspend(request), -ENOTSUP);
    return rein_mhd_reply(request, MHD_HTTP_OK, NULL, "");
}

START_TEST(refusals)
{
    struct rein_mhd_options options = options_for(cannot_suspend, 0);
    rein_mhd_server *server = start(&options);
    rein_mhd_server *second = NULL;

    ck_assert_int_eq(answer_status(ask(server, "")), 200);
    options.port = rein_mhd_port(server);
    int r = rein_mhd_start(rein_background(), &options, &second);
    ck_assert_msg(r == -EADDRINUSE || r == -EIO, "%d", r);
    options.handler = NULL;
    ck_assert_int_eq(rein_mhd_start(rein_background(), &options, &second), -EINVAL);
    ck_assert_int_eq(rein_mhd_start(rein_background(), NULL, &second), -EINVAL);
    ck_assert_ptr_null(second);
    rein_mhd_free(server);
    rein_mhd_free(NULL);
    rein_mhd_request_unref(rein_mhd_request_ref(NULL));
}
END_TEST

/* Servers come and go and leave no descriptor or thread behind. */
START_TEST(nothing_stays)
{
    unsigned descriptors = count_of_own("fd"), threads = 0;

    for (int round = 0; round < 20; round++) {
        struct rein_mhd_options options = options_for(greet, thread_counts[_i]);
        rein_mhd_server *server = start(&options);
        ck_assert_int_eq(answer_status(ask(server, "")), 200);
        rein_mhd_free(server);
        if (round == 0) /* a sanitizer's own thread starts with the program's first */
            threads = count_of_own("task");
    }
    wait_count("fd", descriptors);
    wait_count("task", threads);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("microhttpd-shutdown");
    TCase *tcase = new_case(suite, "shutdown");
    tcase_add_loop_test(tcase, grace_serves, 0, 3);
    tcase_add_loop_test(tcase, after_the_grace_503, 0, 3);
    tcase_add_loop_test(tcase, done_base_refuses, 0, 3);
    tcase_add_loop_test(tcase, suspended_and_resumed, 1, 3);
    tcase_add_loop_test(tcase, client_leaves_while_suspended, 1, 3);
    tcase_add_loop_test(tcase, shutdown_while_suspended, 1, 3);
    tcase_add_test(tcase, refusals);
    tcase_add_loop_test(tcase, nothing_stays, 0, 3);
    return run(suite);
}
