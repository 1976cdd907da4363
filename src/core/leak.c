/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/leak.c: the list of live contexts, kept when asked for.
 *
 * A listed context has its place in the list in front of it in memory; one that is not costs
 * nothing. Locking: mu guards the list and is a leaf. */
#include <errno.h>
#include <rein/library.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "core/node.h"
#include "time/instant.h"

struct listing {
    struct list link;
    int64_t born;
    uint64_t unused; /* what follows is aligned as malloc's memory is */
};

static_assert(sizeof(struct listing) % _Alignof(max_align_t) == 0, "a context follows");

READ_MOSTLY uint32_t reini_leaks;

static reini_mutex mu;
static struct list all = {&all, &all};

__attribute__((constructor(103))) static void begin(void)
{
    const char *debug = getenv("REIN_DEBUG");
    if (debug && strstr(debug, "leaks"))
        rein_leaks_on();
}

void rein_leaks_on(void)
{
    store_relaxed(&reini_leaks, 1);
}

struct ctx *reini_leak_alloc(size_t size)
{
    struct listing *listing = reini_alloc(sizeof *listing + size);
    if (!listing)
        return NULL;
    listing->born = reini_plat_now();
    return (struct ctx *)(void *)(listing + 1);
}

void reini_leak_list(struct ctx *ctx)
{
    struct listing *listing = (struct listing *)(void *)ctx - 1;
    mutex_lock(&mu);
    list_insert(&all, &listing->link);
    mutex_unlock(&mu);
}

void reini_leak_free(struct ctx *ctx)
{
    struct listing *listing = (struct listing *)(void *)ctx - 1;
    if (!is_frozen(ctx)) { /* else it is in the parent process's list */
        mutex_lock(&mu);
        list_remove(&listing->link);
        mutex_unlock(&mu);
    }
    reini_free(listing);
}

void reini_leak_forked(void)
{
    mu = (reini_mutex){0};
    list_init(&all);
}

/* One line, or as much of it as fits. */
static size_t describe(const struct listing *listing, int64_t now, char *line, size_t size)
{
    const struct ctx *ctx = (const struct ctx *)(const void *)(listing + 1);
    uint64_t refs = load_relaxed(&ctx->refs);
    char age[32];
    int64_t old = instant_sub(now, listing->born);
    rein_format_duration(old - old % REIN_MILLISECOND, age, sizeof age);
    int length = snprintf(line, size, "rein: live context %s, %s old, %u owner%s, %u reference%s\n",
                          ctx->site, age, OWNERS(refs), OWNERS(refs) == 1 ? "" : "s",
                          REFERENCES(refs), REFERENCES(refs) == 1 ? "" : "s");
    return (size_t)length < size ? (size_t)length : size - 1;
}

size_t rein_leaks_print(int fd)
{
    size_t count = 0, used = 0, room = 0;
    char *text = NULL;
    int saved = errno;
    int64_t now = reini_plat_now();
    mutex_lock(&mu);
    for (struct list *link = all.next; link != &all; link = link->next)
        count++;
    /* Written without the lock, as the descriptor may be a pipe that nobody reads. */
    enum { LINE = 200 };
    if (fd >= 0 && count > 0 && (text = reini_alloc(room = count * LINE)))
        for (struct list *link = all.next; link != &all; link = link->next)
            used += describe(CONTAINER_OF(link, struct listing, link), now, text + used,
                             room - used < LINE ? room - used : LINE);
    mutex_unlock(&mu);
    reini_fd_write(fd, text, used);
    reini_free(text);
    errno = saved;
    return count;
}
