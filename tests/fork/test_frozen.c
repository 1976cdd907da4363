/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/fork/test_frozen.c: what the child of a fork can do with the contexts it inherited. */
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <rein.h>
#include <string.h>

#include "base/fault_control.h"
#include "child.h"
#include "expect.h"
#include "hold.h"
#include "race.h"
#include "suite.h"

REIN_KEY_DECLARE(number, int)
REIN_KEY_DEFINE(number, int)
REIN_KEY_DECLARE_STRING(word)
REIN_KEY_DEFINE_STRING(word)

static const rein_reason left = REIN_REASON_INIT(-7, "client left");
static const rein_reason late = REIN_REASON_INIT(-8, "too late");

/* ---- reading ---- */

struct reading {
    const rein_ctx *live, *ended, *deep;
    rein_time deadline;
};

static void read_all(void *arg)
{
    const struct reading *is = arg;
    char text[200];
    struct rein_event event;
    rein_time deadline = {0};
    REQUIRE(rein_err(is->live) == 0 && rein_check(is->live) == 0);
    REQUIRE(rein_cause(is->live)->code == 0);
    REQUIRE(rein_deadline(is->live, &deadline) && deadline.ns == is->deadline.ns);
    REQUIRE(rein_remaining(is->live) > REIN_MINUTE);
    REQUIRE(number_of(is->live, 0) == 42);
    REQUIRE(strcmp(word_of(is->deep, NULL), "deep") == 0 && number_of(is->deep, 0) == 42);
    REQUIRE(!rein_event(is->live, &event));
    REQUIRE(rein_err(is->ended) == -ECANCELED && rein_cause(is->ended) == &left);
    REQUIRE(rein_event(is->ended, &event) && event.cause == &left && event.err == -ECANCELED);
    REQUIRE(rein_explain(is->ended, text, sizeof text) > 0 && strstr(text, "client left"));
    REQUIRE(rein_describe(is->deep, text, sizeof text) > 0 && strstr(text, ".WithValue(word)"));
}

/* err, cause, event, deadline, values and names are read as they were at the fork. */
CASE(fork_inherited_contexts_are_readable, "EXEC-16", "P-FORK")
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    struct reading is = {.live = number_with(ctx, 42)};
    rein_ctx *inner = rein_with_cancel(is.live), *ended = rein_with_cancel(is.live);
    is.deep = word_with(inner, "deep");
    is.ended = ended;
    rein_cancel_cause(ended, &left);
    ck_assert(rein_deadline(ctx, &is.deadline));
    in_child(read_all, &is);
    rein_unref(is.deep);
    rein_end(ended);
    rein_end(inner);
    rein_unref(is.live);
    rein_end(ctx);
}

/* A lookup deep in a line, whose index the parent had not made yet, is answered in the child. */
static void look_up_deep(void *arg)
{
    const rein_ctx *leaf = arg;
    REQUIRE(number_of(leaf, -1) == 63);
    REQUIRE(word_of(leaf, NULL) == NULL && !rein_has_value(leaf, &word_key));
}

CASE(fork_deep_values_are_readable, "CTX-88", "P-FORK")
{
    enum { DEEP = 64 };
    const rein_ctx *line[DEEP + 1] = {rein_background()};
    for (int i = 0; i < DEEP; i++)
        line[i + 1] = number_with(line[i], i);
    in_child(look_up_deep, (void *)(uintptr_t)line[DEEP]);
    for (int i = DEEP; i > 0; i--)
        rein_unref(line[i]);
}

/* What the parent process does afterwards is not seen, and what the child does does not get out. */
struct apart {
    rein_ctx *ctx;
    int from_parent, to_parent;
};

static void end_apart(void *arg)
{
    struct apart *apart = arg;
    char byte;
    REQUIRE(read(apart->from_parent, &byte, 1) == 1); /* the parent has cancelled its own by now */
    REQUIRE(rein_err(apart->ctx) == 0);
    rein_cancel_cause(apart->ctx, &left);
    REQUIRE(rein_err(apart->ctx) == -ECANCELED && rein_cause(apart->ctx) == &left);
}

