/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/hangup.h: cancel a context when the peer of a connection hangs up.
 *
 * A server that computes an answer does not read from its client, so nothing tells it that the
 * client has left. A hang-up watcher asks the kernel: one thread and one epoll descriptor for any
 * number of connections, of whatever server.
 *
 *     rein_ctx *ctx = rein_with_timeout(base, 30 * REIN_SECOND);
 *     rein_hangup_watch watch;
 *     int r = rein_hangup_add(watcher, &watch, client_fd, ctx, 0);
 *     answer(ctx, client_fd);                  // stops when the client goes
 *     if (r == 0)
 *         rein_hangup_remove(&watch);          // from here on nobody cancels ctx any more
 *     rein_end(ctx);
 *
 * It notices a close, a reset and, unless REIN_HANGUP_HALF_CLOSE_OK is given, that the peer has
 * shut down its sending side: until something is sent to it, nobody can tell a client that only did
 * that from one that left. Unread data, a pipelined request say, hides none of them. It sees the
 * next hop only, and not a host that vanished without a word (for that: TCP_USER_TIMEOUT).
 *
 * Any thread may call these at any time, but not from a signal handler; none changes errno. In the
 * child of a fork() a watcher watches nothing. One watch is added and removed by one thread at a
 * time. */
#ifndef REIN_HANGUP_H
#define REIN_HANGUP_H

#include <rein/base.h>
#include <rein/context.h>

REIN_BEGIN_DECLS

/* A watcher: one thread, one epoll descriptor. */
typedef struct rein_hangup rein_hangup;

/* Make a watcher; its thread starts here, with all signals blocked, and lives as long as it. A
 * program that has forbidden threads watches for POLLRDHUP in its own loop instead.
 *
 * Returns  0; *ret_watcher is to be given back with rein_hangup_free()
 * Errors   -ENOMEM, -EMFILE, -ENFILE, -EAGAIN (no thread to be had)
 *          -EINVAL  ret_watcher is NULL */
REIN_API REIN_NODISCARD int rein_hangup_new(rein_hangup **ret_watcher);

/* Give it back, once everything has been removed from it. NULL is fine. Not from a callback that
 * one of its own cancels runs.
 * Blocks   until its thread has left */
REIN_API void rein_hangup_free(rein_hangup *watcher);

/* One watched connection, in the caller's frame or object; must not move. Private inside. */
typedef struct rein_hangup_watch {
    void *reserved[8];
} rein_hangup_watch;

/* Flags of rein_hangup_add(). */
enum {
    REIN_HANGUP_HALF_CLOSE_OK = 1, /* a peer that stopped sending has not left yet: over TCP a mere
                                    * close() then shows only after something was sent to it */
};

/* What a hang-up gives as cause: "client disconnected", -ECONNRESET. Static; compare addresses. */
REIN_API extern const rein_reason rein_hangup_client_gone;

/* Cancel ctx with cause rein_hangup_client_gone once the peer of fd hangs up; soon, if it has
 * already. Callbacks on ctx run on the watcher's thread then, and hold up its other connections.
 * ctx, fd and the watch are borrowed: keep all three until the watch is removed.
 *
 * Returns  0
 * Errors   nothing is watched, and the watch need not (but may) be removed:
 *          -ENOMEM, -ENOSPC  no room for one more
 *          -EEXIST  fd is watched already by this watcher
 *          -EBADF, -EPERM  fd is not open, or not of a kind that can hang up
 *          -EINVAL  an argument is NULL, fd is the watcher's own, or a flag is unknown */
REIN_API REIN_NODISCARD int rein_hangup_add(rein_hangup *watcher, rein_hangup_watch *watch, int fd,
                                            rein_ctx *ctx, unsigned flags);

/* Stop watching. When this returns the watcher does not touch the watch, fd or ctx and never will,
 * except when this is called from a callback that the cancel itself runs. Twice is fine, also after
 * rein_hangup_add() failed.
 *
 * Returns  whether this call prevented the cancel (false: the peer was seen to hang up)
 * Blocks   while the watcher is cancelling this very ctx: do not hold what its callbacks want */
REIN_API bool rein_hangup_remove(rein_hangup_watch *watch);

REIN_END_DECLS

#endif
