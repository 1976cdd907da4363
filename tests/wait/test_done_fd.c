/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/wait/test_done_fd.c: the descriptor that is readable once a context is done. */
#include <fcntl.h>
#include <rein.h>
#include <rein/testing.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault_control.h"
#include "core/check.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

static bool is_readable(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    return poll(&poller, 1, 0) == 1;
}

static int fd_of(const rein_ctx *ctx)
{
    int fd = -7;
    ck_assert_int_eq(rein_done_fd(ctx, &fd), 0);
    return fd;
}

/* It becomes readable with the end, however the end comes: own cancel, an ancestor's, a
 * deadline. */
CASE(done_fd_is_readable_from_the_end_on, "CTX-4", "CTX-33")
{
    rein_clock *clock = suite_clock();
    rein_ctx *top = rein_with_timeout(rein_clock_root(clock), REIN_HOUR),
             *child = rein_with_cancel(top);
    int top_fd = fd_of(top), child_fd = fd_of(child);
    ck_assert_int_ge(top_fd, 0);
    ck_assert_int_ne(top_fd, child_fd);
    ck_assert(!is_readable(top_fd) && !is_readable(child_fd));
    rein_cancel(child);
    ck_assert(is_readable(child_fd) && !is_readable(top_fd));
    rein_clock_advance(clock, REIN_HOUR);
    ck_assert(is_readable(top_fd));
    rein_end(child);
    rein_end(top);
    rein_clock_free(clock);
}

/* Asked for after the end it is readable at once. */
CASE(done_fd_of_a_done_context_is_readable, "CTX-32", "CTX-33")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_cancel(ctx);
    ck_assert(is_readable(fd_of(ctx)));
    rein_end(ctx);
}

/* It is made on the first request, and one and the same for all who ask, values on top included. */
CASE(done_fd_is_made_once_and_shared, "CTX-2", "CTX-32", "CTX-87")
{
    static const rein_key key = {.name = "key", .kind = REIN_VALUE_STRING};
    size_t before = suite_descriptors();
    rein_ctx *ctx = rein_with_cancel(rein_background());
    const rein_ctx *value = rein_with_value(ctx, &key, "x");
    ck_assert_uint_eq(suite_descriptors(), before);
    int fd = fd_of(value);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(fd_of(i % 2 ? ctx : value), fd);
    ck_assert_uint_eq(suite_descriptors(), before + 1);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    rein_unref(value);
    rein_end(ctx);
    ck_assert_uint_eq(suite_descriptors(), before);
}

/* Reading does not drain it: any number of readers, any number of times. */
CASE(done_fd_cannot_be_drained, "CTX-33")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    int fd = fd_of(ctx);
    rein_cancel(ctx);
    for (int i = 0; i < 100000; i++) {
        uint64_t unit;
        ck_assert_int_eq((int)read(fd, &unit, sizeof unit), (int)sizeof unit);
    }
    ck_assert(is_readable(fd));
    rein_end(ctx);
}

struct readers {
    int fd;
    struct race_count seen;
    rein_ctx *ctx;
};

static void read_or_cancel(void *arg, unsigned index)
{
    struct readers *is = arg;
    uint64_t unit;
    if (index == 0) {
        rein_cancel(is->ctx);
        return;
    }
    struct pollfd poller = {.fd = is->fd, .events = POLLIN};
    ck_assert_int_eq(poll(&poller, 1, -1), 1);
    ck_assert_int_ne(rein_err(is->ctx), 0);
    ck_assert_int_eq((int)read(is->fd, &unit, sizeof unit), (int)sizeof unit);
    race_add(&is->seen, 1);
}

/* Many readers at once all see it, though each of them reads; and each finds err set. */
CASE_LONG(60, done_fd_wakes_many_readers, "CTX-4", "CTX-33")
{
    for (size_t round = 0; round < suite_rounds(50); round++) {
        struct readers is = {.ctx = rein_with_cancel(rein_background())};
        is.fd = fd_of(is.ctx);
        race_run(9, read_or_cancel, &is);
        ck_assert_uint_eq(race_value(&is.seen), 8);
        ck_assert(is_readable(is.fd));
        rein_end(is.ctx);
    }
}

static int asked[8];

static void ask_at_once(void *arg, unsigned index)
{
    asked[index] = fd_of(arg);
}

