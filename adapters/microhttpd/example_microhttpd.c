/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* example_microhttpd.c: a server that works for ten seconds on each answer, unless told to stop:
 *
 *     ./example_microhttpd 8080 &
 *     curl http://127.0.0.1:8080/                               stop it with ^C: the work stops
 *     curl -H 'grpc-timeout: 500m' http://127.0.0.1:8080/       504 after half a second
 *     kill -TERM %1                                             three seconds of grace, then 503
 */
#include <rein.h>
#include <rein/microhttpd.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static enum MHD_Result work(const rein_ctx *ctx, rein_mhd_request *request, const char *upload,
                            size_t *upload_size, void *arg)
{
    (void)upload;
    (void)arg;
    if (*upload_size) {
        *upload_size = 0; /* a body is read, and not looked at */
        return MHD_YES;
    }
    if (rein_sleep(ctx, 10 * REIN_SECOND) < 0)
        return rein_mhd_reply_done(request);
    return rein_mhd_reply(request, MHD_HTTP_OK, "text/plain", "done\n");
}

static void log_request(const rein_ctx *ctx, rein_mhd_request *request,
                        enum MHD_RequestTerminationCode how, void *arg)
{
    char why[128] = "answered";

    (void)how;
    (void)arg;
    if (rein_done(ctx))
        rein_explain(ctx, why, sizeof(why));
    printf("%llu %s %s: %s\n", (unsigned long long)rein_mhd_request_id(ctx),
           rein_mhd_method(request), rein_mhd_url(request), why);
}

int main(int argc, char **argv)
{
    struct rein_mhd_options options = {
        .size = sizeof(options),
        .port = argc > 1 ? (uint16_t)atoi(argv[1]) : 0,
        .limit = 30 * REIN_SECOND,
        .timeout_header = "grpc-timeout",
        .handler = work,
        .completed = log_request,
    };
    rein_mhd_server *server;
    sigset_t stop;
    int number;

    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL); /* before the first thread starts */
    signal(SIGPIPE, SIG_IGN);
    int r = rein_mhd_start(rein_background(), &options, &server);
    if (r < 0) {
        fprintf(stderr, "cannot start: %s\n", rein_strerror(r));
        return 1;
    }
    printf("http://127.0.0.1:%u/\n", rein_mhd_port(server));
    fflush(stdout);
    sigwait(&stop, &number);

    rein_ctx *grace = rein_with_timeout(rein_background(), 3 * REIN_SECOND);
    r = rein_mhd_shutdown(grace, server);
    rein_end(grace);
    rein_mhd_free(server);
    printf("%s\n", r == 0 ? "everybody was served" : "some were cut off");
    return 0;
}
