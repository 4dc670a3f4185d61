/*
 * rank: the numbers of a group in their order, so that the n-th is found without looking at all.
 *
 * A treap over the entries of a window (Seidel and Aragon, 1996): inserting, removing and finding
 * take logarithmic time, whatever the numbers are, as priorities hang on a seed that is told
 * nobody. Entries are numbered from 1; a tree is the number of its root, 0 the empty one.
 */
#pragma once

#include <stdint.h>

struct rank_node {
    uint32_t low, high; /* what is before it, and after it */
    uint32_t count;     /* of it and all below */
};

struct rank {
    struct rank_node *nodes; /* one for each entry */
    uint64_t seed;
};

struct window_entry;

/* `entries` hold the numbers. Each is in one tree at most. */
void rank_insert(struct rank *r, const struct window_entry *entries, uint32_t *root,
                 uint32_t entry);
void rank_remove(struct rank *r, const struct window_entry *entries, uint32_t *root,
                 uint32_t entry);

/* The entry that has `before` others before it; there must be more than that. */
uint32_t rank_at(const struct rank *r, uint32_t root, uint32_t before);
