/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* list.h: a ring of links that lie in what they link. */
#ifndef BENCH_FLOOR_LIST_H
#define BENCH_FLOOR_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct floor_link {
    struct floor_link *next, *prev;
};
/* What a link lies in. */
#define FLOOR_IN(link, type, member) ((type *)(void *)((char *)(link) - offsetof(type, member)))

static inline void floor_empty(struct floor_link *head)
{
    head->next = head->prev = head;
}
static inline bool floor_is_empty(const struct floor_link *head)
{
    return head->next == head;
}
static inline void floor_append(struct floor_link *head, struct floor_link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}
static inline void floor_remove(struct floor_link *link)
{
    link->next->prev = link->prev;
    link->prev->next = link->next;
}

#endif