CASE(fork_neither_process_sees_the_other_s_end, "EXEC-16", "P-FORK")
{
    int go[2];
    ck_assert_int_eq(pipe(go), 0);
    rein_ctx *other = rein_with_cancel(rein_background()), *ctx = rein_with_cancel(other);
    struct apart apart = {.ctx = ctx, .from_parent = go[0]};
    pid_t child = child_start(end_apart, &apart);
    rein_cancel_cause(other, &late);
    ck_assert_int_eq((int)write(go[1], "x", 1), 1);
    child_join(child);
    expect_end(ctx, -ECANCELED, &late);
    close(go[0]);
    close(go[1]);
    rein_end(ctx);
    rein_end(other);
}

/* ---- deriving ---- */

static void derive_all(void *arg)
{
    const struct reading *is = arg;
    rein_time when;
    rein_ctx *child = rein_with_cancel(is->live);
    REQUIRE(rein_err(child) == 0 && number_of(child, 0) == 42);
    REQUIRE(rein_deadline(child, &when) && when.ns == is->deadline.ns);
    rein_ctx *below = rein_with_timeout(child, REIN_MINUTE);
    REQUIRE(rein_err(below) == 0 && rein_remaining(below) <= REIN_MINUTE);
    rein_cancel_cause(child, &late);
    REQUIRE(rein_err(below) == -ECANCELED && rein_cause(below) == &late);
    REQUIRE(rein_err(is->live) == 0);
    rein_end(below);
    rein_end(child);
    rein_ctx *born = rein_with_cancel(is->ended);
    REQUIRE(rein_err(born) == -ECANCELED && rein_cause(born) == &left);
    rein_end(born);
    rein_ctx *both = rein_merge(is->live, is->deep);
    REQUIRE(rein_err(both) == 0 && number_of(both, 0) == 42);
    rein_end(both);
    both = rein_merge(is->live, is->ended);
    REQUIRE(rein_err(both) == -ECANCELED && rein_cause(both) == &left);
    rein_end(both);
    rein_ctx *off = rein_detach(is->live, rein_background(), REIN_MINUTE);
    REQUIRE(rein_err(off) == 0 && number_of(off, 0) == 42 && rein_remaining(off) <= REIN_MINUTE);
    rein_end(off);
    const rein_ctx *free_of = rein_without_cancel(is->ended);
    REQUIRE(rein_err(free_of) == 0 && number_of(free_of, 0) == 42 &&
            !rein_deadline(free_of, &when));
    rein_unref(free_of);
    const rein_ctx *bound = number_with(is->ended, 43);
    REQUIRE(rein_err(bound) == -ECANCELED && number_of(bound, 0) == 43);
    rein_unref(bound);
    REQUIRE(rein_quiesce() == 0);
}

/* Deriving copies err and deadline, sees the values and links to nothing; what is derived works. */
CASE(fork_deriving_from_the_inherited_works, "EXEC-16", "CTX-51", "P-FORK")
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    struct reading is = {.live = number_with(ctx, 42)};
    rein_ctx *ended = rein_with_cancel(is.live);
    is.deep = word_with(is.live, "deep");
    is.ended = ended;
    rein_cancel_cause(ended, &left);
    ck_assert(rein_deadline(ctx, &is.deadline));
    in_child(derive_all, &is);
    rein_unref(is.deep);
    rein_end(ended);
    rein_unref(is.live);
    rein_end(ctx);
}

/* ---- giving back ---- */

struct tree {
    rein_ctx *top, *timed, *leaf;
    const rein_ctx *value;
};

static void give_back(void *arg)
{
    struct tree *tree = arg;
    rein_unref(tree->value);
    rein_end(tree->leaf);
    rein_end(tree->timed);
    rein_end(tree->top);
    REQUIRE(rein_quiesce() == 0);
}

/* An inherited tree is given back in the child as anywhere; the parent's own is not touched. */
CASE(fork_inherited_trees_can_be_given_back, "EXEC-16", "P-FORK")
{
    struct tree tree = {.top = rein_with_cancel(rein_background())};
    tree.timed = rein_with_timeout(tree.top, REIN_HOUR);
    tree.leaf = rein_with_cancel(tree.timed);
    tree.value = number_with(tree.leaf, 1);
    in_child(give_back, &tree);
    expect_live(tree.value);
    rein_cancel_cause(tree.top, &left);
    expect_end(tree.value, -ECANCELED, &left);
    give_back(&tree);
}