/* Eight threads that ask first at the same moment get one descriptor, and no other stays open. */
CASE_LONG(60, done_fd_asked_for_by_many_at_once, "CTX-2", "CTX-32")
{
    size_t before = suite_descriptors();
    for (size_t round = 0; round < suite_rounds(100); round++) {
        rein_ctx *ctx = rein_with_cancel(rein_background());
        race_run(8, ask_at_once, ctx);
        for (int i = 1; i < 8; i++)
            ck_assert_int_eq(asked[i], asked[0]);
        ck_assert_uint_eq(suite_descriptors(), before + 1);
        rein_end(ctx);
    }
}

/* What can never be done answers -1, which poll ignores. */
CASE(done_fd_of_the_never_done_is_minus_one, "CTX-3", "CTX-59")
{
    rein_clock *clock = suite_clock();
    rein_ctx *ctx = rein_with_cancel(rein_background());
    const rein_ctx *without = rein_without_cancel(ctx);
    ck_assert_int_eq(fd_of(rein_background()), -1);
    ck_assert_int_eq(fd_of(rein_todo()), -1);
    ck_assert_int_eq(fd_of(rein_clock_root(clock)), -1);
    ck_assert_int_eq(fd_of(without), -1);
    struct pollfd ignored = {.fd = -1, .events = POLLIN};
    ck_assert_int_eq(poll(&ignored, 1, 0), 0);
    rein_unref(without);
    rein_end(ctx);
    rein_clock_free(clock);
}

/* Without a descriptor left: -EMFILE, *ret_fd is untouched, and it works when there is one
 * again. */
CASE(done_fd_without_a_descriptor_left, "CTX-32", "P-ERRORS")
{
    struct rlimit before, none_left;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none_left = before;
    none_left.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    int fd = 77;
    errno = 0;
    int r = rein_done_fd(ctx, &fd), after = errno;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_int_eq(r, -EMFILE);
    ck_assert_int_eq(fd, 77);
    ck_assert_int_eq(after, 0);
    expect_live(ctx);
    fd = fd_of(ctx);
    rein_cancel(ctx);
    ck_assert(is_readable(fd));
    rein_end(ctx);
}

/* Without memory: -ENOMEM, and likewise. */
CASE(done_fd_without_memory, "CTX-96", "P-ERRORS")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    size_t before = suite_descriptors();
    int fd = 77;
    reini_fault_fail_nth(1);
    ck_assert_int_eq(rein_done_fd(ctx, &fd), -ENOMEM);
    reini_fault_fail_nth(0);
    ck_assert_int_eq(fd, 77);
    ck_assert_uint_eq(suite_descriptors(), before);
    ck_assert_int_ge(fd_of(ctx), 0);
    rein_end(ctx);
}

/* An epoll that has it from before the end is told, level-triggered. */
CASE(done_fd_in_an_epoll, "CTX-33", "P-LOOP")
{
    rein_ctx *top = rein_with_cancel(rein_background()), *ctx = rein_with_cancel(top);
    int fd = fd_of(ctx), all = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    ck_assert_int_eq(epoll_ctl(all, EPOLL_CTL_ADD, fd, &event), 0);
    ck_assert_int_eq(epoll_wait(all, &event, 1, 0), 0);
    rein_cancel(top);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(epoll_wait(all, &event, 1, 0), 1);
    close(all);
    rein_end(ctx);
    rein_end(top);
}

static rein_ctx *failed_make(void)
{
    reini_fault_fail_nth(1);
    rein_ctx *failed = rein_with_cancel(rein_background());
    reini_fault_fail_nth(0);
    return failed;
}

static void ask_or_quiesce(void *arg, unsigned index)
{
    struct readers *is = arg;
    for (size_t round = suite_rounds(1000); round > 0; round--) {
        if (index == 0)
            ck_assert_int_eq(rein_quiesce(), 0);
        else
            ck_assert_int_eq(fd_of(is->ctx), is->fd);
    }
}

/* The failed context has one too, which is readable and stays, also while idle things are given
 * back: there may be others who watch it. */
CASE(done_fd_of_the_failed_context, "CTX-96", "P-FAILED")
{
    struct readers is = {.ctx = failed_make()};
    is.fd = fd_of(is.ctx);
    ck_assert_int_ge(is.fd, 0);
    race_run(3, ask_or_quiesce, &is);
    rein_end(is.ctx);
    is.ctx = failed_make();
    ck_assert_int_eq(fd_of(is.ctx), is.fd);
    ck_assert(is_readable(is.fd));
    rein_end(is.ctx);
}
