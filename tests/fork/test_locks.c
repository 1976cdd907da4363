/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/fork/test_locks.c: forks at the worst moments: while a lock is held, in the middle of a
 * mark. The moment is made by hand, so each of these is certain. */
#include <rein.h>
#include <rein/testing.h>

#include "base/fault_control.h"
#include "call.h"
#include "child.h"
#include "core/node.h"
#include "expect.h"
#include "hold.h"
#include "race.h"
#include "shards.h"
#include "suite.h"

REIN_KEY_DECLARE(number, int)
REIN_KEY_DEFINE(number, int)

struct line {
    rein_ctx *top, *middle, *leaf;
    const rein_ctx *value;
    rein_callback callback;
    rein_after after;
};

static void line_make(struct line *line)
{
    line->top = rein_with_cancel(rein_background());
    line->middle = rein_with_timeout(line->top, REIN_HOUR);
    line->leaf = rein_with_cancel(line->middle);
    line->value = number_with(line->leaf, 5);
}

static void line_end(struct line *line)
{
    rein_unref(line->value);
    rein_end(line->leaf);
    rein_end(line->middle);
    rein_end(line->top);
}

/* ---- node locks ---- */

static void use_locked(void *arg)
{
    struct line *line = arg;
    int fd;
    REQUIRE(rein_err(line->value) == 0 && rein_check(line->value) == 0 &&
            number_of(line->value, 0) == 5);
    rein_ctx *own = rein_with_timeout(line->value, REIN_MINUTE);
    REQUIRE(rein_err(own) == 0);
    rein_end(own);
    own = rein_merge(line->leaf, line->top);
    REQUIRE(rein_err(own) == 0);
    rein_end(own);
    REQUIRE(rein_done_fd(line->value, &fd) == 0);
    struct rein_callback callback;
    REQUIRE(rein_callback_add(line->leaf, &callback, do_nothing, NULL));
    REQUIRE(rein_callback_remove(&callback));
    REQUIRE(rein_callback_remove(&line->callback));
    REQUIRE(rein_after_stop_wait(&line->after));
    rein_cancel(line->middle);
    REQUIRE(rein_err(line->middle) == -ECANCELED);
    line_end(line);
    REQUIRE(rein_quiesce() == 0);
}

/* With every node's lock held at the fork, the child reads, derives, registers, cancels and gives
 * back without waiting for one. */
CASE(fork_with_every_node_locked, "EXEC-16", "P-FORK")
{
    struct line line;
    line_make(&line);
    ck_assert(rein_callback_add(line.leaf, &line.callback, do_nothing, NULL));
    ck_assert_int_eq(rein_after_func(line.leaf, &line.after, NULL, do_nothing, NULL), 0);
    struct node *nodes[] = {node_of(ctx_of(line.top)), node_of(ctx_of(line.middle)),
                            node_of(ctx_of(line.leaf))};
    for (int i = 0; i < 3; i++)
        nodes[i]->mu.word = 1;
    pid_t child = child_start(use_locked, &line);
    for (int i = 0; i < 3; i++)
        nodes[i]->mu.word = 0;
    child_join(child);
    ck_assert(rein_callback_remove(&line.callback));
    ck_assert(rein_after_stop(&line.after));
    line_end(&line);
}

/* ---- other locks ---- */

static void lock_all(struct reini_clock *clock) UNCHECKED_LOCKING
{
    mutex_lock(&clock->mu);
    for (int i = 0; i < clock->shard_count; i++)
        mutex_lock(&clock->shards[i]->mu);
}

static void unlock_all(struct reini_clock *clock) UNCHECKED_LOCKING
{
    for (int i = 0; i < clock->shard_count; i++)
        mutex_unlock(&clock->shards[i]->mu);
    mutex_unlock(&clock->mu);
}

static void use_timers(void *arg)
{
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        shards_go_to(shard);
        rein_ctx *ctx = rein_with_timeout(arg, 10 * REIN_MILLISECOND);
        while (rein_err(ctx) == 0) /* by the child's own keeper, not by who waits */
            suite_yield();
        REQUIRE(rein_err(ctx) == -ETIMEDOUT);
        rein_end(ctx);
    }
    REQUIRE(rein_quiesce() == 0);
}

