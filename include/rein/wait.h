/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/wait.h: block until a context is done, or something else happens first.
 *
 * Every call here fails at once on a done context, even if it could succeed; a result that came
 * first is kept. None returns -ETIMEDOUT while rein_err() still says 0. Each wakes at the context's
 * deadline by itself, whether or not a timer thread runs. Interrupting signals restart it. None is
 * a pthread cancellation point; none changes errno; none may be called from a signal handler.
 * A NULL context is a caller's bug [rule: context-required]. */
#ifndef REIN_WAIT_H
#define REIN_WAIT_H

#include <poll.h>
#include <rein/base.h>
#include <rein/time.h>

REIN_BEGIN_DECLS

/* Block until ctx is done: for ever if it never is.
 * Returns  -ECANCELED or -ETIMEDOUT, as rein_err(ctx) from then on */
REIN_API int rein_wait(const rein_ctx *ctx);

/* Sleep for d, or until an instant, on ctx's clock.
 * Returns  0 when the time is over (at once for d <= 0)
 * Errors   -ECANCELED, -ETIMEDOUT  ctx was done first */
REIN_API REIN_NODISCARD int rein_sleep(const rein_ctx *ctx, rein_duration d);
REIN_API REIN_NODISCARD int rein_sleep_until(const rein_ctx *ctx, rein_time when);

/* poll(2) under a context: block until one of n descriptors is ready. There is no timeout beside
 * ctx; derive one. At most 16 descriptors; for more there is rein_done_fd() beside them in a poll
 * or epoll of your own, or a rein_loop.
 *
 * Returns  how many of fds have revents set, at least 1
 * Errors   -ECANCELED, -ETIMEDOUT  ctx was done first; revents are untouched
 *          -E2BIG                  n is over 16
 *          -EMFILE, -ENFILE, -ENOMEM  no descriptor to be woken by
 *          -EINVAL                 fds is NULL and n is not 0 */
REIN_API REIN_NODISCARD int rein_poll(const rein_ctx *ctx, struct pollfd *fds, size_t n);

/* A descriptor that is readable from the moment ctx is done, for poll, epoll or anybody's loop.
 * Made on first request and shared by all who ask; level-triggered, and reading does not drain it.
 * It is ctx's: do not close it, and do not use it longer than you hold ctx.
 *
 * Returns  0; *ret_fd is -1 when ctx can never be done (poll ignores it)
 * Errors   -EMFILE, -ENFILE, -ENOMEM  nothing has changed */
REIN_API REIN_NODISCARD int rein_done_fd(const rein_ctx *ctx, int *ret_fd);

/* One thing to wait for; make it with a macro below. */
typedef struct rein_case {
    uint32_t kind;
    int fd;
    short events;
    short revents; /* out: what the descriptor is ready for */
    uint32_t reserved_flags;
    const rein_ctx *ctx;
    rein_time when;
    void *reserved[4];
} rein_case;
enum rein_case_kind { REIN_CASE_KIND_DONE = 1, REIN_CASE_KIND_FD = 2, REIN_CASE_KIND_AT = 3 };

#ifdef __cplusplus
#define REIN_CASE_(kind, fd, events, ctx, when)                                                    \
    (::rein_case{kind, fd, (short)(events), 0, 0, ctx, when, {}})
#else
#define REIN_CASE_(kind, fd, events, ctx, when)                                                    \
    ((rein_case){kind, fd, (short)(events), 0, 0, ctx, when, {NULL}})
#endif
/* that other context is done; fd is ready for events; the instant has come (on the clock of the
 * ctx that is passed to rein_wait_any()) */
#define REIN_CASE_DONE(other) REIN_CASE_(REIN_CASE_KIND_DONE, -1, 0, other, REIN_NEVER)
#define REIN_CASE_FD(fd, events) REIN_CASE_(REIN_CASE_KIND_FD, fd, events, NULL, REIN_NEVER)
#define REIN_CASE_AT(when) REIN_CASE_(REIN_CASE_KIND_AT, -1, 0, NULL, when)

/* Block until one of n cases holds. ctx is a case of its own and wins when it is done at the moment
 * of decision; among the others the first in order that holds then is taken: one that nearly always
 * holds starves those after it, if you serve one case a call. The revents of all descriptors are
 * set, to 0 where one is not ready. It wakes at the deadlines of the other contexts by itself, too.
 *
 * Returns  the index of the case
 * Errors   -ECANCELED, -ETIMEDOUT     ctx was done first
 *          -E2BIG                     over 16 descriptors, or over 16 other contexts
 *          -EMFILE, -ENFILE, -ENOMEM  no descriptor to be woken by
 *          -EINVAL                    a case of no known kind, a descriptor below 0, or cases is
 *                                     NULL and n is not 0
 * Panics   a case's context lives on another clock  [rule: one-clock] */
REIN_API REIN_NODISCARD int rein_wait_any(const rein_ctx *ctx, rein_case *cases, size_t n);

REIN_END_DECLS

#endif
