/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/lib/shards.h: in which shard of the real clock a thread arms. Its number says so; a case
 * wants this one or that. */
#ifndef TESTS_LIB_SHARDS_H
#define TESTS_LIB_SHARDS_H

#include "time/shard.h"

/* What this thread arms from here on goes to the shard of that number, modulo SHARDS. */
static inline void shards_go_to(unsigned shard)
{
    reini_number = SHARDS + shard % SHARDS; /* not 0, which is none */
}

#endif
