/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/expect.h: what a context is expected to say, in one line each. */
#ifndef TESTS_LIB_EXPECT_H
#define TESTS_LIB_EXPECT_H

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <rein.h>
#include <string.h>

#include "suite.h"

/* Whether the done descriptor is readable: the handle has fired. False where there is none. */
static inline bool has_fired(const rein_ctx *ctx)
{
    struct pollfd poller = {.fd = -1, .events = POLLIN};
    ck_assert_int_eq(rein_done_fd(ctx, &poller.fd), 0);
    return poll(&poller, 1, 0) == 1;
}

/* Live: no err, no cause, no event. */
#define expect_live(ctx)                                                                         \
    do {                                                                                         \
        struct rein_event event_ = {.err = 1};                                                   \
        ck_assert_int_eq(rein_err(ctx), 0);                                                      \
        ck_assert(!rein_done(ctx));                                                              \
        ck_assert_int_eq(rein_cause(ctx)->code, 0);                                              \
        ck_assert(!rein_event(ctx, &event_) && event_.err == 1);                                 \
    } while (0)

/* Done with that err, and with that very reason. */
#define expect_end(ctx, expected_err, reason)                                                    \
    do {                                                                                         \
        struct rein_event event_;                                                                \
        ck_assert_int_eq(rein_err(ctx), (expected_err));                                         \
        ck_assert(rein_done(ctx));                                                               \
        ck_assert_str_eq(rein_cause(ctx)->text, (reason)->text);                                 \
        ck_assert_ptr_eq(rein_cause(ctx), (reason));                                             \
        ck_assert(rein_event(ctx, &event_));                                                     \
        ck_assert_int_eq(event_.err, (expected_err));                                            \
        ck_assert_ptr_eq(event_.cause, (reason));                                                \
    } while (0)

/* Done with that err and no reason: the cause says no more than err does. */
#define expect_plain_(ctx, expected_err)                                                         \
    do {                                                                                         \
        ck_assert_int_eq(rein_err(ctx), (expected_err));                                         \
        ck_assert(rein_done(ctx));                                                               \
        ck_assert_int_eq(rein_cause(ctx)->code, (expected_err));                                 \
        ck_assert_str_eq(rein_cause(ctx)->text, rein_strerror(expected_err));                    \
    } while (0)
#define expect_canceled(ctx) expect_plain_(ctx, -ECANCELED)
#define expect_expired(ctx) expect_plain_(ctx, -ETIMEDOUT)

/* A NULL pointer that the compiler does not see through: to break a rule on purpose. */
static inline void *none(void)
{
    void *volatile nothing = NULL;
    return nothing;
}

#endif
