/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/inline.c: the inline functions of the public headers as exported ones, for bindings. */
#define rein_err inlined_err
#define rein_done inlined_done
#define rein_auto_end inlined_auto_end
#define rein_auto_unref inlined_auto_unref
#include <rein/context.h>
#undef rein_err
#undef rein_done
#undef rein_auto_end
#undef rein_auto_unref

REIN_API int rein_err(const rein_ctx *ctx);
REIN_API bool rein_done(const rein_ctx *ctx);
REIN_API void rein_auto_end(rein_ctx **ctx);
REIN_API void rein_auto_unref(const rein_ctx **ctx);

int rein_err(const rein_ctx *ctx)
{
    return inlined_err(ctx);
}

bool rein_done(const rein_ctx *ctx)
{
    return inlined_done(ctx);
}

void rein_auto_end(rein_ctx **ctx)
{
    inlined_auto_end(ctx);
}

void rein_auto_unref(const rein_ctx **ctx)
{
    inlined_auto_unref(ctx);
}
