/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/order/actor.c: see actor.h. */
#include "actor.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "suite.h"

static _Thread_local struct actor *me;
static struct actor director;
static struct actor *stranger;         /* atomic, like the hook: set while rein's threads run */
static void (*look)(const char *step); /* atomic */

static uint32_t load(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void store(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static void stand_still(struct actor *actor)
{
    __atomic_store_n(&actor->at, NULL, __ATOMIC_RELAXED);
    store(&actor->go, 0);
    store(&actor->standing, 1);
    while (!load(&actor->go))
        suite_yield();
}

static void step(const char *name)
{
    void (*looks)(const char *) = __atomic_load_n(&look, __ATOMIC_ACQUIRE);
    if (looks)
        looks(name);
    struct actor *actor = me ? me : __atomic_load_n(&stranger, __ATOMIC_ACQUIRE);
    const char *at =
        actor && actor != &director ? __atomic_load_n(&actor->at, __ATOMIC_ACQUIRE) : NULL;
    if (!at || strcmp(at, name) != 0)
        return;
    uint32_t skip = load(&actor->skip);
    if (skip > 0)
        store(&actor->skip, skip - 1);
    else
        stand_still(actor);
}

void stage(void)
{
    me = &director;
    __atomic_store_n(&reini_step_hook, step, __ATOMIC_RELEASE);
}

void curtain(void)
{
    __atomic_store_n(&reini_step_hook, NULL, __ATOMIC_RELEASE);
    stage_stranger(NULL);
    stage_look(NULL);
}

void stage_look(void (*new_look)(const char *step))
{
    __atomic_store_n(&look, new_look, __ATOMIC_RELEASE);
}

void stage_stranger(struct actor *actor)
{
    __atomic_store_n(&stranger, actor, __ATOMIC_RELEASE);
}

static void play(void *arg)
{
    struct actor *actor = arg;
    me = actor;
    __atomic_store_n(&actor->id, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
    actor->fn(actor->arg);
    store(&actor->over, 1);
}

void actor_start(struct actor *actor, void (*fn)(void *arg), void *arg)
{
    actor->fn = fn;
    actor->arg = arg;
    race_thread_start(&actor->thread, 0, play, actor);
}

void actor_join(struct actor *actor)
{
    race_thread_join(&actor->thread);
}

void actor_finish(struct actor *actor)
{
    actor_go(actor);
    actor_join(actor);
}

bool actor_is_over(const struct actor *actor)
{
    return load(&actor->over) != 0;
}

bool actor_stands(struct actor *actor)
{
    while (!load(&actor->standing) && !actor_is_over(actor))
        suite_yield();
    return load(&actor->standing) != 0;
}

void actor_await(struct actor *actor)
{
    ck_assert_msg(actor_stands(actor), "a thread did not come to its step");
}

void actor_await_asleep(struct actor *actor)
{
    char path[64], text[512];
    int id, in_a_row = 0;
    while ((id = __atomic_load_n(&actor->id, __ATOMIC_ACQUIRE)) == 0)
        suite_yield();
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", id);
    while (in_a_row < 20) { /* more than a page fault on its way takes */
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ck_assert_msg(fd >= 0, "a thread has ended that was to fall asleep");
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        text[n > 0 ? n : 0] = '\0';
        const char *after_name = strrchr(text, ')');
        in_a_row = after_name && after_name[1] && after_name[2] == 'S' ? in_a_row + 1 : 0;
        suite_yield();
    }
}

void actor_pass(struct actor *actor)
{
    __atomic_store_n(&actor->at, NULL, __ATOMIC_RELEASE);
}

void actor_go_to(struct actor *actor, const char *at, uint32_t skip)
{
    store(&actor->skip, skip);
    __atomic_store_n(&actor->at, at, __ATOMIC_RELEASE);
    store(&actor->standing, 0);
    store(&actor->go, 1);
}

void actor_go(struct actor *actor)
{
    actor_go_to(actor, NULL, 0);
}
