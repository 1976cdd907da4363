/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* test_hangup.c: a peer that leaves ends its context and no other; after a removal nobody is
 * touched. */
#include <rein.h>
#include <rein/hangup.h>

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testing.h"

#define ROUNDS 2000

static rein_hangup *watcher;

static void set_up(void)
{
    ck_assert_int_eq(rein_hangup_new(&watcher), 0);
}

static void tear_down(void)
{
    rein_hangup_free(watcher);
}

static void make_pair(int ends[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

/* A peer that closes ends the context, with the cause that says so; unread data hides nothing. */
START_TEST(close_cancels)
{
    for (int unread = 0; unread <= 1; unread++) {
        rein_ctx *ctx = rein_with_cancel(rein_background());
        rein_hangup_watch watch;
        int ends[2];
        make_pair(ends);
        ck_assert_int_eq(rein_hangup_add(watcher, &watch, ends[0], ctx, 0), 0);
        ck_assert_int_eq(rein_err(ctx), 0);
        ck_assert(!unread || write(ends[1], "more", 4) == 4);
        close(ends[1]);
        ck_assert_int_eq(rein_wait(ctx), -ECANCELED);
        ck_assert_ptr_eq(rein_cause(ctx), &rein_hangup_client_gone);
        ck_assert(!rein_hangup_remove(&watch));
        ck_assert(!rein_hangup_remove(&watch));
        close(ends[0]);
        rein_end(ctx);
    }
}
END_TEST

/* A peer that had left before the watch began is noticed too. */
START_TEST(gone_before_is_noticed)
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_hangup_watch watch;
    int ends[2];
    make_pair(ends);
    close(ends[1]);
    ck_assert_int_eq(rein_hangup_add(watcher, &watch, ends[0], ctx, 0), 0);
    ck_assert_int_eq(rein_wait(ctx), -ECANCELED);
    rein_hangup_remove(&watch);
    close(ends[0]);
    rein_end(ctx);
}
END_TEST

/* A peer that only stops sending has left, unless the caller knows better. A third connection that
 * closes afterwards proves that the watcher has had its chance. */
START_TEST(half_close_is_a_choice)
{
    rein_ctx *strict = rein_with_cancel(rein_background());
    rein_ctx *lax = rein_with_cancel(rein_background());
    rein_hangup_watch watch_strict, watch_lax;
    int first[2], second[2];
    make_pair(first);
    make_pair(second);
    ck_assert_int_eq(rein_hangup_add(watcher, &watch_strict, first[0], strict, 0), 0);
    ck_assert_int_eq(
        rein_hangup_add(watcher, &watch_lax, second[0], lax, REIN_HANGUP_HALF_CLOSE_OK), 0);
    shutdown(second[1], SHUT_WR);
    shutdown(first[1], SHUT_WR);
    ck_assert_int_eq(rein_wait(strict), -ECANCELED);
    ck_assert_int_eq(rein_err(lax), 0);
    close(second[1]);
    ck_assert_int_eq(rein_wait(lax), -ECANCELED);
    rein_hangup_remove(&watch_strict);
    rein_hangup_remove(&watch_lax);
    close(first[0]);
    close(first[1]);
    close(second[0]);
    rein_end(strict);
    rein_end(lax);
}
END_TEST

/* After a removal a hang-up ends nothing. */
START_TEST(removal_prevents)
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_ctx *other = rein_with_cancel(rein_background());
    rein_hangup_watch watch, watch_other;
    int ends[2], others[2];
    make_pair(ends);
    make_pair(others);
    ck_assert_int_eq(rein_hangup_add(watcher, &watch, ends[0], ctx, 0), 0);
    ck_assert(rein_hangup_remove(&watch));
    close(ends[1]);
    ck_assert_int_eq(rein_hangup_add(watcher, &watch_other, others[0], other, 0), 0);
    close(others[1]);
    ck_assert_int_eq(rein_wait(other), -ECANCELED);
    ck_assert_int_eq(rein_err(ctx), 0);
    rein_hangup_remove(&watch_other);
    close(ends[0]);
    close(others[0]);
    rein_end(ctx);
    rein_end(other);
}
END_TEST

START_TEST(refusals_watch_nothing)
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_hangup_watch watch, second;
    int ends[2];
    make_pair(ends);
    int regular = memfd_create("regular", MFD_CLOEXEC);

    ck_assert_int_eq(rein_hangup_add(watcher, &watch, -1, ctx, 0), -EBADF);
    ck_assert(!rein_hangup_remove(&watch));
    ck_assert_int_eq(rein_hangup_add(watcher, &watch, ends[0], NULL, 0), -EINVAL);
    ck_assert_int_eq(rein_hangup_add(watcher, &watch, ends[0], ctx, 8), -EINVAL);
    ck_assert_int_eq(rein_hangup_add(watcher, &watch, regular, ctx, 0), -EPERM);
    ck_assert_int_eq(rein_hangup_add(watcher, &watch, ends[0], ctx, 0), 0);
    ck_assert_int_eq(rein_hangup_add(watcher, &second, ends[0], ctx, 0), -EEXIST);
    ck_assert(!rein_hangup_remove(&second));
    ck_assert(rein_hangup_remove(&watch));
    ck_assert_int_eq(rein_hangup_new(NULL), -EINVAL);
    rein_hangup_free(NULL);
    close(regular);
    close(ends[0]);
    close(ends[1]);
    rein_end(ctx);
}
END_TEST

