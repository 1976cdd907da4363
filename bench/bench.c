/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* bench.c: what rein costs, beside a bare floor (floor.h) that does the same by hand.
 *
 *     bench [rounds [text]]      5 rounds; only the rows whose names contain the text
 *
 * Nothing here passes or fails: a time depends on the machine and on who else uses it. Memory is
 * measured in processes of its own, since a heap that has grown once does not shrink. */
#include <errno.h>
#include <pthread.h>
#include <rein.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "floor.h"
#include "measure.h"

static rein_ctx *parent;
static struct floor_node *floor_parent;

/* ---- Asking ---------------------------------------------------------------------------------- */

static NOINLINE void loop_check(uint64_t n, void *ctx)
{
    for (uint64_t i = 0; i < n; i++)
        KEEP(rein_err(ctx));
}
static NOINLINE void loop_floor_check(uint64_t n, void *node)
{
    for (uint64_t i = 0; i < n; i++)
        KEEP(floor_err(node));
}
static double check_live(long unused)
{
    (void)unused;
    return time_loop(loop_check, parent);
}
static double check_cancelled(long unused)
{
    (void)unused;
    rein_ctx *ctx = rein_with_cancel(parent);
    rein_cancel(ctx);
    double ns = time_loop(loop_check, ctx);
    rein_end(ctx);
    return ns;
}
static double floor_check(long unused)
{
    (void)unused;
    return time_loop(loop_floor_check, floor_parent);
}

/* ---- Making and ending ----------------------------------------------------------------------- */

static NOINLINE void loop_derive(uint64_t n, void *ctx)
{
    for (uint64_t i = 0; i < n; i++)
        rein_end(rein_with_cancel(ctx));
}
static NOINLINE void loop_derive_cancel(uint64_t n, void *ctx)
{
    for (uint64_t i = 0; i < n; i++) {
        rein_ctx *child = rein_with_cancel(ctx);
        rein_cancel(child);
        rein_end(child);
    }
}
static NOINLINE void loop_timeout(uint64_t n, void *ctx)
{
    for (uint64_t i = 0; i < n; i++)
        rein_end(rein_with_timeout(ctx, REIN_HOUR));
}
static NOINLINE void loop_floor_derive(uint64_t n, void *node)
{
    for (uint64_t i = 0; i < n; i++)
        floor_end(floor_new(node));
}
static NOINLINE void loop_floor_derive_cancel(uint64_t n, void *node)
{
    for (uint64_t i = 0; i < n; i++) {
        struct floor_node *child = floor_new(node);
        floor_cancel(child);
        floor_end(child);
    }
}
static NOINLINE void loop_floor_timeout(uint64_t n, void *node)
{
    for (uint64_t i = 0; i < n; i++) {
        struct floor_node *child = floor_new(node);
        floor_arm(child, REIN_HOUR);
        floor_end(child);
    }
}
static double derive_end(long unused)
{
    (void)unused;
    return time_loop(loop_derive, parent);
}
static double floor_derive_end(long unused)
{
    (void)unused;
    return time_loop(loop_floor_derive, floor_parent);
}
static double derive_cancel_end(long unused)
{
    (void)unused;
    return time_loop(loop_derive_cancel, parent);
}
static double floor_derive_cancel_end(long unused)
{
    (void)unused;
    return time_loop(loop_floor_derive_cancel, floor_parent);
}
static double timeout_end(long others)
{
    rein_ctx **other = calloc((size_t)others + 1, sizeof *other);
    for (long i = 0; i < others; i++)
        other[i] = rein_with_timeout(parent, REIN_HOUR + i % 3600000 * REIN_MILLISECOND);
    double ns = time_loop(loop_timeout, parent);
    for (long i = 0; i < others; i++)
        rein_end(other[i]);
    free(other);
    return ns;
}
static double floor_timeout_end(long others)
{
    struct floor_node **other = calloc((size_t)others + 1, sizeof *other);
    for (long i = 0; i < others; i++) {
        other[i] = floor_new(floor_parent);
        floor_arm(other[i], REIN_HOUR + i % 3600000 * REIN_MILLISECOND);
    }
    double ns = time_loop(loop_floor_timeout, floor_parent);
    for (long i = 0; i < others; i++)
        floor_end(other[i]);
    free(other);
    return ns;
}

