/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein_peer.c: rein in the yardstick that compares libraries of its kind.
 *
 * The yardstick's tree.h holds the operations, the same for every library, and asks this file for
 * the names P_root, P_child and so on. Public headers only, as any user would.
 *
 * Its operations end a context in two steps, P_cancel and P_free, because most libraries have no
 * other way. A program on rein has: rein_end() is cancel and release, and where nobody looks at the
 * context between the two it is what one writes. So there are two kinds of operation here, told
 * apart by their name:
 *
 *   unobserved   child, timeout, timeout_threads, contend, separate, done and the instruction
 *                counts ir_child and ir_timeout make a leaf and give it back. P_cancel does
 *                nothing, P_free is rein_end().
 *   observed     check, fan, chain, wake and all others look at contexts after the cancel. P_cancel
 *                is rein_cancel(), P_free is rein_end().
 *
 * So that nobody need trust this choice, the row child.cancel measures the leaf with both steps
 * done for real: derive, rein_cancel(), rein_end(). */
#include <rein.h>

typedef rein_ctx *P_node;
static _Bool Observed;

#define P_HAS_TREE 1
#define P_HAS_WAIT 1
#define P_HAS_TIMEOUT 1
#define P_HAS_DONE 1
static inline void P_root(P_node *n)
{
    *n = rein_with_cancel(rein_background());
}
static inline void P_child(P_node *n, P_node *parent)
{
    *n = rein_with_cancel(*parent);
}
static inline void P_cancel(P_node *n)
{
    if (Observed)
        rein_cancel(*n);
}
static inline void P_free(P_node *n)
{
    rein_end(*n);
}
static inline int P_check(P_node *n)
{
    return rein_err(*n);
}
static inline void P_wait(P_node *n)
{
    (void)rein_wait(*n);
}
static inline void P_timeout(P_node *n, P_node *parent, unsigned long long ns)
{
    *n = rein_with_timeout(*parent, (rein_duration)ns);
}
static inline void P_done(P_node *n);

#define main tree_main
#include "tree.h"
#undef main

static inline void P_done(P_node *n)
{
    int fd;
    if (rein_done_fd(*n, &fd) != 0)
        abort();
    KEEP(fd);
}

/* ---- callbacks ---- */

static void nothing(const rein_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
}
static NOINLINE void t_cb(uint64_t n, void *a)
{
    const rein_ctx *ctx = *(P_node *)a;
    for (uint64_t i = 0; i < n; i++) {
        rein_callback callback;
        rein_callback_add(ctx, &callback, nothing, NULL);
        rein_callback_remove(&callback);
    }
}
static NOINLINE void t_after(uint64_t n, void *a)
{
    const rein_ctx *ctx = *(P_node *)a;
    for (uint64_t i = 0; i < n; i++) {
        rein_after after;
        if (rein_after_func(ctx, &after, NULL, nothing, NULL) != 0)
            abort();
        rein_after_stop(&after);
    }
}
static void callbacks(void)
{
    emit("cb", bench(t_cb, &T_parent));
    emit("cb.after", bench(t_after, &T_parent)); /* Go's AfterFunc: on an executor */
}

/* ---- the leaf with both steps ---- */

static NOINLINE void t_child_cancel(uint64_t n, void *a)
{
    const rein_ctx *parent = *(P_node *)a;
    for (uint64_t i = 0; i < n; i++) {
        rein_ctx *ctx = rein_with_cancel(parent);
        rein_cancel(ctx);
        rein_end(ctx);
    }
}

/* ---- values ---- */

enum { KEYS = 1001 }; /* the last is never bound */
static rein_key Keys[KEYS];
static void make_keys(void)
{
    for (int i = 0; i < KEYS; i++)
        Keys[i] = (rein_key){.name = "key", .kind = REIN_VALUE_COPY, .size = sizeof(long)};
}
/* A line of `depth` values below parent, key 0 topmost. Only the lowest is held: it holds the
 * others. Returns a view to give back. */
