/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* hangup.c: one thread that waits for the peers of many connections to hang up.
 *
 * The dangerous moment is the end. epoll_wait() may have handed the thread an event of a watch that
 * another thread is just removing, and whose memory and descriptor will soon be somebody else's. So
 * an event never carries a pointer: it carries the number of a slot and the slot's generation,
 * which goes up with every removal. The thread takes the lock, and only if the generation still
 * holds does it touch the watch.
 *
 *      free --add()--> watched --fire()--> fired --remove()--> free (next generation)
 *                         \-----------------remove()------------/
 *
 * Locking. `lock` guards the slots, the private part of every watch, and `firing`. It is not held
 * while a context is cancelled; what keeps that watch alive meanwhile is `firing`, for whose end
 * remove() waits. */
#include <rein/hangup.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 32
#define FIRST_SLOTS 64
#define NO_SLOT UINT32_MAX
#define LEAVE UINT64_MAX /* what the eventfd's events carry; no slot has this number */

/* What a rein_hangup_watch holds. */
struct watch {
    rein_hangup *watcher; /* NULL: not watched */
    rein_ctx *ctx;
    int fd;
    uint32_t slot;
    bool fired;
};
_Static_assert(sizeof(struct watch) <= sizeof(rein_hangup_watch), "a watch outgrew its room");

struct slot {
    struct watch *watch;
    uint32_t generation;
    uint32_t next_free;
};

struct rein_hangup {
    int epoll; /* set once, as are leave and thread */
    int leave; /* eventfd: readable when the thread is to go */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t fired; /* `firing` has changed */
    struct watch *firing; /* the watch whose context is being cancelled; compared, not followed */
    struct slot *slots;
    uint32_t n_slots;
    uint32_t free_slot; /* head of the list of free ones, or NO_SLOT */
};

const rein_reason rein_hangup_client_gone = REIN_REASON_INIT(-ECONNRESET, "client disconnected");

/* ---- Slots: all with the lock held ----------------------------------------------------------- */

static bool slots_grow(rein_hangup *watcher)
{
    uint32_t n = watcher->n_slots ? watcher->n_slots * 2 : FIRST_SLOTS;
    struct slot *slots = realloc(watcher->slots, n * sizeof(*slots));
    if (!slots)
        return false;
    for (uint32_t i = watcher->n_slots; i < n; i++)
        slots[i] = (struct slot){.next_free = i + 1 < n ? i + 1 : NO_SLOT};
    watcher->slots = slots;
    watcher->free_slot = watcher->n_slots;
    watcher->n_slots = n;
    return true;
}

static void slot_free(rein_hangup *watcher, uint32_t index)
{
    struct slot *slot = &watcher->slots[index];

    slot->watch = NULL;
    slot->generation++; /* events on their way no longer match */
    slot->next_free = watcher->free_slot;
    watcher->free_slot = index;
}

/* ---- The thread ------------------------------------------------------------------------------ */

static void fire(rein_hangup *watcher, uint64_t data)
{
    uint32_t index = (uint32_t)data;
    uint32_t generation = (uint32_t)(data >> 32);

    pthread_mutex_lock(&watcher->lock);
    struct watch *watch = watcher->slots[index].watch;
    if (!watch || watcher->slots[index].generation != generation) {
        pthread_mutex_unlock(&watcher->lock);
        return;
    }
    rein_ctx *ctx = watch->ctx;
    watch->fired = true;
    watcher->firing = watch;
    /* A callback of this very cancel may remove the watch, and end the context with it. */
    const rein_ctx *hold = rein_ref(ctx);
    pthread_mutex_unlock(&watcher->lock);

    rein_cancel_cause(ctx, &rein_hangup_client_gone);
    rein_unref(hold);

    pthread_mutex_lock(&watcher->lock);
    watcher->firing = NULL;
    pthread_cond_broadcast(&watcher->fired);
    pthread_mutex_unlock(&watcher->lock);
}

static void *watch_all(void *arg)
{
    rein_hangup *watcher = arg;
    struct epoll_event events[EVENTS_AT_ONCE];

    for (;;) {
        int n = epoll_wait(watcher->epoll, events, EVENTS_AT_ONCE, -1);
        for (int i = 0; i < n; i++) { /* n < 0: interrupted by a debugger; ask again */
            if (events[i].data.u64 == LEAVE)
                return NULL;
            fire(watcher, events[i].data.u64);
        }
    }
}

/* ---- A watcher ------------------------------------------------------------------------------- */

