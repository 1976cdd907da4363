/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/stress/stress.c: storms of random trees, held against a slow model.
 *
 *     stress [--seconds N] [--seed S] [--threads T]
 *
 * T threads derive, merge, detach, bind, cancel, expire, register, stop, wait, share and release,
 * all on the same contexts: one tree on the real clock, with the keeper and the pool, and one on a
 * virtual clock that the main thread moves. At every step of the library they may be made to yield.
 * From time to time all meet, and the virtual tree, which nobody changes then, is compared with the
 * model link by link; then all nodes are made to take further children in another way: as the load
 * has it, striped, narrow, by turns (REIN_TEST_LISTS: in that one way only). At the end nothing may
 * be left. The seed fixes what each thread does, not how they meet. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <rein.h>
#include <rein/library.h>
#include <rein/testing.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fault_control.h"
#include "core/check.h"
#include "model.h"
#include "race.h"

enum { REGISTRATIONS = 60, MOST_THREADS = 64 };

/* ---- random numbers ---- */

static _Thread_local uint64_t state;

static uint64_t random_number(void) /* splitmix64 */
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned below(unsigned n)
{
    return (unsigned)(random_number() % n);
}

static bool one_in(unsigned n)
{
    return below(n) == 0;
}

static void nap(long ns)
{
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

/* At a step: mostly nothing, so that it stays a storm. */
static void dawdle(const char *step)
{
    (void)step;
    if (state == 0)
        state = (uint64_t)(uintptr_t)&state; /* a thread of rein's */
    unsigned luck = below(512);
    if (luck == 0)
        nap(30000);
    else if (luck < 24)
        sched_yield();
}

/* ---- counts, all atomic ---- */

static struct race_count ops, reasons_made, reasons_dropped, values_made, values_dropped, forgotten,
    forgotten_dropped, ended_naturally, runs, prevented;
static uint32_t leaving; /* atomic */

/* ---- what is held ---- */

static struct mnode *roots[2];
static rein_clock *virtual_clock;
static rein_executor *serial;

/* Pin a slot that something is in; NULL if luck has it that there is none. */
static struct slot *pin(int on_virtual)
{
    struct slot *found = NULL;
    model_lock();
    for (int tries = 0; tries < 16 && !found; tries++) {
        struct slot *slot = &slots[below(SLOTS)];
        if (slot->node && (on_virtual < 0 || slot->node->is_virtual == (on_virtual != 0)))
            found = slot;
    }
    if (found)
        found->pins++;
    model_unlock();
    return found;
}

static void unpin(struct slot *slot)
{
    model_lock();
    model_look(slot->node);
    slot->pins--;
    model_unlock();
}

static void release_held(struct slot held);

/* Enter what the caller holds and has a reference of the model for; if there is no room, it
 * goes. */
static void keep(struct mnode *node, rein_ctx *owner, const rein_ctx *ctx)
{
    struct slot held = {node, owner, ctx, 0};
    model_lock();
    model_born(node);
    model_look(node);
    for (int i = 0; i < SLOTS; i++) {
        if (!slots[i].node) {
            slots[i] = held;
            model_unlock();
            return;
        }
    }
    model_unlock();
    release_held(held);
}

/* Give back what only the caller knows now. An end cancels, unless nobody else holds it, or it is a
 * foreign context that only forwards. */
static void release_held(struct slot held)
{
    bool cancels = held.owner && !held.node->decorates;
    model_lock();
    if (cancels)
        model_may_end(held.node, -ECANCELED, NULL, 0, INT64_MIN);
    model_unlock();
    if (held.owner)
        rein_end(held.owner);
    else
        rein_unref(held.ctx);
    model_lock();
    if (cancels && held.node->refs > 1)
        model_ended(held.node);
    model_unref(held.node);
    model_unlock();
}

static bool take_slot(unsigned index, struct slot *ret_held)
{
    bool taken = false;
    model_lock();
    if (slots[index].node && slots[index].pins == 0) {
        *ret_held = slots[index];
        slots[index] = (struct slot){NULL, NULL, NULL, 0};
        taken = true;
    }
    model_unlock();
    return taken;
}

/* ---- reasons ---- */

static void drop_reason(void *payload)
{
    (void)payload;
    race_add(&reasons_dropped, 1);
}

static const rein_reason *new_reason(void)
{
    rein_reason *reason = rein_reason_new(-(int)(1 + below(100)), "a storm", NULL, drop_reason);
    must(reason != NULL, "no memory");
    race_add(&reasons_made, 1);
    return reason;
}

/* ---- cancelling ---- */

/* By an owner that the caller keeps alive. */
static void cancel(struct mnode *node, rein_ctx *owner)
{
    const rein_reason *reason = NULL;
    int code = 0;
    unsigned how = below(3);
    if (how == 1)
        reason = new_reason();
    else if (how == 2)
        code = -(int)(1000 + below(1000));
    model_lock();
    model_may_end(node, -ECANCELED, reason, code, INT64_MIN);
    model_unlock();
    if (code != 0)
        rein_cancel_causef(owner, code, "made on the spot, %d", code);
    else if (reason)
        rein_cancel_cause(owner, reason);
    else
        rein_cancel(owner);
    rein_reason_unref(reason);
    model_lock();
    model_ended(node);
    model_unlock();
}

static void op_cancel(void)
{
    struct slot *slot = pin(-1);
    if (!slot)
        return;
    if (slot->owner && !slot->node->decorates)
        cancel(slot->node, slot->owner);
    unpin(slot);
}

/* ---- values: their payload may be an owner, which their drop ends ---- */

struct payload {
    struct mnode *node;
    rein_ctx *owner;
};

static void drop_payload(void *memory)
{
    struct payload *payload = memory;
    race_add(&values_dropped, 1);
    if (payload->owner)
        release_held((struct slot){payload->node, payload->owner, payload->owner, 0});
    free(payload);
}

static const rein_key payload_key = {"payload", REIN_VALUE_OWNED, 0, drop_payload,
                                     NULL,      {NULL, NULL}};

static struct payload *new_payload(struct slot *target)
{
    struct payload *payload = calloc(1, sizeof *payload);
    must(payload != NULL, "no memory");
    race_add(&values_made, 1);
    if (target && target->owner) {
        payload->owner = rein_share(target->owner);
        payload->node = target->node;
        model_lock();
        model_ref(payload->node);
        model_unlock();
    }
    return payload;
}

/* ---- deriving ---- */

static const rein_foreign_ops own_end = {.size = sizeof own_end};
static const rein_foreign_ops forwards = {.size = sizeof forwards, .forwards = true};

/* A little later than now, or much; in virtual time every instant is one of its own. */
static rein_time random_instant(const rein_ctx *ctx)
{
    if (one_in(3))
        return rein_in(ctx, REIN_HOUR + (rein_duration)(random_number() % (uint64_t)REIN_HOUR));
    return rein_in(ctx,
                   (rein_duration)(random_number() % (uint64_t)(4 * REIN_MILLISECOND)) - 50000);
}

enum {
    BY_CANCEL,
    BY_DEADLINE,
    BY_MERGE,
    BY_DETACH,
    BY_VALUE,
    BY_WITHOUT_CANCEL,
    BY_FOREIGN,
    BY_FORWARD,
    WAYS
};

static unsigned random_way(void)
{
    unsigned luck = below(20);
    return luck < 6 ? BY_CANCEL : luck < 11 ? BY_DEADLINE : luck < 14 ? BY_MERGE
         : luck < 15 ? BY_DETACH : luck < 17 ? BY_VALUE : luck < 18 ? BY_WITHOUT_CANCEL
         : luck < 19 ? BY_FOREIGN : BY_FORWARD;
}

/* Whether work of a may be detached onto b: not if b was derived from what a lives with. */
static bool may_detach(struct mnode *a, struct mnode *b)
{
    while (a && a->decorates)
        a = a->above[0];
    return !a || !model_is_made_of(b, a);
}

static void derive(struct mnode *parent, const rein_ctx *ctx, struct mnode *also,
                   const rein_ctx *also_ctx, struct slot *target)
{
    unsigned way = random_way();
    rein_ctx *owner = NULL;
    const rein_ctx *made = NULL;
    const rein_reason *cause = NULL;
    rein_time when = {INT64_MAX}, limit_above = {INT64_MAX}, limit = {INT64_MAX};
    if ((way == BY_MERGE || way == BY_DETACH) && !also)
        way = BY_CANCEL;
    if (way == BY_DETACH) {
        model_lock();
        if (!may_detach(parent, also))
            way = BY_MERGE;
        model_unlock();
    }
    rein_deadline(way == BY_DETACH ? also_ctx : ctx, &limit_above);
    switch (way) {
    case BY_CANCEL:
        owner = rein_with_cancel(ctx);
        break;
    case BY_DEADLINE:
        when = random_instant(ctx);
        cause = one_in(2) ? new_reason() : NULL;
        owner = rein_with_deadline_cause(ctx, when, cause);
        break;
    case BY_MERGE:
        owner = rein_merge(ctx, also_ctx);
        break;
    case BY_DETACH:
        owner =
            rein_detach(ctx, also_ctx,
                        one_in(3) ? REIN_FOREVER : 1 + (rein_duration)(random_number() % 3000000));
        break;
    case BY_VALUE:
        made = rein_with_value(ctx, &payload_key, new_payload(target));
        break;
    case BY_WITHOUT_CANCEL:
        made = rein_without_cancel(ctx);
        break;
    default:
        owner = rein_foreign(ctx, way == BY_FOREIGN ? &own_end : &forwards, NULL);
        break;
    }
    if (!made)
        made = owner;
    model_lock();
    struct mnode *node =
        model_new(made, parent, way == BY_MERGE || way == BY_DETACH ? also : NULL,
                  way != BY_DETACH && way != BY_WITHOUT_CANCEL && way != BY_FOREIGN,
                  way == BY_MERGE || way == BY_DETACH);
    node->decorates = way == BY_VALUE || way == BY_WITHOUT_CANCEL || way == BY_FORWARD;
    if (way == BY_DEADLINE && when.ns <= limit_above.ns)
        node->own_timer = true;
    else if (way == BY_DETACH && rein_deadline(made, &limit) && limit.ns != limit_above.ns)
        node->own_timer = true;
    if (node->own_timer)
        model_may_end(node, -ETIMEDOUT, cause, 0, node->limit);
    model_unlock();
    rein_reason_unref(cause);
    keep(node, owner, made);
}

static void op_derive(void)
{
    int on_virtual = (int)below(2);
    struct slot *parent = one_in(8) ? NULL : pin(on_virtual), *also = pin(on_virtual),
                *target = pin(on_virtual);
    struct mnode *root = roots[on_virtual];
    const rein_ctx *root_ctx = on_virtual ? rein_clock_root(virtual_clock) : rein_background();
    derive(parent ? parent->node : root, parent ? parent->ctx : root_ctx, also ? also->node : NULL,
           also ? also->ctx : NULL, target);
    if (parent)
        unpin(parent);
    if (also)
        unpin(also);
    if (target)
        unpin(target);
}

static void op_hold_more(void)
{
    struct slot *slot = pin(-1);
    if (!slot)
        return;
    bool share = slot->owner && one_in(2);
    rein_ctx *owner = share ? rein_share(slot->owner) : NULL;
    const rein_ctx *ctx = share ? owner : rein_ref(slot->ctx);
    struct mnode *node = slot->node;
    model_lock();
    model_ref(node);
    model_unlock();
    unpin(slot);
    keep(node, owner, ctx);
}

static void op_release(void)
{
    struct slot held;
    if (take_slot(below(SLOTS), &held))
        release_held(held);
}

static void op_foreign_done(void)
{
    struct slot *slot = pin(-1);
    if (!slot)
        return;
    struct mnode *node = slot->node;
    if (slot->owner && !node->above[0] && !node->above[1] && !node->decorates && node->memory[0] &&
        !node->own_timer) {
        int err = one_in(2) ? -ETIMEDOUT : one_in(2) ? -ECANCELED : -EIO;
        const rein_reason *reason = one_in(2) ? new_reason() : NULL;
        model_lock();
        model_may_end(node, err == -EIO ? -ECANCELED : err, reason,
                      !reason && err == -EIO ? -EIO : 0, INT64_MIN);
        model_unlock();
        rein_foreign_done(slot->owner, err, reason);
        rein_reason_unref(reason);
        model_lock();
        model_ended(node);
        model_unlock();
    }
    unpin(slot);
}

/* ---- registrations ---- */

struct registration {
    bool is_callback;
    struct mnode *node;
    const rein_ctx *ctx; /* a view of its own */
    rein_callback callback;
    rein_after after;
    struct mnode *target; /* what its function cancels, with an owner of its own; or NULL */
    rein_ctx *target_owner;
    struct race_count ran, dropped;
};

static struct registration *registrations[REGISTRATIONS]; /* under the model's lock */

static void called(const rein_ctx *ctx, void *arg)
{
    struct registration *registration = arg;
    must(ctx == registration->ctx, "called with another context");
    must(rein_err(ctx) != 0 && rein_cause(ctx)->code != 0, "called before the end");
    race_add(&registration->ran, 1);
    must(race_value(&registration->ran) == 1, "called twice");
    rein_ctx *child = rein_with_cancel(ctx);
    must(rein_err(child) == rein_err(ctx), "a child of a done context is live");
    rein_end(child);
    if (registration->target)
        cancel(registration->target, registration->target_owner);
    race_add(&runs, 1);
}

static void dropped(void *arg)
{
    struct registration *registration = arg;
    race_add(&registration->dropped, 1);
}

static void finish_registration(struct registration *registration);

static void op_register(void)
{
    struct slot *slot = pin(-1);
    if (!slot)
        return;
    struct slot *target = pin(slot->node->is_virtual);
    struct registration *registration = calloc(1, sizeof *registration);
    must(registration != NULL, "no memory");
    registration->is_callback = one_in(2);
    registration->node = slot->node;
    registration->ctx = rein_ref(slot->ctx);
    model_lock();
    model_ref(slot->node);
    slot->node->calls++;
    if (target && target->owner && !target->node->decorates && one_in(2)) {
        registration->target = target->node;
        registration->target_owner = rein_share(target->owner);
        model_ref(target->node);
    }
    model_unlock();
    if (registration->is_callback) {
        bool linked =
            rein_callback_add(registration->ctx, &registration->callback, called, registration);
        must(linked || race_value(&registration->ran) == 1, "neither linked nor called");
    } else {
        /* Nobody but our own threads may change the virtual tree: see the top. */
        rein_executor *executor = slot->node->is_virtual ? rein_inline_executor()
                                  : one_in(3)            ? serial
                                                         : NULL;
        must(rein_after_func_owned(registration->ctx, &registration->after, executor, called,
                                   registration, dropped) == 0,
             "no thread for an after-func");
    }
    unpin(slot);
    if (target)
        unpin(target);
    model_lock();
    struct registration **place = &registrations[below(REGISTRATIONS)], *before = *place;
    *place = registration;
    model_unlock();
    if (before) /* it had its time */
        finish_registration(before);
}

static void finish_registration(struct registration *registration)
{
    bool took;
    if (registration->is_callback) {
        took = rein_callback_remove(&registration->callback);
        must(!rein_callback_remove(&registration->callback), "removed twice");
    } else {
        took = one_in(2) && rein_after_stop(&registration->after);
        took = rein_after_stop_wait(&registration->after) || took;
        must(!rein_after_stop(&registration->after), "stopped twice");
        if (took)
            must(race_value(&registration->dropped) == 1, "prevented, and not dropped");
    }
    must(race_value(&registration->ran) + took == 1, "%u prevented and %u runs", took,
         (unsigned)race_value(&registration->ran));
    race_add(&prevented, took);
    /* After stop_wait fn is over; its drop comes after that, on the executor. */
    while (!registration->is_callback && race_value(&registration->dropped) == 0)
        sched_yield();
    must(race_value(&registration->dropped) <= 1, "dropped twice");
    model_lock();
    registration->node->calls--;
    model_unlock();
    release_held((struct slot){registration->node, NULL, registration->ctx, 0});
    if (registration->target)
        release_held((struct slot){registration->target, registration->target_owner,
                                   registration->target_owner, 0});
    free(registration);
}

static void op_unregister(void)
{
    model_lock();
    struct registration **place = &registrations[below(REGISTRATIONS)], *registration = *place;
    *place = NULL;
    model_unlock();
    if (registration)
        finish_registration(registration);
}

/* One that nobody stops: it runs once when its context ends, or is dropped with it. */
struct forgotten {
    rein_after after;
    struct race_count ran;
};

static void forgotten_called(const rein_ctx *ctx, void *arg)
{
    struct forgotten *one = arg;
    must(rein_err(ctx) != 0, "called before the end");
    rein_time when;
    rein_ctx *child = rein_with_cancel(ctx);
    must(rein_deadline(ctx, &when) == rein_deadline(child, &when), "deadline lost");
    rein_end(child);
    race_add(&one->ran, 1);
    must(race_value(&one->ran) == 1, "called twice");
    race_add(&runs, 1);
}

static void forgotten_drop(void *arg)
{
    free(arg);
    race_add(&forgotten_dropped, 1);
}

static void op_forget(void)
{
    rein_ctx *ctx;
    struct slot *slot = pin(0);
    if (!slot)
        return;
    /* On a child that the storm knows nothing of: its last release may meet any walk. */
    ctx = rein_with_timeout(slot->ctx, one_in(2) ? REIN_HOUR : REIN_MILLISECOND);
    struct forgotten *one = calloc(1, sizeof *one);
    must(one != NULL, "no memory");
    must(rein_after_func_owned(ctx, &one->after, NULL, forgotten_called, one, forgotten_drop) == 0,
         "no thread for an after-func");
    race_add(&forgotten, 1);
    if (one_in(2)) {
        rein_case cases[] = {REIN_CASE_AT(rein_in(ctx, (rein_duration)below(1u << below(21))))};
        (void)!rein_wait_any(ctx, cases, 1);
    }
    rein_end(ctx);
    unpin(slot);
}

/* ---- waiting and asking ---- */

static void op_wait(void)
{
    struct slot *slot = pin(-1);
    if (!slot)
        return;
    struct slot *other = pin(slot->node->is_virtual);
    const rein_ctx *ctx = slot->ctx;
    rein_ctx *bounded;
    rein_time before = rein_now(ctx), when = rein_in(ctx, (rein_duration)below(1u << below(21)));
    int r, fd;
    switch (below(5)) {
    case 0:
        r = rein_sleep_until(ctx, when);
        must(r == 0 ? rein_now(ctx).ns >= when.ns : r == rein_err(ctx), "sleep says %d", r);
        break;
    case 1:
        bounded = rein_with_deadline(ctx, when);
        r = rein_wait(bounded);
        must(r != 0 && r == rein_err(bounded), "wait says %d", r);
        must(r != -ETIMEDOUT || rein_err(ctx) != 0 || rein_now(ctx).ns >= when.ns, "too early");
        rein_end(bounded);
        break;
    case 2: {
        rein_case cases[] = {REIN_CASE_DONE(other ? other->ctx : rein_background()),
                             REIN_CASE_AT(when)};
        if (!other)
            cases[0] = cases[1];
        r = rein_wait_any(ctx, cases, 2);
        must(r < 0                                  ? r == rein_err(ctx)
             : cases[r].kind == REIN_CASE_KIND_DONE ? rein_err(other->ctx) != 0
                                                    : rein_now(ctx).ns >= when.ns,
             "wait_any says %d", r);
        break;
    }
    case 3: {
        int ends[2];
        struct pollfd poller = {.events = POLLIN};
        must(pipe(ends) == 0, "no pipe");
        poller.fd = ends[0];
        bounded = rein_with_deadline(ctx, when);
        bool ready = one_in(3) && write(ends[1], "x", 1) == 1;
        r = rein_poll(bounded, &poller, 1);
        must(r == 1 ? ready : r == rein_err(bounded), "poll says %d", r);
        rein_end(bounded);
        close(ends[0]);
        close(ends[1]);
        break;
    }
    default: {
        int err = rein_err(ctx);
        must(rein_done_fd(ctx, &fd) == 0, "no descriptor");
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        bool readable = poll(&poller, 1, 0) == 1;
        must(!err || readable, "done, and the descriptor has not fired");
        must(!readable || rein_err(ctx) != 0, "the descriptor has fired, and it is not done");
        break;
    }
    }
    must(rein_now(ctx).ns >= before.ns, "the clock went back");
    if (other)
        unpin(other);
    unpin(slot);
}

static void op_ask(void)
{
    char text[256];
    struct slot *slot = pin(-1);
    if (!slot)
        return;
    int err = rein_err(slot->ctx), checked = rein_check(slot->ctx);
    must(err == 0 || err == checked, "err went from %d to %d", err, checked);
    must(checked == 0 || rein_interrupted(rein_arg(slot->ctx)), "done, and not interrupted");
    rein_duration left = rein_remaining(slot->ctx);
    must(left >= 0, "less than nothing remains");
    must(rein_explain(slot->ctx, text, sizeof text) > 0, "nothing to explain");
    must(rein_describe(slot->ctx, text, sizeof text) > 0, "nothing to describe");
    (void)rein_value(slot->ctx, &payload_key);
    if (checked != 0)
        race_add(&ended_naturally, 1);
    unpin(slot);
}

/* ---- the storm ---- */

static const struct {
    void (*op)(void);
    unsigned weight;
} kinds[] = {{op_derive, 30},      {op_release, 40},  {op_cancel, 6},     {op_hold_more, 10},
             {op_foreign_done, 4}, {op_register, 12}, {op_unregister, 8}, {op_forget, 6},
             {op_wait, 8},         {op_ask, 8}};

static void random_op(void)
{
    unsigned total = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        total += kinds[i].weight;
    unsigned luck = below(total);
    size_t i = 0;
    while (luck >= kinds[i].weight)
        luck -= kinds[i++].weight;
    kinds[i].op();
    race_add(&ops, 1);
}

static struct {
    uint32_t wanted; /* atomic: all are to stand still */
    struct race_count standing;
} meeting;

static struct race_count over;

static void *storm(void *arg)
{
    state = *(uint64_t *)arg;
    while (!__atomic_load_n(&leaving, __ATOMIC_ACQUIRE)) {
        random_op();
        if (__atomic_load_n(&meeting.wanted, __ATOMIC_ACQUIRE)) {
            race_add(&meeting.standing, 1);
            while (__atomic_load_n(&meeting.wanted, __ATOMIC_ACQUIRE))
                nap(100000);
            race_add(&meeting.standing, UINT64_MAX); /* one less */
        }
    }
    race_add(&over, 1);
    return NULL;
}

static int64_t seconds_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Move the virtual clock on until `done`, and see that the storm does. */
static void drive(bool (*done)(void *arg), void *arg)
{
    uint64_t before = race_value(&ops);
    int64_t since = seconds_ns();
    while (!done(arg)) {
        rein_clock_advance(virtual_clock, (rein_duration)below(300000));
        nap(50000);
        if (race_value(&ops) != before) {
            before = race_value(&ops);
            since = seconds_ns();
        }
        must(seconds_ns() - since < 100 * (int64_t)REIN_SECOND,
             "nothing moves any more: a deadlock");
    }
}

static bool time_is_over(void *arg)
{
    return seconds_ns() >= *(int64_t *)arg;
}

static bool all_stand(void *arg)
{
    return race_value(&meeting.standing) == *(unsigned *)arg;
}

static bool none_stands(void *arg)
{
    (void)arg;
    return race_value(&meeting.standing) == 0;
}

static void meet(unsigned threads)
{
    __atomic_store_n(&meeting.wanted, 1, __ATOMIC_RELEASE);
    drive(all_stand, &threads);
    model_lock();
    model_check_quiescent(rein_clock_armed(virtual_clock));
    model_unlock();
    __atomic_store_n(&meeting.wanted, 0, __ATOMIC_RELEASE);
    drive(none_stands, NULL);
}

static bool all_are_over(void *arg)
{
    return race_value(&over) == *(unsigned *)arg;
}

static void give_all_back(void)
{
    for (int i = 0; i < REGISTRATIONS; i++)
        if (registrations[i])
            finish_registration(registrations[i]);
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot held;
        if (take_slot(i, &held))
            release_held(held);
    }
}

