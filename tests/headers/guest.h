/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* guest.h: a library that takes a context and stops when it is done. */
#ifndef GUEST_H
#define GUEST_H

#include <rein/context.h>

/* Count to n, looking at ctx before each step.
 * Returns  0, or rein_err(ctx); *ret_count is how far it came */
__attribute__((visibility("default"))) int guest_count(const rein_ctx *ctx, int n, int *ret_count);

#endif
