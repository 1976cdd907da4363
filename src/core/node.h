/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/node.h: the context: its fields, who guards them, its states, and the rules that hold
 * between any two lines. Private to src/core.
 *
 * Two sizes of context. A `struct ctx` alone is enough for what only decorates its parent: a value,
 * without_cancel, a root. A `struct node` can be done, and so has a lock, dependents and a place in
 * its parent's list of dependents.
 *
 * Dependents are children, waiters and calls (callbacks and after-funcs), in one intrusive list,
 * told apart by a tag. A child links to its parent's *source*: the nearest node that can be done.
 *
 * The life of a node:
 *
 *     err      0 --mark--> -ECANCELED or -ETIMEDOUT, for ever          (ctx.word)
 *     marked   no ---------its whole subtree is done--> MARKED         (dep.word)
 *     place    OUT --link--> LINKED --leave, or the walker--> OUT      (dep.word)
 *                                \--last release, while a walker has it--> HANDED --walker--> OUT
 *
 *   I1  word goes from 0 to an err once (by way of "settling" if there is a descriptor: done.c),
 *       and never changes again; what the end's record says is written before it.
 *   I2  mark is one critical section on the node's mu; linking a dependent looks at word under
 *       the same lock: so a dependent is either found by the mark, or finds the node done.
 *   I3  from the mark on, the list of dependents belongs to the marker alone, who walks it without
 *       the lock. Nobody else links to it or unlinks from it; a child that is released meanwhile is
 *       handed to the walker.
 *   I4  a node is not taken off its parent's list before it is MARKED: so a walk from above finds
 *       every subtree that is still being marked by somebody else, and waits for it.
 *   I5  a MARKED node has no dependents but calls that have not been made yet; those are guarded by
 *       mu again.
 *   I6  a node holds its parent (both, if it has two): by a reference, or by a stripe of it
 *       (stripe.h), which has one for all of them; nothing holds one downwards.
 *
 * A node that many threads share gets more lists of dependents, with locks of their own: what is
 * said here of its mu and its list goes for each of them; stripe.h has the details.
 *
 * Locking. node->mu guards deps and the links in it (until the mark, I3), the moves of ctx.word and
 * aux, and the places of its dependents while it is live. At most one node's mu is held at a time,
 * and no other lock is taken under it. No user code runs under it. */
#ifndef REIN_CORE_NODE_H
#define REIN_CORE_NODE_H

#include <assert.h>
#include <rein/context.h>
#include <stddef.h>

#include "base/atomic.h"
#include "base/attr.h"
#include "base/mem.h"
#include "plat/mutex.h"
#include "plat/plat.h"
#include "time/clock.h"

/* What kind of context it is: for its name, and for what comes after the common fields. */
enum kind {
    KIND_BACKGROUND,
    KIND_TODO,
    KIND_FAILED,
    KIND_CLOCK,          /* the root of a virtual clock: struct ctx */
    KIND_WITHOUT_CANCEL, /* struct ctx */
    KIND_VALUE,          /* struct value */
    KIND_CANCEL,         /* struct node; struct timed if HAS_TIMER */
    KIND_DEADLINE,       /* struct timed */
    KIND_MERGE,          /* struct joined */
    KIND_DETACH,         /* struct joined */
    KIND_FOREIGN,        /* struct foreign */
};

/* flags: set before the context is published, and constant. */
enum {
    KIND_MASK = 0xf,
    NEVER_DONE = 0x10, /* nothing above can end it either: nobody links to it */
    IMMORTAL = 0x20,   /* static: not counted */
    HAS_TIMER = 0x40,
    LISTED = 0x80,     /* in the leak report's list */
    CLOCK_SHIFT = 8,   /* 8 bits: the id of its clock */
    CLOCK_MASK = 0xff00,
    BIRTH_SHIFT = 16,  /* 16 bits: how many forks ago the process began; see fork.c */
};

/* A dependent's place in a list. */
enum dep_kind { DEP_CHILD, DEP_CHILD_ALSO, DEP_WAITER, DEP_CALLBACK, DEP_AFTER };

