/*
 * Filters: each atom goes into the one of its field and anchor, by the bytes of it that the fewest
 * other literals of the pack have.
 */
#include "content/pack/encode.h"

#include "base/bytes.h"
#include "content/match/filter.h"
#include "content/pack/load.h"

#include <stdlib.h>

/* How many literals hold a gram: a counter for each hash. Two grams that share one look commoner
 * than they are, no more. */
enum { COUNTER_BITS = 16, COUNTERS = 1 << COUNTER_BITS };

/* An atom on its way into a filter. */
struct item {
    const struct encoded_atom *atom;
    uint32_t number;
    enum field field;
    enum filter_kind kind;
    uint8_t at;
    struct filter_spot spot;
};

struct filter_encoder {
    struct encoder *encoder;
    const struct encoded_atoms *atoms;
    struct item *items;
    uint32_t *counters;
};

static uint32_t gram_at(struct text literal, size_t at, enum filter_kind kind)
{
    return filter_gram(kind, literal.ptr + at);
}

static uint32_t *counter(const struct filter_encoder *f, uint32_t gram)
{
    return &f->counters[(gram * 0x9e3779b1U) >> (32 - COUNTER_BITS)];
}

static void count_grams(const struct filter_encoder *f, const struct item *item)
{
    struct text literal = item->atom->literal;
    for (size_t at = 0;
         filter_is_gram(item->kind) && at + filter_gram_size(item->kind) <= literal.len; at++) {
        ++*counter(f, gram_at(literal, at, item->kind));
    }
}

/* Of equally rare ones the first. */
static uint8_t rarest(const struct filter_encoder *f, const struct item *item)
{
    struct text literal = item->atom->literal;
    size_t best = 0;
    for (size_t at = 1; at + filter_gram_size(item->kind) <= literal.len && at <= FILTER_AT_MAX;
         at++) {
        if (*counter(f, gram_at(literal, at, item->kind)) <
            *counter(f, gram_at(literal, best, item->kind))) {
            best = at;
        }
    }
    return (uint8_t)best;
}

static struct status make_items(struct filter_encoder *f)
{
    f->items = arena_alloc(f->encoder->arena, f->atoms->count, sizeof *f->items);
    f->counters = arena_alloc(f->encoder->arena, COUNTERS, sizeof *f->counters);
    if (!f->items || !f->counters) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < f->atoms->count; i++) {
        const struct encoded_atom *atom = &f->atoms->items[i];
        f->items[i] = (struct item){.atom = atom,
                                    .number = (uint32_t)i,
                                    .field = f->encoder->plain[atom->predicate].field,
                                    .kind = filter_kind_of(atom->anchor, atom->literal.len)};
        count_grams(f, &f->items[i]);
    }
    for (size_t i = 0; i < f->atoms->count; i++) {
        struct item *item = &f->items[i];
        item->at = filter_is_gram(item->kind) ? rarest(f, item)
                                              : (uint8_t)filter_key_length(item->atom->literal.len);
    }
    return OK;
}

static int by_filter(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;
    return x->field != y->field ? (x->field > y->field) - (x->field < y->field)
                                : (x->kind > y->kind) - (x->kind < y->kind);
}

static int by_spot(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;
    if (x->spot.bit != y->spot.bit) {
        return (x->spot.bit > y->spot.bit) - (x->spot.bit < y->spot.bit);
    }
    return x->spot.key != y->spot.key ? (x->spot.key > y->spot.key) - (x->spot.key < y->spot.key)
                                      : (x->number > y->number) - (x->number < y->number);
}

/* The items of one filter, sorted by where they fall. */
struct run {
    struct item *items;
    size_t count;
    unsigned word_bits;
};

