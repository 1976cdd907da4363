/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/context.h: the context.
 *
 * A context says when to stop (cancellation), by when to be done (deadline), why it stopped
 * (cause) and for whom the work is done (values). It is the first argument of every function that
 * may take a while, and is handed down, never stored and never NULL:
 *
 *     int fetch(const rein_ctx *ctx, const char *url, struct page *ret_page);
 *
 *     rein_ctx *ctx = rein_with_timeout(parent, 3 * REIN_SECOND);
 *     int r = fetch(ctx, url, &page);           // 0, -ETIMEDOUT, -ECANCELED or fetch's own error
 *     rein_end(ctx);                            // on every path: fetch's helpers stop here at last
 *
 * Contexts form trees. Cancelling one ends it and all that was derived from it, and nothing else.
 *
 * Who may do what is in the type. `rein_ctx *` is one *owner*: it may cancel, and is given back
 * exactly once with rein_end(). `const rein_ctx *` is a *view*: it may ask, wait and derive. A view
 * that is passed down a call is only borrowed; to keep one longer take your own with rein_ref() and
 * give it back with rein_unref(). (The limit of this: a `void *` argument loses the const
 * silently.) A context keeps its ancestors alive, never its descendants.
 *
 * Unless a function says otherwise: any thread may call it, at any time, also from a callback, but
 * not from a signal handler; it never blocks, never fails, and leaves errno alone; a context that
 * is NULL where one is needed is a caller's bug and panics [rule: context-required], but crashes
 * the two inline functions, rein_err() and rein_done(). In the child of a fork(), inherited
 * contexts are frozen: see rein-fork(7).
 *
 * The derive, cancel and end calls are macros that pass the place of the call on to a function of
 * the same name with "_at" appended; a dump, a leak report and a cause can so name the line. The
 * bare function exists too: (rein_with_cancel)(parent), for bindings. */
#ifndef REIN_CONTEXT_H
#define REIN_CONTEXT_H

#include <rein/base.h>
#include <rein/time.h>

REIN_BEGIN_DECLS

/* ---- Asking ---------------------------------------------------------------------------------- */

/* The head of every context, ABI for ever: word is 0 while the context is live, and then, once and
 * for all, -ECANCELED or -ETIMEDOUT. The two positive values send the asker on: REIN_WORD_FOLLOWS
 * to the context that this one lives and dies with (a value changes nothing but itself), and
 * REIN_WORD_SETTLING, for as long as a descriptor is being made readable, to a function that makes
 * it so at once, so that err and descriptor never disagree. Private to the inline functions. */
struct rein_head {
    int32_t word;
    uint32_t reserved;
    const void *next;
};
#define REIN_WORD_FOLLOWS 1
#define REIN_WORD_SETTLING 2

/* Why the context is done: 0 while it is live, then -ECANCELED or -ETIMEDOUT for ever; nothing
 * will ever add a fourth value. A load, or three for a view of values: no call, no lock, no clock.
 * Everything that was written before the cancel is visible to whoever sees a result other than 0.
 *
 * A deadline that has passed ends a context only when somebody notices it: the keeper's timer, a
 * blocking call, rein_check(). In between this says 0.
 *
 * Async-signal-safe. Needs no link against the library. */
static inline int rein_err(const rein_ctx *ctx)
{
    const struct rein_head *head = (const struct rein_head *)(const void *)ctx;
    int32_t word = __atomic_load_n(&head->word, __ATOMIC_ACQUIRE);
    if (word == REIN_WORD_FOLLOWS) {
        head = (const struct rein_head *)head->next;
        word = __atomic_load_n(&head->word, __ATOMIC_ACQUIRE);
    }
    if (__builtin_expect(word <= 0, 1))
        return word;
    return (*(int (*const *)(const void *))head->next)(head);
}

/* Whether the context is done: rein_err(ctx) != 0. Async-signal-safe; needs no link. */
static inline bool rein_done(const rein_ctx *ctx)
{
    return rein_err(ctx) != 0;
}

/* As rein_err(), but looks at the clock: if the deadline has passed and nobody noticed yet, this
 * call does, and marks the context whose deadline it is and everything below it. Callbacks are left
 * to the keeper. For loops that must not run over by even a timer's lateness. */
REIN_API int rein_check(const rein_ctx *ctx);

