/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/cost/test_cost.c: what operations cost, where that can be counted: memory, and calls of the
 * system, all of which go through plat/plat.h. How long they take is the benchmarks' business. */
#include <poll.h>
#include <rein.h>
#include <rein/testing.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault_control.h"
#include "call.h"
#include "core/check.h"
#include "expect.h"
#include "plat/plat.h"
#include "race.h"
#include "suite.h"

/* ---- counting ---- */

struct count {
    int allocated, freed, system_calls;
};

static _Thread_local struct count count; /* of what this thread has asked for */

#define COUNTED(type, name, counter, parameters, arguments) \
    type __real_##name parameters;                          \
    type __wrap_##name parameters;                          \
    type __wrap_##name parameters                           \
    {                                                       \
        count.counter++;                                    \
        return __real_##name arguments;                     \
    }
COUNTED(void *, malloc, allocated, (size_t size), (size))
COUNTED(bool, reini_word_sleep, system_calls,
        (const uint32_t *word, uint32_t expected, int64_t until), (word, expected, until))
COUNTED(int, reini_thread_start, system_calls,
        (reini_thread *ret, const char *name, void (*run)(void *), void *arg),
        (ret, name, run, arg))
COUNTED(int, reini_event_open, system_calls, (bool sticky), (sticky))
COUNTED(int, reini_poll_until, system_calls, (struct pollfd *fds, size_t n, int64_t until),
        (fds, n, until))

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
    count.freed += memory != NULL;
    __real_free(memory);
}

void __real_reini_word_wake(const uint32_t *word, bool all);
void __wrap_reini_word_wake(const uint32_t *word, bool all);
void __wrap_reini_word_wake(const uint32_t *word, bool all)
{
    count.system_calls++;
    __real_reini_word_wake(word, all);
}

/* ---- what each operation allocates ---- */

REIN_KEY_DECLARE(number, int)
REIN_KEY_DEFINE(number, int)

static const rein_ctx *root;  /* of a virtual clock, so that no keeper is needed */
static rein_ctx *live, *also; /* below it */

static void just_ask(void)
{
    char text[200];
    rein_time deadline;
    struct rein_event event;
    (void)rein_err(live), (void)rein_done(live), (void)rein_check(live), (void)rein_cause(live);
    (void)rein_deadline(live, &deadline), (void)rein_remaining(live), (void)rein_now(live);
    (void)number_of(live, 0), (void)rein_event(live, &event);
    (void)rein_interrupted(rein_arg(live));
    rein_describe(live, text, sizeof text);
    rein_explain(live, text, sizeof text);
}

static void hold_roots(void)
{
    rein_unref(rein_ref(rein_background()));
    rein_unref(rein_ref(rein_todo()));
}

static void share(void)
{
    rein_unref(rein_ref(live));
    rein_end(rein_share(live));
}

static void make_cancel(void)
{
    rein_end(rein_with_cancel(live));
}

static void make_and_cancel(void)
{
    rein_ctx *ctx = rein_with_cancel(live);
    rein_cancel(ctx);
    rein_cancel(ctx);
    rein_end(ctx);
}

static void make_timeout(void)
{
    rein_end(rein_with_timeout(live, REIN_HOUR));
}

static void make_past(void)
{
    rein_end(rein_with_timeout(live, 0));
}

static void make_merged(void)
{
    rein_end(rein_merge(live, also));
}

static void make_detached(void)
{
    rein_end(rein_detach(live, root, REIN_HOUR));
}

static void make_without_cancel(void)
{
    rein_unref(rein_without_cancel(live));
}

static void make_value(void)
{
    const rein_ctx *value = number_with(live, 7);
    (void)number_of(value, 0);
    rein_unref(value);
}

static void make_foreign(void)
{
    rein_end(rein_foreign(live, NULL, NULL));
}

static void call_back(void)
{
    rein_callback callback;
    rein_after after;
    rein_callback_add(live, &callback, do_nothing, NULL);
    rein_callback_remove(&callback);
    if (rein_after_func(live, &after, rein_inline_executor(), do_nothing, NULL) == 0)
        rein_after_stop(&after);
}

static void wait_for_done(void)
{
    rein_ctx *ctx = rein_with_timeout(live, 0);
    rein_wait(ctx);
    rein_end(ctx);
}