/* ---- deadlines ---- */

struct blocked {
    const rein_ctx *ctx;
    int ready[2];
};

static void block_under(void *arg)
{
    struct blocked *is = arg;
    struct pollfd fd = {.fd = is->ready[0], .events = POLLIN};
    REQUIRE(rein_poll(is->ctx, &fd, 1) == -ETIMEDOUT);
    REQUIRE(rein_wait(is->ctx) == -ETIMEDOUT);
    REQUIRE(rein_err(is->ctx) == -ETIMEDOUT && rein_cause(is->ctx) == &late);
    REQUIRE(rein_sleep(is->ctx, REIN_HOUR) == -ETIMEDOUT);
}

static void block_below(void *arg)
{
    struct blocked *is = arg;
    rein_ctx *own = rein_with_cancel(is->ctx);
    REQUIRE(rein_sleep(own, REIN_HOUR) == -ETIMEDOUT);
    REQUIRE(rein_err(own) == -ETIMEDOUT);
    rein_end(own);
    REQUIRE(rein_quiesce() == 0);
}

static void block_by_descriptor(void *arg)
{
    struct blocked *is = arg;
    struct pollfd fd = {.events = POLLIN};
    REQUIRE(rein_done_fd(is->ctx, &fd.fd) == 0 && fd.fd >= 0);
    REQUIRE(poll(&fd, 1, -1) == 1 && rein_check(is->ctx) == -ETIMEDOUT);
}

static void with_short_deadline(void (*fn)(void *arg))
{
    struct blocked is;
    ck_assert_int_eq(pipe(is.ready), 0);
    rein_ctx *ctx = rein_with_timeout_cause(rein_background(), 100 * REIN_MILLISECOND, &late);
    rein_ctx *inner = rein_with_cancel(ctx);
    is.ctx = number_with(inner, 1);
    in_child(fn, &is);
    rein_unref(is.ctx);
    rein_end(inner);
    rein_end(ctx);
    close(is.ready[0]);
    close(is.ready[1]);
}

/* An inherited deadline ends blocking calls under the context itself, with its own cause. */
CASE(fork_inherited_deadline_ends_blocking_calls, "EXEC-16", "CTX-52", "P-FORK")
{
    with_short_deadline(block_under);
}

/* It ends contexts derived in the child. */
CASE(fork_inherited_deadline_ends_what_is_derived, "EXEC-16", "CTX-51", "P-FORK")
{
    with_short_deadline(block_below);
}

/* It makes the descriptor readable that the child asks for. */
CASE(fork_inherited_deadline_makes_the_descriptor_readable, "EXEC-16", "P-FORK")
{
    with_short_deadline(block_by_descriptor);
}

static void forks(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    pid_t *child = arg;
    *child = child_fork();
}

/* A child that is forked by a callback of its own loop returns from that to a clock that is
 * idle. */
CASE(fork_by_a_callback_of_the_loop, "EXEC-16", "P-FORK")
{
    rein_loop *loop;
    rein_callback callback;
    pid_t child = -1;
    ck_assert_int_eq(rein_loop_new(&loop), 0);
    ck_assert_int_eq(rein_loop_keep_time(loop), 0);
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    ck_assert(rein_callback_add(ctx, &callback, forks, &child));
    while (child == -1)
        rein_loop_run(loop);
    if (child == 0) {
        child_begin();
        REQUIRE(rein_quiesce() == 0);
        _exit(0);
    }
    child_join(child);
    rein_end(ctx);
    rein_loop_free(loop);
}

/* ---- descriptors ---- */

static void own_descriptor(void *arg)
{
    struct reading *is = arg;
    int fd, again;
    REQUIRE(rein_done_fd(is->ended, &fd) == 0 && fd >= 0);
    REQUIRE(rein_done_fd(is->ended, &again) == 0 && again == fd);
    REQUIRE(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) == 1);
    /* Of the one that can only end in the child, err and descriptor agree. */
    REQUIRE(rein_done_fd(is->live, &fd) == 0);
    REQUIRE(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) == 0);
}