struct dep {
    struct dep *next;
    union {
        struct dep **pprev;       /* while LINKED to a node that is not done */
        struct deferred deferred; /* after: a node with calls to make, in its walk's list */
    };
    uint8_t kind;  /* constant */
    uint8_t via;   /* nodes: kind of the dep by which the walk came, written by the marker */
    uint8_t ended; /* nodes: enum ended; written before ctx.word */
    uint8_t stripe; /* children and waiters: in which list of the source; see stripe.h */
    uint32_t word; /* atomic; nodes: see below; calls: their state; or'ed with WAITED */
};

struct binding;
struct rare;
struct timed;

struct ctx {
    int32_t word; /* atomic; the public head */
    uint32_t flags;
    const void *aux;               /* FOLLOWS: the source; else NULL or struct rare; atomic */
    uint64_t refs;                 /* atomic: references; in the high half, those that are owners */
    const struct ctx *parent;      /* constant; a reference; NULL for roots */
    const char *site;              /* constant */
    const struct binding *values;  /* constant; the nearest binding, or NULL */
    const struct timed *limit;     /* constant; whose deadline is the earliest, or NULL */
};

enum { ONE_VIEW = 1 };
#define ONE_OWNER ((UINT64_C(1) << 32) | 1)
#define REFERENCES(refs) ((uint32_t)(refs))
#define OWNERS(refs) ((uint32_t)((refs) >> 32))

/* dep.word of a node. Where it stands in the list, and (in its first place only) whether it and all
 * below it is done: both in one word, since for nearly every node the walk says both at once. */
enum {
    PLACE = 3, /* mask: */
    OUT = 0,
    LINKED = 1,
    HANDED = 2,
    MARKED = 4,
    WAITED = 0x80, /* somebody waits in the lot for it to change */
};
enum ended { NOT_ENDED, ENDED_ABOVE, ENDED_HERE };

struct node {
    struct ctx ctx;
    reini_mutex mu;
    int32_t end_thread;        /* ENDED_HERE */
    struct dep *deps;
    struct dep dep;            /* our place in the parent's source; see above for its word */
    union {
        const struct node *origin; /* ENDED_ABOVE: the node that ended first; alive by I6 */
        const rein_reason *reason; /* ENDED_HERE: a reference, or NULL */
    };
    const char *end_site;      /* ENDED_HERE */
    int64_t end_at;            /* ENDED_HERE */
};

/* A node with a deadline of its own. */
struct timed {
    struct node node;
    struct timer timer;        /* guarded by its shard's mu; when and shard are constant */
    const rein_reason *cause;  /* constant; a reference, or NULL: for the end by this deadline */
};

/* A node with a second parent: done with `also` too (merge), or in place of its parent (detach). */
struct joined {
    struct timed timed;
    struct dep dep_also;
    const struct ctx *also; /* constant; a reference */
    uint32_t handed;        /* atomic; how many walkers and releasers still have to let go of it */
};

static_assert(offsetof(struct ctx, word) == offsetof(struct rein_head, word) &&
                  offsetof(struct ctx, aux) == offsetof(struct rein_head, next),
              "the inlined head is ABI for ever");
static_assert(sizeof(void *) != 8 || sizeof(struct node) == 120,
              "a child fits a chunk of 128 bytes");
static_assert(sizeof(void *) != 8 || sizeof(struct timed) <= 184, "a timeout fits one of 192");

static inline struct ctx *ctx_of(const rein_ctx *ctx)
{
    return (struct ctx *)(uintptr_t)ctx; /* const is the caller's capability, not the memory's */
}

static inline rein_ctx *public_of(const struct ctx *ctx)
{
    return (rein_ctx *)(uintptr_t)ctx;
}

static inline enum kind kind_of(const struct ctx *ctx)
{
    return (enum kind)(ctx->flags & KIND_MASK);
}

static inline bool is_failed(const struct ctx *ctx)
{
    return UNLIKELY(kind_of(ctx) == KIND_FAILED);
}

static inline struct node *node_of(const struct ctx *ctx)
{
    return (struct node *)(uintptr_t)ctx;
}

static inline struct timed *timed_of(const struct ctx *ctx)
{
    return (struct timed *)(uintptr_t)ctx;
}

static inline struct joined *joined_of(const struct ctx *ctx)
{
    return (struct joined *)(uintptr_t)ctx;
}

