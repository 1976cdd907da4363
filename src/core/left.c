/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/left.c: calls whose fn has taken its own record out, and runs on.
 *
 * Such a record can tell nobody when fn returns, since fn may free it at once. But if it does not,
 * others may take it out as well, and are owed a wait; they find the runner here, by the record's
 * address, and sleep until it has returned. If another record has come to that address, and its fn
 * leaves it too, then nobody can be waiting for the first any more, and nobody is to: its runner
 * forgets the address.
 *
 * Locking. mu guards the list, and is a leaf. */
#include "base/fault.h"
#include "core/call.h"
#include "wait/lot.h"
#include "wait/strand.h"

static reini_mutex mu;
static struct running *first;
static uint32_t returns; /* atomic, changed under mu: how many have returned */

void reini_left_add(struct call *call)
{
    struct running *running = call->running; /* not later: who sees LEFT may free the record */
    uint32_t claimed = CALL_CLAIMED;
    STEP("leaves");
    mutex_lock(&mu); /* whoever sees LEFT looks for it under mu, and finds it */
    /* acq_rel: our last look at the record comes before the acquire of whoever sees LEFT. */
    if (cas_acq_rel(&call->dep.word, &claimed, CALL_LEFT)) {
        for (struct running *at = first; at; at = at->next)
            if (at->record == call)
                at->record = NULL;
        running->has_left = true;
        running->record = call;
        running->strand = reini_strand_self();
        running->next = first;
        first = running;
    }
    mutex_unlock(&mu);
    STEP("left");
}

void reini_left_return(struct running *running)
{
    mutex_lock(&mu);
    struct running **at = &first;
    while (*at != running)
        at = &(*at)->next;
    *at = running->next;
    /* relaxed: whoever is woken by it looks under mu. */
    add_relaxed(&returns, 1);
    mutex_unlock(&mu);
    reini_lot_wake(&returns);
}

/* Whether a fn that took this record out runs on another strand; and what `returns` was then. */
static bool runs_elsewhere(const struct call *call, uint32_t *ret_returns)
{
    mutex_lock(&mu);
    const struct running *at = first;
    while (at && (at->record != call || at->strand == reini_strand_self()))
        at = at->next;
    *ret_returns = load_relaxed(&returns); /* relaxed: mu orders it */
    mutex_unlock(&mu);
    return at != NULL;
}

void reini_left_wait(const struct call *call)
{
    for (uint32_t seen; runs_elsewhere(call, &seen);)
        reini_lot_wait(&returns, seen);
}

void reini_left_forked(void)
{
    mu = (reini_mutex){0};
    first = NULL;
}
