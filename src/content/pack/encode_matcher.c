/*
 * The matcher's tables, made when all rules are known: what is rare is so among them all.
 */
#include "content/pack/encode.h"

#include "base/bytes.h"
#include "base/own.h"
#include "content/match/filter.h"
#include "content/match/trigger.h"

#include <stdlib.h>

struct matcher_encoder {
    struct encoder *encoder;
    struct pack view;
    struct encoded_atoms *atoms;
    uint32_t *atom_of; /* for each predicate, + 1; 0: none */
    uint32_t *askers;  /* for each predicate: rules that ask it */
};

/* ── how likely an atom is ── */

/*
 * Bits of surprise, in tenths: by and large, what an event holds of texts that rules look for.
 * English has 1.0 to 1.5 bits a letter (Shannon 1951), names of programs and options more; digits
 * and signs are rarer. Somewhere in a value of 128 bytes is likelier by 7 bits than at its end. And
 * what many rules ask about is there often: shells are named by hundreds.
 */
enum {
    LETTER_BITS = 25,
    OTHER_BITS = 32,
    INSIDE_BITS = 70,
    ASKER_BITS = 15, /* for each doubling of the rules that ask */
    BITS = 10,
};

static unsigned doublings(uint32_t n)
{
    return n > 1 ? 32 - (unsigned)__builtin_clz(n - 1) : 0;
}

static uint32_t weight_of(const struct encoded_atom *atom, uint32_t askers)
{
    int bits = 0;
    for (size_t i = 0; i < atom->literal.len && bits < 10000; i++) {
        char c = atom->literal.ptr[i];
        bits += c >= 'a' && c <= 'z' ? LETTER_BITS : OTHER_BITS;
    }
    int most = TRIGGER_WEIGHT_BITS * BITS + INSIDE_BITS;
    bits = bits < most ? bits : most;
    bits -= atom->anchor == ANCHOR_INSIDE ? INSIDE_BITS : 0;
    bits -= ASKER_BITS * (int)doublings(askers);
    bits = bits < 0 ? 0 : bits / BITS;
    return bits >= TRIGGER_WEIGHT_BITS ? 1 : (uint32_t)TRIGGER_WEIGHT_MAX >> bits;
}

static uint32_t weight(void *context, uint32_t predicate)
{
    const struct matcher_encoder *m = context;
    uint32_t atom = m->atom_of[predicate];
    return atom ? weight_of(&m->atoms->items[atom - 1], m->askers[predicate]) : 0;
}

/* ── atoms ── */

struct status encode_atoms(struct encoder *e, struct encoded_atoms *out)
{
    size_t count = e->predicates.count;
    struct encoded_atom *items = arena_alloc(e->arena, count, sizeof *items);
    if (!items) {
        FAIL(MEMORY);
    }
    *out = (struct encoded_atoms){.items = items};
    for (uint32_t i = 0; i < count; i++) {
        struct atom atom;
        if (!atom_of(&e->plain[i], e->arena, &atom)) {
            continue;
        }
        struct encoded_atom *item = &items[out->count++];
        *item = (struct encoded_atom){
            .predicate = i, .literal = atom.literal, .anchor = atom.anchor, .exact = atom.exact};
    }
    return OK;
}

static struct status put_u32(struct encoder *e, enum pack_section section, uint32_t value)
{
    uint8_t room[4];
    struct writer w = writer_over(room, sizeof room);
    writer_u32(&w, value);
    return encode_bytes(e, section, writer_text(&w));
}

/* ── triggers ── */

/* Pairs of an atom and a rule that it triggers, as they were found: rule by rule. */
struct pair {
    uint32_t atom;
    uint32_t rule;
};

struct pairs {
    struct pair *items;
    size_t count;
    size_t capacity;
};

static struct status count_askers(struct matcher_encoder *m)
{
    size_t count = pack_count(&m->view, PACK_PREDICATES);
    uint32_t *last = arena_alloc(m->encoder->arena, count, sizeof *last); /* rule + 1 */
    m->askers = arena_alloc(m->encoder->arena, count, sizeof *m->askers);
    m->atom_of = arena_alloc(m->encoder->arena, count, sizeof *m->atom_of);
    if (!last || !m->askers || !m->atom_of) {
        FAIL(MEMORY);
    }
    for (uint32_t i = 0; i < m->atoms->count; i++) {
        m->atom_of[m->atoms->items[i].predicate] = i + 1;
    }
    for (uint32_t r = 0; r < pack_count(&m->view, PACK_RULES); r++) {
        struct pack_program rule = pack_program(&m->view, r);
        for (uint32_t i = 0; i < rule.node_count; i++) {
            uint32_t predicate = pack_node(&m->view, rule.first_node + i).predicate;
            m->askers[predicate] += last[predicate] != r + 1;
            last[predicate] = r + 1;
        }
    }
    return OK;
}

