/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* uv.h: libuv's timers alone, without a tree. One thread owns the loop, so nothing takes a lock. */
#include <uv.h>

#define HAS (TIMEOUTS | FIRES)

typedef uv_timer_t *node;

static uv_loop_t loop;

static inline node new_root(void)
{
    uv_loop_init(&loop);
    return NULL;
}
static inline void on_timer(uv_timer_t *timer)
{
    if (timer->data)
        fired((struct watch *)timer->data);
}
static inline node derive_timeout(node parent, int64_t ns)
{
    (void)parent;
    node n = (node)malloc(sizeof *n);
    if (!n)
        abort();
    uv_timer_init(&loop, n);
    n->data = NULL;
    uv_timer_start(n, on_timer, (uint64_t)((ns + millisecond - 1) / millisecond), 0);
    return n;
}
static inline node derive_deadline(node parent, int64_t due)
{
    uv_update_time(&loop);
    int64_t left = due - now_ns();
    return derive_timeout(parent, left > 0 ? left : 0);
}
static inline void on_close(uv_handle_t *handle)
{
    free(handle);
}
/* It is freed by a turn of the loop: of a busy one, that serves many at a time. */
static inline void end(node n)
{
    static int closing;
    uv_timer_stop(n);
    uv_close((uv_handle_t *)n, on_close);
    if (++closing % 64 == 0)
        uv_run(&loop, UV_RUN_NOWAIT);
}
static inline bool done(node n)
{
    return !uv_is_active((uv_handle_t *)n);
}

struct watch {
    node watched;
};
static inline void watch(node n, struct watch *w)
{
    n->data = w;
    w->watched = n;
}
static inline void turn(void)
{
    uv_run(&loop, UV_RUN_ONCE);
}
static inline void let_fire(long n, int64_t last)
{
    (void)last;
    while (!have_fired(n))
        turn();
}