/* ---- Cancelling: only the cancel is timed ---------------------------------------------------- */

enum { FAMILY = 1000, FAMILIES = 40 };
static double cancel_family(long chain)
{
    static rein_ctx *ctx[FAMILY + 1];
    double took[FAMILIES];
    for (int family = 0; family < FAMILIES; family++) {
        ctx[0] = rein_with_cancel(parent);
        for (int i = 1; i <= FAMILY; i++)
            ctx[i] = rein_with_cancel(ctx[chain ? i - 1 : 0]);
        int64_t start = now_ns();
        rein_cancel(ctx[0]);
        took[family] = (double)(now_ns() - start);
        for (int i = FAMILY; i >= 0; i--)
            rein_end(ctx[i]);
    }
    return percentile(took, FAMILIES, 0.5) / FAMILY;
}
static double floor_cancel_family(long chain)
{
    static struct floor_node *node[FAMILY + 1];
    double took[FAMILIES];
    for (int family = 0; family < FAMILIES; family++) {
        node[0] = floor_new(floor_parent);
        for (int i = 1; i <= FAMILY; i++)
            node[i] = floor_new(node[chain ? i - 1 : 0]);
        int64_t start = now_ns();
        floor_cancel(node[0]);
        took[family] = (double)(now_ns() - start);
        for (int i = FAMILY; i >= 0; i--)
            floor_end(node[i]);
    }
    return percentile(took, FAMILIES, 0.5) / FAMILY;
}

/* ---- Callbacks ------------------------------------------------------------------------------- */

static void nothing(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    (void)arg;
}
static NOINLINE void loop_callback(uint64_t n, void *ctx)
{
    for (uint64_t i = 0; i < n; i++) {
        rein_callback callback;
        rein_callback_add(ctx, &callback, nothing, NULL);
        rein_callback_remove(&callback);
    }
}
struct floor_callback {
    struct floor_link link;
    rein_callback_fn *fn;
    void *arg;
};
static NOINLINE void loop_floor_callback(uint64_t n, void *arg)
{
    struct floor_node *node = arg;
    for (uint64_t i = 0; i < n; i++) {
        struct floor_callback callback = {.fn = nothing};
        floor_lock(&node->lock);
        floor_insert(&node->children, &callback.link);
        floor_unlock(&node->lock);
        KEEP(&callback);
        floor_lock(&node->lock);
        floor_remove(&callback.link);
        floor_unlock(&node->lock);
    }
}
static double callback_on_off(long unused)
{
    (void)unused;
    return time_loop(loop_callback, parent);
}
static double floor_callback_on_off(long unused)
{
    (void)unused;
    return time_loop(loop_floor_callback, floor_parent);
}

/* ---- Values: key 0 is bound topmost, the last key never -------------------------------------- */

