/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* index.h: put the texts below a folder into the database. */
#ifndef DOCSEARCH_INDEX_H
#define DOCSEARCH_INDEX_H

#include "options.h"

#include <rein/context.h>

/* Index what is not in the database yet, with several threads. Whatever ends it, the database is
 * whole and keeps what was indexed so far; the next call goes on from there.
 *
 * Returns  0
 * Errors   -ECANCELED, -ETIMEDOUT  ctx was done first
 *          others                  what went wrong, which has been logged */
int index_folder(const rein_ctx *ctx, const struct options *options);

#endif
