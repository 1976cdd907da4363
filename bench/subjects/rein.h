/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein.h: rein, by its public headers, as a program would use it. */
#include <rein.h>

#define HAS (TREE | WAITS | CALLBACKS | TIMEOUTS | FIRES | VALUES | VIEWS)

typedef rein_ctx *node;

static inline node new_root(void)
{
    return rein_with_cancel(rein_background());
}
static inline node derive(const rein_ctx *parent)
{
    return rein_with_cancel(parent);
}
static inline node derive_timeout(const rein_ctx *parent, int64_t ns)
{
    return rein_with_timeout(parent, ns);
}
/* The real clock of rein is that of now_ns(). */
static inline node derive_deadline(const rein_ctx *parent, int64_t due)
{
    return rein_with_deadline(parent, (rein_time){due});
}
static inline void cancel(node n)
{
    rein_cancel(n);
}
static inline void release(node n)
{
    rein_end(n);
}
/* A cancel and a release in one, which is what one writes where nobody looks in between. */
static inline void end(node n)
{
    rein_end(n);
}
static inline bool done(const rein_ctx *n)
{
    return rein_err(n) != 0;
}
static inline void await(const rein_ctx *n)
{
    (void)rein_wait(n);
}

struct watch {
    rein_callback callback;
};
static inline void watch_fires(const rein_ctx *ctx, void *w)
{
    (void)ctx;
    fired((struct watch *)w);
}
static inline void watch(const rein_ctx *n, struct watch *w)
{
    rein_callback_add(n, &w->callback, watch_fires, w);
}
static inline void unwatch(struct watch *w)
{
    rein_callback_remove(&w->callback);
}
static inline void let_fire(long n, int64_t last)
{
    sleep_while_firing(n, last);
}
static inline void turn(void)
{
    usleep(1000);
}

typedef const rein_ctx *view;
static rein_key keys[KEYS];

static inline view no_values(const rein_ctx *below)
{
    for (int i = 0; i < KEYS; i++)
        keys[i] = (rein_key){.name = "key", .kind = REIN_VALUE_COPY, .size = sizeof(long)};
    return rein_ref(below);
}
static inline view bind_value(view above, int key)
{
    long value = key;
    return rein_with_value(above, &keys[key], &value);
}
static inline void drop_values(view v)
{
    rein_unref(v);
}
static inline const void *lookup(view v, int key)
{
    return rein_value(v, &keys[key]);
}
