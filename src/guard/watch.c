#include "guard/watch.h"

struct status watch_add(struct watch *w, uint32_t client, struct text pattern)
{
    struct text rest =
        text_starts(pattern, TEXT("*")) ? text_part(pattern, 1, pattern.len) : pattern;
    if (!text_starts(rest, TEXT("/")) || rest.len < 2 || text_find_byte(rest, '*') != SIZE_MAX ||
        text_find_byte(rest, 0) != SIZE_MAX) {
        FAIL(INVALID);
    }
    for (unsigned i = 0; i < w->count; i++) {
        if (w->patterns[i].client < w->stale && text_same(text_of(w->patterns[i].text), pattern)) {
            w->patterns[i].client = client;
            return OK;
        }
    }
    if (w->count == WATCH_PATTERNS || pattern.len >= WATCH_PATTERN) {
        FAIL(LIMIT);
    }
    w->patterns[w->count].client = client;
    text_copy(pattern, w->patterns[w->count].text, WATCH_PATTERN);
    w->count++;
    return OK;
}

void watch_adopt(struct watch *w, uint32_t first)
{
    w->stale = first;
    w->count = w->count <= WATCH_PATTERNS ? w->count : 0;
    for (unsigned i = 0; i < w->count; i++) {
        w->patterns[i].text[WATCH_PATTERN - 1] = 0;
    }
}

/* Keeps the patterns of clients from `low` on, but for those of `client`. */
static void keep(struct watch *w, uint32_t low, uint32_t client)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < w->count; i++) {
        if (w->patterns[i].client >= low && w->patterns[i].client != client) {
            w->patterns[kept++] = w->patterns[i];
        }
    }
    w->count = kept;
}

void watch_settle(struct watch *w)
{
    keep(w, w->stale, UINT32_MAX);
}

void watch_orphan(struct watch *w, uint32_t client)
{
    for (unsigned i = 0; i < w->count; i++) {
        if (w->patterns[i].client == client) {
            w->patterns[i].client = 0; /* clients count from 1, so this is stale for ever */
        }
    }
}

void watch_forget(struct watch *w, uint32_t client)
{
    keep(w, 0, client);
}

/* Does `path` hold `part` at `at`, upper and lower case alike? */
static bool holds(struct text path, size_t at, struct text part)
{
    return text_same_folded(text_part(path, at, part.len), part);
}

static bool pattern_matches(struct text pattern, struct text path)
{
    bool folder = text_ends(pattern, TEXT("/"));
    if (!text_starts(pattern, TEXT("*"))) {
        return holds(path, 0, pattern) && (folder || path.len == pattern.len);
    }
    struct text rest = text_part(pattern, 1, pattern.len);
    if (path.len < rest.len) {
        return false;
    }
    size_t last = path.len - rest.len;
    for (size_t at = folder ? 0 : last; at <= last; at++) {
        if (holds(path, at, rest)) {
            return true;
        }
    }
    return false;
}

bool watch_matches(const struct watch *w, struct text path)
{
    for (unsigned i = 0; i < w->count; i++) {
        if (pattern_matches(text_of(w->patterns[i].text), path)) {
            return true;
        }
    }
    return false;
}

/* The name that the kernel part will meet: the file's, or the folder's. */
static struct text last_name(struct text pattern)
{
    if (text_ends(pattern, TEXT("/"))) {
        pattern.len--;
    }
    size_t slash = text_find_last(pattern, '/');
    return text_part(pattern, slash == SIZE_MAX ? 0 : slash + 1, pattern.len);
}

void watch_sieve(const struct watch *w, __u64 *words)
{
    __u64 sieve[WATCH_WORDS] = {0};
    for (unsigned i = 0; i < w->count; i++) {
        struct text name = last_name(text_of(w->patterns[i].text));
        uint64_t eight = 0;
        memcpy(&eight, name.ptr, name.len < sizeof eight ? name.len : sizeof eight);
        uint32_t bit = watch_bit(eight, (uint32_t)name.len);
        sieve[bit / 64] |= 1ULL << bit % 64;
    }
    /* Word by word: the kernel part may look at any time. */
    for (unsigned i = 0; i < WATCH_WORDS; i++) {
        __atomic_store_n(&words[i], sieve[i], __ATOMIC_RELAXED);
    }
}
