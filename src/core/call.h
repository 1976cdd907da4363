/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/call.h: a function to call once a node is done; what callbacks and after-funcs share.
 *
 *     WAITING --claimed from a done node--> CLAIMED --fn has returned--> OVER
 *        |                                     \--fn takes its record out--> LEFT
 *        |--callback removed--> OVER
 *        \--after-func stopped or dropped--> CLAIMED --executor_forgo()--> OVER
 *
 * The record is the registrant's memory. It is ours while WAITING or CLAIMED; setting OVER or LEFT
 * is the last thing we do to it. LEFT: fn may free the record at once, and its runner does not look
 * at it again; who else takes it out waits in left.c. */
#ifndef REIN_CORE_CALL_H
#define REIN_CORE_CALL_H

#include <rein/after.h>

#include "core/node.h"

/* CLAIMED may be or'ed with WAITED. */
enum call_state { CALL_WAITING = 0, CALL_CLAIMED = 1, CALL_OVER = 2, CALL_LEFT = 3 };

/* Of a call that is being made, in the frame of whoever runs it. */
struct running {
    bool has_left;             /* fn has taken its record out; the runner's own */
    const struct call *record; /* that, to be compared only; or NULL. Guarded by left.c */
    struct running *next;      /* in the list of those that have; the same */
    const void *strand;
};

struct call {
    struct dep dep;       /* dep.word: enum call_state */
    struct node *node;    /* constant; whose end it waits for; NULL: it can never come */
    const rein_ctx *ctx;  /* constant; what fn gets */
    rein_callback_fn *fn; /* constant */
    void *arg;            /* constant */
    const void *runner;   /* atomic; the strand fn runs on */
    struct running *running; /* the runner's own */
    uint16_t birth;       /* constant; the process it was registered in, see fork.c */
};

struct after {
    struct call call;
    rein_job job;
    rein_executor *executor; /* constant */
    rein_drop_fn *drop;      /* constant; or NULL */
};

static_assert(sizeof(struct call) <= sizeof(rein_callback), "the public struct has room");
static_assert(sizeof(struct after) <= sizeof(rein_after), "the public struct has room");
static_assert(_Alignof(rein_callback) >= _Alignof(struct call), "and is aligned for it");
static_assert(_Alignof(rein_after) >= _Alignof(struct after), "and is aligned for it");

/* Link to the node of ctx. False if that is done already; then nothing is linked. */
bool reini_call_link(struct call *call, enum dep_kind kind, const rein_ctx *ctx,
                     rein_callback_fn *fn, void *arg);

/* Take it out if it is WAITING: then it is OVER, or CLAIMED by the caller if it is an after-func,
 * and this returns true. With `wait`, wait for a marking that has hold of it; without, that counts
 * as too late. */
bool reini_call_unlink(struct call *call, bool wait);

/* fn(ctx, arg) of a call that the caller has claimed, and OVER. */
void reini_call_run(struct call *call);

/* From CLAIMED to OVER. */
void reini_call_over(struct call *call);

/* Wait until fn has returned, unless this is called from inside fn: then the record is LEFT, unless
 * others wait for it already. */
void reini_call_wait(struct call *call);

/* Inside fn: from CLAIMED to LEFT, and nothing if others wait by the record: they need it, and so
 * does its runner. */
void reini_left_add(struct call *call);

/* Of a runner that has left: fn has returned. */
void reini_left_return(struct running *running);

/* Of a record that is LEFT: wait until its fn has returned, unless it runs here. */
void reini_left_wait(const struct call *call);

/* What to do with a claimed or dropped after-func. */
void reini_after_post(struct after *after);
void reini_after_dropped(struct after *after);

#endif
