/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* plat/cpu.h: tell the processor that this is a spin loop. */
#ifndef REIN_PLAT_CPU_H
#define REIN_PLAT_CPU_H

static inline void reini_cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
