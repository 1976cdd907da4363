/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* program.cc: the same from C++, with contexts that are derived at namespace scope. */
#include <cstdio>
#include <rein.h>

REIN_KEY_DECLARE_STRING(user)
REIN_KEY_DEFINE_STRING(user)

namespace app {

rein_ctx *const base = rein_with_cancel(rein_background());
const rein_ctx *const ctx = user_with(base, "gopher");
rein_ctx *const limited = rein_with_timeout(ctx, REIN_MILLISECOND);

} // namespace app

int main()
{
    int err = rein_wait(app::limited);
    char line[256];
    rein_explain(app::limited, line, sizeof line);
    std::printf("rein %s, for %s: %s\n", rein_version(), user_of(app::limited, "nobody"), line);
    rein_end(app::limited);
    rein_unref(app::ctx);
    rein_end(app::base);
    return err == 0;
}