static struct status add_pairs(struct matcher_encoder *m, const struct pack_program *rule,
                               uint32_t number, const bool *cut, struct pairs *pairs)
{
    for (uint32_t i = 0; i < rule->node_count; i++) {
        uint32_t atom = m->atom_of[pack_node(&m->view, rule->first_node + i).predicate];
        bool again = false;
        for (size_t k = pairs->count; cut[i] && k > 0 && pairs->items[k - 1].rule == number; k--) {
            again = again || pairs->items[k - 1].atom == atom - 1;
        }
        if (!cut[i] || again) {
            continue;
        }
        struct pair *items = arena_push(m->encoder->arena, pairs->items, pairs->count,
                                        &pairs->capacity, sizeof *items);
        if (!items) {
            FAIL(MEMORY);
        }
        pairs->items = items;
        pairs->items[pairs->count++] = (struct pair){.atom = atom - 1, .rule = number};
    }
    return OK;
}

static struct status choose_triggers(struct matcher_encoder *m, struct pairs *pairs)
{
    for (uint32_t r = 0; r < pack_count(&m->view, PACK_RULES); r++) {
        OWN(arena_done) struct arena scratch;
        struct pack_program rule = pack_program(&m->view, r);
        bool found;
        arena_init(&scratch, TRIGGER_MEMORY);
        struct trigger_choice choice = {.context = m, .weight = weight, .arena = &scratch};
        bool *cut = arena_alloc(&scratch, rule.node_count, sizeof *cut);
        if (!cut) {
            FAIL(MEMORY);
        }
        TRY(trigger_choose(&m->view, &rule, &choice, cut, &found));
        TRY(found ? add_pairs(m, &rule, r, cut, pairs) : put_u32(m->encoder, PACK_ALWAYS, r));
    }
    return OK;
}

/* Up to three bytes are in many values, and cost a look each time. Those that trigger nothing are
 * left out where asking the predicate itself costs no more than to search for them. */
static struct status drop_short_ones(struct matcher_encoder *m, struct pairs *pairs)
{
    struct encoded_atom *items = m->atoms->items;
    uint32_t *number = arena_alloc(m->encoder->arena, m->atoms->count, sizeof *number);
    size_t kept = 0;
    if (!number) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < pairs->count; i++) {
        number[pairs->items[i].atom] = 1;
    }
    for (size_t i = 0; i < m->atoms->count; i++) {
        enum filter_kind kind = filter_kind_of(items[i].anchor, items[i].literal.len);
        bool shorter = kind == FILTER_GRAM1 || (kind == FILTER_GRAM2 && items[i].exact);
        if (!shorter || number[i]) {
            number[i] = (uint32_t)kept;
            items[kept++] = items[i];
        }
    }
    for (size_t i = 0; i < pairs->count; i++) {
        pairs->items[i].atom = number[pairs->items[i].atom];
    }
    m->atoms->count = kept;
    return OK;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a;
    const struct pair *y = b;
    return x->atom != y->atom ? (x->atom > y->atom) - (x->atom < y->atom)
                              : (x->rule > y->rule) - (x->rule < y->rule);
}

static struct status lay_atoms(struct matcher_encoder *m, struct pairs *pairs)
{
    for (size_t i = 0; i < m->atoms->count; i++) {
        const struct encoded_atom *atom = &m->atoms->items[i];
        uint32_t text;
        TRY(encode_text(m->encoder, atom->literal, &text));
        TRY(put_u32(m->encoder, PACK_ATOMS, text));
        TRY(put_u32(m->encoder, PACK_ATOMS,
                    atom->predicate | (uint32_t)atom->anchor << PACK_ATOM_ANCHOR |
                        (uint32_t)atom->exact << PACK_ATOM_EXACT));
    }
    if (pairs->count) {
        qsort(pairs->items, pairs->count, sizeof *pairs->items, compare_pairs);
    }
    for (size_t i = 0; i < pairs->count; i++) {
        TRY(put_u32(m->encoder, PACK_TRIGGERS, pairs->items[i].atom));
        TRY(put_u32(m->encoder, PACK_TRIGGERS, pairs->items[i].rule));
    }
    return OK;
}

struct status encode_matcher(struct encoder *e, struct encoded_atoms *atoms)
{
    struct matcher_encoder m = {.encoder = e, .view = encode_view(e), .atoms = atoms};
    struct pairs pairs = {0};
    TRY(count_askers(&m));
    TRY(choose_triggers(&m, &pairs));
    TRY(drop_short_ones(&m, &pairs));
    TRY(lay_atoms(&m, &pairs));
    return encode_filters(e, atoms);
}