static struct status put_head(struct encoder *e, const struct run *run)
{
    const struct item *first = run->items;
    uint32_t lengths = 0;
    for (size_t i = 0; i < run->count; i++) {
        bool again = i > 0 && run->items[i].spot.key == run->items[i - 1].spot.key;
        if (!filter_is_gram(first->kind)) {
            lengths |= 1U << (run->items[i].at - 1);
        } else if (first->kind == FILTER_GRAM1) {
            lengths += !again;
        }
    }
    uint8_t room[24];
    struct writer w = writer_over(room, sizeof room);
    writer_u8(&w, (uint8_t)(first->field == FIELD_COUNT ? PACK_ANY_FIELD : (int)first->field));
    writer_u8(&w, (uint8_t)first->kind);
    writer_u8(&w, (uint8_t)run->word_bits);
    writer_u8(&w, (uint8_t)filter_bucket_bits(run->word_bits));
    writer_u32(&w, (uint32_t)(e->sections[PACK_FILTER_WORDS].used / 8));
    writer_u32(&w, (uint32_t)(e->sections[PACK_FILTER_BUCKETS].used / 4));
    writer_u32(&w, (uint32_t)(e->sections[PACK_FILTER_ENTRIES].used / FILTER_ENTRY));
    writer_u32(&w, (uint32_t)run->count);
    writer_u32(&w, lengths);
    return encode_bytes(e, PACK_FILTERS, writer_text(&w));
}

static struct status put_words(struct encoder *e, const struct run *run)
{
    size_t at = 0;
    for (size_t i = 0; i < (size_t)1 << run->word_bits; i += 64) {
        uint8_t room[8];
        struct writer w = writer_over(room, sizeof room);
        uint64_t word = 0;
        for (; at < run->count && run->items[at].spot.bit < i + 64; at++) {
            word |= 1ULL << (run->items[at].spot.bit & 63);
        }
        writer_u64(&w, word);
        TRY(encode_bytes(e, PACK_FILTER_WORDS, writer_text(&w)));
    }
    return OK;
}

static struct status put_buckets(struct encoder *e, const struct run *run)
{
    size_t at = 0;
    for (size_t i = 0; i <= (size_t)1 << filter_bucket_bits(run->word_bits); i++) {
        uint8_t room[4];
        struct writer w = writer_over(room, sizeof room);
        while (at < run->count && run->items[at].spot.bit >> FILTER_BUCKET < i) {
            at++;
        }
        writer_u32(&w, (uint32_t)at);
        TRY(encode_bytes(e, PACK_FILTER_BUCKETS, writer_text(&w)));
    }
    return OK;
}

static struct status put_entries(struct encoder *e, const struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        const struct item *item = &run->items[i];
        uint8_t room[FILTER_ENTRY];
        struct writer w = writer_over(room, sizeof room);
        writer_u32(&w, item->spot.key);
        writer_u32(&w, item->number << 8 | item->at);
        TRY(encode_bytes(e, PACK_FILTER_ENTRIES, writer_text(&w)));
    }
    return OK;
}

static struct status put_filter(struct encoder *e, struct run *run)
{
    run->word_bits = filter_word_bits(run->count);
    for (size_t i = 0; i < run->count; i++) {
        struct item *item = &run->items[i];
        item->spot = filter_spot(item->kind, run->word_bits, item->atom->literal, item->at);
    }
    qsort(run->items, run->count, sizeof *run->items, by_spot);
    TRY(put_head(e, run));
    TRY(put_words(e, run));
    TRY(put_buckets(e, run));
    return put_entries(e, run);
}

struct status encode_filters(struct encoder *e, const struct encoded_atoms *atoms)
{
    struct filter_encoder f = {.encoder = e, .atoms = atoms};
    TRY(make_items(&f));
    if (atoms->count) {
        qsort(f.items, atoms->count, sizeof *f.items, by_filter);
    }
    for (size_t i = 0; i < atoms->count;) {
        struct run run = {.items = f.items + i};
        while (i + run.count < atoms->count && by_filter(run.items, run.items + run.count) == 0) {
            run.count++;
        }
        TRY(put_filter(e, &run));
        i += run.count;
    }
    return OK;
}
