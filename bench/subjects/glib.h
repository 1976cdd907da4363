/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* glib.h: GLib's GCancellable. It has no tree: a child is a second one, which a handler on the
 * parent cancels. A timeout is a GSource that does; it fires where the main context is turned. */
#include <gio/gio.h>

#define HAS (TREE | WAITS | CALLBACKS | TIMEOUTS | FIRES)

typedef struct node {
    GCancellable *cancellable, *parent;
    gulong handler; /* on the parent */
    GSource *timer;
} node;

static GMainContext *loop;

static inline node new_root(void)
{
    if (!loop)
        loop = g_main_context_new();
    return (node){.cancellable = g_cancellable_new()};
}
static inline void on_parent(GCancellable *parent, gpointer child)
{
    (void)parent;
    g_cancellable_cancel((GCancellable *)child);
}
static inline node derive(node parent)
{
    node n = {.cancellable = g_cancellable_new(), .parent = parent.cancellable};
    n.handler = g_cancellable_connect(n.parent, G_CALLBACK(on_parent), n.cancellable, NULL);
    return n;
}
static inline gboolean on_timer(gpointer cancellable)
{
    g_cancellable_cancel((GCancellable *)cancellable);
    return G_SOURCE_REMOVE;
}
static inline node derive_timeout(node parent, int64_t ns)
{
    node n = derive(parent);
    n.timer = g_timeout_source_new((guint)((ns + millisecond - 1) / millisecond));
    g_source_set_callback(n.timer, on_timer, n.cancellable, NULL);
    g_source_attach(n.timer, loop);
    return n;
}
static inline node derive_deadline(node parent, int64_t due)
{
    int64_t left = due - now_ns();
    return derive_timeout(parent, left > 0 ? left : 0);
}
static inline void cancel(node n)
{
    g_cancellable_cancel(n.cancellable);
}
static inline void release(node n)
{
    if (n.timer) {
        g_source_destroy(n.timer);
        g_source_unref(n.timer);
    }
    if (n.handler)
        g_cancellable_disconnect(n.parent, n.handler);
    g_object_unref(n.cancellable);
}
static inline void end(node n)
{
    cancel(n);
    release(n);
}
static inline bool done(node n)
{
    return g_cancellable_is_cancelled(n.cancellable);
}
static inline void await(node n)
{
    GPollFD fd;
    if (!g_cancellable_make_pollfd(n.cancellable, &fd))
        abort();
    g_poll(&fd, 1, -1);
    g_cancellable_release_fd(n.cancellable);
}

struct watch {
    GCancellable *watched;
    gulong handler;
};
static inline void on_watched(GCancellable *cancellable, gpointer w)
{
    (void)cancellable;
    fired((struct watch *)w);
}
static inline void watch(node n, struct watch *w)
{
    w->watched = n.cancellable;
    w->handler = g_cancellable_connect(n.cancellable, G_CALLBACK(on_watched), w, NULL);
}
static inline void unwatch(struct watch *w)
{
    g_cancellable_disconnect(w->watched, w->handler);
}
static inline void turn(void)
{
    g_main_context_iteration(loop, TRUE);
}
static inline void let_fire(long n, int64_t last)
{
    (void)last;
    while (!have_fired(n))
        turn();
}