/* rein_check() in the shape of a library's abort callback: 1 when ctx, a `const rein_ctx *`, is
 * done, else 0. Pass rein_arg(ctx) as the library's user argument. */
REIN_API int rein_interrupted(void *ctx);
REIN_API void *rein_arg(const rein_ctx *ctx);

/* The effective deadline: the earliest of the context's own and its ancestors'.
 * Returns  whether there is one; if not, *ret_deadline is untouched. Stays true after the end. */
REIN_API bool rein_deadline(const rein_ctx *ctx, rein_time *ret_deadline);

/* What is left until the deadline: REIN_FOREVER if there is none, 0 once it has passed. */
REIN_API rein_duration rein_remaining(const rein_ctx *ctx);

/* ---- Why ------------------------------------------------------------------------------------- */

/* A reason to end a context. Either a static object, REIN_REASON_INIT(code, text), or one from
 * rein_reason_new(). The code is yours, a negative errno by custom; the text is for people. The
 * fields are read-only once the reason is in use; the reserved ones are rein's. */
struct rein_reason {
    int32_t code;
    uint32_t reserved_refs; /* 0: static */
    const char *text;
    void *payload;
    rein_drop_fn *drop; /* gives payload back, with the last reference */
    void *reserved;
};
#define REIN_REASON_INIT(code, text) {(code), 0, (text), NULL, NULL, NULL}

/* Make a counted reason with one reference for the caller. The text is copied.
 * Returns  the reason, or NULL if memory is short (then payload is still the caller's) */
REIN_API REIN_NODISCARD rein_reason *rein_reason_new(int code, const char *text, void *payload,
                                                     rein_drop_fn *drop);
/* Take and give back a reference; NULL and static reasons are fine and cost nothing. drop runs on
 * the thread that gives the last reference back, with no lock of rein's held. */
REIN_API const rein_reason *rein_reason_ref(const rein_reason *reason);
REIN_API void rein_reason_unref(const rein_reason *reason);

/* Why the context is done: the very object that was given to the cancel call, whichever context of
 * the line it was given to. While the context is live, a standing "not done" (code 0); after an end
 * without a reason, a standing "context canceled" (-ECANCELED) or "context deadline exceeded"
 * (-ETIMEDOUT).
 * Returns  never NULL; borrowed, and valid as long as the context is */
REIN_API REIN_RETURNS_NONNULL const rein_reason *rein_cause(const rein_ctx *ctx);

/* One end of contexts: recorded in the context that ended first, shared by all below it. */
struct rein_event {
    int err;                    /* -ECANCELED or -ETIMEDOUT */
    int thread;                 /* the operating system's id of the thread that ended it */
    const rein_reason *cause;   /* as rein_cause() */
    const char *site;           /* "file.c:88": the cancel call; for a deadline, where it was set */
    const char *context_site;   /* where the context that ended first was made */
    rein_time at;               /* when, on the context's clock */
    uint64_t reserved[2];
};

/* Who ended the context, where and when.
 * Returns  whether it is done; if not, *ret_event is untouched. Pointers are borrowed and valid as
 *          long as the context is */
REIN_API bool rein_event(const rein_ctx *ctx, struct rein_event *ret_event);

/* One log line: "context canceled: client left (server.c:88, thread 4711, 1.2ms ago)".
 * Returns  the length of the whole line without the NUL, as snprintf does */
REIN_API int rein_explain(const rein_ctx *ctx, char *buf, size_t size);

/* The line of contexts in words, as Go's String:
 * "context.Background.WithCancel.WithDeadline(… [9.9s])".
 * Values are printed only by keys that have a printer. Returns as rein_explain(). */
REIN_API int rein_describe(const rein_ctx *ctx, char *buf, size_t size);

/* The text of an err: "not done", "context canceled", "context deadline exceeded"; for any other
 * negative errno the system's text. Static storage. */
REIN_API REIN_RETURNS_NONNULL const char *rein_strerror(int err);

/* ---- Roots ----------------------------------------------------------------------------------- */

/* The root of everything: never done, no deadline, no values. Always the same static object, usable
 * before main() and in atexit handlers. rein_todo() is another, for where it is not clear yet which
 * context to pass on; it differs in name only. */
REIN_API REIN_RETURNS_NONNULL const rein_ctx *rein_background(void);
REIN_API REIN_RETURNS_NONNULL const rein_ctx *rein_todo(void);

/* ---- Owning ---------------------------------------------------------------------------------- */

