/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/fork/test_return.c: forks inside functions that rein calls, and that return in the child
 * too: into the middle of rein, which is then not to go on with what it was doing for the
 * parent. */
#include <poll.h>
#include <pthread.h>
#include <rein.h>
#include <string.h>

#include "child.h"
#include "core/node.h"
#include "expect.h"
#include "race.h"
#include "suite.h"

/* ---- on a canceller's stack ---- */

struct calls {
    rein_ctx *top, *below;
    rein_callback forks, next, far;
    rein_after after;
    pid_t child; /* 0 in the child */
    int runs;
};

static void count_run(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    ((struct calls *)arg)->runs++;
}

/* With the locks held, as they may be by another thread: the child is not to wait for one. */
static void fork_here(const rein_ctx *ctx, void *arg)
{
    struct calls *is = arg;
    struct node *nodes[] = {node_of(ctx_of(ctx)), node_of(ctx_of(is->below))};
    nodes[0]->mu.word = nodes[1]->mu.word = 1;
    is->child = child_fork();
    if (is->child == 0) {
        child_begin();
        return;
    }
    nodes[0]->mu.word = nodes[1]->mu.word = 0;
}

static void use_after_return(struct calls *is)
{
    REQUIRE(is->runs == 0);
    REQUIRE(!rein_callback_remove(&is->forks));
    REQUIRE(rein_callback_remove(&is->next) && rein_callback_remove(&is->far));
    REQUIRE(rein_err(is->below) == -ECANCELED);
    rein_end(is->below);
    rein_end(is->top);
    REQUIRE(rein_after_stop(&is->after)); /* it had not run when its context went */
    REQUIRE(rein_quiesce() == 0 && is->runs == 0);
    _exit(0);
}

/* A callback that forks is the last to run in the child: the others of its cancel are the
 * parent's. */
CASE(fork_in_a_callback_runs_no_other_in_the_child, "EXEC-16", "P-FORK")
{
    struct calls is = {.top = rein_with_cancel(rein_background())};
    is.below = rein_with_cancel(is.top);
    ck_assert(rein_callback_add(is.top, &is.forks, fork_here, &is));
    ck_assert(rein_callback_add(is.top, &is.next, count_run, &is));
    ck_assert_int_eq(rein_after_func(is.top, &is.after, rein_inline_executor(), count_run, &is), 0);
    ck_assert(rein_callback_add(is.below, &is.far, count_run, &is));
    rein_cancel(is.top);
    if (is.child == 0)
        use_after_return(&is);
    ck_assert_int_gt(is.child, 0);
    ck_assert_int_eq(is.runs, 3);
    child_join(is.child);
    rein_end(is.below);
    rein_end(is.top);
}

struct own {
    rein_callback callback;
    rein_after after;
    bool is_after;
    pid_t child; /* 0 in the child */
};

/* In the child it takes its own record out, and uses the memory anew. */
static void fork_and_take_out(const rein_ctx *ctx, void *arg)
{
    struct own *is = arg;
    (void)ctx;
    is->child = child_fork();
    if (is->child != 0)
        return;
    child_begin();
    REQUIRE(is->is_after ? !rein_after_stop_wait(&is->after)
                         : !rein_callback_remove(&is->callback));
    memset(&is->callback, 0x55, sizeof is->callback);
    memset(&is->after, 0x55, sizeof is->after);
}

static bool is_untouched(const void *memory, size_t size)
{
    const unsigned char *byte = memory;
    while (size > 0 && byte[size - 1] == 0x55)
        size--;
    return size == 0;
}

/* A function that has forked may take its own record out in the child too: its runner, which it
 * comes back to, does not touch that any more. */
CASE(fork_in_a_callback_that_takes_itself_out, "EXEC-16", "CTX-65", "P-FORK")
{
    for (int i = 0; i < 2; i++) {
        struct own is = {.is_after = i == 1};
        rein_ctx *ctx = rein_with_cancel(rein_background());
        if (is.is_after)
            ck_assert_int_eq(
                rein_after_func(ctx, &is.after, rein_inline_executor(), fork_and_take_out, &is), 0);
        else
            ck_assert(rein_callback_add(ctx, &is.callback, fork_and_take_out, &is));
        rein_cancel(ctx);
        if (is.child == 0) {
            REQUIRE(is_untouched(&is.callback, sizeof is.callback));
            REQUIRE(is_untouched(&is.after, sizeof is.after));
            _exit(0);
        }
        ck_assert_int_gt(is.child, 0);
        child_join(is.child);
        rein_end(ctx);
    }
}

/* ---- on threads of rein's ---- */

struct threads {
    struct race_flag forked;
    pid_t child;
    rein_after after;
    int runs; /* atomic */
};

/* Whether the thread that forked, which is the child's first, has ended. */
static bool first_has_ended(void *unused)
{
    (void)unused;
    char path[64], stat[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)getpid());
    FILE *file = fopen(path, "re");
    if (file && !fgets(stat, sizeof stat, file))
        stat[0] = '\0';
    if (file)
        fclose(file);
    const char *state = strrchr(stat, ')');
    return state && state[2] == 'Z';
}

static void count_here(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    __atomic_fetch_add(&((struct threads *)arg)->runs, 1, __ATOMIC_ACQ_REL);
}

/* The child's life goes on without the thread that it came from; it has threads of its own. */
static void *live_on(void *arg)
{
    struct threads *is = arg;
    suite_until(first_has_ended, NULL);
    for (int i = 0; i < 2; i++) {
        rein_ctx *ctx = rein_with_timeout(rein_background(), 10 * REIN_MILLISECOND);
        REQUIRE(rein_after_func(ctx, &is->after, NULL, count_here, is) == 0);
        REQUIRE(rein_wait(ctx) == -ETIMEDOUT);
        while (__atomic_load_n(&is->runs, __ATOMIC_ACQUIRE) != i + 1)
            suite_yield();
        REQUIRE(!rein_after_stop_wait(&is->after));
        rein_end(ctx);
        REQUIRE(rein_quiesce() == 0);
    }
    _exit(0);
}

