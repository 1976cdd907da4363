/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/base.h: version, attributes, and the names every other header needs.
 *
 * Include <rein.h>, or the header of the one concept you use; never this one alone. */
#ifndef REIN_BASE_H
#define REIN_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REIN_VERSION_MAJOR 0
#define REIN_VERSION_MINOR 1
#define REIN_VERSION_PATCH 0
#define REIN_VERSION_STRING "0.1.0"

#ifdef __cplusplus
#define REIN_BEGIN_DECLS extern "C" {
#define REIN_END_DECLS }
#else
#define REIN_BEGIN_DECLS
#define REIN_END_DECLS
#endif

/* The written list of compiler extensions that the headers use; each is a GNU attribute or
 * builtin that gcc (>= 9) and clang (>= 10) share, or expands to nothing. */
#define REIN_API __attribute__((visibility("default")))
#define REIN_NODISCARD __attribute__((warn_unused_result))
#define REIN_RETURNS_NONNULL __attribute__((returns_nonnull))
#define REIN_UNUSED __attribute__((unused)) /* may well be: no warning */
#define REIN_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* REIN_ENDS_WITH(f, i): the result is to be given back through argument i of f, once. With gcc
 * this warns about owners that are forgotten, given back twice, or used afterwards. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define REIN_ENDS_WITH(function, index) __attribute__((malloc(function, index)))
#else
#define REIN_ENDS_WITH(function, index)
#endif

/* REIN_SITE: the place of this line, "checkout.c:88", as one pointer to a literal. */
#ifdef __FILE_NAME__
#define REIN_FILE_ __FILE_NAME__
#else
#define REIN_FILE_ __FILE__
#endif
#define REIN_STRING_OF_(x) #x
#define REIN_STRING_(x) REIN_STRING_OF_(x)
#define REIN_SITE REIN_FILE_ ":" REIN_STRING_(__LINE__)

/* A context. `rein_ctx *` is one owner: it may cancel and is given back once, with rein_end().
 * `const rein_ctx *` is a view: it may ask, wait and derive. See <rein/context.h>. */
typedef struct rein_ctx rein_ctx;

/* Why a context is done. See <rein/context.h>. */
typedef struct rein_reason rein_reason;

/* Whose thread runs a callback. See <rein/exec.h>. */
typedef struct rein_executor rein_executor;

/* A function to call once a context is done. */
typedef void rein_callback_fn(const rein_ctx *ctx, void *arg);

/* A function that gives an argument or a value back to whoever made it. */
typedef void rein_drop_fn(void *object);

#endif
