/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/wait.c: the calls that block until a context is done or something else happens.
 *
 * All are one session in the caller's frame: it links a waiter to each context, arms a sleeper on a
 * virtual clock if an instant on it is waited for, and takes an event if there are descriptors to
 * poll. Then it alternates between looking and sleeping. Before it returns it takes everything back
 * and stays for the signals that have been committed to (strand.h); so nothing dangles, and nobody
 * touches its frame any more. */
#include <rein/wait.h>

#include <errno.h>

#include "base/panic.h"
#include "core/node.h"
#include "core/waiter.h"
#include "time/instant.h"
#include "wait/events.h"

enum { MOST = 16 }; /* descriptors, and contexts beside the call's own: the size of the frame */

/* An instant on a virtual clock, for a strand that sleeps until it. */
struct sleeper {
    struct timer timer;
    struct strand *strand;
};

struct session {
    const struct ctx *ctx;
    struct strand strand;
    uint32_t waiters, fds;
    uint32_t seen; /* signals that have been looked at */
    bool armed;
    int64_t until; /* on the real clock: when to look again without a signal */
    struct sleeper sleeper;
    struct waiter waiter[MOST + 1]; /* [0]: for ctx */
    struct pollfd fd[MOST + 1];     /* the last: the event */
};

/* ---- the sleeper ---- */

static bool sleeper_pin(struct timer *timer)
{
    (void)timer; /* its frame waits for the signal */
    return true;
}

static void sleeper_fire(struct timer *timer)
{
    reini_strand_signal(CONTAINER_OF(timer, struct sleeper, timer)->strand);
}

static const struct timer_kind sleeper_kind = {sleeper_pin, sleeper_fire, NULL};

/* ---- the session ---- */

static void begin(struct session *session, const struct ctx *ctx)
{
    session->ctx = ctx;
    session->waiters = session->fds = session->seen = 0;
    session->armed = false;
    session->until = NEVER;
    reini_strand_init(&session->strand);
}

static void add_fd(struct session *session, int fd, short events)
{
    session->fd[session->fds++] = (struct pollfd){.fd = fd, .events = events};
}

static void add_context(struct session *session, const struct ctx *ctx)
{
    reini_waiter_link(&session->waiter[session->waiters++], ctx, &session->strand);
    int64_t bound = reini_bound(ctx);
    if (bound < session->until)
        session->until = bound;
}

static void add_instant(struct session *session, int64_t when)
{
    struct reini_clock *clock = clock_of(session->ctx);
    if (!clock->is_virtual) {
        if (when < session->until)
            session->until = when;
    } else if (when != NEVER) {
        session->sleeper =
            (struct sleeper){{.when = when, .kind = &sleeper_kind}, &session->strand};
        /* It cannot fail on a virtual clock; but if the instant has come, the caller will see. */
        session->armed =
            reini_clock_arm(clock, &session->sleeper.timer, &reini_not_over) == 0;
    }
}

/* Have the strand raise an event if there are descriptors; before anything can signal it. */
static int open_event(struct session *session)
{
    if (session->fds == 0)
        return 0;
    int fd = reini_events_take();
    if (fd < 0)
        return fd;
    session->strand.fd = fd;
    session->fd[session->fds] = (struct pollfd){.fd = fd, .events = POLLIN};
    return 0;
}

/* Sleep until a signal that was not seen yet, a ready descriptor, or session->until. Returns 0, or
 * the negative errno of poll. */
static int doze(struct session *session)
{
    int r = 0;
    if (session->fds == 0) {
        reini_strand_wait(&session->strand, session->seen + 1, session->until);
    } else {
        reini_strand_park_begin();
        r = reini_poll_until(session->fd, session->fds + 1, session->until);
        reini_strand_park_end();
        if (r == -EINTR)
            r = 0;
        if (r > 0 && session->fd[session->fds].revents)
            reini_event_clear(session->strand.fd);
    }
    session->seen = reini_strand_count(&session->strand);
    return r < 0 ? r : 0;
}

static void end(struct session *session)
{
    uint32_t committed = 0;
    for (uint32_t i = 0; i < session->waiters; i++)
        committed += reini_waiter_unlink(&session->waiter[i]);
    if (session->armed && !reini_clock_disarm(clock_of(session->ctx), &session->sleeper.timer))
        committed++;
    if (committed > 0)
        reini_strand_wait(&session->strand, committed, NEVER);
    if (session->strand.fd >= 0)
        reini_events_give(session->strand.fd);
}

/* Whether a descriptor is ready as of now. */
static int poll_now(struct session *session)
{
    int r;
    do
        r = reini_poll_until(session->fd, session->fds, INT64_MIN);
    while (r == -EINTR);
    return r;
}

/* ---- one context ---- */

int rein_wait(const rein_ctx *ctx)
{
    int err = rein_check(ctx);
    if (err != 0)
        return err;
    struct session session;
    begin(&session, ctx_of(ctx));
    add_context(&session, session.ctx);
    while ((err = rein_check(ctx)) == 0)
        doze(&session);
    end(&session);
    return err;
}