/* The node that ctx lives and dies with; only for those that can be done. */
static inline struct node *source_of(const struct ctx *ctx)
{
    return load_relaxed(&ctx->word) == REIN_WORD_FOLLOWS ? node_of((const struct ctx *)ctx->aux)
                                                         : node_of(ctx);
}

/* Whether it is a node: can be done, and by an end of its own. */
static inline bool is_node(const struct ctx *ctx)
{
    return kind_of(ctx) >= KIND_CANCEL && !(ctx->flags & NEVER_DONE) &&
           load_relaxed(&ctx->word) != REIN_WORD_FOLLOWS;
}

static inline bool has_two_parents(const struct ctx *ctx)
{
    return kind_of(ctx) == KIND_MERGE || kind_of(ctx) == KIND_DETACH;
}

static inline uint8_t clock_id(const struct ctx *ctx)
{
    return (uint8_t)(ctx->flags >> CLOCK_SHIFT);
}

static inline struct reini_clock *clock_of(const struct ctx *ctx)
{
    return reini_clock_of(clock_id(ctx));
}

/* Whether it was inherited through a fork(): then its locks, lists and timers are not to be
 * touched. */
static inline bool is_frozen(const struct ctx *ctx)
{
    return UNLIKELY((uint16_t)(ctx->flags >> BIRTH_SHIFT) != reini_birth) &&
           !(ctx->flags & IMMORTAL);
}

/* Whether what ctx lives and dies with was inherited; that of a value may have been, though the
 * value itself was made after the fork(). Nothing links to it then, and it is told nothing. */
static inline bool has_frozen_source(const struct ctx *ctx)
{
    return !(ctx->flags & NEVER_DONE) && is_frozen(&source_of(ctx)->ctx);
}

static inline void dep_push(struct dep **head, struct dep *dep)
{
    dep->next = *head;
    dep->pprev = head;
    if (dep->next)
        dep->next->pprev = &dep->next;
    *head = dep;
}

static inline void dep_unlink(struct dep *dep)
{
    *dep->pprev = dep->next;
    if (dep->next)
        dep->next->pprev = dep->pprev;
}

/* Of a place that is a child's. */
static inline struct node *child_of(struct dep *dep)
{
    return dep->kind == DEP_CHILD ? CONTAINER_OF(dep, struct node, dep)
                                  : &CONTAINER_OF(dep, struct joined, dep_also)->timed.node;
}

/* ---- root.c ---- */

extern struct node reini_failed_memory, reini_failed_thread; /* the failed context, by its cause */

/* ---- leak.c ---- */

extern uint32_t reini_leaks; /* atomic; whether contexts are listed */
void reini_leak_list(struct ctx *ctx);
struct ctx *reini_leak_alloc(size_t size);
void reini_leak_free(struct ctx *ctx);
void reini_leak_forked(void);

/* ---- birth.c ---- */

static inline void ctx_ref(const struct ctx *ctx)
{
    /* relaxed: whoever hands a reference on orders it. */
    if (!(ctx->flags & IMMORTAL))
        add_relaxed(&((struct ctx *)(uintptr_t)ctx)->refs, ONE_VIEW);
}

/* Memory for a context under parent, with the common fields set: inherits values, limit and clock.
 * That it is to hold its parent is the caller's business. NULL if memory is short. */
static inline struct ctx *reini_ctx_new(const char *site, const struct ctx *parent, enum kind kind,
                                        size_t size)
{
    uint32_t listed = UNLIKELY(load_relaxed(&reini_leaks)) ? LISTED : 0;
    struct ctx *ctx = listed ? reini_leak_alloc(size) : reini_alloc(size);
    if (UNLIKELY(!ctx))
        return NULL;
    *ctx = (struct ctx){
        .flags = (uint32_t)kind | listed | (parent->flags & CLOCK_MASK) |
                 (uint32_t)reini_birth << BIRTH_SHIFT,
        .refs = ONE_OWNER,
        .parent = parent,
        .site = site,
        .values = parent->values,
        .limit = parent->limit,
    };
    if (UNLIKELY(listed))
        reini_leak_list(ctx);
    return ctx;
}