static void fork_and_return(const rein_ctx *ctx, void *arg)
{
    struct threads *is = arg;
    (void)ctx;
    pid_t child = child_fork();
    if (child != 0) {
        is->child = child;
        race_set(&is->forked);
        return;
    }
    child_begin();
    /* It is no thread of this process's rein. */
    REQUIRE(rein_sleep(rein_background(), REIN_MILLISECOND) == 0);
    REQUIRE(rein_quiesce() == 0);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, live_on, is) == 0);
}

/* A callback on the keeper may fork and return: in the child that thread keeps nothing, and
 * ends. */
CASE(fork_on_the_keeper, "EXEC-16", "P-FORK")
{
    struct threads is = {.child = 0};
    rein_callback forks, next;
    rein_ctx *ctx = rein_with_timeout(rein_background(), 20 * REIN_MILLISECOND);
    ck_assert(rein_callback_add(ctx, &forks, fork_and_return, &is));
    ck_assert(rein_callback_add(ctx, &next, count_here, &is));
    race_await(&is.forked);
    child_join(is.child);
    rein_callback_remove(&forks);
    rein_callback_remove(&next);
    ck_assert_int_eq(is.runs, 1);
    rein_end(ctx);
}

/* The same for an after-func on the pool, with others behind it. */
CASE(fork_on_a_worker, "EXEC-16", "P-FORK")
{
    struct threads is = {.child = 0};
    rein_after forks;
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_after_func(ctx, &forks, NULL, fork_and_return, &is), 0);
    rein_cancel(ctx);
    race_await(&is.forked);
    child_join(is.child);
    ck_assert(!rein_after_stop_wait(&forks));
    rein_end(ctx);
}

/* ---- on executors ---- */

struct jobs {
    rein_job forks, next;
    rein_executor *executor;
    pid_t child;
    int runs;
};

static void run_next(rein_job *job)
{
    struct jobs *is = CONTAINER_OF(job, struct jobs, next);
    is->runs++;
}

static void fork_before_next(rein_job *job)
{
    struct jobs *is = CONTAINER_OF(job, struct jobs, forks);
    if (is->executor)
        ck_assert_int_eq(rein_post(is->executor, &is->next), 0);
    is->child = child_fork();
    if (is->child == 0)
        child_begin();
}

/* A serial executor's job that forks is the last that it runs in the child. */
CASE(fork_in_a_serial_job_runs_no_other_in_the_child, "EXEC-16", "P-FORK")
{
    struct jobs is = {.forks.run = fork_before_next, .next.run = run_next};
    is.executor = rein_serial_new(rein_inline_executor());
    if (!is.executor)
        return;
    ck_assert_int_eq(rein_post(is.executor, &is.forks), 0);
    if (is.child == 0)
        _exit(is.runs);
    child_join(is.child);
    ck_assert_int_eq(is.runs, 1);
    rein_serial_free(is.executor);
}

/* And so is a loop's. */
CASE(fork_in_a_loop_s_job_runs_no_other_in_the_child, "EXEC-16", "P-LOOP", "P-FORK")
{
    struct jobs is = {.forks.run = fork_before_next, .next.run = run_next};
    rein_loop *loop;
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    ck_assert_int_eq(rein_post(rein_loop_executor(loop), &is.forks), 0);
    ck_assert_int_eq(rein_post(rein_loop_executor(loop), &is.next), 0);
    rein_loop_run(loop);
    if (is.child == 0)
        _exit(is.runs);
    child_join(is.child);
    ck_assert_int_eq(is.runs, 1);
    rein_loop_free(loop);
}

struct alarmed {
    int go[2];
    pid_t child;
};

static void fork_and_return_late(const rein_ctx *ctx, void *arg)
{
    struct alarmed *is = arg;
    char byte;
    (void)ctx;
    is->child = child_fork();
    if (is->child == 0) {
        child_begin();
        REQUIRE(read(is->go[0], &byte, 1) == 1); /* the parent has set its alarm by now */
    }
}

/* The loop's alarm is the parent's too: a callback on the loop that returns in the child leaves
 * it. */
CASE(fork_on_a_loop_leaves_the_parent_s_deadlines, "EXEC-16", "P-LOOP", "P-FORK")
{
    struct alarmed is;
    rein_loop *loop;
    rein_callback forks;
    ck_assert_int_eq(pipe(is.go), 0);
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    struct pollfd fd = {.fd = rein_loop_fd(loop), .events = POLLIN};
    is.child = -1;
    rein_ctx *soon = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    rein_ctx *later = rein_with_timeout(rein_background(), 300 * REIN_MILLISECOND);
    ck_assert(rein_callback_add(soon, &forks, fork_and_return_late, &is));
    while (is.child < 0) {
        ck_assert_int_eq(poll(&fd, 1, -1), 1);
        rein_loop_run(loop);
    }
    if (is.child == 0)
        _exit(0);
    ck_assert_int_eq((int)write(is.go[1], "x", 1), 1);
    child_join(is.child);
    while (!rein_done(later)) {
        ck_assert_int_eq(poll(&fd, 1, 10000), 1);
        rein_loop_run(loop);
    }
    rein_callback_remove(&forks);
    rein_end(later);
    rein_end(soon);
    rein_loop_free(loop);
    close(is.go[0]);
    close(is.go[1]);
}
