/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* server.h: serve the index over HTTP until told to stop. */
#ifndef DOCSEARCH_SERVER_H
#define DOCSEARCH_SERVER_H

#include "options.h"

#include <rein/context.h>

/* Serve until `stop` is done; then take no new requests, give those that run options->grace, cancel
 * what is left, and return. Requests do not live under `stop`: it ends the service, not them.
 *
 * Returns  0, or why the service could not start, which has been logged */
int serve(const rein_ctx *stop, const struct options *options);

#endif