enum { KEYS = 101 };
static rein_key keys[KEYS];
struct lookup {
    const void *at;
    const rein_key *key;
};
static NOINLINE void loop_value(uint64_t n, void *arg)
{
    const struct lookup *lookup = arg;
    for (uint64_t i = 0; i < n; i++)
        KEEP(rein_value(lookup->at, lookup->key));
}
static NOINLINE void loop_floor_value(uint64_t n, void *arg)
{
    const struct lookup *lookup = arg;
    for (uint64_t i = 0; i < n; i++)
        KEEP(floor_find(lookup->at, lookup->key));
}
static double find_in_line(long depth, const rein_key *key)
{
    const rein_ctx *at = rein_ref(parent);
    for (long i = 0; i < depth; i++) {
        const rein_ctx *below = rein_with_value(at, &keys[i], &i);
        rein_unref(at);
        at = below;
    }
    struct lookup lookup = {at, key};
    double ns = time_loop(loop_value, &lookup);
    rein_unref(at);
    return ns;
}
static double floor_find_in_line(long depth, const rein_key *key)
{
    struct floor_value *at = NULL;
    for (long i = 0; i < depth; i++) {
        struct floor_value *below = floor_bind(at, &keys[i], i);
        floor_unbind(at);
        at = below;
    }
    struct lookup lookup = {at, key};
    double ns = time_loop(loop_floor_value, &lookup);
    floor_unbind(at);
    return ns;
}
static double value_hit(long depth)
{
    return find_in_line(depth, &keys[0]);
}
static double value_miss(long depth)
{
    return find_in_line(depth, &keys[KEYS - 1]);
}
static double floor_value_hit(long depth)
{
    return floor_find_in_line(depth, &keys[0]);
}
static double floor_value_miss(long depth)
{
    return floor_find_in_line(depth, &keys[KEYS - 1]);
}
static NOINLINE void loop_bind(uint64_t n, void *ctx)
{
    for (uint64_t i = 0; i < n; i++)
        rein_unref(rein_with_value(ctx, &keys[0], &i));
}
static NOINLINE void loop_floor_bind(uint64_t n, void *up)
{
    for (uint64_t i = 0; i < n; i++)
        floor_unbind(floor_bind(up, &keys[0], (long)i));
}
static double value_bind(long unused)
{
    (void)unused;
    return time_loop(loop_bind, parent);
}
static double floor_value_bind(long unused)
{
    (void)unused;
    struct floor_value *up = floor_bind(NULL, NULL, 0);
    double ns = time_loop(loop_floor_bind, up);
    floor_unbind(up);
    return ns;
}

/* ---- Waking ---------------------------------------------------------------------------------- */

/* From just before the wake until the sleeper runs, both on one processor: on two, the time is that
 * of waking the other processor. */
enum { WAKES = 300 };
struct sleeper {
    void (*sleep)(void);
    sem_t go, done;
    int64_t woke;
};
static rein_ctx *wake_root, *wake_leaf;
static int wake_word;

static void sleep_rein(void)
{
    (void)rein_wait(wake_leaf);
}
static void sleep_floor(void)
{
    floor_wait(&wake_word);
}
static void *sleeper_main(void *arg)
{
    struct sleeper *sleeper = arg;
    for (int i = 0; i < WAKES; i++) {
        sem_wait(&sleeper->go);
        sleeper->sleep();
        sleeper->woke = now_ns();
        sem_post(&sleeper->done);
    }
    return NULL;
}
static double wake(long bare)
{
    static double took[WAKES];
    struct sleeper sleeper = {.sleep = bare ? sleep_floor : sleep_rein};
    cpu_set_t all, one;
    pthread_t thread;
    sem_init(&sleeper.go, 0, 0);
    sem_init(&sleeper.done, 0, 0);
    sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    pthread_create(&thread, NULL, sleeper_main, &sleeper);
    for (int i = 0; i < WAKES; i++) {
        wake_root = rein_with_cancel(parent);
        wake_leaf = rein_with_cancel(wake_root);
        wake_word = 0;
        sem_post(&sleeper.go);
        usleep(200); /* long enough to fall asleep; if not, one sample of many is odd */
        int64_t start = now_ns();
        if (bare)
            floor_wake(&wake_word);
        else
            rein_cancel(wake_root);
        sem_wait(&sleeper.done);
        took[i] = (double)(sleeper.woke - start);
        rein_end(wake_leaf);
        rein_end(wake_root);
    }
    pthread_join(thread, NULL);
    sched_setaffinity(0, sizeof all, &all);
    return percentile(took, WAKES, 0.5);
}

/* ---- Lateness -------------------------------------------------------------------------------- */

/* Deadlines a little over a millisecond apart. The floor is a thread that sleeps from one to the
 * next, with the least timer slack the system allows. */
