/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* core/value.c: binding and looking up values; value.h says how lookups stay short. */
#include "core/value.h"

#include <string.h>

#include "base/mem.h"
#include "base/panic.h"
#include "core/foreign.h"

/* An index of fewer is not worth its memory. Every doubling of the most costs each binding 8 bytes,
 * once all indexes are made: with these they are 80. */
enum { MANY = 4, MOST = 1024 };

struct index {
    const struct binding *beyond; /* the next one it does not cover, or NULL */
    uint32_t bits;                /* of a slot's number */
    const struct binding *slots[];
};

/* ---- indexes ---- */

/* Its highest bits number a slot. Keys are often neighbours in an array, and at some distances one
 * multiplication alone would put them side by side. */
static uint64_t hash_of(const rein_key *key)
{
    const uint64_t golden = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t once = (uintptr_t)key * golden;
    return (once ^ (once >> 32)) * golden;
}

/* The slot that key is in, or would be: open addressing, at most half full. */
static const struct binding **probe(struct index *index, const rein_key *key, uint64_t hash)
{
    uint64_t mask = (UINT64_C(1) << index->bits) - 1;
    for (uint64_t slot = hash >> (64 - index->bits);; slot = (slot + 1) & mask)
        if (!index->slots[slot] || index->slots[slot]->key == key)
            return &index->slots[slot];
}

static uint32_t covered_by(const struct binding *binding)
{
    uint32_t lowbit = binding->number & -binding->number;
    return lowbit < MOST ? lowbit : MOST;
}

static struct index *make_index(const struct binding *binding, uint32_t covers)
{
    uint32_t slots = 2 * covers; /* a power of two, as covers is */
    struct index *index = reini_alloc_zero(sizeof *index + slots * sizeof *index->slots);
    if (!index)
        return NULL;
    index->bits = (uint32_t)__builtin_ctz(slots);
    for (uint32_t i = 0; i < covers; i++, binding = binding->up) {
        const struct binding **slot = probe(index, binding->key, hash_of(binding->key));
        if (!*slot) /* else a nearer one hides it */
            *slot = binding;
    }
    index->beyond = binding;
    return index;
}

static COLD struct index *add_index(struct binding *binding)
{
    struct index *made = make_index(binding, covered_by(binding)), *none = NULL;
    if (!made || cas_acq_rel(&binding->index, &none, made))
        return made;
    reini_free(made); /* another thread was faster, with the same */
    return none;
}

static struct index *index_of(const struct binding *binding)
{
    struct index *index = load_acquire(&binding->index); /* pairs with the release in add_index() */
    return LIKELY(index) ? index : add_index((struct binding *)(uintptr_t)binding);
}

/* ---- looking up ---- */

static const void *bound_by(const struct binding *binding)
{
    const struct value *value = CONTAINER_OF(binding, struct value, binding);
    switch (binding->key->kind) {
    case REIN_VALUE_COPY:
        return value->bound;
    case REIN_VALUE_STRING:
        return binding->size > 0 ? value->bound : NULL;
    default:
        return *(const void *const *)(const void *)value->bound;
    }
}

static COLD bool ask(const struct binding *binding, const rein_key *key, const void **ret_value)
{
    const struct foreign *foreign = CONTAINER_OF(binding, struct foreign, binding);
    return foreign->ops.value(foreign->self, key, ret_value);
}

/* One that has an index, or is to be asked: whether it or what it covers binds key. If not, the
 * lookup goes on at *ret_next. */
static const struct binding *find_here(const struct binding *binding, const rein_key *key,
                                       uint64_t hash, const struct binding **ret_next)
{
    struct index *index = binding->key ? index_of(binding) : NULL;
    *ret_next = index ? index->beyond : binding->up;
    if (index)
        return *probe(index, key, hash);
    return binding->key == key ? binding : NULL;
}

