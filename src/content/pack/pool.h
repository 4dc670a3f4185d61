/*
 * pool: slices of bytes, each once, numbered in the order of their first use.
 *
 * What packs share: texts, automata, predicates. The slices are not copied and have to live as long
 * as the pool; tables come from its arena.
 */
#pragma once

#include "base/arena.h"

struct pool {
    struct arena *arena;
    struct text *items;
    size_t count;
    size_t capacity;
    size_t bytes;    /* of all items together */
    uint32_t *slots; /* number + 1 */
    size_t slot_count;
};

/* The number of `t`, which is added where it is new. MEMORY. */
struct status pool_add(struct pool *p, struct text t, uint32_t *out);

bool pool_has(const struct pool *p, struct text t);

/* Its number; SIZE_MAX: it is not there. */
size_t pool_find(const struct pool *p, struct text t);
