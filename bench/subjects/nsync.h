/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* nsync.h: nsync's notes. A note has a parent and a deadline, but no timer: at the deadline nothing
 * happens unless somebody waits for it or asks. So one thread waits for one after the other, in the
 * order in which they were watched and must be due. It has no callbacks and no values. */
#include <nsync.h>

#define HAS (TREE | WAITS | TIMEOUTS | FIRES)

typedef nsync_note node;

static inline node new_root(void)
{
    return nsync_note_new(NULL, nsync_time_no_deadline);
}
static inline node derive(node parent)
{
    return nsync_note_new(parent, nsync_time_no_deadline);
}
static inline node derive_timeout(node parent, int64_t ns)
{
    nsync_time in = nsync_time_s_ns((time_t)(ns / second), (unsigned)(ns % second));
    return nsync_note_new(parent, nsync_time_add(nsync_time_now(), in));
}
static inline void cancel(node n)
{
    nsync_note_notify(n);
}
static inline void release(node n)
{
    nsync_note_free(n);
}
static inline void end(node n)
{
    nsync_note_notify(n);
    nsync_note_free(n);
}
static inline bool done(node n)
{
    return nsync_note_is_notified(n) != 0;
}
static inline void await(node n)
{
    nsync_note_wait(n, nsync_time_no_deadline);
}

static inline node derive_deadline(node parent, int64_t due)
{
    return derive_timeout(parent, due - now_ns());
}
struct watch {
    node watched;
    struct watch *next;
};
static struct watch *first_watched, **last_watched = &first_watched;
static inline void watch(node n, struct watch *w)
{
    w->watched = n;
    w->next = NULL;
    *last_watched = w;
    last_watched = &w->next;
}
static inline void let_fire(long n, int64_t last)
{
    (void)n, (void)last;
    for (struct watch *w = first_watched; w; w = w->next) {
        await(w->watched);
        fired(w);
    }
}
