/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/order/scene.h: what actors do, and what the director counts. */
#ifndef TESTS_ORDER_SCENE_H
#define TESTS_ORDER_SCENE_H

#include <rein.h>

#include "call.h"
#include "race.h"

/* Cancel or end arg. */
static inline void cancel(void *arg)
{
    rein_cancel(arg);
}

static inline void end(void *arg)
{
    rein_end(arg);
}

/* Cancel one, and see what another says at the very return. */
struct canceller {
    rein_ctx *ctx;
    const rein_reason *reason;
    const rein_ctx *look_at;
    int saw;
};

static inline void cancel_and_look(void *arg)
{
    struct canceller *canceller = arg;
    rein_cancel_cause(canceller->ctx, canceller->reason);
    canceller->saw = rein_err(canceller->look_at);
}

/* A value that counts how often it was given back: what is between a context and its parent so that
 * a case can tell when the memory of the context goes. */
static inline void count_one(void *arg)
{
    race_add(arg, 1);
}

static const rein_key counted_key = {"counted", REIN_VALUE_OWNED, 0, count_one, NULL, {NULL, NULL}};

/* A child of parent that raises `gone` when its memory goes. */
static inline rein_ctx *counted_child(const rein_ctx *parent, struct race_count *gone)
{
    const rein_ctx *value = rein_with_value(parent, &counted_key, gone);
    rein_ctx *child = rein_with_cancel(value);
    rein_unref(value);
    return child;
}

#endif
