/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/linux/event.c: eventfd, timerfd, and the two as one by epoll.
 *
 * By raw system calls, because libc's write() and read() are cancellation points. */
#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "plat/plat.h"

/* fd, or the negative errno; errno itself is put back. */
static int kept(int fd, int saved)
{
    int r = fd < 0 ? -errno : fd;
    errno = saved;
    return r;
}

int reini_event_open(bool sticky)
{
    int saved = errno;
    /* A semaphore gives one unit to each read: raised by 2^64 - 2, it cannot be drained. */
    return kept(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | (sticky ? EFD_SEMAPHORE : 0)), saved);
}

void reini_event_raise(int fd)
{
    int saved = errno;
    uint64_t most = UINT64_MAX - 1;
    syscall(SYS_write, fd, &most, sizeof most); /* EAGAIN: it is up already */
    errno = saved;
}

void reini_event_clear(int fd)
{
    int saved = errno;
    uint64_t count;
    syscall(SYS_read, fd, &count, sizeof count);
    errno = saved;
}

void reini_fd_close(int fd)
{
    /* By libc, and so with cancellation off: ThreadSanitizer has to see that the number is free. */
    int saved = errno, state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    close(fd);
    pthread_setcancelstate(state, NULL);
    errno = saved;
}

void reini_fd_write(int fd, const char *text, size_t size)
{
    int saved = errno;
    for (size_t written = 0; written < size;) {
        long r = syscall(SYS_write, fd, text + written, size - written);
        if (r < 0 && errno != EINTR)
            break;
        written += r > 0 ? (size_t)r : 0;
    }
    errno = saved;
}

int reini_alarm_open(void)
{
    int saved = errno;
    return kept(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), saved);
}

void reini_alarm_set(int fd, int64_t when)
{
    int saved = errno;
    struct itimerspec at = {{0, 0}, {0, 0}}; /* all zero disarms */
    if (when != INT64_MAX) {
        int64_t ns = when < 1 ? 1 : when; /* an instant of 0 would disarm too */
        at.it_value.tv_sec = (time_t)(ns / 1000000000);
        at.it_value.tv_nsec = (long)(ns % 1000000000);
    }
    timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL);
    errno = saved;
}

int reini_union_open(const int *fds, size_t n)
{
    int saved = errno;
    int all = kept(epoll_create1(EPOLL_CLOEXEC), saved);
    for (size_t i = 0; all >= 0 && i < n; i++) {
        struct epoll_event in = {.events = EPOLLIN};
        if (epoll_ctl(all, EPOLL_CTL_ADD, fds[i], &in) < 0) {
            int error = -errno;
            reini_fd_close(all);
            errno = saved;
            return error;
        }
    }
    return all;
}
