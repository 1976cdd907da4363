/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* 09-virtual-clock.c: test an hour's timeout in no time at all. */
#include <rein.h>
#include <rein/testing.h>
#include <stdio.h>

static char hour_name[] = "the hour", minute_name[] = "the minute";

static void ring(const rein_ctx *ctx, void *name)
{
    (void)ctx;
    printf("%s rings\n", (const char *)name);
}

int main(void)
{
    rein_clock *clock = rein_clock_new();
    if (!clock)
        return 1;
    const rein_ctx *root = rein_clock_root(clock);
    rein_ctx *hour = rein_with_timeout(root, REIN_HOUR);
    rein_ctx *minute = rein_with_timeout(root, REIN_MINUTE);
    rein_callback bells[2];
    rein_callback_add(hour, &bells[0], ring, hour_name);
    rein_callback_add(minute, &bells[1], ring, minute_name);

    rein_clock_advance(clock, REIN_HOUR - 1); /* a nanosecond short of it */
    printf("almost: %s\n", rein_strerror(rein_err(hour)));
    rein_clock_advance(clock, 1);
    printf("exactly: %s\n", rein_strerror(rein_err(hour)));

    rein_callback_remove(&bells[0]);
    rein_callback_remove(&bells[1]);
    rein_end(minute);
    rein_end(hour);
    rein_clock_free(clock);
    return 0;
}
