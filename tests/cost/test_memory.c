/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/cost/test_memory.c: what a burst of contexts leaves of the memory it took. */
#include <rein.h>
#include <rein/library.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "suite.h"

static const rein_key key = {"key", REIN_VALUE_COPY, sizeof(long), NULL, NULL, {NULL, NULL}};

/* Bytes of the process that are in memory. */
static size_t resident(void)
{
    unsigned long total, pages;
    FILE *statm = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(statm);
    ck_assert_int_eq(fscanf(statm, "%lu %lu", &total, &pages), 2);
    fclose(statm);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

struct burst {
    const rein_ctx *parent;
    const rein_ctx *(*derive)(const rein_ctx *parent);
    void (*give_back)(const rein_ctx *ctx);
    const rein_ctx **made;
    size_t count;
};

static const rein_ctx *child(const rein_ctx *parent)
{
    return rein_with_cancel(parent);
}

static const rein_ctx *timeout(const rein_ctx *parent)
{
    return rein_with_timeout(parent, REIN_HOUR);
}

static const rein_ctx *value(const rein_ctx *parent)
{
    return rein_with_value(parent, &key, &(long){1});
}

static void end_it(const rein_ctx *ctx)
{
    rein_end((rein_ctx *)(uintptr_t)ctx);
}

static void expect_all_back(struct burst *burst)
{
    rein_ctx *parent = rein_with_cancel(rein_background());
    burst->parent = parent;
    burst->count = suite_scale(1000000);
    burst->made = calloc(burst->count, sizeof *burst->made);
    for (size_t i = 0; i < burst->count; i++)
        burst->made[i] = parent; /* so that the array is in memory before */
    size_t before = resident();
    for (size_t i = 0; i < burst->count; i++)
        burst->made[i] = burst->derive(burst->parent);
    size_t took = resident() - before;
    ck_assert_uint_gt(took, burst->count * 64);
    for (size_t i = 0; i < burst->count; i++)
        burst->give_back(burst->made[i]);
    ck_assert_int_eq(rein_quiesce(), 0);
    size_t after = resident();
    ck_assert_msg(after < before + took / 10, "of %zu bytes %zu are left", took, after - before);
    free(burst->made);
    rein_end(parent);
}

CASE_LONG(60, p_memory_of_children_goes_back, "P-MEMORY")
{
    expect_all_back(&(struct burst){.derive = child, .give_back = end_it});
}

CASE_LONG(60, p_memory_of_timeouts_goes_back, "P-MEMORY")
{
    expect_all_back(&(struct burst){.derive = timeout, .give_back = end_it});
}

CASE_LONG(60, p_memory_of_values_goes_back, "P-MEMORY")
{
    expect_all_back(&(struct burst){.derive = value, .give_back = rein_unref});
}