static const rein_ctx *value_line(const rein_ctx *parent, long depth)
{
    const rein_ctx *at = rein_ref(parent);
    for (long i = 0; i < depth; i++) {
        const rein_ctx *below = rein_with_value(at, &Keys[i], &i);
        rein_unref(at);
        at = below;
    }
    return at;
}
struct lookup {
    const rein_ctx *ctx;
    const rein_key *key;
};
static NOINLINE void t_value(uint64_t n, void *a)
{
    const struct lookup *l = a;
    for (uint64_t i = 0; i < n; i++)
        KEEP(rein_value(l->ctx, l->key));
}
static NOINLINE void t_with_value(uint64_t n, void *a)
{
    const struct lookup *l = a;
    for (uint64_t i = 0; i < n; i++) {
        long v = (long)i;
        rein_unref(rein_with_value(l->ctx, l->key, &v));
    }
}
static void values(void)
{
    static const long depths[] = {1, 10, 100, 1000};
    for (int d = 0; d < 4; d++) {
        const rein_ctx *ctx = value_line(rein_background(), depths[d]);
        struct lookup hit = {ctx, &Keys[0]}, miss = {ctx, &Keys[KEYS - 1]};
        emit_n("value.hit", depths[d], bench(t_value, &hit));
        emit_n("value.miss", depths[d], bench(t_value, &miss));
        rein_unref(ctx);
    }
    struct lookup with = {T_parent, &Keys[0]};
    emit("value.with", bench(t_with_value, &with));
    for (int d = 0; d < 3; d++) {
        const rein_ctx *ctx = value_line(T_parent, depths[d]);
        with = (struct lookup){ctx, &Keys[KEYS - 1]};
        emit_n("value.with.under_values", depths[d], bench(t_with_value, &with));
        rein_unref(ctx);
    }
}
/* Resident bytes per value context, in lines of one depth. */
static void value_memory(void)
{
    static const long depths[] = {1, 10, 100, 1000};
    enum { N = 400000 };
    for (int d = 0; d < 4; d++) {
        const rein_ctx **lines = malloc(N * sizeof *lines);
        memset(lines, 1, N * sizeof *lines);
        double before = rss_bytes();
        for (long i = 0; i < N / depths[d]; i++)
            lines[i] = value_line(T_parent, depths[d]);
        emit_n("mem.value", depths[d], (rss_bytes() - before) / N);
        KEEP(lines);
    }
}

/* ---- what layers above cost ---- */

static NOINLINE void t_check_view(uint64_t n, void *a)
{
    const rein_ctx *ctx = a;
    int sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        sum += rein_err(ctx);
        BARRIER();
    }
    KEEP(sum);
}
static NOINLINE void t_child_view(uint64_t n, void *a)
{
    const rein_ctx *parent = a;
    for (uint64_t i = 0; i < n; i++)
        rein_end(rein_with_cancel(parent));
}
static NOINLINE void t_timeout_view(uint64_t n, void *a)
{
    const rein_ctx *parent = a;
    for (uint64_t i = 0; i < n; i++)
        rein_end(rein_with_timeout(parent, REIN_HOUR));
}
static void deep(void)
{
    static const long depths[] = {1, 10, 100};
    for (int d = 0; d < 3; d++) {
        const rein_ctx *values = value_line(T_parent, depths[d]);
        const rein_ctx *cancels = T_parent;
        for (long i = 0; i < depths[d]; i++)
            cancels = rein_with_cancel(cancels); /* kept until the process ends */
        emit_n("child.under_values", depths[d], bench(t_child_view, (void *)(uintptr_t)values));
        emit_n("check.under_values", depths[d], bench(t_check_view, (void *)(uintptr_t)values));
        emit_n("timeout.under_cancels", depths[d],
               bench(t_timeout_view, (void *)(uintptr_t)cancels));
        rein_unref(values);
    }
}

/* ---- lateness ---- */

