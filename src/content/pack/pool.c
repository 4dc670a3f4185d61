#include "content/pack/pool.h"

#include "base/siphash.h"

/* Whoever writes a rule chooses its texts. The key is no secret, as this folder knows nothing that
 * is; but a text for a slot has to be searched for, where one that FNV puts there is just written
 * down. Which slot it is changes no byte of a pack. */
static const uint8_t key[SIPHASH_KEY] = "texts of a pack";

static uint32_t *pool_slot(const struct pool *p, struct text t)
{
    struct siphash hash = siphash_begin(key);
    siphash_bytes(&hash, t);
    size_t slot = siphash_end(&hash).low & (p->slot_count - 1);
    while (p->slots[slot] && !text_same(p->items[p->slots[slot] - 1], t)) {
        slot = (slot + 1) & (p->slot_count - 1);
    }
    return &p->slots[slot];
}

/* At most half of the slots are used. */
static struct status pool_room(struct pool *p)
{
    struct text *items = arena_push(p->arena, p->items, p->count, &p->capacity, sizeof *p->items);
    if (!items) {
        FAIL(MEMORY);
    }
    p->items = items;
    if (p->count * 2 < p->slot_count) {
        return OK;
    }
    size_t more = p->slot_count ? p->slot_count * 2 : 64;
    uint32_t *slots = arena_alloc(p->arena, more, sizeof *slots);
    if (!slots) {
        FAIL(MEMORY);
    }
    p->slots = slots;
    p->slot_count = more;
    for (size_t i = 0; i < p->count; i++) {
        *pool_slot(p, p->items[i]) = (uint32_t)i + 1;
    }
    return OK;
}

size_t pool_find(const struct pool *p, struct text t)
{
    uint32_t number = p->slot_count ? *pool_slot(p, t) : 0;
    return number ? number - 1 : SIZE_MAX;
}

bool pool_has(const struct pool *p, struct text t)
{
    return pool_find(p, t) != SIZE_MAX;
}

struct status pool_add(struct pool *p, struct text t, uint32_t *out)
{
    TRY(pool_room(p));
    uint32_t *slot = pool_slot(p, t);
    if (!*slot) {
        p->items[p->count] = t;
        p->bytes += t.len;
        *slot = (uint32_t)++p->count;
    }
    *out = *slot - 1;
    return OK;
}
