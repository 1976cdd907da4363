/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* stdcxx.h: C++20's std::stop_source and its kin. They have no tree: a child is a second source,
 * which a stop_callback on the parent's token stops. They have no timers. */
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>

#define HAS (TREE | WAITS | CALLBACKS)

struct forward {
    std::stop_source *child;
    void operator()() const noexcept
    {
        child->request_stop();
    }
};
struct stoppable {
    std::stop_source source;
    std::optional<std::stop_callback<forward>> on_parent;
};
typedef stoppable *node;

static inline node new_root(void)
{
    return new stoppable;
}
static inline node derive(node parent)
{
    node n = new stoppable;
    n->on_parent.emplace(parent->source.get_token(), forward{&n->source});
    return n;
}
static inline void cancel(node n)
{
    n->source.request_stop();
}
static inline void release(node n)
{
    delete n;
}
static inline void end(node n)
{
    cancel(n);
    release(n);
}
static inline bool done(node n)
{
    return n->source.stop_requested();
}
static std::mutex await_mutex;
static std::condition_variable_any await_condition;
static inline void await(node n)
{
    std::unique_lock<std::mutex> lock(await_mutex);
    await_condition.wait(lock, n->source.get_token(), [] { return false; });
}

struct notify {
    struct watch *w;
    void operator()() const noexcept
    {
        fired(w);
    }
};
struct watch {
    std::optional<std::stop_callback<notify>> callback;
};
static inline void watch(node n, struct watch *w)
{
    w->callback.emplace(n->source.get_token(), notify{w});
}
static inline void unwatch(struct watch *w)
{
    w->callback.reset();
}
