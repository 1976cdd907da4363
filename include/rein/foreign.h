/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/foreign.h: a kind of context of your own.
 *
 * For bridging another system's token (a GCancellable, a std::stop_token, a request object) into
 * rein, and for mock contexts in tests. A foreign context *pushes*: it is an ordinary context in
 * the tree, whose owner says once that it is done. Children link to it as to any other, so nothing
 * watches it, and asking it costs the same one load.
 *
 *     static const rein_foreign_ops mock = {.size = sizeof mock, .name = mock_name};
 *     rein_ctx *ctx = rein_foreign(rein_background(), &mock, self);
 *     rein_foreign_done(ctx, -ETIMEDOUT, NULL);            // any state a test needs
 *     rein_end(ctx);
 *
 * (In C++ before 20, without names: {sizeof mock, NULL, NULL, mock_name, NULL, false}.)
 *
 * Threads, errors and NULL contexts: as in <rein/context.h>. */
#ifndef REIN_FOREIGN_H
#define REIN_FOREIGN_H

#include <rein/base.h>
#include <rein/context.h>
#include <rein/value.h>

REIN_BEGIN_DECLS

/* What makes it foreign. All entries may be NULL. They must not block, and may be called by any
 * thread as long as anyone holds the context or one below it.
 *
 *   value     answer a lookup: true and *ret_value for a value of its own (NULL is one), false to
 *             let the lookup go on above
 *   deadline  asked once, when the context is made: true and *ret_deadline if it has one. rein
 *             reports it and lets no child outlive it, but leaves it to the owner to be done then
 *   name      its own text for rein_describe(), in place of the parent's name and ".Foreign"
 *   drop      self is no longer needed; runs once, when the last reference is gone, or from within
 *             rein_foreign() if that could only return the failed context
 *   forwards  it has no end of its own: it is done exactly when parent is, which costs nothing.
 *             Without this it is done when its owner says so, and parent lends values only */
typedef struct rein_foreign_ops {
    size_t size; /* sizeof(rein_foreign_ops): the table may grow */
    bool (*value)(void *self, const rein_key *key, const void **ret_value);
    bool (*deadline)(void *self, rein_time *ret_deadline);
    int (*name)(void *self, char *buf, size_t size);
    rein_drop_fn *drop;
    bool forwards;
} rein_foreign_ops;

/* Make a foreign context under parent. Returns an owner, for rein_end(). */
#define rein_foreign(...) rein_foreign_at(REIN_SITE, __VA_ARGS__)
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL REIN_ENDS_WITH(rein_end_at, 2)
rein_ctx *rein_foreign_at(const char *site, const rein_ctx *parent, const rein_foreign_ops *ops,
                          void *self);
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL
rein_ctx *(rein_foreign)(const rein_ctx *parent, const rein_foreign_ops *ops, void *self);

/* Say that it is done. -ETIMEDOUT is reported as such; any other code ends it with -ECANCELED, and
 * unless a reason is given, with a standing cause of that very code. The first call counts. The
 * rest is as with rein_cancel_cause().
 * Panics  ctx is not foreign, or forwards  [rule: foreign-required]
 *         err is 0                         [rule: done-needs-err] */
#define rein_foreign_done(...) rein_foreign_done_at(REIN_SITE, __VA_ARGS__)
REIN_API void rein_foreign_done_at(const char *site, rein_ctx *ctx, int err,
                                   const rein_reason *reason);
REIN_API void(rein_foreign_done)(rein_ctx *ctx, int err, const rein_reason *reason);

REIN_END_DECLS

#endif
