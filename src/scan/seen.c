#include "scan/seen.h"

#include "base/hash.h"
#include "base/heap.h"

#include <string.h>

struct status seen_init(struct seen *s)
{
    s->keys = heap_alloc(SEEN_FILES, sizeof *s->keys);
    s->next = heap_alloc(SEEN_FILES / SEEN_GROUP, sizeof *s->next);
    if (!s->keys || !s->next) {
        seen_done(s);
        FAIL(MEMORY);
    }
    return OK;
}

void seen_done(struct seen *s)
{
    heap_drop(&s->keys);
    heap_drop(&s->next);
}

static int64_t ns(struct timespec t)
{
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

struct seen_key seen_key(const struct stat *info)
{
    return (struct seen_key){.device = info->st_dev,
                             .inode = info->st_ino,
                             .size = (uint64_t)info->st_size,
                             .changed_ns = ns(info->st_ctim),
                             .written_ns = ns(info->st_mtim)};
}

/* By place alone: a file that changed takes the place of what it was, where that is still there. */
static size_t group_of(const struct seen_key *key)
{
    uint64_t hash = hash_bytes(HASH_START, &key->device, sizeof key->device);
    hash = hash_bytes(hash, &key->inode, sizeof key->inode);
    return (hash ^ hash >> 32) % (SEEN_FILES / SEEN_GROUP);
}

static bool same_place(const struct seen_key *a, const struct seen_key *b)
{
    return a->inode == b->inode && a->device == b->device;
}

bool seen_has(const struct seen *s, const struct seen_key *key)
{
    const struct seen_key *group = s->keys + group_of(key) * SEEN_GROUP;
    for (unsigned i = 0; i < SEEN_GROUP; i++) {
        if (same_place(&group[i], key)) {
            return group[i].size == key->size && group[i].changed_ns == key->changed_ns &&
                   group[i].written_ns == key->written_ns;
        }
    }
    return false;
}

void seen_add(struct seen *s, const struct seen_key *key)
{
    size_t group = group_of(key);
    struct seen_key *keys = s->keys + group * SEEN_GROUP;
    for (unsigned i = 0; i < SEEN_GROUP; i++) {
        if (same_place(&keys[i], key)) {
            keys[i] = *key;
            return;
        }
    }
    keys[s->next[group]] = *key;
    s->next[group] = (uint8_t)((s->next[group] + 1) % SEEN_GROUP);
}
