/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/order/actor.c: see actor.h. */
#include "actor.h"

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"

static _Thread_local struct actor *me;
static struct actor director;
static struct actor *stranger;
static void (*look)(const char *step);

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
    actor->at = NULL;
    store(&actor->go, 0);
    store(&actor->standing, 1);
    while (!load(&actor->go))
        sched_yield();
}

static void step(const char *name)
{
    if (look)
        look(name);
    struct actor *actor = me ? me : stranger;
    if (!actor || actor == &director || !actor->at || strcmp(actor->at, name) != 0)
        return;
    if (actor->skip > 0)
        actor->skip--;
    else
        stand_still(actor);
}

void stage(void)
{
    me = &director;
    reini_step_hook = step;
}

void curtain(void)
{
    reini_step_hook = NULL;
    stranger = NULL;
    look = NULL;
}

void stage_look(void (*new_look)(const char *step))
{
    look = new_look;
}

void stage_stranger(struct actor *actor)
{
    stranger = actor;
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
        sched_yield();
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
        sched_yield();
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", id);
    while (in_a_row < 20) { /* more than a page fault on its way takes */
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ck_assert_msg(fd >= 0, "a thread has ended that was to fall asleep");
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        text[n > 0 ? n : 0] = '\0';
        const char *after_name = strrchr(text, ')');
        in_a_row = after_name && after_name[1] && after_name[2] == 'S' ? in_a_row + 1 : 0;
        sched_yield();
    }
}

void actor_go_to(struct actor *actor, const char *at, uint32_t skip)
{
    actor->at = at;
    actor->skip = skip;
    store(&actor->standing, 0);
    store(&actor->go, 1);
}

void actor_go(struct actor *actor)
{
    actor_go_to(actor, NULL, 0);
}