int rein_sleep_until(const rein_ctx *ctx, rein_time when)
{
    int err = rein_check(ctx);
    if (err != 0)
        return err;
    struct session session;
    begin(&session, ctx_of(ctx));
    add_context(&session, session.ctx);
    add_instant(&session, when.ns);
    while ((err = rein_check(ctx)) == 0 && (when.ns == NEVER || rein_now(ctx).ns < when.ns))
        doze(&session);
    end(&session);
    return err;
}

int rein_sleep(const rein_ctx *ctx, rein_duration d)
{
    int err = rein_check(ctx);
    if (err != 0 || d <= 0)
        return err;
    return rein_sleep_until(ctx, rein_in(ctx, d));
}

int rein_poll(const rein_ctx *ctx, struct pollfd *fds, size_t n)
{
    int err = rein_check(ctx), r = 0;
    if (err != 0)
        return err;
    if (n > MOST)
        return -E2BIG;
    if (!fds && n > 0)
        return -EINVAL;
    if (n == 0)
        return rein_wait(ctx);
    struct session session;
    begin(&session, ctx_of(ctx));
    for (size_t i = 0; i < n; i++)
        add_fd(&session, fds[i].fd, fds[i].events);
    if ((r = open_event(&session)) < 0)
        return r;
    add_context(&session, session.ctx);
    /* What was ready first is kept, though the context may be done by the time it is returned. */
    while ((r = poll_now(&session)) == 0 && (err = rein_check(ctx)) == 0)
        if ((r = doze(&session)) < 0)
            break;
    end(&session);
    for (size_t i = 0; r > 0 && i < n; i++)
        fds[i].revents = session.fd[i].revents;
    return r != 0 ? r : err;
}

/* ---- any of several ---- */

static int check_cases(const struct ctx *ctx, const rein_case *cases, size_t n)
{
    size_t fds = 0, contexts = 0;
    if (!cases && n > 0)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        switch (cases[i].kind) {
        case REIN_CASE_KIND_DONE:
            REQUIRE_CONTEXT(cases[i].ctx);
            if (clock_id(ctx_of(cases[i].ctx)) != clock_id(ctx) &&
                !is_failed(ctx_of(cases[i].ctx)))
                reini_panic("one-clock", "a case's context lives on another clock", cases[i].ctx);
            contexts++;
            break;
        case REIN_CASE_KIND_FD:
            if (cases[i].fd < 0)
                return -EINVAL;
            fds++;
            break;
        case REIN_CASE_KIND_AT:
            break;
        default:
            return -EINVAL;
        }
    }
    return fds > MOST || contexts > MOST ? -E2BIG : 0;
}

/* The first case that holds now: its index, -1 if none does, or poll's error less one. */
static int64_t first_that_holds(struct session *session, const rein_case *cases, size_t n)
{
    int r = session->fds > 0 ? poll_now(session) : 0;
    if (r < 0)
        return r - 1;
    int64_t now = clock_now(clock_of(session->ctx));
    for (size_t i = 0, fd = 0; i < n; i++) {
        if ((cases[i].kind == REIN_CASE_KIND_FD && session->fd[fd++].revents) ||
            (cases[i].kind == REIN_CASE_KIND_DONE && rein_check(cases[i].ctx) != 0) ||
            (cases[i].kind == REIN_CASE_KIND_AT && cases[i].when.ns != NEVER &&
             now >= cases[i].when.ns))
            return (int64_t)i;
    }
    return -1;
}

static int add_cases(struct session *session, const rein_case *cases, size_t n)
{
    int64_t earliest = NEVER;
    for (size_t i = 0; i < n; i++)
        if (cases[i].kind == REIN_CASE_KIND_FD)
            add_fd(session, cases[i].fd, cases[i].events);
    int r = open_event(session);
    if (r < 0)
        return r;
    add_context(session, session->ctx);
    for (size_t i = 0; i < n; i++) {
        if (cases[i].kind == REIN_CASE_KIND_DONE)
            add_context(session, ctx_of(cases[i].ctx));
        else if (cases[i].kind == REIN_CASE_KIND_AT && cases[i].when.ns < earliest)
            earliest = cases[i].when.ns;
    }
    add_instant(session, earliest);
    return 0;
}

int rein_wait_any(const rein_ctx *ctx, rein_case *cases, size_t n)
{
    int err = rein_check(ctx), r;
    if (err != 0)
        return err;
    if ((r = check_cases(ctx_of(ctx), cases, n)) < 0)
        return r;
    struct session session;
    begin(&session, ctx_of(ctx));
    if ((r = add_cases(&session, cases, n)) < 0)
        return r;
    int64_t found = -1;
    while ((err = rein_check(ctx)) == 0 && (found = first_that_holds(&session, cases, n)) == -1)
        if ((r = doze(&session)) < 0)
            break;
    end(&session);
    if (err != 0 || r < 0)
        return err != 0 ? err : r;
    for (size_t i = 0, fd = 0; found >= 0 && i < n; i++)
        if (cases[i].kind == REIN_CASE_KIND_FD)
            cases[i].revents = session.fd[fd++].revents;
    return found < 0 ? (int)(found + 1) : (int)found;
}
