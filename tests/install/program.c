/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* program.c: a user's program; all it knows of rein is what pkg-config or Meson says. */
#include <rein.h>
#include <stdio.h>
#include <string.h>

REIN_KEY_DECLARE_STRING(user)
REIN_KEY_DEFINE_STRING(user)

static int serve(const rein_ctx *ctx)
{
    REIN_AUTO_END rein_ctx *request = rein_with_timeout(ctx, REIN_MILLISECOND);
    int err = rein_wait(request);
    char line[256];
    rein_explain(request, line, sizeof line);
    printf("rein %s, for %s: %s\n", rein_version(), user_of(request, "nobody"), line);
    return err;
}

int main(void)
{
    rein_ctx *app = rein_with_cancel(rein_background());
    const rein_ctx *ctx = user_with(app, "gopher");
    int err = serve(ctx);
    rein_unref(ctx);
    rein_end(app);
    return err == 0 || strcmp(rein_version(), REIN_VERSION_STRING) != 0;
}