static int start_thread(rein_hangup *watcher)
{
    sigset_t all, before;

    /* A thread inherits the mask of its maker: signals are for the program's own threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&watcher->thread, NULL, watch_all, watcher);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0)
        (void)pthread_setname_np(watcher->thread, "rein-hangup");
    return r == 0 ? 0 : -EAGAIN;
}

static int open_descriptors(rein_hangup *watcher)
{
    watcher->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (watcher->epoll < 0)
        return -errno;
    watcher->leave = eventfd(0, EFD_CLOEXEC);
    if (watcher->leave < 0)
        return -errno;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = LEAVE};
    return epoll_ctl(watcher->epoll, EPOLL_CTL_ADD, watcher->leave, &event) < 0 ? -errno : 0;
}

static void dismantle(rein_hangup *watcher)
{
    if (watcher->epoll >= 0)
        close(watcher->epoll);
    if (watcher->leave >= 0)
        close(watcher->leave);
    pthread_mutex_destroy(&watcher->lock);
    pthread_cond_destroy(&watcher->fired);
    free(watcher->slots);
    free(watcher);
}

static int make(rein_hangup **ret_watcher)
{
    rein_hangup *watcher = calloc(1, sizeof(*watcher));
    if (!watcher)
        return -ENOMEM;
    watcher->epoll = watcher->leave = -1;
    watcher->free_slot = NO_SLOT;
    pthread_mutex_init(&watcher->lock, NULL);
    pthread_cond_init(&watcher->fired, NULL);
    int r = open_descriptors(watcher);
    if (r == 0)
        r = start_thread(watcher);
    if (r < 0) {
        dismantle(watcher);
        return r;
    }
    *ret_watcher = watcher;
    return 0;
}

int rein_hangup_new(rein_hangup **ret_watcher)
{
    if (!ret_watcher)
        return -EINVAL;
    int saved_errno = errno;
    int r = make(ret_watcher);
    errno = saved_errno;
    return r;
}

void rein_hangup_free(rein_hangup *watcher)
{
    if (!watcher)
        return;
    int saved_errno = errno;
    (void)eventfd_write(watcher->leave, 1); /* cannot fail: the counter is at 0 */
    pthread_join(watcher->thread, NULL);
    dismantle(watcher);
    errno = saved_errno;
}

/* ---- A watch --------------------------------------------------------------------------------- */

/* With the lock held. */
static int watch_begin(rein_hangup *watcher, struct watch *watch, unsigned flags)
{
    if (watcher->free_slot == NO_SLOT && !slots_grow(watcher))
        return -ENOMEM;
    uint32_t index = watcher->free_slot;
    struct slot *slot = &watcher->slots[index];
    struct epoll_event event = {
        /* Hang-ups of both sides and errors are always reported. Once is enough: an event that
         * stays true would otherwise keep the thread spinning until the watch is removed. */
        .events = EPOLLONESHOT | (flags & REIN_HANGUP_HALF_CLOSE_OK ? 0 : (uint32_t)EPOLLRDHUP),
        .data.u64 = (uint64_t)slot->generation << 32 | index,
    };
    if (epoll_ctl(watcher->epoll, EPOLL_CTL_ADD, watch->fd, &event) < 0)
        return -errno;
    watcher->free_slot = slot->next_free;
    slot->watch = watch;
    watch->slot = index;
    watch->watcher = watcher;
    return 0;
}

int rein_hangup_add(rein_hangup *watcher, rein_hangup_watch *public_watch, int fd, rein_ctx *ctx,
                    unsigned flags)
{
    struct watch *watch = (struct watch *)(void *)public_watch;

    if (!watch)
        return -EINVAL;
    *watch = (struct watch){.ctx = ctx, .fd = fd};
    if (!watcher || !ctx || (flags & ~(unsigned)REIN_HANGUP_HALF_CLOSE_OK))
        return -EINVAL;
    int saved_errno = errno;
    pthread_mutex_lock(&watcher->lock);
    int r = watch_begin(watcher, watch, flags);
    pthread_mutex_unlock(&watcher->lock);
    errno = saved_errno;
    return r;
}

bool rein_hangup_remove(rein_hangup_watch *public_watch)
{
    struct watch *watch = (struct watch *)(void *)public_watch;
    rein_hangup *watcher = watch->watcher;

    if (!watcher)
        return false;
    int saved_errno = errno;
    pthread_mutex_lock(&watcher->lock);
    bool prevented = !watch->fired;
    (void)epoll_ctl(watcher->epoll, EPOLL_CTL_DEL, watch->fd, NULL); /* fd may be closed */
    slot_free(watcher, watch->slot);
    watch->watcher = NULL;
    /* Inside the cancel itself, on this very stack, there is nothing to wait for. */
    while (watcher->firing == watch && !pthread_equal(pthread_self(), watcher->thread))
        pthread_cond_wait(&watcher->fired, &watcher->lock);
    pthread_mutex_unlock(&watcher->lock);
    errno = saved_errno;
    return prevented;
}
