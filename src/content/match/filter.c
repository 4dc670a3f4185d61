#include "content/match/filter.h"

#include "content/match/filter_scan.h"

enum {
    GRAM_WEIGHT = 2,   /* steps a place of the value: 1.1 to 1.5 ns measured */
    SEARCH_WEIGHT = 8, /* steps to begin a search for one byte, … */
    SEARCH_BYTES = 16, /* … and bytes that it gets past in one more */
    KEY_WEIGHT = 4,    /* steps a length at an end: two multiplications that wait for each other */
};

struct filter filter_read(const struct pack *pack, size_t index, struct filter_place *place)
{
    const char *at = pack_item(pack, PACK_FILTERS, index);
    struct filter f = {.field = pack_field(at[0]),
                       .kind = (enum filter_kind)(unsigned char)at[1],
                       .word_bits = (unsigned char)at[2],
                       .bucket_bits = (unsigned char)at[3],
                       .entry_count = load_u32(at + 16),
                       .lengths = load_u32(at + 20)};
    *place = (struct filter_place){.first_word = load_u32(at + 4),
                                   .first_bucket = load_u32(at + 8),
                                   .first_entry = load_u32(at + 12)};
    f.words = pack->sections[PACK_FILTER_WORDS].at + (size_t)place->first_word * 8;
    f.buckets = pack->sections[PACK_FILTER_BUCKETS].at + (size_t)place->first_bucket * 4;
    f.entries = pack->sections[PACK_FILTER_ENTRIES].at + (size_t)place->first_entry * FILTER_ENTRY;
    return f;
}

enum filter_kind filter_kind_of(enum anchor anchor, size_t len)
{
    if (anchor == ANCHOR_INSIDE) {
        return len >= 4 ? FILTER_GRAM4 : len >= 2 ? FILTER_GRAM2 : FILTER_GRAM1;
    }
    return anchor == ANCHOR_FRONT ? FILTER_FRONT : FILTER_BACK;
}

/* Few lengths, so that a value is not asked about in many. */
size_t filter_key_length(size_t len)
{
    static const uint8_t lengths[] = {FILTER_KEY_MAX, 12, 8, 6, 4, 3, 2, 1};
    size_t i = 0;
    while (lengths[i] > len) {
        i++;
    }
    return lengths[i];
}

unsigned filter_word_bits(size_t entries)
{
    unsigned bits = FILTER_BITS_MIN;
    while (bits < FILTER_BITS_MAX && (size_t)1 << bits < entries << FILTER_SPARSE) {
        bits++;
    }
    return bits;
}

unsigned filter_bucket_bits(unsigned word_bits)
{
    return word_bits - FILTER_BUCKET;
}

struct filter_spot filter_spot(enum filter_kind kind, unsigned word_bits, struct text literal,
                               size_t at)
{
    if (filter_is_gram(kind)) {
        uint32_t gram = filter_gram(kind, literal.ptr + at);
        return (struct filter_spot){.bit = filter_gram_bit(gram, word_bits), .key = gram};
    }
    bool front = kind == FILTER_FRONT;
    struct text end = text_part(literal, front ? 0 : literal.len - at, at);
    uint64_t hash = 0;
    size_t done = 0;
    for (; done + 8 < at; done += 8) {
        hash = filter_mix(hash, filter_load(end, done, front));
    }
    return filter_key_spot(hash, filter_load(end, done, front), at - done, word_bits);
}

uint64_t filter_cost(const struct filter *f, size_t bytes)
{
    if (f->kind == FILTER_GRAM1) {
        return f->lengths * (SEARCH_WEIGHT + (uint64_t)bytes / SEARCH_BYTES) + 1;
    }
    return filter_is_gram(f->kind) ? GRAM_WEIGHT * bytes + 1
                                   : KEY_WEIGHT * (uint64_t)__builtin_popcount(f->lengths) + 1;
}

uint64_t filter_places(const struct filter *f, size_t bytes)
{
    if (f->kind == FILTER_GRAM1) {
        return f->lengths;
    }
    return filter_is_gram(f->kind) ? bytes : (uint64_t)__builtin_popcount(f->lengths);
}