static void nothing_is_left(void)
{
    rein_serial_free(serial);
    rein_clock_free(virtual_clock);
    model_unref(roots[0]);
    model_unref(roots[1]);
    must(rein_quiesce() == 0, "deadlines, after-funcs or jobs are left");
    must(race_value(&forgotten) == race_value(&forgotten_dropped),
         "forgotten after-funcs are left");
    if (rein_leaks_print(STDERR_FILENO) != 0)
        broken("contexts are left");
    must(model_count() == 0, "the model has %zu nodes left", model_count());
    must(race_value(&reasons_made) == race_value(&reasons_dropped),
         "reasons are left, or went twice");
    must(race_value(&values_made) == race_value(&values_dropped), "values are left, or went twice");
}

static void run(uint64_t seconds, uint64_t seed, unsigned threads)
{
    pthread_t ids[MOST_THREADS];
    uint64_t seeds[MOST_THREADS];
    int64_t end = seconds_ns() + (int64_t)seconds * REIN_SECOND;
    rein_leaks_on();
    model_init(seed);
    state = seed;
    must((virtual_clock = rein_clock_new()) && (serial = rein_serial_new(NULL)), "no memory");
    roots[0] = model_new(rein_background(), NULL, NULL, false, false);
    roots[1] = model_new(rein_clock_root(virtual_clock), NULL, NULL, false, false);
    roots[0]->decorates = roots[1]->decorates = true;
    roots[1]->is_virtual = true;
    reini_step_hook = dawdle;
    for (unsigned i = 0; i < threads; i++) {
        seeds[i] = random_number();
        must(pthread_create(&ids[i], NULL, storm, &seeds[i]) == 0, "no thread");
    }
    bool in_all_states = !getenv("REIN_TEST_LISTS");
    for (int phase = 0; seconds_ns() < end; phase++) {
        if (in_all_states)
            reini_fault_force_lists((enum fault_lists)(phase % 4));
        int64_t next = seconds_ns() + REIN_SECOND / 2;
        drive(time_is_over, next < end ? &next : &end);
        meet(threads);
    }
    __atomic_store_n(&leaving, 1, __ATOMIC_RELEASE);
    drive(all_are_over, &threads);
    for (unsigned i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    give_all_back();
    nothing_is_left();
    printf("stress: %" PRIu64 " operations, %" PRIu64 " calls made, %" PRIu64 " prevented, %" PRIu64
           " forgotten, %" PRIu64 " values, %" PRIu64 " reasons\n",
           race_value(&ops), race_value(&runs), race_value(&prevented), race_value(&forgotten),
           race_value(&values_made), race_value(&reasons_made));
}

int main(int argc, char **argv)
{
    uint64_t seconds = 5, seed = (uint64_t)seconds_ns() & UINT32_MAX;
    unsigned threads = 4;
    for (int i = 1; i < argc; i += 2) {
        uint64_t number = i + 1 < argc ? strtoull(argv[i + 1], NULL, 10) : 0;
        if (strcmp(argv[i], "--seconds") == 0 && number > 0)
            seconds = number;
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = number;
        else if (strcmp(argv[i], "--threads") == 0 && number >= 1 && number <= MOST_THREADS)
            threads = (unsigned)number;
        else {
            fprintf(stderr, "stress [--seconds N] [--seed S] [--threads 1..%d]\n", MOST_THREADS);
            return 2;
        }
    }
    printf("stress: --seconds %" PRIu64 " --seed %" PRIu64 " --threads %u\n", seconds, seed,
           threads);
    fflush(stdout);
    run(seconds, seed, threads);
    return 0;
}
