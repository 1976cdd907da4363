/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* routes.h: what the service answers to. */
#ifndef DOCSEARCH_ROUTES_H
#define DOCSEARCH_ROUTES_H

#include "middleware.h"

/* The end of the chain: GET /search?q=, /grep?re=[&rounds=], /healthz. */
handler_fn route;

#endif
