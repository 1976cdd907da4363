/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* tests/stress/model.h: the slow and obviously right picture of the tree.
 *
 * One lock, plain lists, and the ancestors of a node walked one by one. A node of the model lives
 * as long as the context does: a reference for each that the program holds, and for each child. Who
 * is about to end a context says so here first; so a context may only show a cause that is written
 * down for it or for an ancestor, and when a canceller returns, everything that the model has below
 * must be done. */
#ifndef TESTS_STRESS_MODEL_H
#define TESTS_STRESS_MODEL_H

#include <pthread.h>
#include <rein.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One way in which a context may have come to its end. */
struct ender {
    struct ender *next;
    int err;
    const rein_reason *reason; /* a reference; NULL: the standing one, or `code` */
    int code;                  /* not 0: a reason made on the spot, known by its code */
    int64_t from;              /* not before this instant */
};

struct mnode {
    struct mnode *next, *prev; /* all there are */
    struct mnode *memory[2];   /* whom it holds: parent, and second parent */
    struct mnode *above[2];    /* with whom it ends */
    size_t refs, children;
    const rein_ctx *ctx;       /* for looking only while refs is held */
    bool is_virtual;
    bool decorates;            /* no end of its own: it follows above[0], or nothing */
    bool ended;                /* a cancel of it has returned */
    bool own_timer;
    int64_t limit;             /* the effective deadline; INT64_MAX: none */
    int err;                   /* as first seen */
    const rein_reason *cause;
    struct ender *enders;
    size_t calls;              /* callbacks and after-funcs registered on it */
    unsigned visited;
};

/* What the program holds: one owner or one view. */
struct slot {
    struct mnode *node;
    rein_ctx *owner;      /* or NULL: a view */
    const rein_ctx *ctx;
    unsigned pins;        /* who uses it now: it is not given back meanwhile */
};

enum { SLOTS = 240 };

extern struct slot slots[SLOTS]; /* under the model's lock */

void model_init(uint64_t seed);
void model_lock(void);
void model_unlock(void);

/* Stop the program: a promise is broken. */
#define broken(...) broken_at(__LINE__, __VA_ARGS__)
void broken_at(int line, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
#define must(holds, ...)            \
    do {                            \
        if (!(holds))               \
            broken(__VA_ARGS__);    \
    } while (0)

/* A new node; the caller gets the one reference. All under the lock from here on. */
struct mnode *model_new(const rein_ctx *ctx, struct mnode *memory, struct mnode *also,
                        bool ends_with_memory, bool ends_with_also);
void model_ref(struct mnode *node);
void model_unref(struct mnode *node);

/* `node` may be ended like this from now on. */
void model_may_end(struct mnode *node, int err, const rein_reason *reason, int code, int64_t from);

/* Whether node ends with top; whether it was derived from it, at any distance. */
bool model_is_below(struct mnode *node, struct mnode *top);
bool model_is_made_of(struct mnode *node, struct mnode *of);

/* Look at it: err never changes, the cause is one of the right ones, the deadline stays. */
void model_look(struct mnode *node);

/* A cancel of top has returned: everything below is done. */
void model_ended(struct mnode *top);

/* A new child has been entered: if something above was ended before, it is done. */
void model_born(struct mnode *node);

/* Nobody does anything: the whole virtual tree is as the model says. armed: timers on its clock. */
void model_check_quiescent(size_t armed);

size_t model_count(void);

#endif
