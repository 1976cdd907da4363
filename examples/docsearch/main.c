/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* main.c: docsearch, a small search service over the documentation that is installed.
 *
 * One context is the life of the program: Ctrl-C ends it, with that as its cause. Indexing is done
 * under it, and stops with it; the server waits for its end, and then drains. */
#include "db.h"
#include "index.h"
#include "log.h"
#include "options.h"
#include "server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <rein.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EXIT_INTERRUPTED = 130 };

static const rein_reason interrupted = REIN_REASON_INIT(-EINTR, "told to stop by a signal");

/* Signals come as something to read, to a thread that may do with them whatever it likes; no
 * handler ever runs. The first asks the program to stop, the second does not ask. */
struct signals {
    int fd;
    rein_ctx *stop;
    rein_ctx *over; /* nobody waits for signals any more */
    pthread_t thread;
};

static void *watch_signals(void *arg)
{
    struct signals *signals = arg;
    struct signalfd_siginfo info;
    struct pollfd fd = {.fd = signals->fd, .events = POLLIN};
    while (rein_poll(signals->over, &fd, 1) > 0) {
        if (read(signals->fd, &info, sizeof info) != sizeof info)
            continue;
        if (rein_done(signals->stop))
            _exit(EXIT_INTERRUPTED);
        rein_cancel_cause(signals->stop, &interrupted);
    }
    return NULL;
}

/* To be called before any other thread is started: they inherit that these signals are blocked. */
static int signals_start(struct signals *signals, rein_ctx *stop)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN); /* a client that leaves is an error of write(), not our end */

    signals->stop = stop;
    signals->over = rein_with_cancel(rein_background());
    signals->fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (signals->fd >= 0 && pthread_create(&signals->thread, NULL, watch_signals, signals) == 0)
        return 0;
    rein_end(signals->over);
    return -EAGAIN;
}

static void signals_stop(struct signals *signals)
{
    rein_cancel(signals->over);
    pthread_join(signals->thread, NULL);
    close(signals->fd);
    rein_end(signals->over);
}

static int run(const rein_ctx *stop, const struct options *options)
{
    int r;
    if (options->check)
        r = db_check(stop, options->database);
    else if ((r = index_folder(stop, options)) == 0 && !options->index_only)
        r = serve(stop, options);
    if (r == 0)
        return EXIT_SUCCESS;
    return r == rein_err(stop) ? EXIT_INTERRUPTED : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct options options;
    int status = options_read(&options, argc, argv);
    if (status >= 0)
        return status;

    struct signals signals;
    rein_ctx *stop = rein_with_cancel(rein_background());
    if (signals_start(&signals, stop) < 0) {
        fputs("docsearch: no thread for signals\n", stderr);
        rein_end(stop);
        return EXIT_FAILURE;
    }
    status = run(stop, &options);
    signals_stop(&signals);
    rein_end(stop);
    rein_quiesce(); /* not needed to leave; but checkers for leaks count threads that were idle */
    return status;
}
