/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* rein.h: all of rein but <rein/testing.h> and the adapters. */
#ifndef REIN_H
#define REIN_H

#include <rein/after.h>
#include <rein/base.h>
#include <rein/context.h>
#include <rein/exec.h>
#include <rein/foreign.h>
#include <rein/library.h>
#include <rein/loop.h>
#include <rein/time.h>
#include <rein/value.h>
#include <rein/wait.h>

#endif