struct inside {
    rein_hangup_watch watch;
    rein_ctx *ctx;
    pthread_barrier_t seen;
    bool prevented;
};

static void remove_inside(const rein_ctx *ctx, void *arg)
{
    struct inside *inside = arg;

    (void)ctx;
    inside->prevented = rein_hangup_remove(&inside->watch);
    rein_end(inside->ctx);
    pthread_barrier_wait(&inside->seen);
}

/* A callback of the cancel may remove the watch, and give the context back: it does not wait for
 * itself, and nothing is touched afterwards. */
START_TEST(removal_from_inside)
{
    struct inside inside = {.ctx = rein_with_cancel(rein_background())};
    rein_callback callback;
    int ends[2];
    make_pair(ends);
    ck_assert_int_eq(pthread_barrier_init(&inside.seen, NULL, 2), 0);
    const rein_ctx *hold = rein_ref(inside.ctx);
    ck_assert(rein_callback_add(hold, &callback, remove_inside, &inside));
    ck_assert_int_eq(rein_hangup_add(watcher, &inside.watch, ends[0], inside.ctx, 0), 0);
    close(ends[1]);
    pthread_barrier_wait(&inside.seen);
    rein_callback_remove(&callback);
    ck_assert(!inside.prevented);
    rein_unref(hold);
    close(ends[0]);
}
END_TEST

struct leaver {
    pthread_barrier_t start;
    int fd; /* of this round; -1: leave. Handed over by the barrier */
    uint32_t delay;
};

static void *leave_late(void *arg)
{
    struct leaver *leaver = arg;

    for (;;) {
        pthread_barrier_wait(&leaver->start);
        if (leaver->fd < 0)
            return NULL;
        spin(leaver->delay);
        close(leaver->fd);
        pthread_barrier_wait(&leaver->start);
    }
}

/* One round: the peer leaves at about the moment the watch is removed; then the same descriptor
 * number and the same watch serve a client that stays. */
static void late_round(struct leaver *leaver, uint32_t patience)
{
    rein_ctx *ctx = rein_with_cancel(rein_background());
    rein_hangup_watch watch;
    int ends[2];

    make_pair(ends);
    ck_assert_int_eq(rein_hangup_add(watcher, &watch, ends[0], ctx, 0), 0);
    leaver->fd = ends[1];
    pthread_barrier_wait(&leaver->start);
    spin(patience);
    bool prevented = rein_hangup_remove(&watch);
    ck_assert_int_eq(rein_err(ctx), prevented ? 0 : -ECANCELED);
    rein_end(ctx);
    pthread_barrier_wait(&leaver->start);
    close(ends[0]);

    rein_ctx *innocent = rein_with_cancel(rein_background());
    make_pair(ends);
    ck_assert_int_eq(rein_hangup_add(watcher, &watch, ends[0], innocent, 0), 0);
    spin(1000);
    ck_assert(rein_hangup_remove(&watch));
    ck_assert_int_eq(rein_err(innocent), 0);
    rein_end(innocent);
    close(ends[0]);
    close(ends[1]);
}

START_TEST(late_hang_up_hits_nobody)
{
    struct leaver leaver;
    pthread_t thread;
    uint64_t seed = 1;
    unsigned descriptors = count_of_own("fd"), threads = 0;
    ck_assert_int_eq(pthread_barrier_init(&leaver.start, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, leave_late, &leaver), 0);

    for (unsigned round = 0; round < rounds(ROUNDS); round++) {
        leaver.delay = next_random(&seed) % 20000;
        late_round(&leaver, next_random(&seed) % 30000);
        if (round == 0)
            threads = count_of_own("task");
    }
    wait_count("fd", descriptors);
    wait_count("task", threads);
    leaver.fd = -1;
    pthread_barrier_wait(&leaver.start);
    pthread_join(thread, NULL);
}
END_TEST

/* More connections at a time than the watcher began with room for. */
START_TEST(many_at_once)
{
    enum { MANY = 200 };
    static rein_hangup_watch watches[MANY];
    rein_ctx *ctx[MANY];
    int ends[MANY][2];

    for (int i = 0; i < MANY; i++) {
        make_pair(ends[i]);
        ctx[i] = rein_with_cancel(rein_background());
        ck_assert_int_eq(rein_hangup_add(watcher, &watches[i], ends[i][0], ctx[i], 0), 0);
    }
    for (int i = 0; i < MANY; i += 2)
        close(ends[i][1]);
    for (int i = 0; i < MANY; i += 2)
        ck_assert_int_eq(rein_wait(ctx[i]), -ECANCELED);
    for (int i = 0; i < MANY; i++) {
        ck_assert(rein_hangup_remove(&watches[i]) == (i % 2 == 1));
        ck_assert_int_eq(rein_err(ctx[i]), i % 2 ? 0 : -ECANCELED);
        rein_end(ctx[i]);
        close(ends[i][0]);
        if (i % 2)
            close(ends[i][1]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hangup");
    TCase *tcase = new_case(suite, "hangup");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, close_cancels);
    tcase_add_test(tcase, gone_before_is_noticed);
    tcase_add_test(tcase, half_close_is_a_choice);
    tcase_add_test(tcase, removal_prevents);
    tcase_add_test(tcase, refusals_watch_nothing);
    tcase_add_test(tcase, removal_from_inside);
    tcase_add_test(tcase, late_hang_up_hits_nobody);
    tcase_add_test(tcase, many_at_once);
    return run(suite);
}
