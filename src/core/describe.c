/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/describe.c: a line of contexts in words.
 *
 * The text runs from the root down, the links from the leaf up, and a line may be a million long.
 * So it is written from its end backwards: one pass up to know its length, one to put each part in
 * its place. What lies beyond the buffer is only counted. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/panic.h"
#include "core/foreign.h"
#include "time/instant.h"
#include "time/text.h"

struct moment {
    int64_t now;  /* of the context's clock: read once, so that both passes write the same */
    int64_t wall; /* the wall clock at that moment, ns; 0 on a virtual clock */
};

static int write_deadline(const struct ctx *ctx, const struct moment *moment, char *buf,
                          size_t size)
{
    int64_t when = timed_of(ctx)->timer.when;
    char left[32], at[32];
    rein_format_duration(instant_sub(when, moment->now), left, sizeof left);
    if (moment->wall == 0)
        rein_format_duration(when, at, sizeof at);
    else
        reini_format_wall(instant_add(moment->wall, instant_sub(when, moment->now)), at, sizeof at);
    return snprintf(buf, size, ".WithDeadline(%s [%s])", at, left);
}

static int write_value(const struct ctx *ctx, char *buf, size_t size)
{
    const rein_key *key = value_of(ctx)->binding.key;
    const void *value = rein_value(public_of(ctx), key);
    if (value && !key->print)
        return snprintf(buf, size, ".WithValue(%s)", key->name);
    int before = snprintf(buf, size, ".WithValue(%s, ", key->name);
    size_t used = (size_t)before < size ? (size_t)before : size;
    int length = value ? key->print(value, size ? buf + used : NULL, size - used)
                       : snprintf(size ? buf + used : NULL, size - used, "<nil>");
    before += length > 0 ? length : 0;
    used = (size_t)before < size ? (size_t)before : size;
    return before + snprintf(size ? buf + used : NULL, size - used, ")");
}

/* One context's own part, as snprintf does. */
static int write_part(const struct ctx *ctx, const struct moment *moment, char *buf, size_t size)
{
    switch (kind_of(ctx)) {
    case KIND_BACKGROUND:
        return snprintf(buf, size, "context.Background");
    case KIND_TODO:
        return snprintf(buf, size, "context.TODO");
    case KIND_FAILED:
        return snprintf(buf, size, "rein.failed");
    case KIND_CLOCK:
        return snprintf(buf, size, "context.Virtual");
    case KIND_WITHOUT_CANCEL:
        return snprintf(buf, size, ".WithoutCancel");
    case KIND_VALUE:
        return write_value(ctx, buf, size);
    case KIND_CANCEL:
        return snprintf(buf, size, ".WithCancel");
    case KIND_DEADLINE:
        return write_deadline(ctx, moment, buf, size);
    case KIND_MERGE:
        return snprintf(buf, size, ".Merge");
    case KIND_DETACH:
        return snprintf(buf, size, ".Detach");
    case KIND_FOREIGN:
        break;
    }
    const struct foreign *foreign = foreign_of(ctx);
    return foreign->ops.name ? foreign->ops.name(foreign->self, buf, size)
                             : snprintf(buf, size, ".Foreign");
}

static const struct ctx *next_up(const struct ctx *ctx)
{
    bool stands_alone = kind_of(ctx) == KIND_FOREIGN && foreign_of(ctx)->ops.name;
    return stands_alone ? NULL : ctx->parent;
}

/* Put a part at [from, to) of the text; what lies in the buffer behind it is there already. */
static void put(const struct ctx *ctx, const struct moment *moment, char *buf, size_t size,
                size_t from, size_t to)
{
    if (from >= size)
        return;
    char kept = to < size ? buf[to] : '\0'; /* snprintf ends with a NUL that is not wanted here */
    write_part(ctx, moment, buf + from, (to < size ? to + 1 : size) - from);
    if (to < size)
        buf[to] = kept;
}

int rein_describe(const rein_ctx *public_ctx, char *buf, size_t size)
{
    REQUIRE_CONTEXT(public_ctx);
    const struct ctx *ctx = ctx_of(public_ctx);
    int saved = errno;
    struct timespec wall = {0, 0};
    if (!clock_of(ctx)->is_virtual)
        clock_gettime(CLOCK_REALTIME, &wall);
    struct moment moment = {clock_now(clock_of(ctx)),
                            (int64_t)wall.tv_sec * REIN_SECOND + wall.tv_nsec};
    size_t length = 0;
    for (const struct ctx *up = ctx; up; up = next_up(up)) {
        int part = write_part(up, &moment, NULL, 0);
        length += part > 0 ? (size_t)part : 0;
    }
    if (size > 0)
        buf[length < size ? length : size - 1] = '\0';
    size_t to = length;
    for (const struct ctx *up = ctx; up && size > 0; up = next_up(up)) {
        int part = write_part(up, &moment, NULL, 0);
        size_t from = part > 0 && (size_t)part <= to ? to - (size_t)part : to;
        put(up, &moment, buf, size, from, to);
        to = from;
    }
    errno = saved;
    return length < INT_MAX ? (int)length : INT_MAX;
}
