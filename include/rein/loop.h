/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/loop.h: rein inside a program that owns its event loop and wants no thread.
 *
 * A loop is one descriptor to watch for readability, and one call to make when it is. After-funcs
 * posted to its executor run there; and if it keeps the time, deadlines fire there too, and rein
 * starts no thread for them.
 *
 *     rein_loop *loop;
 *     int r = rein_loop_new(&loop);
 *     r = rein_loop_keep_time(loop);                   // before the first deadline
 *     watch(rein_loop_fd(loop), READABLE, [] { rein_loop_run(loop); });
 *
 * rein_loop_run() and rein_loop_free() belong to the loop's own thread; the rest any thread may
 * call, but not from a signal handler. None blocks, none changes errno. */
#ifndef REIN_LOOP_H
#define REIN_LOOP_H

#include <rein/base.h>
#include <rein/time.h>

REIN_BEGIN_DECLS

typedef struct rein_loop rein_loop;

/* Errors  -ENOMEM, -EMFILE, -ENFILE; *ret_loop is untouched */
REIN_API REIN_NODISCARD int rein_loop_new(rein_loop **ret_loop);

/* Give it back, but not from inside its rein_loop_run(). If it kept the time, no deadline fires by
 * itself from here on.
 * Panics  jobs are still to come  [rule: loop-busy] */
REIN_API void rein_loop_free(rein_loop *loop);

/* Let this loop fire all deadlines on the real clock, instead of a thread of rein's.
 * Errors  -EBUSY  something else keeps the time already: another loop, or the keeper's thread */
REIN_API REIN_NODISCARD int rein_loop_keep_time(rein_loop *loop);

/* The descriptor: readable when rein_loop_run() has something to do. It stays the loop's. */
REIN_API int rein_loop_fd(const rein_loop *loop);

/* Run what is due: fire deadlines (all marks first, callbacks after), then run the jobs posted
 * before this call. Returns how many deadlines and jobs that was. */
REIN_API int rein_loop_run(rein_loop *loop);

/* An executor whose jobs run in rein_loop_run(). Lives as long as the loop. */
REIN_API REIN_RETURNS_NONNULL rein_executor *rein_loop_executor(rein_loop *loop);

REIN_END_DECLS

#endif