/* With all locks of the real clock held, the child's timers work, in each of its shards. */
CASE(fork_with_the_clock_locked, "EXEC-16", "P-FORK")
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_HOUR);
    lock_all(&reini_real_clock);
    pid_t child = child_start(use_timers, ctx);
    unlock_all(&reini_real_clock);
    child_join(child);
    rein_end(ctx);
}

static void use_virtual(void *arg)
{
    const rein_ctx *root = arg;
    rein_ctx *ctx = rein_with_timeout(root, REIN_SECOND);
    REQUIRE(rein_err(ctx) == 0);
    rein_cancel(ctx);
    rein_end(ctx);
    rein_clock *fresh = rein_clock_new();
    REQUIRE(fresh);
    ctx = rein_with_timeout(rein_clock_root(fresh), REIN_SECOND);
    rein_clock_advance(fresh, REIN_SECOND);
    REQUIRE(rein_err(ctx) == -ETIMEDOUT);
    rein_end(ctx);
    rein_clock_free(fresh);
}

/* With a virtual clock's locks held, the child may derive under it, and make clocks of its own. */
CASE(fork_with_a_virtual_clock_locked, "EXEC-16", "P-FORK")
{
    rein_clock *clock = rein_clock_new();
    const rein_ctx *root = rein_clock_root(clock);
    lock_all(clock_of(ctx_of(root)));
    pid_t child = child_start(use_virtual, (void *)(uintptr_t)root);
    unlock_all(clock_of(ctx_of(root)));
    child_join(child);
    rein_clock_free(clock);
}

/* ---- half of a mark ---- */

static void end_half_marked(void *arg)
{
    struct line *line = arg;
    rein_cancel(line->leaf);
    REQUIRE(rein_err(line->leaf) == -ECANCELED && rein_err(line->value) == -ECANCELED);
    REQUIRE(rein_cause(line->value) != NULL);
    line_end(line);
}

static void end_it(void *arg)
{
    rein_end(arg);
    REQUIRE(rein_quiesce() == 0);
}

/* Of a record that was being written, the child believes nothing: not that there is a reason. */
CASE(fork_in_the_middle_of_a_record, "EXEC-16", "CTX-42", "P-FORK")
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    struct node *node = node_of(ctx_of(ctx));
    node->dep.ended = ENDED_HERE;
    node->reason = (const rein_reason *)(const void *)"not a reason at all";
    pid_t child = child_start(end_it, ctx);
    node->dep.ended = NOT_ENDED;
    node->reason = NULL;
    child_join(child);
    rein_end(ctx);
}

/* The canceller had begun to write its record, but err was not set yet: the child can still end
 * it. */
CASE(fork_before_a_mark_is_published, "EXEC-16", "CTX-42", "P-FORK")
{
    struct line line;
    line_make(&line);
    struct node *node = node_of(ctx_of(line.leaf));
    node->dep.ended = ENDED_HERE;
    pid_t child = child_start(end_half_marked, &line);
    node->dep.ended = NOT_ENDED;
    child_join(child);
    line_end(&line);
}

static void wait_half_marked(void *arg)
{
    struct line *line = arg;
    REQUIRE(rein_wait(line->leaf) == -ETIMEDOUT);
    REQUIRE(rein_err(line->leaf) == -ETIMEDOUT);
}

/* And neither does a blocking call under an inherited deadline spin for ever on such a one. */
CASE(fork_before_an_expiry_is_published, "EXEC-16", "P-FORK")
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), 100 * REIN_MILLISECOND);
    struct line line = {.leaf = ctx};
    struct node *node = node_of(ctx_of(ctx));
    mutex_lock(&node->mu); /* so that nobody here marks it meanwhile */
    node->dep.ended = ENDED_HERE;
    pid_t child = child_start(wait_half_marked, &line);
    node->dep.ended = NOT_ENDED;
    mutex_unlock(&node->mu);
    child_join(child);
    rein_end(ctx);
}

