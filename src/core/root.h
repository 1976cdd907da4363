/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/root.h: the roots of virtual clocks, for the layer above. */
#ifndef REIN_CORE_ROOT_H
#define REIN_CORE_ROOT_H

#include <rein/context.h>
#include <stdint.h>

struct reini_clock;

/* A root context on a new virtual clock that stands at `now`, and the clock, which goes with the
 * last context on it; NULL if memory or ids are short. A view. */
const rein_ctx *reini_clock_root_new(int64_t now, struct reini_clock **ret_clock);

/* Panic if the context was inherited through a fork() [rule: frozen]. */
void reini_require_unfrozen(const rein_ctx *ctx, const char *message);

#endif
