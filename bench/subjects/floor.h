/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* floor.h: the floor, made by hand: floor/tree.h says what it is. */
#ifndef FLOOR_STRIPES
#define FLOOR_STRIPES 1
#endif
#include "../floor/tree.h"
#include "../floor/value.h"

#define HAS (TREE | WAITS | CALLBACKS | TIMEOUTS | FIRES | VALUES)

typedef struct floor_node *node;

static inline node new_root(void)
{
    floor_start_timers();
    return floor_root();
}
static inline node derive(node parent)
{
    return floor_derive(parent);
}
static inline node derive_deadline(node parent, int64_t due)
{
    return floor_derive_deadline(parent, due);
}
static inline node derive_timeout(node parent, int64_t ns)
{
    return floor_derive_deadline(parent, now_ns() + ns);
}
static inline void cancel(node n)
{
    floor_cancel(n);
}
static inline void release(node n)
{
    floor_free(n);
}
static inline void end(node n)
{
    floor_cancel(n);
    floor_free(n);
}
static inline bool done(node n)
{
    return floor_done(n);
}
static inline void await(node n)
{
    floor_await(n);
}

struct watch {
    struct floor_callback callback;
    node watched;
};
static inline void watch_fires(void *w)
{
    fired((struct watch *)w);
}
static inline void watch(node n, struct watch *w)
{
    w->callback.fn = watch_fires;
    w->callback.arg = w;
    w->watched = n;
    floor_callback_add(n, &w->callback);
}
static inline void unwatch(struct watch *w)
{
    floor_callback_remove(w->watched, &w->callback);
}
static inline void let_fire(long n, int64_t last)
{
    sleep_while_firing(n, last);
}
static inline void turn(void)
{
    usleep(1000);
}

typedef struct floor_value *view;
static char floor_keys[KEYS];

static inline view no_values(node below)
{
    (void)below;
    return NULL;
}
static inline view bind_value(view above, int key)
{
    return floor_bind(above, &floor_keys[key], key);
}
static inline void drop_values(view v)
{
    floor_unbind(v);
}
static inline const void *lookup(view v, int key)
{
    return floor_find(v, &floor_keys[key]);
}
