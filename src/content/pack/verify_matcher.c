/*
 * The matcher's tables may not only be read without leaving them: no rule may be missed because of
 * them. So it is proven that every atom follows from its predicate, that the filters find every
 * atom, and that no rule can match without one of its triggers.
 */
#include "content/pack/verify.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/match/filter.h"
#include "content/match/match.h"
#include "content/match/predicate.h"
#include "content/match/trigger.h"
#include "content/pack/load.h"

/* ── atoms ── */

/* A literal is compared to a text, and looked for in a pattern or in all that an automaton takes.
 */
static struct status check_atom_work(struct check *c, size_t index)
{
    enum { WALK = 1 << 15 }; /* the tables of a walk over an automaton, however small that is */

    struct pack_atom atom = pack_atom(&c->pack, index);
    if (atom.predicate >= pack_count(&c->pack, PACK_PREDICATES)) {
        return OK; /* check_atom() says so */
    }
    struct predicate p = pack_predicate(&c->pack, atom.predicate);
    size_t literal = pack_text(&c->pack, atom.literal).len;
    bool walks = p.kind == PREDICATE_GLOB || p.kind == PREDICATE_REGEX;
    uint64_t bytes = literal + (walks ? p.text.len * (uint64_t)literal : 0);
    return check_work(c, PACK_ATOMS, index, bytes + (p.kind == PREDICATE_REGEX ? WALK : 0));
}

static const char *check_atom(const struct pack *pack, size_t index)
{
    struct pack_atom atom = pack_atom(pack, index);
    if (atom.predicate >= pack_count(pack, PACK_PREDICATES) ||
        atom.literal >= pack_count(pack, PACK_TEXT_ENDS)) {
        return "its predicate or its literal is not there";
    }
    if (index > 0 && pack_atom(pack, index - 1).predicate >= atom.predicate) {
        return "atoms are not in the order of their predicates";
    }
    if (load_u32(pack_item(pack, PACK_ATOMS, index) + 4) >> 31) {
        return "a bit that must be zero is not";
    }
    struct predicate p = pack_predicate(pack, atom.predicate);
    struct text literal = pack_text(pack, atom.literal);
    if (!atom_follows(&p, (enum anchor)atom.anchor, literal)) {
        return "the predicate can hold without it";
    }
    return atom.exact == atom_is_exact(&p, (enum anchor)atom.anchor, literal)
               ? NULL
               : "it is marked wrongly as the same as its predicate";
}

static struct status check_atoms(struct check *c)
{
    if (pack_count(&c->pack, PACK_ATOMS) > FILTER_ATOMS_MAX) {
        return check_exceeds(c, PACK_ATOMS, PACK_WHOLE, "there are too many");
    }
    for (size_t i = 0; i < pack_count(&c->pack, PACK_ATOMS); i++) {
        TRY(check_atom_work(c, i));
        const char *wrong = check_atom(&c->pack, i);
        if (wrong) {
            return check_refuse(c, PACK_ATOMS, i, wrong);
        }
        check_use(c, CHECK_TEXTS, pack_atom(&c->pack, i).literal);
    }
    return OK;
}

static struct status check_triggers(struct check *c)
{
    struct pack_trigger last = {0};
    for (size_t i = 0; i < pack_count(&c->pack, PACK_TRIGGERS); i++) {
        struct pack_trigger t = pack_trigger(&c->pack, i);
        if (t.atom >= pack_count(&c->pack, PACK_ATOMS) ||
            t.rule >= pack_count(&c->pack, PACK_RULES)) {
            return check_refuse(c, PACK_TRIGGERS, i, "its atom or its rule is not there");
        }
        if (i > 0 && (last.atom != t.atom ? last.atom > t.atom : last.rule >= t.rule)) {
            return check_refuse(c, PACK_TRIGGERS, i, "it is not in order");
        }
        last = t;
    }
    return OK;
}

/* ── every rule has its triggers, or always runs ── */

