/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/plat.h: what the operating system must give; the whole contract of a port.
 *
 * No function here is a pthread cancellation point, changes errno, or fails where it does not say
 * so. A port is a set of files in src/plat/<system>/ that defines them; there is no conditional
 * code anywhere else. */
#ifndef REIN_PLAT_PLAT_H
#define REIN_PLAT_PLAT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- word: sleep until a 32-bit word has changed ------------------------------------------------
 *
 * sleep: return at once if *word is not `expected`; else sleep until a wake, the instant `until`
 * (CLOCK_MONOTONIC ns; INT64_MAX: none), or for no reason at all. The test and going to sleep are
 * one step as seen by wake. Returns false if the instant has come.
 *
 * wake: wake one sleeper, or all. The word may be gone already: only its address is used, and
 * a sleeper on other memory that has come to that address just wakes for no reason. */
bool reini_word_sleep(const uint32_t *word, uint32_t expected, int64_t until);
void reini_word_wake(const uint32_t *word, bool all);

/* ---- clock, thread id ------------------------------------------------------------------------ */

int64_t reini_plat_now(void);                      /* CLOCK_MONOTONIC, ns */
int64_t reini_plat_from_wall(int64_t s, long ns);  /* that wall-clock time on CLOCK_MONOTONIC */
int reini_plat_thread_id(void);                    /* the system's id of the calling thread */
uint32_t reini_plat_processors(void);              /* how many the process may run on; >= 1 */

void reini_plat_forked(void); /* to be called in the child of a fork() */

/* ---- threads -----------------------------------------------------------------------------------
 *
 * start: a joinable thread with all signals blocked; -EAGAIN if there can be none.
 * join: wait for it to be gone altogether. It must be ending, or about to.
 * detach: nobody is going to join it. To a race detector, one that is neither is lost.
 * self: the calling thread, to be joined by another.
 * precise: ask for timed sleeps as precise as the system can, for the calling thread. */
typedef struct {
    unsigned long handle;
} reini_thread;
int reini_thread_start(reini_thread *ret_thread, const char *name, void (*run)(void *), void *arg);
void reini_thread_join(reini_thread thread);
void reini_thread_detach(reini_thread thread);
reini_thread reini_thread_self(void);
void reini_thread_precise(void);

/* ---- event: a descriptor that a program can poll -----------------------------------------------
 *
 * raise makes it readable. A sticky event stays so however often it is read; the other is cleared
 * by clear. open: -EMFILE, -ENFILE or -ENOMEM. */
int reini_event_open(bool sticky);
void reini_event_raise(int fd);
void reini_event_clear(int fd);
void reini_fd_close(int fd);
void reini_fd_write(int fd, const char *text, size_t size); /* all of it, or up to an error */

/* ---- poll: as poll(2), until an instant; > 0, 0 when the instant has come, -EINTR, or another
 * negative errno. */
int reini_poll_until(struct pollfd *fds, size_t n, int64_t until);

/* ---- alarm: a descriptor that is readable from an instant on; INT64_MAX: never --------------- */
int reini_alarm_open(void);
void reini_alarm_set(int fd, int64_t when);

/* ---- union: some descriptors as one, readable when any of them is ---------------------------- */
int reini_union_open(const int *fds, size_t n);

/* ---- fork: have child() run in the child of every fork(), on its only thread -------------------
 *
 * birth: how many forks ago the process began; changes only in the child, just before child(). Who
 * calls the user's code looks at it before and after: if it is another one then, this is the child
 * of a fork() in there, and what was being done is the parent process's business. */
extern uint16_t reini_birth;
void reini_at_fork(void (*child)(void));

#endif
