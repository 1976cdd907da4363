/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/after.h: do something once a context is done.
 *
 * Two kinds, told apart by whose thread pays:
 *
 *   rein_callback   runs on the thread that cancels, before its cancel call returns. It must be
 *                   short: set a flag, wake a loop, shut a socket down. Its removal waits for a
 *                   running call, so that afterwards its argument is free.
 *   rein_after      runs on an executor, never on the canceller's stack (Go's AfterFunc). It may
 *                   take its time.
 *
 *     rein_after after;
 *     int r = rein_after_func(ctx, &after, NULL, close_socket, sock);
 *     ...
 *     rein_after_stop_wait(&after);            // close_socket is not running and never will again
 *
 * Both are structs in the caller's frame or object, linked in without allocation. One that is all
 * zeros, or whose registration was refused, may be taken back: then nothing is prevented. Whoever
 * links one holds the context (an owner or a view) until it is out again; while it is linked it
 * must not move. No function here changes errno or may be called from a signal handler; where a
 * function may wait, it says so. Callbacks run with no lock of rein's held and may call anything on
 * the same context. In the child of a fork() inherited callbacks never run. */
#ifndef REIN_AFTER_H
#define REIN_AFTER_H

#include <rein/base.h>
#include <rein/exec.h>

REIN_BEGIN_DECLS

/* A callback on the canceller's stack. Private inside. */
typedef struct rein_callback {
    void *reserved[12];
} rein_callback;

/* Have fn(ctx, arg) called once ctx is done, on the stack of whoever ends it: the cancelling
 * thread, or the keeper for a deadline. If ctx is done already, fn runs before this returns.
 *
 * Returns  whether fn is linked and still to come (false: it has run) */
REIN_API bool rein_callback_add(const rein_ctx *ctx, rein_callback *callback, rein_callback_fn *fn,
                                void *arg);

/* Take it out again. When this returns fn is not running and never will be, except when this is
 * called from inside fn itself: then fn is its own until it returns, and the callback's memory may
 * be used anew, unless another thread takes it out too: that one waits for fn as ever, and needs
 * it. Calling it twice, or after fn ran, is fine.
 *
 * Returns  whether this call prevented fn from running
 * Blocks   while fn is running on another thread: do not hold what fn wants */
REIN_API bool rein_callback_remove(rein_callback *callback);

/* A function that runs on an executor. Private inside. */
typedef struct rein_after {
    void *reserved[16];
} rein_after;

/* Have fn(ctx, arg) run by executor (NULL: the common pool) once ctx is done; at once if it is. fn
 * runs at most once; several registrations on one context are independent and unordered.
 *
 * If the last reference to ctx goes before it was done, fn is dropped without running, and stopping
 * it says false. But an ancestor may be ending ctx at that very moment; then fn runs, and ctx goes
 * at any time: so whoever may still stop it holds ctx. On a context that can never be done fn stays
 * registered, for nothing, until it is stopped.
 *
 * Returns  0
 * Errors   -EAGAIN  the executor cannot secure a thread for it; nothing is registered */
REIN_API REIN_NODISCARD int rein_after_func(const rein_ctx *ctx, rein_after *after,
                                            rein_executor *executor, rein_callback_fn *fn,
                                            void *arg);

/* The same, and drop(arg) is called exactly once when arg is no longer needed: after fn has run, by
 * the stop that prevented it, or when ctx went without being done. drop may free `after` too, if it
 * lives in arg. On failure drop is not called. */
REIN_API REIN_NODISCARD int rein_after_func_owned(const rein_ctx *ctx, rein_after *after,
                                                  rein_executor *executor, rein_callback_fn *fn,
                                                  void *arg, rein_drop_fn *drop);

/* Prevent fn from running. Never waits: after false, fn may be running still.
 * Returns  whether this call prevented it; of any number of stops and one end, exactly one
 *          prevents it or it runs once */
REIN_API bool rein_after_stop(rein_after *after);

/* The same, and when it returns fn is not running (except when called from inside fn), and nothing
 * of it is still to come to the executor, which may be freed.
 * Blocks   while fn is running, or has been handed to its executor: do not hold what fn wants */
REIN_API bool rein_after_stop_wait(rein_after *after);

REIN_END_DECLS

#endif