/* Which atoms trigger each rule: those of rule r are from[r] up to from[r + 1]. */
struct cover {
    uint32_t *from;
    uint32_t *atoms;
    uint32_t *marked; /* for each predicate: the rule, + 1, whose trigger it is */
    bool *cut;        /* for each node of a rule */
    bool *reached;
};

static void invert_triggers(const struct pack *pack, struct cover *cover)
{
    size_t rules = pack_count(pack, PACK_RULES);
    for (size_t i = 0; i < pack_count(pack, PACK_TRIGGERS); i++) {
        cover->from[pack_trigger(pack, i).rule + 2U]++;
    }
    for (size_t r = 2; r < rules + 2; r++) {
        cover->from[r] += cover->from[r - 1];
    }
    for (size_t i = 0; i < pack_count(pack, PACK_TRIGGERS); i++) {
        struct pack_trigger t = pack_trigger(pack, i);
        cover->atoms[cover->from[t.rule + 1U]++] = t.atom;
    }
}

static bool rule_is_covered(const struct pack *pack, uint32_t number, const struct cover *cover)
{
    struct pack_program rule = pack_program(pack, number);
    for (uint32_t i = cover->from[number]; i < cover->from[number + 1U]; i++) {
        cover->marked[pack_atom(pack, cover->atoms[i]).predicate] = number + 1;
    }
    for (uint32_t i = 0; i < rule.node_count; i++) {
        uint32_t predicate = pack_node(pack, rule.first_node + i).predicate;
        cover->cut[i] = cover->marked[predicate] == number + 1;
    }
    return trigger_covers(pack, &rule, cover->cut, cover->reached);
}

/* A rule that always runs has no triggers: it would be in two forms. */
static struct status check_cover(struct check *c, const struct cover *cover)
{
    const struct pack *pack = &c->pack;
    size_t always = 0;
    for (uint32_t r = 0; r < pack_count(pack, PACK_RULES); r++) {
        bool runs = always < pack_count(pack, PACK_ALWAYS) && pack_always(pack, always) == r;
        always += runs;
        if (runs && cover->from[r] != cover->from[r + 1U]) {
            return check_refuse(c, PACK_ALWAYS, always - 1, "the rule has triggers");
        }
        if (!runs && !rule_is_covered(pack, r, cover)) {
            return check_refuse(c, PACK_RULES, r, "it can match without any of its triggers");
        }
    }
    return always == pack_count(pack, PACK_ALWAYS)
               ? OK
               : check_refuse(c, PACK_ALWAYS, always, "the rule is not there, or not in order");
}

static struct status check_rules_covered(struct check *c)
{
    size_t nodes = pack_count(&c->pack, PACK_NODES);
    size_t most = nodes < NODES_MAX ? nodes : NODES_MAX;
    OWN(heap_drop)
    uint32_t *from = heap_alloc(pack_count(&c->pack, PACK_RULES) + 2, sizeof *from);
    OWN(heap_drop)
    uint32_t *atoms = heap_alloc(pack_count(&c->pack, PACK_TRIGGERS), sizeof *atoms);
    OWN(heap_drop)
    uint32_t *marked = heap_alloc(pack_count(&c->pack, PACK_PREDICATES), sizeof *marked);
    OWN(heap_drop) bool *cut = heap_alloc(most, sizeof *cut);
    OWN(heap_drop) bool *reached = heap_alloc(most, sizeof *reached);
    if (!from || !atoms || !marked || !cut || !reached) {
        return check_no_memory(c, PACK_TRIGGERS);
    }
    struct cover cover = {
        .from = from, .atoms = atoms, .marked = marked, .cut = cut, .reached = reached};
    invert_triggers(&c->pack, &cover);
    return check_cover(c, &cover);
}

/* ── filters ── */

struct filter_check {
    struct check *c;
    struct filter_place next; /* where the next filter's parts have to be */
    bool *seen;               /* for each atom: an entry names it */
    uint64_t *worst;          /* for each filter: what its costliest bucket takes */
};

static bool lies_within(const struct pack *pack, enum pack_section section, uint32_t first,
                        uint32_t expected, size_t count)
{
    return first == expected && first <= pack_count(pack, section) &&
           count <= pack_count(pack, section) - first;
}

