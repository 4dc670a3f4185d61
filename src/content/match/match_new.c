#include "base/heap.h"
#include "base/own.h"
#include "content/match/match_state.h"

/* The rule's bit in the set of each of its types. */
static void put_types(const struct matcher *m, uint64_t *sets, uint64_t types, size_t rule)
{
    for (; types; types &= types - 1) {
        match_put_bit(sets + (size_t)__builtin_ctzll(types) * m->words, rule);
    }
}

static void fill_rules(struct matcher *m)
{
    for (size_t i = 0; i < pack_count(m->pack, PACK_RULES); i++) {
        struct pack_program rule = pack_program(m->pack, i);
        m->rules[i] = (struct match_rule){
            .first_node = rule.first_node,
            .node_count = rule.node_count,
            .origin = {.product = pack_rule_text(m->pack, i, PACK_RULE_PRODUCT),
                       .service = pack_rule_text(m->pack, i, PACK_RULE_SERVICE),
                       .category = pack_rule_text(m->pack, i, PACK_RULE_CATEGORY)}};
        put_types(m, m->asked, rule.types, i);
    }
    for (size_t i = 0; i < pack_count(m->pack, PACK_ALWAYS); i++) {
        uint32_t rule = pack_always(m->pack, i);
        put_types(m, m->always, pack_program(m->pack, rule).types, rule);
    }
}

static void fill_atoms(struct matcher *m)
{
    for (size_t i = 0; i < m->predicate_count; i++) {
        m->atom_of[i] = MATCH_NO_ATOM;
    }
    for (size_t i = 0; i < m->atom_count; i++) {
        struct pack_atom atom = pack_atom(m->pack, i);
        m->atom_of[atom.predicate] = (uint32_t)i;
        m->atoms[i] = (struct match_atom){.literal = pack_text(m->pack, atom.literal),
                                          .anchor = (enum anchor)atom.anchor,
                                          .exact = atom.exact};
    }
    for (uint32_t i = (uint32_t)pack_count(m->pack, PACK_TRIGGERS); i > 0; i--) {
        struct match_atom *atom = &m->atoms[pack_trigger(m->pack, i - 1).atom];
        atom->end = atom->end ? atom->end : i;
        atom->first = i - 1;
    }
}

/* `filter_of`: room for a number for each atom; `types`: for what each filter is needed. */
static void fill_filters(struct matcher *m, uint16_t *filter_of, uint64_t *types)
{
    struct filter_place place;
    for (size_t i = 0; i < m->filter_count; i++) {
        m->filters[i] = filter_read(m->pack, i, &place);
        for (uint32_t k = 0; k < m->filters[i].entry_count; k++) {
            filter_of[filter_entry(&m->filters[i], k).atom] = (uint16_t)i;
        }
    }
    /* An event type needs the filters of all that its rules ask: also "not found" is an answer. */
    for (size_t i = 0; i < pack_count(m->pack, PACK_RULES); i++) {
        struct pack_program rule = pack_program(m->pack, i);
        for (uint32_t k = 0; k < rule.node_count; k++) {
            uint32_t atom = m->atom_of[pack_node(m->pack, rule.first_node + k).predicate];
            if (atom != MATCH_NO_ATOM) {
                types[filter_of[atom]] |= rule.types;
            }
        }
    }
    for (size_t i = 0; i < m->filter_count; i++) {
        for (unsigned type = 0; type < EVENT_COUNT; type++) {
            m->scanned[type * m->filter_count + i] = types[i] >> type & 1;
        }
    }
}

/* Everything that a matcher allocates: member, items, bytes of one. */
#define PARTS(X)                                                                                   \
    X(rules, c.rule_count, sizeof(struct match_rule))                                              \
    X(tallies, c.rule_count, sizeof(struct matcher_tally))                                         \
    X(filters, c.filter_count, sizeof(struct filter))                                              \
    X(asked, EVENT_COUNT *c.words, sizeof(uint64_t))                                               \
    X(always, EVENT_COUNT *c.words, sizeof(uint64_t))                                              \
    X(candidates, c.words, sizeof(uint64_t))                                                       \
    X(scanned, EVENT_COUNT *c.filter_count, sizeof(uint8_t))                                       \
    X(atom_of, c.predicate_count, sizeof(uint32_t))                                                \
    X(answers, c.predicate_count, sizeof(uint32_t))                                                \
    X(atoms, c.atom_count, sizeof(struct match_atom))                                              \
    X(fired, c.atom_count, sizeof(uint32_t))                                                       \
    X(folded, EVENT_MAX, 1)

/* How many items there are to be of what. */
struct counts {
    size_t rule_count;
    size_t words;
    size_t predicate_count;
    size_t atom_count;
    size_t filter_count;
};

static struct counts counts_of(const struct pack *pack)
{
    size_t rules = pack_count(pack, PACK_RULES);
    return (struct counts){.rule_count = rules,
                           .words = (rules + MATCH_WORD - 1) / MATCH_WORD,
                           .predicate_count = pack_count(pack, PACK_PREDICATES),
                           .atom_count = pack_count(pack, PACK_ATOMS),
                           .filter_count = pack_count(pack, PACK_FILTERS)};
}

struct status matcher_new(const struct pack *pack, struct matcher **out)
{
    OWN(matcher_drop) struct matcher *m = heap_alloc(1, sizeof *m);
    struct counts c = counts_of(pack);
    OWN(heap_drop) uint16_t *filter_of = heap_alloc(c.atom_count, sizeof *filter_of);
    OWN(heap_drop) uint64_t *types = heap_alloc(c.filter_count, sizeof *types);
    if (!m || !filter_of || !types) {
        FAIL(MEMORY);
    }
    if (!pack_has_schema(pack)) {
        FAIL(VERSION);
    }
    m->pack = pack;
    m->words = c.words;
    m->predicate_count = c.predicate_count;
    m->atom_count = c.atom_count;
    m->filter_count = c.filter_count;
#define PART_ALLOC(member, items, size)                                                            \
    m->member = heap_alloc(items, size);                                                           \
    if (!m->member) {                                                                              \
        FAIL(MEMORY);                                                                              \
    }
    PARTS(PART_ALLOC)
#undef PART_ALLOC
    fill_rules(m);
    fill_atoms(m);
    fill_filters(m, filter_of, types);
    *out = TAKE(m);
    return OK;
}

size_t matcher_memory(const struct pack *pack)
{
    struct counts c = counts_of(pack);
    size_t bytes = sizeof(struct matcher);
#define PART_SIZE(member, items, size) bytes += (items) * (size);
    PARTS(PART_SIZE)
#undef PART_SIZE
    return bytes;
}

void matcher_free(struct matcher *m)
{
    if (m) {
#define PART_FREE(member, items, size) heap_free(m->member);
        PARTS(PART_FREE)
#undef PART_FREE
        heap_free(m);
    }
}

void matcher_drop(struct matcher **m)
{
    matcher_free(*m);
    *m = NULL;
}
