/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* wait/events.h: descriptors to be woken by while in poll, kept for reuse: a thread needs one only
 * while it waits for descriptors, and making one costs more than such a wait. */
#ifndef REIN_WAIT_EVENTS_H
#define REIN_WAIT_EVENTS_H

int reini_events_take(void); /* a cleared event, or -EMFILE, -ENFILE, -ENOMEM */
void reini_events_give(int fd);
void reini_events_close(void); /* all that are kept */
void reini_events_forked(void);

#endif