static void cancel_top(void *arg)
{
    rein_cancel(((struct line *)arg)->top);
}

static void finish_the_tree(void *arg)
{
    struct line *line = arg;
    REQUIRE(rein_err(line->top) == -ECANCELED);
    rein_cancel(line->top); /* the one who was marking is not there to wait for */
    rein_cancel(line->leaf);
    rein_ctx *own = rein_with_cancel(line->value);
    REQUIRE(rein_err(own) == -ECANCELED);
    rein_end(own);
    line_end(line);
    REQUIRE(rein_quiesce() == 0);
}

/* In the middle of a walk, when the top is marked and the leaf is not, nobody waits for its end. */
CASE(fork_in_the_middle_of_a_walk, "EXEC-16", "CTX-15", "P-FORK")
{
    struct line line;
    struct race_thread canceller;
    struct hold hold = {.step = "marked-top"};
    line_make(&line);
    hold_set(&hold);
    race_thread_start(&canceller, 0, cancel_top, &line);
    hold_await(&hold);
    in_child(finish_the_tree, &line);
    hold_release(&hold);
    race_thread_join(&canceller);
    hold_clear();
    expect_canceled(line.value);
    line_end(&line);
}

/* ---- a striped node that is being ended ---- */

static void count_value(void *count)
{
    ++*(int *)count;
}

static const rein_key counted_key = {"counted", REIN_VALUE_OWNED, 0, count_value, NULL,
                                     {NULL, NULL}};

struct striped {
    rein_ctx *parent, *child;
    int gone; /* how often the parent's memory went */
};

static void end_striped(void *arg)
{
    struct striped *is = arg;
    REQUIRE(rein_err(is->parent) == -ECANCELED);
    rein_end(is->child);
    REQUIRE(is->gone == 0);
    rein_end(is->parent);
    REQUIRE(is->gone == 1);
}

static void cancel_striped(void *arg)
{
    rein_cancel(((struct striped *)arg)->parent);
}

/* The stripes whose lists the walk had not come to hold the parent no longer than its owner. */
CASE(fork_before_stripes_are_taken, "EXEC-16", "P-FORK", "P-SCALE")
{
    static const char *const steps[] = {"marked-top", "stripe-take", "pass"};
    for (int i = 0; i < 3; i++) {
        struct striped is = {.gone = 0};
        struct race_thread canceller;
        struct hold hold = {.step = steps[i]};
        const rein_ctx *value = rein_with_value(rein_background(), &counted_key, &is.gone);
        reini_fault_force_lists(FAULT_STRIPED);
        is.parent = rein_with_cancel(value);
        is.child = rein_with_cancel(is.parent);
        rein_unref(value);
        hold_set(&hold);
        race_thread_start(&canceller, 0, cancel_striped, &is);
        hold_await(&hold);
        in_child(end_striped, &is);
        hold_release(&hold);
        race_thread_join(&canceller);
        hold_clear();
        rein_end(is.child);
        rein_end(is.parent);
        ck_assert_int_eq(is.gone, 1);
    }
}

/* ---- a descriptor that is settling ---- */

static void read_settling(void *arg)
{
    rein_ctx *ctx = arg;
    REQUIRE(rein_err(ctx) == -ECANCELED);
    REQUIRE(rein_cause(ctx) != NULL);
    rein_end(ctx);
}

static void cancel_it(void *ctx)
{
    rein_cancel(ctx);
}

/* Between the descriptor being raised and err being set, the child answers without the lock. */
CASE(fork_while_a_descriptor_settles, "EXEC-16", "CTX-4", "P-FORK")
{
    int fd;
    struct race_thread canceller;
    struct hold hold = {.step = "settling"};
    rein_ctx *ctx = rein_with_cancel(rein_background());
    ck_assert_int_eq(rein_done_fd(ctx, &fd), 0);
    hold_set(&hold);
    race_thread_start(&canceller, 0, cancel_it, ctx);
    hold_await(&hold);
    in_child(read_settling, ctx);
    hold_release(&hold);
    race_thread_join(&canceller);
    hold_clear();
    rein_end(ctx);
}