static const struct {
    const char *name;
    void (*run)(void);
    int allocations;
} operations[] = {
    {"asking", just_ask, 0},
    {"holding a root", hold_roots, 0},
    {"sharing", share, 0},
    {"a callback", call_back, 0},
    {"a context", make_cancel, 1},
    {"one that is cancelled", make_and_cancel, 1},
    {"a timeout", make_timeout, 1},
    {"one that is over", make_past, 1},
    {"one that is waited for", wait_for_done, 1},
    {"a merged one", make_merged, 1},
    {"a detached one", make_detached, 1},
    {"one without cancel", make_without_cancel, 1},
    {"a value", make_value, 1},
    {"a foreign one", make_foreign, 1},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static void count_each(void (*look)(int operation, struct count spent))
{
    rein_clock *clock = rein_clock_new();
    root = rein_clock_root(clock);
    live = rein_with_cancel(root);
    also = rein_with_cancel(root);
    for (int i = 0; i < OPERATIONS; i++) {
        operations[i].run(); /* once before, for what a thread does the first time only */
        count = (struct count){.freed = 0};
        operations[i].run();
        look(i, count); /* a copy: Check allocates, too */
    }
    rein_end(also);
    rein_end(live);
    rein_clock_free(clock);
}

static void expect_allocations(int i, struct count spent)
{
    ck_assert_msg(spent.allocated == operations[i].allocations, "%s takes %d allocations, not %d",
                  operations[i].name, spent.allocated, operations[i].allocations);
    ck_assert_msg(spent.freed == spent.allocated, "%s gives %d of %d back", operations[i].name,
                  spent.freed, spent.allocated);
}

/* A context of whatever kind is one allocation, given back with it; all else is none. (Go's
 * ceilings are 3 for a value, 5 for a cancel, 8 and 12 for timeouts.) */
CASE(ctx_95_a_context_is_one_allocation, "CTX-95", "P-COST")
{
    reini_fault_force_lists(FAULT_BY_LOAD); /* stripes would be counted, too */
    count_each(expect_allocations);
}

static void expect_no_system_call(int i, struct count spent)
{
    ck_assert_msg(spent.system_calls == 0, "%s makes %d system calls", operations[i].name,
                  spent.system_calls);
}

/* And none of that makes a system call: no descriptor, no thread, nobody woken who does not
 * wait. */
CASE(cost_no_system_call_before_it_is_needed, "CTX-32", "P-COST")
{
    count_each(expect_no_system_call);
}

/* ---- waiting ---- */

enum { WAYS = 4 };

struct waiting {
    const rein_ctx *ctx;
    int way, fd, allocated, result;
};

static void wait_somehow(void *arg)
{
    struct waiting *is = arg;
    struct pollfd poller = {.fd = is->fd, .events = POLLIN};
    rein_case cases[] = {REIN_CASE_FD(is->fd, POLLIN), REIN_CASE_DONE(root),
                         REIN_CASE_AT(rein_in(root, REIN_HOUR))};
    count.allocated = 0;
    switch (is->way) {
    case 0: is->result = rein_wait(is->ctx); break;
    case 1: is->result = rein_sleep(is->ctx, REIN_HOUR); break;
    case 2: is->result = rein_poll(is->ctx, &poller, 1); break;
    case 3: is->result = rein_wait_any(is->ctx, cases, 3); break;
    }
    is->allocated = count.allocated;
}

static bool has_dependents(void *ctx)
{
    return reini_check_dependents(ctx) > 0;
}

/* No call that blocks needs memory, whatever it waits for: it lies in the caller's frame. */
CASE(cost_waiting_needs_no_memory, "P-NOMEMORY", "P-WAIT")
{
    int ends[2];
    reini_fault_force_lists(FAULT_BY_LOAD); /* the same */
    rein_clock *clock = rein_clock_new();
    root = rein_clock_root(clock);
    ck_assert_int_eq(pipe(ends), 0);
    for (int way = 0; way < WAYS; way++) {
        struct race_thread thread;
        rein_ctx *ctx = rein_with_cancel(root);
        struct waiting is = {.ctx = ctx, .way = way, .fd = ends[0]};
        race_thread_start(&thread, 0, wait_somehow, &is);
        suite_until(has_dependents, ctx);
        count.allocated = 0;
        rein_cancel(ctx);
        ck_assert_int_eq(count.allocated, 0);
        race_thread_join(&thread);
        ck_assert_int_eq(is.result, -ECANCELED);
        ck_assert_int_eq(is.allocated, 0);
        rein_end(ctx);
    }
    close(ends[0]);
    close(ends[1]);
    rein_clock_free(clock);
}
