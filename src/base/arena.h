/*
 * arena: memory for one job, freed at once. For tools and compilers, never for guard.
 *
 * Blocks come from heap; the total is bounded by the limit given at the start, so that hostile
 * input ends in a status and not in the machine's memory.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

struct arena {
    struct arena_block *blocks;
    size_t used;  /* bytes handed out */
    size_t limit; /* bytes it may hand out */
};

void arena_init(struct arena *a, size_t limit);
void arena_done(struct arena *a);

/* Zeroed memory for `count` items of `size` bytes, aligned for anything; NULL: limit or memory. */
void *arena_alloc(struct arena *a, size_t count, size_t size);

/* A terminated copy of `t`. MEMORY when there is none left. */
struct status arena_text(struct arena *a, struct text t, struct text *out);

/* Makes room for one more item in an array that lives in the arena: `items` of `size` bytes each,
 * `count` used, *capacity there. Returns the array (moved or not), NULL: no memory. */
void *arena_push(struct arena *a, void *items, size_t count, size_t *capacity, size_t size);
