/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/linux/poll.c: poll until an instant. */
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "plat/plat.h"

int reini_poll_until(struct pollfd *fds, size_t n, int64_t until)
{
    int saved = errno;
    struct timespec left, *timeout = NULL;
    if (until != INT64_MAX) {
        int64_t now = reini_plat_now();
        int64_t span = until > now ? until - now : 0;
        left.tv_sec = (time_t)(span / 1000000000);
        left.tv_nsec = (long)(span % 1000000000);
        timeout = &left;
    }
    long r = syscall(SYS_ppoll, fds, n, timeout, NULL, 0);
    int result = r < 0 ? -errno : (int)r;
    errno = saved;
    return result;
}
