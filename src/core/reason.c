/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/reason.c: reasons: static ones, and counted ones with their text behind them. */
#include "core/reason.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/atomic.h"
#include "base/mem.h"

static const rein_reason out_of_memory =
    REIN_REASON_INIT(-ENOMEM, "no memory for the reason that was to be given");

/* A counted reason with room for a text of that length. */
static rein_reason *make(int code, size_t length)
{
    rein_reason *reason = reini_alloc(sizeof *reason + length + 1);
    if (reason)
        *reason = (rein_reason){
            .code = code, .reserved_refs = 1, .text = (const char *)(reason + 1)};
    return reason;
}

rein_reason *rein_reason_new(int code, const char *text, void *payload, rein_drop_fn *drop)
{
    size_t length = text ? strlen(text) : 0;
    rein_reason *reason = make(code, length);
    if (!reason)
        return NULL;
    memcpy(reason + 1, text ? text : "", length + 1);
    reason->payload = payload;
    reason->drop = drop;
    return reason;
}

const rein_reason *reini_reason_vnewf(int code, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int saved = errno;
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    rein_reason *reason = make(code, length > 0 ? (size_t)length : 0);
    if (reason)
        vsnprintf((char *)(reason + 1), length > 0 ? (size_t)length + 1 : 1, format, args);
    errno = saved;
    return reason ? reason : &out_of_memory;
}

const rein_reason *reini_reason_newf(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const rein_reason *reason = reini_reason_vnewf(code, format, args);
    va_end(args);
    return reason;
}

/* A static reason may lie in read-only memory: its count is 0 for ever and is only looked at. */
static rein_reason *counted(const rein_reason *reason)
{
    return reason && load_relaxed(&reason->reserved_refs) != 0 ? (rein_reason *)(uintptr_t)reason
                                                               : NULL;
}

const rein_reason *rein_reason_ref(const rein_reason *reason)
{
    rein_reason *mine = counted(reason);
    if (mine)
        add_relaxed(&mine->reserved_refs, 1);
    return reason;
}

void rein_reason_unref(const rein_reason *reason)
{
    rein_reason *mine = counted(reason);
    /* acq_rel: what others did with it is over before the last one drops it. */
    if (!mine || sub_acq_rel(&mine->reserved_refs, 1) != 1)
        return;
    if (mine->drop)
        mine->drop(mine->payload);
    reini_free(mine);
}