/* In the child an inherited context has a descriptor of its own, never the parent's. */
CASE(fork_child_has_its_own_done_descriptor, "EXEC-16", "P-FORK")
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR), *ended = rein_with_cancel(ctx);
    int fd;
    ck_assert_int_eq(rein_done_fd(ctx, &fd), 0);
    rein_cancel(ended);
    in_child(own_descriptor, &(struct reading){.live = ctx, .ended = ended});
    rein_end(ended);
    rein_end(ctx);
}

static void cancel_after_asking(void *arg)
{
    rein_ctx *ctx = arg;
    struct pollfd fd = {.events = POLLIN};
    REQUIRE(rein_done_fd(ctx, &fd.fd) == 0 && fd.fd >= 0);
    rein_cancel(ctx);
    REQUIRE(rein_err(ctx) == -ECANCELED);
    REQUIRE(poll(&fd, 1, 0) == 1);
}

/* Also in the child, a context that the child cancels has fired by the time err is set. */
CASE(fork_descriptor_and_err_agree_after_a_cancel_in_the_child, "CTX-4", "P-FORK")
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    in_child(cancel_after_asking, ctx);
    rein_end(ctx);
}

static void read_descriptor(void *arg)
{
    rein_ctx *ctx = arg;
    size_t before = suite_descriptors();
    struct pollfd fd = {.events = POLLIN};
    REQUIRE(rein_done_fd(ctx, &fd.fd) == 0);
    for (int i = 0; i < 3; i++) {
        char bytes[8];
        REQUIRE(poll(&fd, 1, -1) == 1);
        ssize_t ignored = read(fd.fd, bytes, sizeof bytes);
        (void)ignored;
    }
    REQUIRE(poll(&fd, 1, 0) == 1 && rein_check(ctx) == -ETIMEDOUT && poll(&fd, 1, 0) == 1);
    rein_end(ctx);
    REQUIRE(suite_descriptors() == before);
}

static void read_cancelled(void *arg)
{
    rein_ctx *ctx = arg;
    struct pollfd fd = {.events = POLLIN};
    char bytes[8];
    REQUIRE(rein_done_fd(ctx, &fd.fd) == 0 && poll(&fd, 1, 0) == 0);
    rein_cancel(ctx);
    ssize_t ignored = read(fd.fd, bytes, sizeof bytes);
    (void)ignored;
    REQUIRE(poll(&fd, 1, 0) == 1);
}

/* As any other, the child's descriptor stays readable when it is read. */
CASE(fork_reading_does_not_drain_the_descriptor, "CTX-4", "P-FORK")
{
    rein_ctx *soon = rein_with_timeout(rein_background(), 50 * REIN_MILLISECOND);
    rein_ctx *later = rein_with_timeout(rein_background(), REIN_HOUR);
    in_child(read_descriptor, soon);
    in_child(read_cancelled, later);
    rein_end(later);
    rein_end(soon);
}

static void make_and_fork(void *arg)
{
    struct pollfd fd = {.events = POLLIN};
    REQUIRE(rein_done_fd(arg, &fd.fd) == 0);
    pid_t child = child_fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        struct pollfd its = {.events = POLLIN};
        REQUIRE(rein_done_fd(arg, &its.fd) == 0 && its.fd != fd.fd);
        rein_cancel(arg);
        REQUIRE(poll(&its, 1, 0) == 1);
        _exit(0);
    }
    int status;
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
    REQUIRE(poll(&fd, 1, 0) == 0 && rein_err(arg) == 0);
}

/* One that was made in a child is not the child's child's. */
CASE(fork_of_a_fork_has_its_own_done_descriptor, "EXEC-16", "P-FORK")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    in_child(make_and_fork, ctx);
    rein_end(ctx);
}

/* ---- callbacks ---- */

struct registered {
    rein_ctx *ctx;
    rein_after after;
    rein_callback callback;
    int runs;
};

static void count_run(const rein_ctx *ctx, void *arg)
{
    (void)ctx;
    ((struct registered *)arg)->runs++;
}