/* Cancel and give one owner back: Go's deferred cancel(). If nobody else holds the context this is
 * a mere release: it leaves its parent silently; after-funcs still registered on it do not run, and
 * a rein_callback still linked to it panics [rule: callback-outlives-context]. NULL is fine.
 * Panics  more rein_end() than owners  [rule: end-without-owner] */
#define rein_end(...) rein_end_at(REIN_SITE, __VA_ARGS__)
REIN_API void rein_end_at(const char *site, rein_ctx *ctx);
REIN_API void(rein_end)(rein_ctx *ctx);

/* A second owner of the same context; each is given back with a rein_end() of its own, and any of
 * them may cancel. Returns ctx. */
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL rein_ctx *rein_share(rein_ctx *ctx);

/* A view of one's own, to keep beyond the call that lent it. Returns ctx. */
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL const rein_ctx *rein_ref(const rein_ctx *ctx);

/* Give a view back that came from rein_ref() or from a derive call that returns a view. Never
 * cancels. NULL is fine.
 * Panics  more rein_unref() than views  [rule: unref-without-view] */
REIN_API void rein_unref(const rein_ctx *ctx);

/* ---- Deriving -------------------------------------------------------------------------------- */

/* Derive a context that is done when its parent is done or when it is cancelled, whichever comes
 * first. A child of a done parent is born done, with the parent's err and cause.
 *
 * Deriving cannot fail in a way you must check. If memory is short, or the keeper's thread cannot
 * be started, the result is the *failed context*: already cancelled, cause code -ENOMEM or -EAGAIN,
 * no values, no deadline, nothing remaining; all that is derived from it is it again. Work under it
 * is refused at once. It takes rein_end() like any other. */
#define rein_with_cancel(...) rein_with_cancel_at(REIN_SITE, __VA_ARGS__)
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL REIN_ENDS_WITH(rein_end_at, 2)
rein_ctx *rein_with_cancel_at(const char *site, const rein_ctx *parent);
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL rein_ctx *(rein_with_cancel)(const rein_ctx *parent);

/* The same, ended by itself with -ETIMEDOUT at an instant of the parent's clock, never early. An
 * instant that has passed gives a context that is born done (if the parent was not done before).
 * A deadline of the parent's that is strictly earlier stands in its place.
 *
 * On the real clock it ends as late as the system wakes a thread. Where wakes are dense, more than
 * one in 250 us over some time, several deadlines are served by one: up to 250 us later. Each
 * deadline is a wake, and one more if it is the next of all when it is made. What blocks under a
 * context ends at the deadline itself. */
#define rein_with_deadline(...) rein_with_deadline_at(REIN_SITE, __VA_ARGS__)
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL REIN_ENDS_WITH(rein_end_at, 2)
rein_ctx *rein_with_deadline_at(const char *site, const rein_ctx *parent, rein_time deadline);
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL
rein_ctx *(rein_with_deadline)(const rein_ctx *parent, rein_time deadline);

/* The same for an instant that is timeout from now; saturates, and REIN_FOREVER sets no
 * deadline. */
#define rein_with_timeout(...) rein_with_timeout_at(REIN_SITE, __VA_ARGS__)
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL REIN_ENDS_WITH(rein_end_at, 2)
rein_ctx *rein_with_timeout_at(const char *site, const rein_ctx *parent, rein_duration timeout);
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL
rein_ctx *(rein_with_timeout)(const rein_ctx *parent, rein_duration timeout);

/* The same two with the cause to report if it is this deadline that ends the context; a cancel or
 * an earlier deadline of the parent's does not use it. The context takes a reference of its own;
 * NULL is as without. */
#define rein_with_deadline_cause(...) rein_with_deadline_cause_at(REIN_SITE, __VA_ARGS__)
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL REIN_ENDS_WITH(rein_end_at, 2)
rein_ctx *rein_with_deadline_cause_at(const char *site, const rein_ctx *parent, rein_time deadline,
                                      const rein_reason *cause);
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL
rein_ctx *(rein_with_deadline_cause)(const rein_ctx *parent, rein_time deadline,
                                     const rein_reason *cause);
#define rein_with_timeout_cause(...) rein_with_timeout_cause_at(REIN_SITE, __VA_ARGS__)
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL REIN_ENDS_WITH(rein_end_at, 2)
rein_ctx *rein_with_timeout_cause_at(const char *site, const rein_ctx *parent,
                                     rein_duration timeout, const rein_reason *cause);
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL
rein_ctx *(rein_with_timeout_cause)(const rein_ctx *parent, rein_duration timeout,
                                    const rein_reason *cause);

