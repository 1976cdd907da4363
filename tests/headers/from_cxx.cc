/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* from_cxx.cc: every macro and every kind of call from inside a C++ namespace, where names that a C
 * programmer takes for granted may mean something else. */
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <rein.h>
#include <rein/testing.h>

static int failures;

static void expect(const char *what, bool right)
{
    std::printf("%s %s\n", right ? "ok -" : "not ok -", what);
    failures += !right;
}

namespace app {

struct point {
    int x, y;
};

/* Names of ours that the headers must not stumble over. */
struct rein_time_of_ours {};
enum { done, err, after, value };

REIN_KEY_DECLARE(where, point)
REIN_KEY_DECLARE_STRING(who)
REIN_KEY_DECLARE_OWNED(owned, point)
REIN_KEY_DECLARE_BORROWED(lent, point)

REIN_KEY_DEFINE(where, point)
REIN_KEY_DEFINE_STRING(who)
static int dropped;
static void drop_point(void *object)
{
    dropped++;
    delete static_cast<point *>(object);
}
REIN_KEY_DEFINE_OWNED(owned, point, drop_point)
REIN_KEY_DEFINE_BORROWED(lent, point)

static const rein_reason left = REIN_REASON_INIT(-EPIPE, "client left");

static void values()
{
    point p{3, 4};
    const rein_ctx *a = where_with(rein_background(), p);
    const rein_ctx *b = who_with(a, "gopher");
    const rein_ctx *c = owned_with(b, new point{5, 6});
    const rein_ctx *d = lent_with(c, &p);
    expect("values by copy, string, owned and borrowed",
           where_of(d, point{0, 0}).y == 4 && !std::strcmp(who_of(d, ""), "gopher") &&
               owned_of(d, nullptr)->x == 5 && lent_of(d, nullptr) == &p);
    rein_unref(d);
    rein_unref(c);
    expect("an owned value is dropped with its context", dropped == 1);
    rein_unref(b);
    rein_unref(a);
}

static void ends()
{
    rein_ctx *parent = rein_with_cancel(rein_background());
    {
        REIN_AUTO_END rein_ctx *child = rein_with_timeout(parent, 3 * REIN_SECOND);
        REIN_AUTO_UNREF const rein_ctx *view = rein_ref(child);
        rein_ctx *merged = rein_merge(child, rein_background());
        rein_ctx *apart = rein_detach(view, rein_background(), REIN_FOREVER);
        const rein_ctx *kept = rein_without_cancel(view);
        rein_cancel_cause(parent, &left);
        expect("a cancel reaches children and merged contexts, with its reason",
               rein_done(view) && rein_err(merged) == -ECANCELED && rein_cause(merged) == &left);
        expect("it does not reach what was detached", !rein_done(apart) && !rein_done(kept));
        rein_cancel_causef(apart, -EIO, "disk %d", 7);
        expect("a reason made on the spot", !std::strcmp(rein_cause(apart)->text, "disk 7"));
        rein_unref(kept);
        rein_end(apart);
        rein_end(merged);
    }
    struct rein_event event;
    expect("the event names this file",
           rein_event(parent, &event) && std::strstr(event.site, "from_cxx.cc:"));
    rein_end(parent);
}

static void callbacks_and_waits()
{
    rein_ctx *ctx = rein_with_deadline(rein_background(), REIN_NEVER);
    static int called;
    rein_callback callback;
    rein_after after_ctx;
    expect("a callback is linked",
           rein_callback_add(ctx, &callback, [](const rein_ctx *, void *) { called++; }, nullptr));
    int r = rein_after_func(ctx, &after_ctx, rein_inline_executor(),
                            [](const rein_ctx *, void *) { called += 2; }, nullptr);
    rein_cancel(ctx);
    expect("both kinds of callback have run", r == 0 && called == 3);
    rein_after_stop_wait(&after_ctx);
    rein_callback_remove(&callback);

    rein_case cases[] = {REIN_CASE_DONE(ctx), REIN_CASE_FD(0, POLLIN), REIN_CASE_AT(REIN_NEVER)};
    expect("the first case holds", rein_wait_any(rein_background(), cases, 3) == 0);
    rein_end(ctx);
}

static int foreign_name(void *, char *buf, size_t size)
{
    return std::snprintf(buf, size, "cxx");
}

static void foreign_and_virtual()
{
    static const rein_foreign_ops ops = {sizeof ops, nullptr, nullptr, foreign_name, nullptr, false};
    rein_ctx *ctx = rein_foreign(rein_background(), &ops, nullptr);
    rein_foreign_done(ctx, -ETIMEDOUT, nullptr);
    expect("a foreign context", rein_err(ctx) == -ETIMEDOUT);
    rein_end(ctx);

    rein_clock *clock = rein_clock_new();
    rein_ctx *late = rein_with_timeout(rein_clock_root(clock), REIN_HOUR);
    rein_clock_advance(clock, REIN_HOUR);
    expect("a virtual hour", rein_err(late) == -ETIMEDOUT);
    rein_end(late);
    rein_clock_free(clock);
}

}

int main()
{
    app::values();
    app::ends();
    app::callbacks_and_waits();
    app::foreign_and_virtual();
    return failures != 0;
}
