#include "content/filter.h"

#include "content/load.h"

enum {
    FILTER_ITEM = 32,
    ENTRY_ITEM = 12,
    GRAM_WEIGHT = 2, /* steps a place of the value: 1.1 to 1.5 ns measured */
    KEY_WEIGHT = 2,  /* steps a byte hashed at an end, with the question whether it is a length */
};

struct filter filter_read(const struct pack *pack, size_t index, struct filter_place *place)
{
    const char *at = pack_item(pack, PACK_FILTERS, index);
    struct filter f = {.field = pack_field(at[0]),
                       .kind = (enum filter_kind)(unsigned char)at[1],
                       .word_bits = (unsigned char)at[2],
                       .bucket_bits = (unsigned char)at[3],
                       .entry_count = load_u32(at + 16),
                       .lengths = load_u64(at + 24)};
    *place = (struct filter_place){.first_word = load_u32(at + 4),
                                   .first_bucket = load_u32(at + 8),
                                   .first_entry = load_u32(at + 12)};
    f.words = pack->sections[PACK_FILTER_WORDS].at + (size_t)place->first_word * 8;
    f.buckets = pack->sections[PACK_FILTER_BUCKETS].at + (size_t)place->first_bucket * 4;
    f.entries = pack->sections[PACK_FILTER_ENTRIES].at + (size_t)place->first_entry * ENTRY_ITEM;
    return f;
}

struct filter_entry filter_entry(const struct filter *f, uint32_t index)
{
    const char *at = f->entries + (size_t)index * ENTRY_ITEM;
    return (struct filter_entry){
        .key = load_u32(at), .atom = load_u32(at + 4), .at = load_u16(at + 8)};
}

enum filter_kind filter_kind_of(enum anchor anchor, size_t len)
{
    if (anchor == ANCHOR_INSIDE) {
        return len >= 4 ? FILTER_GRAM4 : FILTER_GRAM2;
    }
    return anchor == ANCHOR_FRONT ? FILTER_FRONT : FILTER_BACK;
}

/* Up to 16 each length has its own hash. Of longer ones few are different, so that a value is not
 * asked about in 64 lengths. */
size_t filter_key_length(size_t len)
{
    static const uint8_t long_ones[] = {64, 48, 32, 24, 20, 16};
    size_t i = 0;
    while (len > 16 && long_ones[i] > len) {
        i++;
    }
    return len > 16 ? long_ones[i] : len;
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

/* ── hashing ── */

/* Knuth's multiplicative hash (The Art of Computer Programming, 6.4): 2^32 over the golden ratio.
 */
static inline uint32_t gram_bit(uint32_t gram, unsigned word_bits)
{
    return (gram * 0x9e3779b1U) >> (32 - word_bits);
}

/* A polynomial, one byte after another, so that every length on the way has its hash. */
static inline uint64_t key_step(uint64_t hash, char byte)
{
    return (hash + (unsigned char)byte + 1) * 0x9fb21c651e98df25ULL;
}

static inline struct filter_spot key_spot(uint64_t hash, unsigned word_bits)
{
    uint64_t mixed = (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15ULL;
    return (struct filter_spot){.bit = (uint32_t)(mixed >> (64 - word_bits)),
                                .key = (uint32_t)(mixed >> 8)};
}

struct filter_spot filter_spot(enum filter_kind kind, unsigned word_bits, struct text literal,
                               size_t at)
{
    if (kind == FILTER_GRAM4 || kind == FILTER_GRAM2) {
        const char *from = literal.ptr + at;
        uint32_t gram = kind == FILTER_GRAM4 ? load_u32(from) : load_u16(from);
        return (struct filter_spot){.bit = gram_bit(gram, word_bits), .key = gram};
    }
    uint64_t hash = 0;
    for (size_t i = 0; i < at; i++) {
        hash = key_step(hash, literal.ptr[kind == FILTER_FRONT ? i : literal.len - 1 - i]);
    }
    return key_spot(hash, word_bits);
}

/* ── scanning ── */

static inline bool bit_is_set(const struct filter *f, uint32_t bit)
{
    return load_u64(f->words + (bit >> 6) * 8) >> (bit & 63) & 1;
}

static bool ask_bucket(const struct filter *f, struct filter_spot spot, size_t where,
                       const struct filter_search *search)
{
    const char *bucket = f->buckets + (size_t)(spot.bit >> FILTER_BUCKET) * 4;
    return search->on_bucket(search->context, f, load_u32(bucket), load_u32(bucket + 4), spot.key,
                             where);
}

/* `size` is a constant where this is called. */
static inline bool scan_grams(const struct filter *f, struct text value, size_t size,
                              const struct filter_search *search)
{
    for (size_t i = 0; i + size <= value.len; i++) {
        uint32_t gram = size == 4 ? load_u32(value.ptr + i) : load_u16(value.ptr + i);
        struct filter_spot spot = {.bit = gram_bit(gram, f->word_bits), .key = gram};
        if (__builtin_expect(bit_is_set(f, spot.bit), 0) && !ask_bucket(f, spot, i, search)) {
            return false;
        }
    }
    return true;
}

static bool scan_end(const struct filter *f, struct text value, const struct filter_search *search)
{
    bool front = f->kind == FILTER_FRONT;
    uint64_t hash = 0;
    uint64_t lengths = f->lengths;
    for (size_t i = 0; i < value.len && lengths; i++, lengths >>= 1) {
        hash = key_step(hash, value.ptr[front ? i : value.len - 1 - i]);
        if (!(lengths & 1)) {
            continue;
        }
        struct filter_spot spot = key_spot(hash, f->word_bits);
        if (bit_is_set(f, spot.bit) &&
            !ask_bucket(f, spot, front ? 0 : value.len - 1 - i, search)) {
            return false;
        }
    }
    return true;
}

bool filter_scan(const struct filter *f, struct text value, const struct filter_search *search)
{
    switch (f->kind) {
    case FILTER_GRAM4:
        return scan_grams(f, value, 4, search);
    case FILTER_GRAM2:
        return scan_grams(f, value, 2, search);
    case FILTER_FRONT:
    case FILTER_BACK:
    case FILTER_KIND_COUNT:
        break;
    }
    return scan_end(f, value, search);
}

static bool is_gram(const struct filter *f)
{
    return f->kind == FILTER_GRAM4 || f->kind == FILTER_GRAM2;
}

uint64_t filter_cost(const struct filter *f, size_t bytes)
{
    size_t most = (size_t)(64 - (f->lengths ? __builtin_clzll(f->lengths) : 64));
    return is_gram(f) ? GRAM_WEIGHT * bytes + 1 : KEY_WEIGHT * (bytes < most ? bytes : most) + 1;
}

uint64_t filter_places(const struct filter *f, size_t bytes)
{
    return is_gram(f) ? bytes : (uint64_t)__builtin_popcountll(f->lengths);
}
