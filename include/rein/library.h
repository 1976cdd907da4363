/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/library.h: the library as a guest in your process: what it may start, how it leaves, what it
 * does about a broken rule, and which contexts are still alive.
 *
 * Any thread may call these, but not from a signal handler; none changes errno. */
#ifndef REIN_LIBRARY_H
#define REIN_LIBRARY_H

#include <rein/base.h>

REIN_BEGIN_DECLS

/* The version of the library that is linked, "0.1.0". */
REIN_API REIN_RETURNS_NONNULL const char *rein_version(void);

/* From here on rein starts no thread in this process. Deadlines then need a rein_loop that keeps
 * the time: until there is one, rein_with_timeout() and its kin return the failed context, and
 * after-funcs on the pool are refused with -EAGAIN. Blocking calls still end at their deadline.
 * Errors  -EBUSY  a thread of rein's is running */
REIN_API REIN_NODISCARD int rein_forbid_threads(void);

/* Wait until rein is at rest, with no thread of its own, close the descriptors it keeps for reuse,
 * and have the C library give back what was freed; for tests, for leak checkers (to valgrind, a
 * thread that idles at exit has memory "possibly lost") and before dlclose-like moments. Nothing
 * else needs it, exit() least of all.
 * rein starts anew when it is used again. What rein_done_fd() gave out is not touched; that of the
 * failed context stays for ever.
 *
 * It waits, as a join does, for callbacks that a deadline has caused and for jobs of the pool,
 * queued or running. But for no deadline to come; and while an after-func is registered with the
 * pool, for none of its jobs: then only what is idle leaves. Jobs of a loop and of executors of
 * your own are yours to wait for.
 *
 * Returns  0
 * Errors   -EBUSY  deadlines of the real clock are armed, after-funcs registered with the pool, or
 *                  jobs queued on a serial executor; or this is called from inside a callback or
 *                  job on a thread of rein's; what was idle is gone
 * Blocks   while those jobs and callbacks are running, and while idle threads leave: so not under a
 *          lock that one of them may need */
REIN_API int rein_quiesce(void);

/* What to do when a rule is broken by its caller: rule is its name ("context-required"), message
 * says it in words, object is what it was broken on (or NULL). The default prints the message to
 * standard error. When the hook returns, the process aborts. NULL restores the default.
 * Returns  the previous hook, NULL for the default */
typedef void rein_panic_fn(const char *rule, const char *message, const void *object);
REIN_API rein_panic_fn *rein_set_panic(rein_panic_fn *hook);

/* Keep a list of all contexts made from here on; the environment variable REIN_DEBUG=leaks does so
 * from the start. Costs a lock and a few words for each context; off, one predicted branch. */
REIN_API void rein_leaks_on(void);

/* Write one line for each context on that list to a descriptor:
 * "rein: live context checkout.c:88, 1.2s old, 1 owner, 3 references".
 * Returns  how many there are (with fd < 0 nothing is written)
 * Blocks   while writing, without a lock that any other call needs for long */
REIN_API size_t rein_leaks_print(int fd);

REIN_END_DECLS

#endif
