/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/cause.c: why a context is done: the cause, the record of the end, and both as a line of
 * text. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/panic.h"
#include "core/node.h"
#include "time/instant.h"

static const rein_reason not_done = REIN_REASON_INIT(0, "not done");
static const rein_reason canceled = REIN_REASON_INIT(-ECANCELED, "context canceled");
static const rein_reason deadline_exceeded =
    REIN_REASON_INIT(-ETIMEDOUT, "context deadline exceeded");

static const rein_reason *cause_of(const struct node *end)
{
    if (end->reason)
        return end->reason;
    return rein_err(public_of(&end->ctx)) == -ETIMEDOUT ? &deadline_exceeded : &canceled;
}

const rein_reason *rein_cause(const rein_ctx *ctx)
{
    REQUIRE_CONTEXT(ctx);
    const struct node *end = reini_end_of(ctx_of(ctx));
    return end ? cause_of(end) : &not_done;
}

bool rein_event(const rein_ctx *ctx, struct rein_event *ret_event)
{
    REQUIRE_CONTEXT(ctx);
    const struct node *end = reini_end_of(ctx_of(ctx));
    if (!end)
        return false;
    *ret_event = (struct rein_event){
        .err = rein_err(ctx),
        .thread = end->end_thread,
        .cause = cause_of(end),
        .site = end->end_site,
        .context_site = end->ctx.site,
        .at = {end->end_at},
    };
    return true;
}

const char *rein_strerror(int err)
{
    switch (err) {
    case 0:
        return not_done.text;
    case -ECANCELED:
        return canceled.text;
    case -ETIMEDOUT:
        return deadline_exceeded.text;
    default:
        break;
    }
    const char *text = err == INT_MIN ? NULL : strerrordesc_np(abs(err));
    return text ? text : "unknown error";
}

/* "1.234ms" rather than nine digits: what a log line is read for. */
static rein_duration rounded(rein_duration d)
{
    rein_duration unit = d >= REIN_SECOND        ? REIN_MILLISECOND
                         : d >= REIN_MILLISECOND ? REIN_MICROSECOND
                                                 : 1;
    return d / unit * unit;
}

int rein_explain(const rein_ctx *ctx, char *buf, size_t size)
{
    struct rein_event event;
    int saved = errno, length;
    if (!rein_event(ctx, &event)) {
        length = snprintf(buf, size, "%s", not_done.text);
    } else if (is_failed(&reini_end_of(ctx_of(ctx))->ctx)) {
        length = snprintf(buf, size, "%s: %s (%s)", rein_strerror(event.err), event.cause->text,
                          event.site);
    } else {
        char ago[32];
        int64_t now = clock_now(clock_of(ctx_of(ctx)));
        rein_format_duration(rounded(instant_sub(now, event.at.ns)), ago, sizeof ago);
        bool bare = event.cause == &canceled || event.cause == &deadline_exceeded;
        length = snprintf(buf, size, "%s%s%s (%s, thread %d, %s ago)", rein_strerror(event.err),
                          bare ? "" : ": ", bare ? "" : event.cause->text, event.site,
                          event.thread, ago);
    }
    errno = saved;
    return length;
}
