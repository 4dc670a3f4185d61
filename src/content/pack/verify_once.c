/*
 * That nothing in a pack is without use, and no predicate is there twice: what nobody refers to
 * could be anything, and say things to people that no rule does.
 */
#include "content/pack/verify.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/pack/load.h"

static const enum pack_section counted[CHECK_USED_COUNT] = {[CHECK_TEXTS] = PACK_TEXT_ENDS,
                                                            [CHECK_AUTOMATA] = PACK_AUTOMATON_ENDS,
                                                            [CHECK_NUMBERS] = PACK_NUMBERS};

struct status check_used_new(struct check *c)
{
    for (unsigned i = 0; i < CHECK_USED_COUNT; i++) {
        c->used[i] = heap_alloc(pack_count(&c->pack, counted[i]), 1);
        if (!c->used[i]) {
            return check_no_memory(c, counted[i]);
        }
    }
    return OK;
}

void check_used_drop(struct check *c)
{
    for (unsigned i = 0; i < CHECK_USED_COUNT; i++) {
        heap_free(c->used[i]);
    }
}

struct status check_all_used(struct check *c)
{
    for (unsigned i = 0; i < CHECK_USED_COUNT; i++) {
        struct text used = {.ptr = (const char *)c->used[i],
                            .len = pack_count(&c->pack, counted[i])};
        size_t idle = text_find_byte(used, 0);
        if (idle != SIZE_MAX) {
            return check_refuse(c, counted[i], idle, "nothing refers to it");
        }
    }
    return OK;
}

/* A table of at least twice as many slots, each a predicate's number + 1. */
struct seen {
    uint32_t *slots;
    size_t mask;
    unsigned shift;
};

/* The slot of a predicate: its own, or the free one where it belongs. */
static uint32_t *find_slot(const struct check *c, const struct seen *seen, uint64_t bytes,
                           size_t *looks)
{
    const char *all = c->pack.sections[PACK_PREDICATES].at;
    size_t slot = (size_t)(((bytes ^ bytes >> 32) * 0x9e3779b97f4a7c15ULL) >> seen->shift);
    while (seen->slots[slot] && load_u64(all + (seen->slots[slot] - 1) * (size_t)8) != bytes) {
        slot = (slot + 1) & seen->mask;
        ++*looks;
    }
    return &seen->slots[slot];
}

/* Whoever makes a pack can choose predicates that share a slot: looking is counted as work, and
 * such a pack refused before it takes long. */
struct status check_predicates_differ(struct check *c)
{
    size_t count = pack_count(&c->pack, PACK_PREDICATES);
    unsigned bits = 1;
    while (1ULL << bits < 2 * (uint64_t)count) {
        bits++;
    }
    struct seen seen = {.mask = ((size_t)1 << bits) - 1, .shift = 64 - bits};
    OWN(heap_drop) uint32_t *slots = heap_alloc((size_t)1 << bits, sizeof *slots);
    if (!slots) {
        return check_no_memory(c, PACK_PREDICATES);
    }
    seen.slots = slots;
    for (size_t i = 0; i < count; i++) {
        size_t looks = 0;
        uint64_t bytes = load_u64(c->pack.sections[PACK_PREDICATES].at + i * 8);
        uint32_t *slot = find_slot(c, &seen, bytes, &looks);
        TRY(check_work(c, PACK_PREDICATES, i, looks * 8));
        if (*slot) {
            return check_refuse(c, PACK_PREDICATES, i, "it is there twice");
        }
        *slot = (uint32_t)i + 1;
    }
    return OK;
}
