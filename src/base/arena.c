#include "base/arena.h"

#include "base/heap.h"

#include <stdalign.h>

enum { ARENA_BLOCK = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

void arena_init(struct arena *a, size_t limit)
{
    *a = (struct arena){.limit = limit};
}

void arena_done(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *block = a->blocks;
        a->blocks = block->next;
        heap_free(block);
    }
}

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > a->limit) {
        return NULL;
    }
    bytes = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (bytes > a->limit - a->used) {
        return NULL;
    }
    if (!a->blocks || bytes > a->blocks->size - a->blocks->used) {
        size_t room = bytes > ARENA_BLOCK ? bytes : ARENA_BLOCK;
        struct arena_block *block = heap_alloc(1, sizeof *block + room);
        if (!block) {
            return NULL;
        }
        block->size = room;
        block->next = a->blocks;
        a->blocks = block;
    }
    void *at = a->blocks->bytes + a->blocks->used;
    a->blocks->used += bytes;
    a->used += bytes;
    return at;
}

struct status arena_text(struct arena *a, struct text t, struct text *out)
{
    char *copy = arena_alloc(a, t.len + 1, 1);
    if (!copy) {
        FAIL(MEMORY);
    }
    if (t.len) {
        memcpy(copy, t.ptr, t.len);
    }
    *out = (struct text){.ptr = copy, .len = t.len};
    return OK;
}

void *arena_push(struct arena *a, void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    size_t room = *capacity ? *capacity * 2 : 8;
    void *moved = arena_alloc(a, room, size);
    if (!moved) {
        return NULL;
    }
    if (count) {
        memcpy(moved, items, count * size);
    }
    *capacity = room;
    return moved;
}
