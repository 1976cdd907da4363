/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/time/still.c: a clock that stands still, in place of the system's; see still.h.
 *
 * All is guarded by `mu`, which is a leaf. Whoever changes a word before waking its sleepers is
 * seen: a sleeper looks at its word under mu, and every wake takes mu after the change. */
#include "still.h"

#include <pthread.h>
#include <string.h>

#include "plat/plat.h"

bool __real_reini_word_sleep(const uint32_t *word, uint32_t expected, int64_t until);
void __real_reini_word_wake(const uint32_t *word, bool all);
int64_t __wrap_reini_plat_now(void);
bool __wrap_reini_word_sleep(const uint32_t *word, uint32_t expected, int64_t until);
void __wrap_reini_word_wake(const uint32_t *word, bool all);

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int64_t now = INT64_C(1000000) * 1000000000; /* far from both ends, and round */
static int64_t noticed = INT64_C(1000000) * 1000000000; /* what sleepers take for now */
static uint64_t sleeps, wakes;
static struct {
    bool asleep;
    const uint32_t *word; /* the one it has slept on; NULL before */
    uint32_t expected;
    int64_t until;
} keeper;

static bool is_asleep(void)
{
    return keeper.asleep && __atomic_load_n(keeper.word, __ATOMIC_ACQUIRE) == keeper.expected &&
           noticed < keeper.until;
}

/* The library's other threads sleep as ever: nothing here depends on them. */
static bool on_keeper(void)
{
    char name[16] = "";
    pthread_getname_np(pthread_self(), name, sizeof name);
    return strcmp(name, "rein-keeper") == 0;
}

int64_t __wrap_reini_plat_now(void)
{
    pthread_mutex_lock(&mu);
    int64_t it = now;
    pthread_mutex_unlock(&mu);
    return it;
}

bool __wrap_reini_word_sleep(const uint32_t *word, uint32_t expected, int64_t until)
{
    /* Only its naps have a bound; what has none is a lock. */
    if (until == INT64_MAX || !on_keeper())
        return __real_reini_word_sleep(word, expected, until);
    pthread_mutex_lock(&mu);
    keeper.asleep = true;
    keeper.word = word;
    keeper.expected = expected;
    keeper.until = until;
    sleeps++;
    pthread_cond_broadcast(&changed);
    while (is_asleep())
        pthread_cond_wait(&changed, &mu);
    keeper.asleep = false;
    bool woken = noticed < until;
    pthread_mutex_unlock(&mu);
    return woken;
}

void __wrap_reini_word_wake(const uint32_t *word, bool all)
{
    pthread_mutex_lock(&mu);
    wakes += word == keeper.word; /* else a lock's */
    noticed = now;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mu);
    __real_reini_word_wake(word, all);
}

void still_pass(int64_t d)
{
    pthread_mutex_lock(&mu);
    noticed = now += d;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mu);
}

void still_pass_unnoticed(int64_t d)
{
    pthread_mutex_lock(&mu);
    now += d;
    pthread_mutex_unlock(&mu);
}

int64_t still_await_sleep(void)
{
    pthread_mutex_lock(&mu);
    while (!is_asleep())
        pthread_cond_wait(&changed, &mu);
    int64_t until = keeper.until;
    pthread_mutex_unlock(&mu);
    return until;
}

static uint64_t read_count(const uint64_t *count)
{
    pthread_mutex_lock(&mu);
    uint64_t it = *count;
    pthread_mutex_unlock(&mu);
    return it;
}

uint64_t still_sleeps(void)
{
    return read_count(&sleeps);
}

uint64_t still_wakes(void)
{
    return read_count(&wakes);
}
