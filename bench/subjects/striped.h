/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* striped.h: the floor with eight families to a root and eight wheels, against contention. */
#define FLOOR_STRIPES 8
#include "floor.h"