static void cancel_and_leave(void *arg)
{
    struct registered *is = arg;
    rein_cancel(is->ctx);
    rein_end(is->ctx);
    REQUIRE(rein_quiesce() == 0);
    REQUIRE(is->runs == 0);
}

static void stop_and_go_on(void *arg)
{
    struct registered *is = arg;
    REQUIRE(rein_callback_remove(&is->callback) && !rein_callback_remove(&is->callback));
    REQUIRE(rein_after_stop(&is->after) && !rein_after_stop_wait(&is->after));
    REQUIRE(rein_quiesce() == 0);
    /* The pool of the child is as good as new. */
    rein_ctx *ctx = rein_with_cancel(rein_background());
    REQUIRE(rein_after_func(ctx, &is->after, NULL, count_run, is) == 0);
    rein_cancel(ctx);
    REQUIRE(!rein_after_stop_wait(&is->after) && is->runs == 1);
    rein_end(ctx);
    REQUIRE(rein_quiesce() == 0);
    REQUIRE(is->runs == 1);
}

static void with_registrations(void (*fn)(void *arg))
{
    struct registered is = {.ctx = rein_with_cancel(rein_background())};
    ck_assert_int_eq(rein_after_func(is.ctx, &is.after, NULL, count_run, &is), 0);
    ck_assert(rein_callback_add(is.ctx, &is.callback, count_run, &is));
    in_child(fn, &is);
    ck_assert_int_eq(is.runs, 0);
    ck_assert(rein_after_stop(&is.after));
    ck_assert(rein_callback_remove(&is.callback));
    rein_end(is.ctx);
}

/* Callbacks that were registered before the fork never run in the child. */
CASE(fork_inherited_callbacks_never_run, "EXEC-16", "P-FORK")
{
    with_registrations(cancel_and_leave);
}

/* Taking them back is allowed, and leaves the child's own pool in order. */
CASE(fork_inherited_callbacks_can_be_taken_back, "EXEC-16", "CTX-66", "P-FORK")
{
    with_registrations(stop_and_go_on);
}

/* The same for one that was running on another thread of the parent's: nobody is there to wait
 * for. */
struct running {
    rein_ctx *ctx;
    rein_after after;
    rein_callback callback;
    struct race_flag begun, go_on;
};

static void run_until_told(const rein_ctx *ctx, void *arg)
{
    struct running *is = arg;
    (void)ctx;
    race_set(&is->begun);
    race_await(&is->go_on);
}

static void cancel_running(void *arg)
{
    struct running *is = arg;
    rein_cancel(is->ctx);
}

static void stop_running(void *arg)
{
    REQUIRE(!rein_after_stop_wait(&((struct running *)arg)->after));
}

static void remove_running(void *arg)
{
    REQUIRE(!rein_callback_remove(&((struct running *)arg)->callback));
}

CASE(fork_stop_wait_of_a_running_after_func_does_not_hang, "EXEC-16", "CTX-68", "P-FORK")
{
    struct running is = {.ctx = rein_with_cancel(rein_background())};
    ck_assert_int_eq(rein_after_func(is.ctx, &is.after, NULL, run_until_told, &is), 0);
    rein_cancel(is.ctx);
    race_await(&is.begun);
    pid_t child = child_start(stop_running, &is);
    race_set(&is.go_on);
    ck_assert(!rein_after_stop_wait(&is.after));
    rein_end(is.ctx);
    child_join(child);
}

/* And for a callback, on the stack of a canceller that is not in the child. */
CASE(fork_removal_of_a_running_callback_does_not_hang, "EXEC-16", "P-FORK")
{
    struct running is = {.ctx = rein_with_cancel(rein_background())};
    struct race_thread canceller;
    ck_assert(rein_callback_add(is.ctx, &is.callback, run_until_told, &is));
    race_thread_start(&canceller, 0, cancel_running, &is);
    race_await(&is.begun);
    pid_t child = child_start(remove_running, &is);
    race_set(&is.go_on);
    race_thread_join(&canceller);
    ck_assert(!rein_callback_remove(&is.callback));
    rein_end(is.ctx);
    child_join(child);
}

/* ---- new trees ---- */