enum { SHOTS = 200, SHOT_STEP = 1030000 };
struct shot {
    rein_ctx *ctx;
    rein_time deadline;
    rein_callback callback;
    double late;
};
static sem_t all_fired;
static double lateness[SHOTS];
static void on_shot(const rein_ctx *ctx, void *arg)
{
    struct shot *shot = arg;
    shot->late = (double)rein_time_sub(rein_now(ctx), shot->deadline);
    sem_post(&all_fired);
}
static double late(long percent)
{
    static struct shot shots[SHOTS];
    rein_time base = rein_in(parent, 20 * REIN_MILLISECOND);
    sem_init(&all_fired, 0, 0);
    for (int i = 0; i < SHOTS; i++) {
        struct shot *shot = &shots[i];
        shot->deadline = rein_time_add(base, (rein_duration)i * SHOT_STEP);
        shot->ctx = rein_with_deadline(parent, shot->deadline);
        rein_callback_add(shot->ctx, &shot->callback, on_shot, shot);
    }
    for (int i = 0; i < SHOTS; i++)
        sem_wait(&all_fired);
    for (int i = 0; i < SHOTS; i++) {
        rein_callback_remove(&shots[i].callback);
        lateness[i] = shots[i].late;
        rein_end(shots[i].ctx);
    }
    return percentile(lateness, SHOTS, (double)percent / 100);
}
static void *late_sleeper_main(void *arg)
{
    int64_t base = now_ns() + 20000000;
    (void)arg;
    prctl(PR_SET_TIMERSLACK, 1);
    for (int i = 0; i < SHOTS; i++) {
        int64_t due = base + (int64_t)i * SHOT_STEP;
        struct timespec when = {due / 1000000000, due % 1000000000};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
            ;
        lateness[i] = (double)(now_ns() - due);
    }
    return NULL;
}
static double floor_late(long percent)
{
    pthread_t thread; /* one of its own: the slack must not stay */
    pthread_create(&thread, NULL, late_sleeper_main, NULL);
    pthread_join(thread, NULL);
    return percentile(lateness, SHOTS, (double)percent / 100);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

enum { LIVE = 200000 };
static double resident(void)
{
    long total = 0, pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm && fscanf(statm, "%ld %ld", &total, &pages) != 2)
        pages = 0;
    if (statm)
        fclose(statm);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}
static double memory(long timeout)
{
    double before = resident();
    for (long i = 0; i < LIVE; i++) {
        rein_ctx *ctx = timeout ? rein_with_timeout(parent, REIN_HOUR) : rein_with_cancel(parent);
        KEEP(ctx); /* never ended: the process is */
    }
    return (resident() - before) / LIVE;
}
static double memory_value(long unused)
{
    (void)unused;
    double before = resident();
    for (long i = 0; i < LIVE; i++)
        KEEP(rein_with_value(parent, &keys[0], &i));
    return (resident() - before) / LIVE;
}
static double floor_memory(long timeout)
{
    double before = resident();
    for (long i = 0; i < LIVE; i++) {
        struct floor_node *node = floor_new(floor_parent);
        if (timeout)
            floor_arm(node, REIN_HOUR);
    }
    return (resident() - before) / LIVE;
}
static double floor_memory_value(long unused)
{
    (void)unused;
    double before = resident();
    struct floor_value *up = floor_bind(NULL, NULL, 0);
    for (long i = 0; i < LIVE; i++)
        KEEP(floor_bind(up, &keys[0], i));
    return (resident() - before) / LIVE;
}

/* ---- The table ------------------------------------------------------------------------------- */

