/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* base/attr.h: the written list of compiler extensions used inside rein.
 *
 * Attributes and builtins that gcc (>= 9) and clang (>= 10) share; the clang thread-safety
 * annotations are nothing elsewhere. */
#ifndef REIN_BASE_ATTR_H
#define REIN_BASE_ATTR_H

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define NORETURN __attribute__((noreturn))
#define COLD __attribute__((cold, noinline))
#define NOINLINE __attribute__((noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline)) /* on every derive and end */

/* A variable that every derive reads and hardly anything writes: away from those that are written,
 * whose cache lines threads take from each other. */
#define READ_MOSTLY __attribute__((section(".data.read_mostly")))

/* The object that a member is part of. */
#define CONTAINER_OF(pointer, type, member) \
    ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

#ifdef __clang__
#define CAPABILITY(name) __attribute__((capability(name)))
#define ACQUIRES(lock) __attribute__((acquire_capability(lock)))
#define RELEASES(lock) __attribute__((release_capability(lock)))
#define HOLDING(lock) __attribute__((requires_capability(lock)))
#define UNCHECKED_LOCKING __attribute__((no_thread_safety_analysis))
#else
#define CAPABILITY(name)
#define ACQUIRES(lock)
#define RELEASES(lock)
#define HOLDING(lock)
#define UNCHECKED_LOCKING
#endif

#endif
