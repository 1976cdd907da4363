/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/inline.c: the inline functions of the public headers as exported ones, for bindings. */
#include <rein/context.h>

#define EXPORTED __attribute__((visibility("default"), used))

EXPORTED int reini_err_symbol(const rein_ctx *ctx) __asm__("rein_err");
int reini_err_symbol(const rein_ctx *ctx)
{
    return rein_err(ctx);
}

EXPORTED bool reini_done_symbol(const rein_ctx *ctx) __asm__("rein_done");
bool reini_done_symbol(const rein_ctx *ctx)
{
    return rein_done(ctx);
}

EXPORTED void reini_auto_end_symbol(rein_ctx **ctx) __asm__("rein_auto_end");
void reini_auto_end_symbol(rein_ctx **ctx)
{
    rein_auto_end(ctx);
}

EXPORTED void reini_auto_unref_symbol(const rein_ctx **ctx) __asm__("rein_auto_unref");
void reini_auto_unref_symbol(const rein_ctx **ctx)
{
    rein_auto_unref(ctx);
}
