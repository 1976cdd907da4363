/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/reason.h: reasons that rein makes itself. */
#ifndef REIN_CORE_REASON_H
#define REIN_CORE_REASON_H

#include <rein/context.h>
#include <stdarg.h>

/* A counted reason with a text made on the spot; a standing one if memory is short. Never NULL. */
const rein_reason *reini_reason_vnewf(int code, const char *format, va_list args) REIN_PRINTF(2, 0);
const rein_reason *reini_reason_newf(int code, const char *format, ...) REIN_PRINTF(2, 3);

#endif
