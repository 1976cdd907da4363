/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* memory.c: what lives when many live, in resident bytes for each; and what stays when they have
 * gone. */
#include "subject.h"

#if HAS & VALUES
#include "line.h"
#endif

enum { MANY = 1000000 };

/* Where a handle is more than a pointer, the rest is memory that the program has to spend. */
static const double handle = sizeof(node) > sizeof(void *) ? sizeof(node) - sizeof(void *) : 0;

#if HAS & TREE
static void child(long unused)
{
    long n = sized(MANY);
    node parent = new_root(), *nodes = (node *)touched((size_t)n, sizeof(node));
    double before = resident_bytes();
    (void)unused;
    for (long i = 0; i < n; i++)
        nodes[i] = derive(parent);
    print("memory.child", (resident_bytes() - before) / (double)n + handle);
    for (long i = 0; i < n; i++)
        end(nodes[i]);
    print("memory.left", (resident_bytes() - before) / (double)n);
}
#endif

#if HAS & TIMEOUTS
static void timed(long unused)
{
    long n = sized(MANY);
    node parent = new_root(), *nodes = (node *)touched((size_t)n, sizeof(node));
    double before = resident_bytes();
    (void)unused;
    for (long i = 0; i < n; i++)
        nodes[i] = derive_timeout(parent, 3600 * second + i * 7919 % MANY * millisecond);
    print("memory.timeout", (resident_bytes() - before) / (double)n + handle);
}
#endif

#if HAS & VALUES
/* In lines of a depth, of which only the lowest is held. */
static void value(long depth)
{
    long n = sized(MANY / 2), lines = n / depth;
    node parent = new_root();
    view *lowest = (view *)touched((size_t)lines, sizeof(view));
    drop_values(no_values(parent));
    double before = resident_bytes();
    for (long i = 0; i < lines; i++)
        lowest[i] = line_under(parent, depth);
    print_for("memory.value", depth, (resident_bytes() - before) / (double)(lines * depth));
    KEEP(lowest);
}
#endif

CASES(
#if HAS & TREE
      {"child", child},
#endif
#if HAS & TIMEOUTS
      {"timeout", timed},
#endif
#if HAS & VALUES
      {"value", value},
#endif
)
