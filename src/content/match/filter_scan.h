/*
 * filter_scan: a filter's pass over a value. A header, so that both loops are compiled into the one
 * place that scans: content/match/match.c.
 */
#pragma once

#include "content/match/filter.h"

/* Multiplicative hashing (Knuth, The Art of Computer Programming, 6.4): by 2^32 over the golden
 * ratio, and by 2^64 over it. */
static inline uint32_t filter_gram_bit(uint32_t gram, unsigned word_bits)
{
    return (gram * 0x9e3779b1U) >> (32 - word_bits);
}

static inline uint64_t filter_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 29;
}

/* The last word of what is hashed, `len` of its bytes: where it has room the length goes in, so
 * that "a" is not "a\0". */
static inline struct filter_spot filter_key_spot(uint64_t hash, uint64_t word, size_t len,
                                                 unsigned word_bits)
{
    word = (word & UINT64_MAX >> (64 - 8 * len)) | (uint64_t)(len & 7) << 56;
    hash = filter_mix(hash, word) * 0x9e3779b97f4a7c15ULL;
    return (struct filter_spot){.bit = (uint32_t)(hash >> (64 - word_bits)),
                                .key = (uint32_t)(hash >> 8)};
}

/* Up to eight bytes as a number, those nearest to the end that is hashed in its low part. */
static inline uint64_t filter_word(const char *at, size_t len, bool front)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++) {
        word |= (uint64_t)(unsigned char)at[front ? i : len - 1 - i] << 8 * i;
    }
    return word;
}

/* The eight bytes from `done` on, counted from the value's front or back, as filter_word(): all of
 * them, if the value has so many. */
static inline uint64_t filter_load(struct text value, size_t done, bool front)
{
    size_t left = value.len - done;
    if (left < 8) {
        return filter_word(front ? value.ptr + done : value.ptr, left, front);
    }
    return front ? load_u64(value.ptr + done) : __builtin_bswap64(load_u64(value.ptr + left - 8));
}

/* Asks for the bucket of a spot where the bitmap does not rule it out. `context` and what it is
 * asked for are the caller's; false: stop. */
typedef bool filter_ask(void *context, const struct filter *f, struct filter_spot spot,
                        size_t where);

static inline bool filter_has(const struct filter *f, uint32_t bit)
{
    return load_u64(f->words + (bit >> 6) * 8) >> (bit & 63) & 1;
}

/* Few bytes are looked for, and the library's search passes 16 and more at once. */
static inline bool filter_scan_bytes(const struct filter *f, struct text value, void *context,
                                     filter_ask *ask)
{
    uint32_t last = UINT32_MAX;
    for (uint32_t i = 0; i < f->entry_count; i++) {
        uint32_t key = filter_entry(f, i).key;
        const char *at =
            key == last || value.len == 0 ? NULL : memchr(value.ptr, (int)key, value.len);
        last = key;
        struct filter_spot spot = {.bit = filter_gram_bit(key, f->word_bits), .key = key};
        if (at && !ask(context, f, spot, (size_t)(at - value.ptr))) {
            return false;
        }
    }
    return true;
}

/* `size` is a constant where this is called. */
static inline bool filter_scan_grams(const struct filter *f, struct text value, size_t size,
                                     void *context, filter_ask *ask)
{
    for (size_t i = 0; i + size <= value.len; i++) {
        uint32_t gram = size == 4 ? load_u32(value.ptr + i) : load_u16(value.ptr + i);
        struct filter_spot spot = {.bit = filter_gram_bit(gram, f->word_bits), .key = gram};
        if (__builtin_expect(filter_has(f, spot.bit), 0) && !ask(context, f, spot, i)) {
            return false;
        }
    }
    return true;
}

/* Each length by itself: what is hashed of a longer one begins with whole words of a shorter. */
static inline bool filter_scan_end(const struct filter *f, struct text value, void *context,
                                   filter_ask *ask)
{
    bool front = f->kind == FILTER_FRONT;
    uint64_t hash = 0;
    uint64_t word = filter_load(value, 0, front);
    size_t done = 0; /* bytes in `hash`, by words */
    for (uint32_t left = f->lengths; left; left &= left - 1) {
        size_t len = (size_t)__builtin_ctz(left) + 1;
        if (len > value.len) {
            break;
        }
        while (len > done + 8) {
            hash = filter_mix(hash, word);
            done += 8;
            word = filter_load(value, done, front);
        }
        struct filter_spot spot = filter_key_spot(hash, word, len - done, f->word_bits);
        if (filter_has(f, spot.bit) && !ask(context, f, spot, front ? 0 : value.len - len)) {
            return false;
        }
    }
    return true;
}

/* One pass over a folded value. False: `ask` stopped it. */
static inline bool filter_scan(const struct filter *f, struct text value, void *context,
                               filter_ask *ask)
{
    switch (f->kind) {
    case FILTER_GRAM4:
        return filter_scan_grams(f, value, 4, context, ask);
    case FILTER_GRAM2:
        return filter_scan_grams(f, value, 2, context, ask);
    case FILTER_GRAM1:
        return filter_scan_bytes(f, value, context, ask);
    case FILTER_FRONT:
    case FILTER_BACK:
    case FILTER_KIND_COUNT:
        break;
    }
    return filter_scan_end(f, value, context, ask);
}