typedef double measure_fn(long arg);
static const struct row {
    const char *name;
    measure_fn *rein, *floor;
    long arg, floor_arg;
    bool memory;
} rows[] = {
    {"check, live", check_live, floor_check, 0, 0, false},
    {"check, cancelled", check_cancelled, floor_check, 0, 0, false},
    {"derive, end", derive_end, floor_derive_end, 0, 0, false},
    {"derive, cancel, end", derive_cancel_end, floor_derive_cancel_end, 0, 0, false},
    {"timeout, end", timeout_end, floor_timeout_end, 0, 0, false},
    {"timeout, end, among 100,000", timeout_end, floor_timeout_end, 100000, 100000, false},
    {"cancel, per child of 1,000", cancel_family, floor_cancel_family, 0, 0, false},
    {"cancel, per level of 1,000", cancel_family, floor_cancel_family, 1, 1, false},
    {"callback on, off", callback_on_off, floor_callback_on_off, 0, 0, false},
    {"value found, depth 1", value_hit, floor_value_hit, 1, 1, false},
    {"value found, depth 10", value_hit, floor_value_hit, 10, 10, false},
    {"value found, depth 100", value_hit, floor_value_hit, 100, 100, false},
    {"value missing, depth 1", value_miss, floor_value_miss, 1, 1, false},
    {"value missing, depth 10", value_miss, floor_value_miss, 10, 10, false},
    {"value missing, depth 100", value_miss, floor_value_miss, 100, 100, false},
    {"with_value, unref", value_bind, floor_value_bind, 0, 0, false},
    {"wake on one processor", wake, wake, 0, 1, false},
    {"lateness, half", late, floor_late, 50, 50, false},
    {"lateness, 99 of 100", late, floor_late, 99, 99, false},
    {"bytes of a child", memory, floor_memory, 0, 0, true},
    {"bytes of a timeout", memory, floor_memory, 1, 1, true},
    {"bytes of a value", memory_value, floor_memory_value, 0, 0, true},
};
enum { ROWS = sizeof rows / sizeof rows[0], MOST_ROUNDS = 99 };
static double rein_figures[ROWS][MOST_ROUNDS], floor_figures[ROWS][MOST_ROUNDS];

static void *idle(void *unused)
{
    for (;;)
        pause();
    return unused;
}
static void prepare(void)
{
    for (int i = 0; i < KEYS; i++)
        keys[i] = (rein_key){.name = "key", .kind = REIN_VALUE_COPY, .size = sizeof(long)};
    floor_start_timers();
    floor_parent = floor_new(NULL);
    parent = rein_with_cancel(rein_background());
    /* With a single thread the C library leaves locked instructions out, which no program that
     * needs cancellation gets to see. */
    pthread_t thread;
    pthread_create(&thread, NULL, idle, NULL);
    pthread_detach(thread);
}

/* measure(arg) in a process of its own. To be called before anything else was prepared. */
static double in_own_process(measure_fn *measure, long arg)
{
    int ends[2];
    double result = 0;
    if (pipe(ends) != 0)
        return 0;
    pid_t child = fork();
    if (child == 0) {
        prepare();
        result = measure(arg);
        _exit(write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
    }
    close(ends[1]);
    if (child > 0 && read(ends[0], &result, sizeof result) != sizeof result)
        result = 0;
    close(ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return result;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    const char *only = argc > 2 ? argv[2] : "";
    rounds = rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : rounds;
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < ROWS; i++)
            if (rows[i].memory && strstr(rows[i].name, only)) {
                floor_figures[i][round] = in_own_process(rows[i].floor, rows[i].floor_arg);
                rein_figures[i][round] = in_own_process(rows[i].rein, rows[i].arg);
            }
    prepare();
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < ROWS; i++)
            if (!rows[i].memory && strstr(rows[i].name, only)) {
                floor_figures[i][round] = rows[i].floor(rows[i].floor_arg);
                rein_figures[i][round] = rows[i].rein(rows[i].arg);
            }
    printf("rein %s beside a floor made by hand; ns, or bytes; medians of %d rounds\n\n",
           rein_version(), rounds);
    printf("%-30s %10s %10s %8s\n", "", "rein", "floor", "ratio");
    for (int i = 0; i < ROWS; i++) {
        if (!strstr(rows[i].name, only))
            continue;
        double ratios[MOST_ROUNDS];
        for (int round = 0; round < rounds; round++)
            ratios[round] = rein_figures[i][round] / floor_figures[i][round];
        printf("%-30s %10.1f %10.1f %8.2f\n", rows[i].name,
               percentile(rein_figures[i], (size_t)rounds, 0.5),
               percentile(floor_figures[i], (size_t)rounds, 0.5),
               percentile(ratios, (size_t)rounds, 0.5));
    }
    return 0;
}
