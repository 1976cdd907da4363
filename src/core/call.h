/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/call.h: a function to call once a node is done; what callbacks and after-funcs share.
 *
 *     WAITING --claimed from a done node--> CLAIMED --fn has returned--> OVER
 *        \--removed, stopped or dropped--------------------------------> OVER
 *
 * The record is the registrant's memory. It is ours while WAITING or CLAIMED; setting OVER is the
 * last thing we do to it. If fn itself takes its record out, it may free it at once: `gone` tells
 * whoever runs fn not to look at it again. */
#ifndef REIN_CORE_CALL_H
#define REIN_CORE_CALL_H

#include <rein/after.h>

#include "core/node.h"

enum call_state { CALL_WAITING = 0, CALL_CLAIMED = 1, CALL_OVER = 2 }; /* or'ed with WAITED */

struct call {
    struct dep dep;       /* dep.word: enum call_state */
    struct node *node;    /* constant; whose end it waits for; NULL: it can never come */
    const rein_ctx *ctx;  /* constant; what fn gets */
    rein_callback_fn *fn; /* constant */
    void *arg;            /* constant */
    const void *runner;   /* atomic; the strand fn runs on */
    bool *gone;           /* the runner's own; see above */
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

/* Take it out if it is WAITING: then it is OVER, and this returns true. With `wait`, wait for a
 * marking that has hold of it; without, that counts as too late. */
bool reini_call_unlink(struct call *call, bool wait);

/* fn(ctx, arg) of a call that the caller has claimed, and OVER. */
void reini_call_run(struct call *call);

/* Wait until it is OVER, unless this is called from inside fn: then it is gone from here on. */
void reini_call_wait(struct call *call);

/* What to do with a claimed or dropped after-func. */
void reini_after_post(struct after *after);
void reini_after_dropped(struct after *after);

#endif
