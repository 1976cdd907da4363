/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* wait/lot.c: a few buckets of waiters, found by the address of what they wait for.
 *
 * Locking. A bucket's mu guards its list; it is a leaf. No wake-up is lost: the waiter looks at the
 * word under mu and is in the list before it lets go; the waker changes the word before it takes
 * mu. */
#include "wait/lot.h"

#include <stddef.h>

#include "base/atomic.h"
#include "plat/mutex.h"
#include "wait/strand.h"

struct waiter {
    struct waiter *next;
    const uint32_t *word;
    struct strand strand;
};

enum { BUCKETS = 64 };
static struct bucket {
    reini_mutex mu;
    struct waiter *first;
} buckets[BUCKETS];

static struct bucket *bucket_of(const uint32_t *word)
{
    return &buckets[((uintptr_t)word * UINT64_C(0x9E3779B97F4A7C15)) >> 58];
}

void reini_lot_wait(const uint32_t *word, uint32_t value)
{
    struct waiter waiter = {.word = word};
    struct bucket *bucket = bucket_of(word);
    reini_strand_init(&waiter.strand);
    /* acquire on the word: what its changer wrote before is seen by whoever waited for it. */
    while (load_acquire(word) == value) {
        mutex_lock(&bucket->mu);
        if (load_acquire(word) != value) {
            mutex_unlock(&bucket->mu);
            return;
        }
        waiter.next = bucket->first;
        bucket->first = &waiter;
        mutex_unlock(&bucket->mu);
        reini_strand_wait(&waiter.strand, 1, INT64_MAX);
        reini_strand_init(&waiter.strand); /* its one signal has come: nobody else knows it */
    }
}

void reini_lot_wake(const uint32_t *word)
{
    struct bucket *bucket = bucket_of(word);
    struct waiter *woken = NULL;
    mutex_lock(&bucket->mu);
    for (struct waiter **at = &bucket->first; *at;) {
        struct waiter *waiter = *at;
        if (waiter->word != word) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->next = woken;
        woken = waiter;
    }
    mutex_unlock(&bucket->mu);
    while (woken) {
        struct waiter *waiter = woken;
        woken = waiter->next; /* before the signal, after which it is gone */
        reini_strand_signal(&waiter->strand);
    }
}

void reini_lot_forked(void)
{
    for (size_t i = 0; i < BUCKETS; i++)
        buckets[i] = (struct bucket){{0}, NULL};
}