/* The rest of a node: live, unlinked. */
static inline void reini_node_init(struct node *node)
{
    node->mu = (reini_mutex){0};
    node->deps = NULL;
    node->dep = (struct dep){.kind = DEP_CHILD, .ended = NOT_ENDED, .word = OUT};
}

/* Let a new context that is no node live and die as parent does; it does not hold it yet. */
void reini_ctx_follow(struct ctx *ctx, const struct ctx *parent);

/* Link a new node to the source of its parent, or let it be born done; and let it hold its
 * parent. */
void reini_node_link(struct node *node, const struct ctx *parent);

/* Link it to that of its other parent too, or end it. */
void reini_node_link_also(struct joined *joined);

/* Let a new, unlinked node be born done by its own deadline. */
void reini_node_born_late(struct timed *timed);

/* ---- ref.c ---- */

bool reini_ctx_try_ref(struct ctx *ctx); /* false if the last reference has gone */
void reini_ctx_unref(const struct ctx *ctx);

/* For the walker: a node whose last release met the walk, and handed it over, is out of it. Returns
 * whether it is the walker's now, with one reference; else another walker has to let go of it
 * yet. */
bool reini_node_revive(struct node *node);

/* Take a node off its parents' lists, after it was marked. */
void reini_node_leave(struct node *node);

/* ---- mark.c ---- */

struct ending {
    int err;
    const rein_reason *reason; /* a reference that passes to the node, or NULL */
    const char *site;
};

/* The first to end node: write the record of it. Under mu. */
static inline void node_record(struct node *node, const struct ending *ending, int64_t at)
{
    node->dep.ended = ENDED_HERE;
    node->reason = ending->reason;
    node->end_site = ending->site;
    node->end_at = at;
    node->end_thread = reini_plat_thread_id();
}

/* Decide that node is done, and everything below it. The caller keeps node alive. Returns the calls
 * to be made, for reini_run_calls() or reini_put_off_calls(), whether or not this call was first;
 * in either case the whole subtree is marked on return. ending.reason is consumed. */
struct deferred *reini_mark(struct node *node, struct ending ending);

/* The same for a node without dependents, whose end is that of another above it. */
void reini_mark_above(struct node *node, const struct node *end);

void reini_wait_marked(struct node *node);

/* Where ctx's end is recorded, or NULL while it is live. */
const struct node *reini_end_of(const struct ctx *ctx);

/* ---- call.c ---- */

/* Make the calls of all nodes in the chain, and give back the references that it holds. */
void reini_run_calls(struct deferred *chain);

/* Leave them to the driver of the clock. */
void reini_put_off_calls(struct reini_clock *clock, struct deferred *chain);

/* At the last release: after-funcs are dropped; a callback is a caller's bug. */
void reini_drop_calls(struct node *node);

/* ---- left.c ---- */
void reini_left_forked(void);

/* ---- done.c ---- */

/* The node is about to be done: if it has a descriptor, word goes to "settling", and the descriptor
 * is made readable. Under mu. */
void reini_done_fd_settle(struct node *node, int err);
int reini_done_settled(const void *node); /* what rein_err() calls then */
void reini_done_fd_close(const struct rare *rare);

/* ---- deadline.c ---- */

extern const struct timer_kind reini_deadline_timer;

/* The end of a context by its own deadline; with a reference to the cause. */
struct ending reini_expiry(const struct timed *timed);

/* If the deadline of ctx has passed: mark the context whose it is. */
void reini_notice(const struct ctx *ctx);

/* The instant until which a blocking call under ctx may sleep. */
int64_t reini_bound(const struct ctx *ctx);

/* ---- fork.c ---- */

extern reini_mutex reini_frozen_mu; /* in place of all locks of inherited contexts */

/* End an inherited context: it alone, without its locks. ending.reason is consumed. */
void reini_frozen_end(const struct ctx *ctx, struct ending ending);

/* A descriptor for an inherited context; see rein_done_fd(). */
int reini_frozen_fd(struct node *node, int *ret_fd);
void reini_frozen_alarm_close(const struct rare *rare); /* what belongs to it besides */

/* ---- value.c, foreign.c: what goes with the memory ---- */
void reini_value_drop(struct ctx *ctx);
void reini_foreign_drop(struct ctx *ctx);

#endif
