/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* base/list.h: an intrusive two-way ring; the head is an element that holds nothing. */
#ifndef REIN_BASE_LIST_H
#define REIN_BASE_LIST_H

#include <stdbool.h>

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

/* Put x between two neighbours; both the head: the list is x alone, whatever it was before. */
static inline void list_put(struct list *prev, struct list *next, struct list *x)
{
    x->prev = prev;
    x->next = next;
    prev->next = x;
    next->prev = x;
}

/* Put x before `at`; with the head as `at`, that is the end. */
static inline void list_insert(struct list *at, struct list *x)
{
    list_put(at->prev, at, x);
}

static inline void list_remove(struct list *x)
{
    x->next->prev = x->prev;
    x->prev->next = x->next;
}

/* The first element, taken out; the list must not be empty. */
static inline struct list *list_take(struct list *head)
{
    struct list *first = head->next;
    list_remove(first);
    return first;
}

/* Move all of `from` to the end of `to`. */
static inline void list_splice(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#endif
