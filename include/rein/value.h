/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein/value.h: values that a context carries for whom the work is done.
 *
 * For what belongs to a request and crosses many layers: its id, its client, its trace. Not for
 * parameters of a function, and not for anything a function cannot do without.
 *
 * A key is one static object; its address is its identity, so two keys never collide. Declare it
 * in a header, define it in one source file, and use the typed setter and getter this makes:
 *
 *     REIN_KEY_DECLARE(request_id, uint64_t)                     // request.h
 *     REIN_KEY_DEFINE(request_id, uint64_t)                      // request.c
 *
 *     const rein_ctx *ctx = request_id_with(parent, 42);         // a view: give it back
 *     uint64_t id = request_id_of(ctx, 0);                       // 0 where there is none
 *     rein_unref(ctx);
 *
 * Lookup takes the nearest binding going up; its cost hardly grows with depth, and contexts
 * without a value cost it nothing. A binding never changes and stays readable after the end.
 *
 * Threads, errors and NULL contexts: as in <rein/context.h>. A NULL key to bind is a caller's bug
 * [rule: key-required]; to look one up simply finds nothing. */
#ifndef REIN_VALUE_H
#define REIN_VALUE_H

#include <rein/base.h>
#include <rein/context.h>

REIN_BEGIN_DECLS

/* How a context holds a value. */
enum rein_value_kind {
    REIN_VALUE_COPY = 0,     /* size bytes, copied into the context; the default */
    REIN_VALUE_STRING = 1,   /* a NUL-terminated string, copied; NULL is a value too */
    REIN_VALUE_OWNED = 2,    /* a pointer that the context gives to drop with its last reference */
    REIN_VALUE_BORROWED = 3, /* a pointer the caller keeps valid for as long as anyone may look */
};

/* A key. Define it with the macros below; the fields are read-only once it is in use.
 *
 * print, if given, writes the value for rein_describe() as snprintf would; without it no value is
 * ever printed, only the key's name. drop runs on whatever thread gives the last reference back,
 * possibly long after the end, with no lock of rein's held. */
typedef struct rein_key {
    const char *name;
    uint32_t kind;
    uint32_t size;
    rein_drop_fn *drop;
    int (*print)(const void *value, char *buf, size_t size);
    void *reserved[2];
} rein_key;

/* Bind one value. `value` points to key->size bytes to copy, or is the string or pointer itself.
 * Returns  a view, to be given back with rein_unref(); the failed context if memory is short: then
 *          an owned value has been dropped already, so that the caller need not care */
#define rein_with_value(...) rein_with_value_at(REIN_SITE, __VA_ARGS__)
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL
const rein_ctx *rein_with_value_at(const char *site, const rein_ctx *parent, const rein_key *key,
                                   const void *value);
REIN_API REIN_NODISCARD REIN_RETURNS_NONNULL
const rein_ctx *(rein_with_value)(const rein_ctx *parent, const rein_key *key, const void *value);

/* The nearest value of key: a pointer to the copy, or the string or pointer that was bound; NULL
 * if there is none. Borrowed: valid as long as the context is. */
REIN_API const void *rein_value(const rein_ctx *ctx, const rein_key *key);

/* Whether key is bound at all, be it to NULL. */
REIN_API bool rein_has_value(const rein_ctx *ctx, const rein_key *key);

/* ---- Typed keys ------------------------------------------------------------------------------ */

/* The macros make, for a key called `name`:
 *
 *     const rein_ctx *name_with(const rein_ctx *parent, TYPE value);
 *     TYPE name_of(const rein_ctx *ctx, TYPE otherwise);
 *
 * REIN_KEY_DECLARE / REIN_KEY_DEFINE    (name, type)           by copy
 * REIN_KEY_DECLARE_STRING / …_STRING    (name)                 const char *, copied
 * REIN_KEY_DECLARE_OWNED / …_OWNED      (name, type)           type *, dropped by the context
 * REIN_KEY_DECLARE_BORROWED / …_BORROWED(name, type)           type *, the caller's
 *
 * REIN_KEY_DEFINE_OWNED takes (name, type, drop). Each DEFINE has a form with a printer:
 * REIN_KEY_DEFINE_PRINTED(name, type, print) and so on. */
#define REIN_KEY_DECLARE(name, type)                                                               \
    extern const rein_key name##_key;                                                              \
    REIN_UNUSED REIN_NODISCARD static inline                                                       \
    const rein_ctx *name##_with(const rein_ctx *parent, type value)                                \
    {                                                                                              \
        return rein_with_value_at(#name "_with", parent, &name##_key, &value);                     \
    }                                                                                              \
    REIN_UNUSED static inline type name##_of(const rein_ctx *ctx, type otherwise)                  \
    {                                                                                              \
        const void *found = rein_value(ctx, &name##_key);                                          \
        return found ? *(const type *)found : otherwise;                                           \
    }

#define REIN_KEY_DECLARE_POINTER_(name, type)                                                      \
    extern const rein_key name##_key;                                                              \
    REIN_UNUSED REIN_NODISCARD static inline                                                       \
    const rein_ctx *name##_with(const rein_ctx *parent, type *value)                               \
    {                                                                                              \
        return rein_with_value_at(#name "_with", parent, &name##_key, value);                      \
    }                                                                                              \
    REIN_UNUSED static inline type *name##_of(const rein_ctx *ctx, type *otherwise)                \
    {                                                                                              \
        return rein_has_value(ctx, &name##_key) ? (type *)rein_value(ctx, &name##_key)             \
                                                : otherwise;                                       \
    }
#define REIN_KEY_DECLARE_STRING(name) REIN_KEY_DECLARE_POINTER_(name, const char)
#define REIN_KEY_DECLARE_OWNED(name, type) REIN_KEY_DECLARE_POINTER_(name, type)
#define REIN_KEY_DECLARE_BORROWED(name, type) REIN_KEY_DECLARE_POINTER_(name, type)

#define REIN_KEY_DEFINE_(name, kind, size, drop, print)                                            \
    const rein_key name##_key = {#name, kind, (uint32_t)(size), drop, print, {NULL, NULL}};
#define REIN_KEY_DEFINE_PRINTED(name, type, print)                                                 \
    REIN_KEY_DEFINE_(name, REIN_VALUE_COPY, sizeof(type), NULL, print)
#define REIN_KEY_DEFINE_STRING_PRINTED(name, print)                                                \
    REIN_KEY_DEFINE_(name, REIN_VALUE_STRING, 0, NULL, print)
#define REIN_KEY_DEFINE_OWNED_PRINTED(name, type, drop, print)                                     \
    REIN_KEY_DEFINE_(name, REIN_VALUE_OWNED, 0, drop, print)
#define REIN_KEY_DEFINE_BORROWED_PRINTED(name, type, print)                                        \
    REIN_KEY_DEFINE_(name, REIN_VALUE_BORROWED, 0, NULL, print)
#define REIN_KEY_DEFINE(name, type) REIN_KEY_DEFINE_PRINTED(name, type, NULL)
#define REIN_KEY_DEFINE_STRING(name) REIN_KEY_DEFINE_STRING_PRINTED(name, NULL)
#define REIN_KEY_DEFINE_OWNED(name, type, drop) \
    REIN_KEY_DEFINE_OWNED_PRINTED(name, type, drop, NULL)
#define REIN_KEY_DEFINE_BORROWED(name, type) REIN_KEY_DEFINE_BORROWED_PRINTED(name, type, NULL)

REIN_END_DECLS

#endif