static bool look_up(const struct ctx *ctx, const rein_key *key, const void **ret_value)
{
    if (UNLIKELY(!key))
        return false;
    for (const struct binding *binding = ctx->values, *found; binding;) {
        if (LIKELY(binding->number % MANY != 0)) { /* covers less than MANY */
            if (binding->key == key) {
                *ret_value = bound_by(binding);
                return true;
            }
            binding = binding->up;
            continue;
        }
        if (UNLIKELY(!binding->key) && ask(binding, key, ret_value))
            return true;
        if ((found = find_here(binding, key, hash_of(key), &binding))) {
            *ret_value = bound_by(found);
            return true;
        }
    }
    return false;
}

const void *rein_value(const rein_ctx *ctx, const rein_key *key)
{
    const void *value = NULL;
    REQUIRE_CONTEXT(ctx);
    return look_up(ctx_of(ctx), key, &value) ? value : NULL;
}

bool rein_has_value(const rein_ctx *ctx, const rein_key *key)
{
    const void *value;
    REQUIRE_CONTEXT(ctx);
    return look_up(ctx_of(ctx), key, &value);
}

/* ---- binding ---- */

void reini_binding_init(struct binding *binding, const rein_key *key, const struct binding *up)
{
    *binding = (struct binding){
        .key = key,
        .up = up,
        .number = key ? 1 + (up ? up->number : 0) : 0, /* one to be asked starts the count anew */
    };
}

void reini_binding_fini(struct binding *binding)
{
    reini_free(load_relaxed(&binding->index)); /* the last reference has gone: nobody looks */
}

static size_t size_of(const rein_key *key, const void *value)
{
    switch (key->kind) {
    case REIN_VALUE_COPY:
        return key->size;
    case REIN_VALUE_STRING:
        return value ? strlen(value) + 1 : 0;
    default:
        return sizeof value;
    }
}

static const rein_ctx *refuse(const rein_key *key, const void *value, const struct ctx *failed)
{
    if (key->kind == REIN_VALUE_OWNED && key->drop && value)
        key->drop((void *)(uintptr_t)value);
    return public_of(failed);
}

const rein_ctx *rein_with_value_at(const char *site, const rein_ctx *public_parent,
                                   const rein_key *key, const void *value)
{
    REQUIRE_CONTEXT_AT(site, public_parent);
    if (UNLIKELY(!key))
        reini_panic_at(site, "key-required", "a value needs a key, got NULL", public_parent);
    const struct ctx *parent = ctx_of(public_parent);
    if (is_failed(parent))
        return refuse(key, value, parent);
    size_t size = size_of(key, value);
    struct value *made = value_of(reini_ctx_new(site, parent, KIND_VALUE, sizeof *made + size));
    if (UNLIKELY(!made))
        return refuse(key, value, &reini_failed_memory.ctx);
    ctx_ref(parent);
    store_relaxed(&made->ctx.refs, ONE_VIEW);
    reini_ctx_follow(&made->ctx, parent);
    reini_binding_init(&made->binding, key, parent->values);
    made->binding.size = (uint32_t)size;
    made->ctx.values = &made->binding;
    bool pointer = key->kind == REIN_VALUE_OWNED || key->kind == REIN_VALUE_BORROWED;
    if (size > 0)
        memcpy(made->bound, pointer ? (const void *)&value : value, size);
    return public_of(&made->ctx);
}

const rein_ctx *(rein_with_value)(const rein_ctx *parent, const rein_key *key, const void *value)
{
    return rein_with_value_at("rein_with_value", parent, key, value);
}

void reini_value_drop(struct ctx *ctx)
{
    struct value *value = value_of(ctx);
    const rein_key *key = value->binding.key;
    void *owned =
        key->kind == REIN_VALUE_OWNED ? (void *)(uintptr_t)bound_by(&value->binding) : NULL;
    reini_binding_fini(&value->binding);
    if (owned && key->drop)
        key->drop(owned);
}