/* Until this is proven, filter_read() could point outside. */
static const char *check_place(const struct filter_check *fc, const struct filter *f,
                               const struct filter_place *place)
{
    const struct pack *pack = &fc->c->pack;
    if ((unsigned)f->kind >= FILTER_KIND_COUNT || f->entry_count == 0 ||
        f->entry_count > pack_count(pack, PACK_FILTER_ENTRIES) ||
        f->word_bits != filter_word_bits(f->entry_count) ||
        f->bucket_bits != filter_bucket_bits(f->word_bits)) {
        return "its kind or its sizes are wrong";
    }
    bool there = lies_within(pack, PACK_FILTER_WORDS, place->first_word, fc->next.first_word,
                             (size_t)1 << (f->word_bits - 6)) &&
                 lies_within(pack, PACK_FILTER_BUCKETS, place->first_bucket, fc->next.first_bucket,
                             ((size_t)1 << f->bucket_bits) + 1) &&
                 lies_within(pack, PACK_FILTER_ENTRIES, place->first_entry, fc->next.first_entry,
                             f->entry_count);
    return there ? NULL : "its tables do not lie where they should";
}

/* The entry is where a scan that meets its atom looks. Adds what comparing it costs. */
static const char *check_entry(struct filter_check *fc, const struct filter *f, uint32_t index,
                               struct filter_spot *out, uint64_t *compare)
{
    const struct pack *pack = &fc->c->pack;
    struct filter_entry entry = filter_entry(f, index);
    if (entry.atom >= pack_count(pack, PACK_ATOMS) || fc->seen[entry.atom]) {
        return "an atom is not there, or has been before";
    }
    fc->seen[entry.atom] = true;
    struct pack_atom atom = pack_atom(pack, entry.atom);
    struct text literal = pack_text(pack, atom.literal);
    if (pack_predicate_field(pack, atom.predicate) != f->field ||
        filter_kind_of((enum anchor)atom.anchor, literal.len) != f->kind) {
        return "an atom is in the wrong filter";
    }
    if (filter_is_gram(f->kind) ? entry.at + filter_gram_size(f->kind) > literal.len
                                : entry.at != filter_key_length(literal.len)) {
        return "an atom is looked for by bytes that it has not";
    }
    *out = filter_spot(f->kind, f->word_bits, literal, entry.at);
    *compare = FILTER_COMPARE_COST(literal.len);
    return out->key == entry.key ? NULL : "an atom's key is wrong";
}

static uint64_t word_at(const struct filter *f, size_t word)
{
    return load_u64(f->words + word * 8);
}

/* What entries of one bucket, which follow each other, cost together; the most is kept. */
struct bucket_cost {
    uint64_t entries;
    uint64_t compare;
    uint64_t worst;
};

static void add_bucket_cost(struct bucket_cost *cost, bool same_bucket, uint64_t compare)
{
    cost->entries = same_bucket ? cost->entries + 1 : 1;
    cost->compare = same_bucket ? cost->compare + compare : compare;
    uint64_t all = FILTER_BUCKET_COST(cost->entries) + cost->compare;
    cost->worst = all > cost->worst ? all : cost->worst;
}

/* Entries rise by (bit, key, atom); each lies in its bucket and has its bit. */
static const char *check_entries(struct filter_check *fc, const struct filter *f, size_t *bits,
                                 uint32_t *lengths, uint64_t *worst)
{
    struct filter_spot last = {0};
    struct bucket_cost cost = {0};
    uint32_t last_atom = 0;
    for (uint32_t i = 0; i < f->entry_count; i++) {
        struct filter_spot spot;
        uint64_t compare;
        const char *wrong = check_entry(fc, f, i, &spot, &compare);
        if (wrong) {
            return wrong;
        }
        uint32_t atom = filter_entry(f, i).atom;
        bool rises = spot.bit != last.bit   ? spot.bit > last.bit
                     : spot.key != last.key ? spot.key > last.key
                                            : atom > last_atom;
        const char *bucket = f->buckets + (size_t)(spot.bit >> FILTER_BUCKET) * 4;
        if (i > 0 && !rises) {
            return "its entries are not in order";
        }
        if (i < load_u32(bucket) || i >= load_u32(bucket + 4)) {
            return "an entry is not in its bucket";
        }
        if (!(word_at(f, spot.bit >> 6) >> (spot.bit & 63) & 1)) {
            return "an entry would never be looked at";
        }
        add_bucket_cost(&cost, i > 0 && spot.bit >> FILTER_BUCKET == last.bit >> FILTER_BUCKET,
                        compare);
        *bits += i == 0 || spot.bit != last.bit;
        if (!filter_is_gram(f->kind)) {
            *lengths |= 1U << ((filter_entry(f, i).at - 1U) & 31);
        } else if (f->kind == FILTER_GRAM1) {
            *lengths += i == 0 || spot.key != last.key;
        }
        last = spot;
        last_atom = atom;
    }
    *worst = cost.worst;
    return NULL;
}