struct shot {
    rein_ctx *ctx;
    rein_time deadline;
    rein_callback callback;
    double late;
};
static long Fired;
static void on_shot(const rein_ctx *ctx, void *arg)
{
    struct shot *s = arg;
    s->late = (double)rein_time_sub(rein_now(ctx), s->deadline);
    __atomic_fetch_add(&Fired, 1, __ATOMIC_RELEASE);
}
static void await_shots(long n)
{
    while (__atomic_load_n(&Fired, __ATOMIC_ACQUIRE) < n)
        usleep(10000);
}
static void late(void)
{
    static struct shot shots[LATE_N];
    static double lateness[LATE_N];
    rein_time base = rein_in(T_parent, 100 * REIN_MILLISECOND);
    for (int i = 0; i < LATE_N; i++) {
        struct shot *s = &shots[i];
        s->deadline = rein_time_add(base, (rein_duration)late_offset(i));
        s->ctx = rein_with_deadline(T_parent, s->deadline);
        rein_callback_add(s->ctx, &s->callback, on_shot, s);
    }
    await_shots(LATE_N);
    for (int i = 0; i < LATE_N; i++)
        lateness[i] = shots[i].late;
    late_report(lateness, LATE_N);
}
/* One context in a thousand carries the callback that tells the time, as in the Go program. */
static void fire(long n)
{
    enum { SAMPLES = 1000 };
    static struct shot shots[SAMPLES];
    static double lateness[SAMPLES];
    rein_ctx **all = calloc((size_t)n, sizeof *all);
    long every = n / SAMPLES, samples = 0;
    rein_time start = rein_now(T_parent), base = rein_time_add(start, REIN_SECOND);
    for (long i = 0; i < n; i++) {
        double at = 2.0 * (double)REIN_SECOND * (double)i / (double)n;
        rein_time deadline = rein_time_add(base, (rein_duration)at);
        all[i] = rein_with_deadline(T_parent, deadline);
        if (i % every == every / 2 && samples < SAMPLES) {
            struct shot *s = &shots[samples++];
            s->ctx = all[i];
            s->deadline = deadline;
            rein_callback_add(s->ctx, &s->callback, on_shot, s);
        }
    }
    emit_n("fire.create", n, (double)rein_time_sub(rein_now(T_parent), start) / (double)n);
    uint64_t cpu = cpu_ns();
    await_shots(samples);
    while (rein_err(all[n - 1]) == 0)
        usleep(10000);
    emit_n("fire.cpu", n, (double)(cpu_ns() - cpu) / (double)n);
    for (long i = 0; i < n; i++)
        if (rein_err(all[i]) != -ETIMEDOUT) {
            fprintf(stderr, "timer %ld did not fire\n", i);
            exit(1);
        }
    for (long i = 0; i < samples; i++)
        lateness[i] = shots[i].late;
    emit_n("fire.late.p50", n, pct(lateness, (size_t)samples, 0.5));
    emit_n("fire.late.p99", n, pct(lateness, (size_t)samples, 0.99));
}

static int P_extra(const char *op, long arg)
{
    make_keys();
    if (!strcmp(op, "cb"))
        return callbacks(), 1;
    if (!strcmp(op, "value"))
        return values(), 1;
    if (!strcmp(op, "deep"))
        return deep(), 1;
    if (!strcmp(op, "late"))
        return late(), 1;
    if (!strcmp(op, "fire"))
        return fire(arg), 1;
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const unobserved[] = {"child",    "timeout",  "timeout_threads", "contend",
                                             "separate", "ir_child", "ir_timeout",      "done"};
    const char *op = argc > 1 ? argv[1] : "";
    Observed = 1;
    for (size_t i = 0; i < sizeof unobserved / sizeof unobserved[0]; i++)
        if (!strcmp(op, unobserved[i]))
            Observed = 0;
    int r = tree_main(argc, argv);
    if (r == 0 && !strcmp(op, "child"))
        emit("child.cancel", bench(t_child_cancel, &T_parent));
    if (r == 0 && !strcmp(op, "mem")) {
        make_keys();
        value_memory();
    }
    return r;
}
