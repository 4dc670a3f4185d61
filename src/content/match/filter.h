/*
 * filter: finds all atoms of a field's value in one pass over it.
 *
 * A filter is for one field and one way of looking: four or two bytes at every place of the value,
 * or its first or last bytes in each length that some atom has. What it looks at is hashed: a
 * bitmap says "surely not" for nearly all, a bucket names the atoms that may be there, and
 * comparing settles it. All of it are flat tables of the pack (docs/formats/pack.md).
 */
#pragma once

#include "content/match/atom.h"
#include "content/pack/load.h"
#include "content/pack/pack.h"

enum filter_kind {
    FILTER_GRAM4, /* atoms inside, of four bytes or more, by the rarest four of their bytes */
    FILTER_GRAM2, /* of two or three */
    FILTER_GRAM1, /* of one: a search for each */
    FILTER_FRONT, /* atoms at the front */
    FILTER_BACK,  /* at the back, and whole ones: names differ in their ends */
    FILTER_KIND_COUNT
};

enum {
    FILTER_BITS_MIN = 6,  /* of a bitmap's size: one word … */
    FILTER_BITS_MAX = 20, /* … to 128 KiB, half of the second cache of small machines */
    FILTER_SPARSE = 4,    /* a bitmap has 2^4 to 2^5 bits for each entry, one in 16 to 32 is set */
    FILTER_BUCKET = 4,    /* sixteen bits of it share a bucket: at most an entry in each */
    FILTER_ENTRY = 8,     /* bytes of an entry */
    FILTER_ATOMS_MAX = 1 << 24, /* an entry has 24 bits for its atom */
    FILTER_AT_MAX = 255,        /* where a gram may stand in its atom */
    FILTER_KEY_MAX = 20,        /* bytes at an end that are hashed */
};

/* An open filter; pointers lead into the pack. */
struct filter {
    enum field field; /* FIELD_COUNT: every text of the event */
    enum filter_kind kind;
    unsigned word_bits;   /* the bitmap has 2^word_bits bits … */
    unsigned bucket_bits; /* … in 2^bucket_bits buckets */
    uint32_t lengths; /* FRONT, BACK: bit n - 1 for hashes over n bytes. GRAM1: different bytes */
    uint32_t entry_count;
    const char *words;
    const char *buckets; /* number of entries before each bucket, and of all of them */
    const char *entries;
};

struct filter_entry {
    uint32_t key; /* what was hashed, or the rest of its hash */
    uint32_t atom;
    uint8_t at; /* GRAM: where in the atom those bytes stand. Others: how many bytes */
};

/* A filter's place in the sections. */
struct filter_place {
    uint32_t first_word;
    uint32_t first_bucket;
    uint32_t first_entry;
};

/* A filter of a pack that was opened. */
struct filter filter_read(const struct pack *pack, size_t index, struct filter_place *place);

static inline struct filter_entry filter_entry(const struct filter *f, uint32_t index)
{
    const char *at = f->entries + (size_t)index * FILTER_ENTRY;
    uint32_t word = load_u32(at + 4);
    return (struct filter_entry){
        .key = load_u32(at), .atom = word >> 8, .at = (uint8_t)(word & FILTER_AT_MAX)};
}

/* The way to look for an atom, and the bytes of it that are hashed at an end. */
enum filter_kind filter_kind_of(enum anchor anchor, size_t len);
size_t filter_key_length(size_t len); /* `len` is not 0 */

/* Those that look inside. */
static inline bool filter_is_gram(enum filter_kind kind)
{
    return kind <= FILTER_GRAM1;
}

static inline size_t filter_gram_size(enum filter_kind kind)
{
    return kind == FILTER_GRAM4 ? 4 : kind == FILTER_GRAM2 ? 2 : 1;
}

/* Sizes follow from the number of entries, so that a filter has one form. */
unsigned filter_word_bits(size_t entries);
unsigned filter_bucket_bits(unsigned word_bits);

/* Where a hash falls: a bit of the bitmap, and the key of its entry. */
struct filter_spot {
    uint32_t bit;
    uint32_t key;
};

static inline uint32_t filter_gram(enum filter_kind kind, const char *at)
{
    return kind == FILTER_GRAM4   ? load_u32(at)
           : kind == FILTER_GRAM2 ? load_u16(at)
                                  : (unsigned char)at[0];
}

/* Of a gram at `at`, or of the `at` bytes at the filter's end. */
struct filter_spot filter_spot(enum filter_kind kind, unsigned word_bits, struct text literal,
                               size_t at);

/* The most steps of a pass over so many bytes, and how many buckets it may ask for. */
uint64_t filter_cost(const struct filter *f, size_t bytes);
uint64_t filter_places(const struct filter *f, size_t bytes);

/* Steps of asking a bucket of so many entries, and of comparing a literal of so many bytes. */
#define FILTER_BUCKET_COST(entries) (4 + 2 * (uint64_t)(entries))
#define FILTER_COMPARE_COST(bytes) (6 + (uint64_t)(bytes) / 8)