static const char *check_tables(struct filter_check *fc, const struct filter *f, uint64_t *worst)
{
    size_t bits = 0;
    size_t set = 0;
    uint32_t lengths = 0;
    uint32_t before = 0;
    for (size_t i = 0; i <= (size_t)1 << f->bucket_bits; i++) {
        uint32_t start = load_u32(f->buckets + i * 4);
        if (start < before || start > f->entry_count || (i == 0 && start != 0)) {
            return "its buckets are not in order";
        }
        before = start;
    }
    if (before != f->entry_count) {
        return "its buckets do not hold all entries";
    }
    const char *wrong = check_entries(fc, f, &bits, &lengths, worst);
    for (size_t i = 0; !wrong && i < (size_t)1 << (f->word_bits - 6); i++) {
        set += (size_t)__builtin_popcountll(word_at(f, i));
    }
    if (!wrong && (set != bits || f->lengths != lengths)) {
        return "it looks where no entry is";
    }
    return wrong;
}

static bool filters_rise(const struct filter *before, const struct filter *f)
{
    return before->field != f->field ? before->field < f->field : before->kind < f->kind;
}

static struct status check_filter(struct filter_check *fc, size_t index, struct filter *before)
{
    struct check *c = fc->c;
    struct filter_place place;
    const char *at = pack_item(&c->pack, PACK_FILTERS, index);
    if (pack_field(at[0]) > FIELD_COUNT || (unsigned char)at[0] == FIELD_COUNT) {
        return check_refuse(c, PACK_FILTERS, index, "its field is not in the schema");
    }
    struct filter f = filter_read(&c->pack, index, &place);
    const char *wrong = check_place(fc, &f, &place);
    if (!wrong && index > 0 && !filters_rise(before, &f)) {
        wrong = "filters are not in order";
    }
    wrong = wrong ? wrong : check_tables(fc, &f, &fc->worst[index]);
    if (wrong) {
        return check_refuse(c, PACK_FILTERS, index, wrong);
    }
    fc->next.first_word += 1U << (f.word_bits - 6);
    fc->next.first_bucket += (1U << f.bucket_bits) + 1;
    fc->next.first_entry += f.entry_count;
    *before = f;
    return OK;
}

/* As no entry names an atom twice, every atom has one if there are as many. */
static struct status check_filters(struct check *c, uint64_t *worst)
{
    const struct pack *pack = &c->pack;
    struct filter before = {0};
    OWN(heap_drop) bool *seen = heap_alloc(pack_count(pack, PACK_ATOMS), sizeof *seen);
    struct filter_check fc = {.c = c, .seen = seen, .worst = worst};
    if (!seen) {
        return check_no_memory(c, PACK_FILTERS);
    }
    if (pack_count(pack, PACK_FILTERS) > (FIELD_COUNT + 1) * FILTER_KIND_COUNT) {
        return check_exceeds(c, PACK_FILTERS, PACK_WHOLE, "there are too many");
    }
    for (size_t i = 0; i < pack_count(pack, PACK_FILTERS); i++) {
        TRY(check_filter(&fc, i, &before));
    }
    if (fc.next.first_word != pack_count(pack, PACK_FILTER_WORDS) ||
        fc.next.first_bucket != pack_count(pack, PACK_FILTER_BUCKETS) ||
        fc.next.first_entry != pack_count(pack, PACK_FILTER_ENTRIES)) {
        return check_refuse(c, PACK_FILTERS, PACK_WHOLE, "tables that belong to no filter");
    }
    return fc.next.first_entry == pack_count(pack, PACK_ATOMS)
               ? OK
               : check_refuse(c, PACK_ATOMS, PACK_WHOLE, "some are in no filter");
}