/* Derive a context that is done with either of two: values of parent; the err and cause of
 * whichever ends first; the earlier of the two deadlines.
 * Panics  the two live on different clocks  [rule: one-clock] */
#define rein_merge(...) rein_merge_at(REIN_SITE, __VA_ARGS__)
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL REIN_ENDS_WITH(rein_end_at, 2)
rein_ctx *rein_merge_at(const char *site, const rein_ctx *parent, const rein_ctx *also);
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL
rein_ctx *(rein_merge)(const rein_ctx *parent, const rein_ctx *also);

/* Derive a context for work that is to outlive ctx: the values of ctx, the lifetime of onto, and a
 * timeout that has to be spelled out (REIN_FOREVER if need be).
 * Panics  onto is ctx or below it        [rule: detach-below-itself]
 *         the two live on different clocks  [rule: one-clock] */
#define rein_detach(...) rein_detach_at(REIN_SITE, __VA_ARGS__)
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL REIN_ENDS_WITH(rein_end_at, 2)
rein_ctx *rein_detach_at(const char *site, const rein_ctx *ctx, const rein_ctx *onto,
                         rein_duration bound);
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL
rein_ctx *(rein_detach)(const rein_ctx *ctx, const rein_ctx *onto, rein_duration bound);

/* A view with the values of parent and nothing else: never done, no deadline, no cause; a new life
 * begins below it. Prefer rein_detach(), which has a bound. Give it back with rein_unref(). */
#define rein_without_cancel(...) rein_without_cancel_at(REIN_SITE, __VA_ARGS__)
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL
const rein_ctx *rein_without_cancel_at(const char *site, const rein_ctx *parent);
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL
const rein_ctx *(rein_without_cancel)(const rein_ctx *parent);

/* ---- Cancelling ------------------------------------------------------------------------------ */

/* End the context and everything below it, with -ECANCELED. When this returns, every descendant
 * that rein knows is done, also if another thread was first; the rein_callbacks that this call
 * claimed have run on this thread; after-funcs have been handed to their executors. What works
 * under the context is told, not awaited. Cancelling what is done already changes nothing.
 *
 * Blocks  only while another thread is marking the same contexts; never for anybody's code */
#define rein_cancel(...) rein_cancel_at(REIN_SITE, __VA_ARGS__)
REIN_API void rein_cancel_at(const char *site, rein_ctx *ctx);
REIN_API void(rein_cancel)(rein_ctx *ctx);

/* The same with a reason, of which the context takes a reference; NULL is as without. */
#define rein_cancel_cause(...) rein_cancel_cause_at(REIN_SITE, __VA_ARGS__)
REIN_API void rein_cancel_cause_at(const char *site, rein_ctx *ctx, const rein_reason *reason);
REIN_API void(rein_cancel_cause)(rein_ctx *ctx, const rein_reason *reason);

/* The same with a reason made on the spot. If memory for it is short the context is cancelled all
 * the same, with a standing reason (code -ENOMEM) in its place. */
#define rein_cancel_causef(...) rein_cancel_causef_at(REIN_SITE, __VA_ARGS__)
REIN_API void rein_cancel_causef_at(const char *site, rein_ctx *ctx, int code, const char *format,
                                    ...) REIN_PRINTF(4, 5);
REIN_API void(rein_cancel_causef)(rein_ctx *ctx, int code, const char *format, ...)
    REIN_PRINTF(3, 4);

/* ---- Scope exit ------------------------------------------------------------------------------ */

/* REIN_AUTO_END rein_ctx *ctx = rein_with_cancel(parent);     ends ctx when the scope is left.
 * REIN_AUTO_UNREF const rein_ctx *view = rein_ref(ctx);       the same for a view of one's own. */
#define REIN_AUTO_END __attribute__((cleanup(rein_auto_end)))
#define REIN_AUTO_UNREF __attribute__((cleanup(rein_auto_unref)))
static inline void rein_auto_end(rein_ctx **ctx)
{
    rein_end_at("scope exit", *ctx);
}
static inline void rein_auto_unref(const rein_ctx **ctx)
{
    rein_unref(*ctx);
}

REIN_END_DECLS

#endif