static void begin_anew(void *arg)
{
    struct registered *is = arg;
    rein_ctx *ctx = rein_with_timeout_cause(rein_background(), 20 * REIN_MILLISECOND, &late);
    rein_ctx *child = rein_with_cancel(ctx);
    REQUIRE(rein_after_func(child, &is->after, NULL, count_run, is) == 0);
    REQUIRE(rein_wait(child) == -ETIMEDOUT && rein_cause(child) == &late);
    REQUIRE(rein_quiesce() == 0);
    REQUIRE(!rein_after_stop_wait(&is->after) && is->runs == 1);
    rein_end(child);
    rein_end(ctx);
    rein_loop *loop;
    REQUIRE(rein_loop_new(&loop) == 0 && rein_loop_keep_time(loop) == 0);
    rein_loop_free(loop);
}

/* New trees from the roots work fully in the child: timers, after-funcs, loops, though the parent's
 * keeper and pool were running. */
CASE(fork_new_trees_work_fully, "EXEC-16", "P-FORK")
{
    struct registered is = {0};
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    ck_assert_int_eq(rein_after_func(ctx, &is.after, NULL, count_run, &is), 0);
    struct registered fresh = {0};
    in_child(begin_anew, &fresh);
    ck_assert(rein_after_stop(&is.after));
    rein_end(ctx);
}

/* A child of a child: what the first made is frozen in the second. */
static void fork_again(void *arg)
{
    rein_ctx *own = rein_with_timeout(arg, 50 * REIN_MILLISECOND);
    pid_t child = child_fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        child_begin();
        REQUIRE(rein_wait(own) == -ETIMEDOUT && rein_err(arg) == 0);
        rein_end(own);
        rein_end(arg);
        _exit(0);
    }
    int status;
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
    rein_end(own);
}

CASE(fork_of_a_fork, "EXEC-16", "P-FORK")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    in_child(fork_again, ctx);
    rein_end(ctx);
}

/* Memory may be short in the child too: then what is derived is the failed context. */
static void derive_without_memory(void *arg)
{
    reini_fault_fail_nth(1);
    rein_ctx *ctx = rein_with_cancel(arg);
    REQUIRE(rein_err(ctx) == -ECANCELED && rein_cause(ctx)->code == -ENOMEM);
    rein_end(ctx);
}

CASE(fork_without_memory_in_the_child, "CTX-96", "P-FORK")
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    in_child(derive_without_memory, ctx);
    rein_end(ctx);
}

/* The child's descriptors are its own: what rein keeps for reuse in the parent is closed there. */
static void count_descriptors(void *arg)
{
    REQUIRE(suite_descriptors() <= *(size_t *)arg);
}

CASE(fork_kept_descriptors_are_not_inherited, "EXEC-16", "P-FORK")
{
    size_t before = suite_descriptors();
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq((int)write(ends[1], "x", 1), 1);
    struct pollfd fd = {.fd = ends[0], .events = POLLIN};
    ck_assert_int_eq(rein_poll(ctx, &fd, 1), 1); /* leaves one for the next poll to be woken by */
    size_t most = before + 2;
    in_child(count_descriptors, &most);
    close(ends[0]);
    close(ends[1]);
    rein_end(ctx);
}

static void look_at_standard_input(void *unused)
{
    (void)unused;
    REQUIRE(fcntl(0, F_GETFD) >= 0);
}

static void poll_once(void *arg)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq((int)write(ends[1], "x", 1), 1);
    ck_assert_int_eq(rein_poll(arg, &(struct pollfd){.fd = ends[0], .events = POLLIN}, 1), 1);
    close(ends[0]);
    close(ends[1]);
}

/* While a thread is putting one away, no descriptor of the program's is taken for it. */
CASE(fork_while_a_descriptor_is_put_away, "EXEC-16", "P-FORK")
{
    struct race_thread poller;
    struct hold hold = {.step = "event-kept"};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    hold_set(&hold);
    race_thread_start(&poller, 0, poll_once, ctx);
    hold_await(&hold);
    in_child(look_at_standard_input, NULL);
    hold_release(&hold);
    race_thread_join(&poller);
    hold_clear();
    rein_end(ctx);
}