/* ── what a scan can cost ── */

/* The most steps that scanning takes. Values of an honest record do not overlap, so that filters of
 * one kind, each for another field, look at every byte once; and once more where some are for every
 * field. */
struct scan_cost {
    uint64_t looks;                           /* if nothing is found */
    uint64_t finds;                           /* on top of it, at the ends of values … */
    uint64_t bucket[FILTER_KIND_COUNT][2];    /* … and inside: the costliest bucket */
    uint64_t any_looks[FILTER_KIND_COUNT][2]; /* all bytes by one filter of the kind */
};

/* `bucket`: its costliest one. */
static void add_scan(const struct filter *f, uint64_t bucket, struct scan_cost *cost)
{
    bool any = f->field == FIELD_COUNT;
    uint64_t fields = any ? FIELD_COUNT : 1;
    if (filter_is_gram(f->kind)) {
        uint64_t *looks = &cost->any_looks[f->kind][any];
        uint64_t all = filter_cost(f, PREDICATE_ANY_BYTES) + FIELD_COUNT;
        *looks = all > *looks ? all : *looks;
    }
    if (f->kind == FILTER_GRAM4 || f->kind == FILTER_GRAM2) {
        uint64_t *worst = &cost->bucket[f->kind][any];
        *worst = bucket > *worst ? bucket : *worst;
    } else {
        size_t bytes = filter_is_gram(f->kind) ? 0 : EVENT_TEXT_MAX; /* these are counted above */
        cost->looks += fields * filter_cost(f, bytes);
        cost->finds += fields * bucket * filter_places(f, EVENT_TEXT_MAX);
    }
}

/* Every type is counted as if it needed all filters, and as if every atom were found. */
static struct status add_costs(struct check *c, const uint64_t *worst)
{
    struct filter_place place;
    struct scan_cost cost = {0};
    size_t words = (pack_count(&c->pack, PACK_RULES) + 63) / 64;
    for (size_t i = 0; i < pack_count(&c->pack, PACK_FILTERS); i++) {
        struct filter f = filter_read(&c->pack, i, &place);
        add_scan(&f, worst[i], &cost);
    }
    cost.looks += MATCH_EVENT_COST(words) + SUBJECT_FOLD_COST;
    cost.finds += MATCH_FIRE_COST * pack_count(&c->pack, PACK_TRIGGERS);
    for (unsigned kind = 0; kind <= FILTER_GRAM1; kind++) {
        for (unsigned any = 0; any < 2; any++) {
            cost.looks += cost.any_looks[kind][any];
            cost.finds += cost.bucket[kind][any] * PREDICATE_ANY_BYTES;
        }
    }
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        uint64_t demand = c->pack.demand[type] + cost.looks + cost.finds;
        c->pack.demand[type] = demand;
        c->pack.cost[type] = demand < c->limits.event ? demand : c->limits.event;
    }
    return cost.looks <= PACK_SCAN_SHARE(c->limits.event)
               ? OK
               : check_exceeds(c, PACK_FILTERS, PACK_WHOLE,
                               "only to look at the largest event would take too long");
}

struct status check_matcher(struct check *c)
{
    OWN(heap_drop)
    uint64_t *worst = heap_alloc(pack_count(&c->pack, PACK_FILTERS), sizeof *worst);
    if (!worst) {
        return check_no_memory(c, PACK_FILTERS);
    }
    TRY(check_atoms(c));
    TRY(check_triggers(c));
    TRY(check_rules_covered(c));
    TRY(check_filters(c, worst));
    return add_costs(c, worst);
}
