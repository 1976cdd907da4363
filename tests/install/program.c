/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* program.c: a user's program; all it knows of rein is what pkg-config or Meson says. */
#include <rein.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    rein_ctx *ctx = rein_with_timeout(rein_background(), REIN_MILLISECOND);
    int err = rein_wait(ctx);
    char line[256];
    rein_explain(ctx, line, sizeof line);
    printf("rein %s: %s\n", rein_version(), line);
    rein_end(ctx);
    return err == 0 || strcmp(rein_version(), REIN_VERSION_STRING) != 0;
}
