#include "content/correlate/rank.h"

#include "content/correlate/window.h"

/* Bits of the entry's number and the seed, mixed (the finalizer of SplitMix64). */
static uint64_t priority(const struct rank *r, uint32_t entry)
{
    uint64_t z = r->seed + entry * 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

static bool is_before(const struct window_entry *entries, uint32_t a, uint32_t b)
{
    return entries[a].number != entries[b].number ? entries[a].number < entries[b].number : a < b;
}

static void recount(struct rank *r, uint32_t tree)
{
    struct rank_node *n = &r->nodes[tree];
    n->count = 1 + r->nodes[n->low].count + r->nodes[n->high].count;
}

/* Into what is before the entry, and the rest. As deep as the tree: some dozens. */
static void split(struct rank *r, const struct window_entry *entries, uint32_t tree, uint32_t entry,
                  uint32_t out[2])
{
    if (!tree) {
        out[0] = out[1] = 0;
        return;
    }
    bool before = is_before(entries, tree, entry);
    struct rank_node *n = &r->nodes[tree];
    split(r, entries, before ? n->high : n->low, entry, out);
    *(before ? &n->high : &n->low) = out[!before];
    recount(r, tree);
    out[!before] = tree;
}

/* All of `low` is before all of `high`. */
static uint32_t merge(struct rank *r, uint32_t low, uint32_t high)
{
    if (!low || !high) {
        return low ? low : high;
    }
    if (priority(r, low) > priority(r, high)) {
        r->nodes[low].high = merge(r, r->nodes[low].high, high);
        recount(r, low);
        return low;
    }
    r->nodes[high].low = merge(r, low, r->nodes[high].low);
    recount(r, high);
    return high;
}

void rank_insert(struct rank *r, const struct window_entry *entries, uint32_t *root, uint32_t entry)
{
    uint32_t *slot = root;
    uint32_t parts[2];
    while (*slot && priority(r, *slot) > priority(r, entry)) {
        struct rank_node *n = &r->nodes[*slot];
        n->count++;
        slot = is_before(entries, *slot, entry) ? &n->high : &n->low;
    }
    split(r, entries, *slot, entry, parts);
    r->nodes[entry] = (struct rank_node){.low = parts[0], .high = parts[1]};
    recount(r, entry);
    *slot = entry;
}

void rank_remove(struct rank *r, const struct window_entry *entries, uint32_t *root, uint32_t entry)
{
    uint32_t *slot = root;
    while (*slot != entry) {
        struct rank_node *n = &r->nodes[*slot];
        n->count--;
        slot = is_before(entries, *slot, entry) ? &n->high : &n->low;
    }
    *slot = merge(r, r->nodes[entry].low, r->nodes[entry].high);
}

uint32_t rank_at(const struct rank *r, uint32_t root, uint32_t before)
{
    for (;;) {
        const struct rank_node *n = &r->nodes[root];
        uint32_t low = r->nodes[n->low].count;
        if (before == low) {
            return root;
        }
        root = before < low ? n->low : n->high;
        before -= before < low ? 0 : low + 1;
    }
}
