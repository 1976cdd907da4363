/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* wake.c: from just before a cancel until the thread that waits for it runs. */
#include <semaphore.h>

#include "subject.h"

struct sleeper {
    sem_t go, woke;
    node leaf; /* handed over by go */
    int64_t at;
    int processor, wakes;
};
static void *sleeper_main(void *arg)
{
    struct sleeper *sleeper = (struct sleeper *)arg;
    stay_on_processor(sleeper->processor);
    for (int i = 0; i < sleeper->wakes; i++) {
        sem_wait(&sleeper->go);
        await(sleeper->leaf);
        sleeper->at = now_ns();
        sem_post(&sleeper->woke);
    }
    return NULL;
}

static void wake(const char *name, int processor)
{
    enum { WAKES = 1000 };
    static double took[WAKES];
    static struct sleeper sleeper;
    pthread_t thread;
    sleeper.processor = processor;
    sleeper.wakes = (int)sized(WAKES);
    sem_init(&sleeper.go, 0, 0);
    sem_init(&sleeper.woke, 0, 0);
    stay_on_processor(0);
    if (pthread_create(&thread, NULL, sleeper_main, &sleeper) != 0)
        abort();
    for (int i = 0; i < sleeper.wakes; i++) {
        node top = new_root();
        sleeper.leaf = derive(top);
        sem_post(&sleeper.go);
        usleep(200); /* long enough to fall asleep; if not, one sample of many is odd */
        int64_t start = now_ns();
        cancel(top);
        sem_wait(&sleeper.woke);
        took[i] = (double)(sleeper.at - start);
        release(sleeper.leaf);
        release(top);
    }
    pthread_join(thread, NULL);
    print_half_and_most(name, took, (size_t)sleeper.wakes);
}
static void one(long unused)
{
    (void)unused;
    wake("wake.one", 0);
}
static void two(long unused)
{
    (void)unused;
    wake("wake.two", 1);
}

CASES({"one", one}, {"two", two})
