/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* wait/lot.h: wait for a small state word in some object to change, without room in the object.
 *
 * The object keeps a bit in its word that says "somebody waits in the lot"; whoever changes the
 * word away from a value with that bit calls reini_lot_wake(). For the rare waits: a canceller that
 * lost the race, the removal of a running callback. */
#ifndef REIN_WAIT_LOT_H
#define REIN_WAIT_LOT_H

#include <stdint.h>

/* Sleep as long as *word is `value`. The word must stay valid memory until it has changed. */
void reini_lot_wait(const uint32_t *word, uint32_t value);

/* Wake all who wait for this word to change. Uses only its address. */
void reini_lot_wake(const uint32_t *word);

void reini_lot_forked(void);

#endif
