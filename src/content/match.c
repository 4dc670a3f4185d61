#include "content/match.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/filter.h"
#include "content/predicate.h"

enum verdict { VERDICT_MISS, VERDICT_MATCH, VERDICT_UNDECIDED, VERDICT_FAULT };

enum {
    WORD = 64, /* rules are sets of bits, in words */
    NO_ATOM = UINT32_MAX,
};

/* Where an event comes from, as Sigma's log source names it. */
struct origin {
    struct text product;
    struct text service;
    struct text category;
};

/* What a run needs of a rule, out of the pack's bytes. */
struct entry {
    uint32_t first_node;
    uint32_t node_count;
    struct origin origin; /* empty: any */
};

struct matcher {
    const struct pack *pack;
    size_t words; /* of a set of rules */
    size_t atom_count;
    size_t filter_count;
    struct filter *filters;
    struct entry *entries; /* a rule each, in their order */
    uint64_t *asked;       /* for each event type the rules it has, and which are not off … */
    uint64_t *always;      /* … and those of them that no atom triggers */
    uint64_t *candidates;  /* rules to run for this event */
    uint8_t *scanned;      /* for each event type and filter: some rule needs it */
    uint32_t *atom_of;     /* for each predicate, or NO_ATOM */
    uint16_t *filter_of;   /* for each atom */
    uint32_t *fired;       /* for each atom: the generation in which it was found */
    uint32_t *answers;     /* for each predicate: generation * 2 + answer */
    struct matcher_tally *tallies;
    char *folded;
    uint32_t generation;
    bool whole; /* all filters scanned all of this event: what was not found is not there */
    size_t undecided;
    uint64_t steps;
};

/* ── making it ── */

static void put_bit(uint64_t *set, size_t bit)
{
    set[bit / WORD] |= 1ULL << bit % WORD;
}

static void fill_rules(struct matcher *m)
{
    for (size_t i = 0; i < pack_count(m->pack, PACK_RULES); i++) {
        struct pack_rule rule = pack_rule(m->pack, i);
        m->entries[i] = (struct entry){.first_node = rule.first_node,
                                       .node_count = rule.node_count,
                                       .origin = {.product = rule.product,
                                                  .service = rule.service,
                                                  .category = rule.category}};
        for (unsigned type = 0; type < EVENT_COUNT; type++) {
            if (rule.types >> type & 1) {
                put_bit(m->asked + type * m->words, i);
            }
        }
    }
    for (size_t i = 0; i < pack_count(m->pack, PACK_ALWAYS); i++) {
        uint32_t rule = pack_always(m->pack, i);
        for (unsigned type = 0; type < EVENT_COUNT; type++) {
            if (pack_rule(m->pack, rule).types >> type & 1) {
                put_bit(m->always + type * m->words, rule);
            }
        }
    }
}

static void fill_atoms(struct matcher *m)
{
    struct filter_place place;
    for (size_t i = 0; i < pack_count(m->pack, PACK_PREDICATES); i++) {
        m->atom_of[i] = NO_ATOM;
    }
    for (size_t i = 0; i < pack_count(m->pack, PACK_ATOMS); i++) {
        m->atom_of[pack_atom(m->pack, i).predicate] = (uint32_t)i;
    }
    for (size_t i = 0; i < m->filter_count; i++) {
        m->filters[i] = filter_read(m->pack, i, &place);
        for (uint32_t k = 0; k < m->filters[i].entry_count; k++) {
            m->filter_of[filter_entry(&m->filters[i], k).atom] = (uint16_t)i;
        }
    }
}

/* An event type needs the filters of all that its rules ask: also "not found" is an answer. */
static void fill_scanned(struct matcher *m)
{
    for (size_t i = 0; i < pack_count(m->pack, PACK_RULES); i++) {
        struct pack_rule rule = pack_rule(m->pack, i);
        for (uint32_t k = 0; k < rule.node_count; k++) {
            uint32_t atom = m->atom_of[pack_node(m->pack, rule.first_node + k).predicate];
            for (unsigned type = 0; atom != NO_ATOM && type < EVENT_COUNT; type++) {
                m->scanned[type * m->filter_count + m->filter_of[atom]] |= rule.types >> type & 1;
            }
        }
    }
}

/* Everything that a matcher allocates: member, items, bytes of one. */
#define PARTS(X)                                                                                   \
    X(entries, rules, sizeof(struct entry))                                                        \
    X(tallies, rules, sizeof(struct matcher_tally))                                                \
    X(filters, filter_count, sizeof(struct filter))                                                \
    X(asked, EVENT_COUNT *words, sizeof(uint64_t))                                                 \
    X(always, EVENT_COUNT *words, sizeof(uint64_t))                                                \
    X(candidates, words, sizeof(uint64_t))                                                         \
    X(scanned, EVENT_COUNT *filter_count, sizeof(uint8_t))                                         \
    X(atom_of, predicates, sizeof(uint32_t))                                                       \
    X(answers, predicates, sizeof(uint32_t))                                                       \
    X(filter_of, atoms, sizeof(uint16_t))                                                          \
    X(fired, atoms, sizeof(uint32_t))                                                              \
    X(folded, EVENT_MAX, 1)

struct status matcher_new(const struct pack *pack, struct matcher **out)
{
    OWN(matcher_drop) struct matcher *m = heap_alloc(1, sizeof *m);
    size_t rules = pack_count(pack, PACK_RULES);
    size_t words = (rules + WORD - 1) / WORD;
    size_t predicates = pack_count(pack, PACK_PREDICATES);
    size_t atoms = pack_count(pack, PACK_ATOMS);
    size_t filter_count = pack_count(pack, PACK_FILTERS);
    if (!m) {
        FAIL(MEMORY);
    }
    m->pack = pack;
    m->words = words;
    m->atom_count = atoms;
    m->filter_count = filter_count;
#define PART_ALLOC(member, items, size)                                                            \
    m->member = heap_alloc(items, size);                                                           \
    if (!m->member) {                                                                              \
        FAIL(MEMORY);                                                                              \
    }
    PARTS(PART_ALLOC)
#undef PART_ALLOC
    fill_rules(m);
    fill_atoms(m);
    fill_scanned(m);
    *out = TAKE(m);
    return OK;
}

size_t matcher_memory(const struct pack *pack)
{
    size_t rules = pack_count(pack, PACK_RULES);
    size_t words = (rules + WORD - 1) / WORD;
    size_t predicates = pack_count(pack, PACK_PREDICATES);
    size_t atoms = pack_count(pack, PACK_ATOMS);
    size_t filter_count = pack_count(pack, PACK_FILTERS);
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

/* ── finding candidates ── */

/* Forgets what was found out about the last event. */
static void next_generation(struct matcher *m)
{
    if (++m->generation <= UINT32_MAX / 2) {
        return;
    }
    for (size_t i = 0; i < pack_count(m->pack, PACK_PREDICATES); i++) {
        m->answers[i] = 0;
    }
    for (size_t i = 0; i < pack_count(m->pack, PACK_ATOMS); i++) {
        m->fired[i] = 0;
    }
    m->generation = 1;
}

/* A value being scanned. */
struct scan {
    struct matcher *matcher;
    struct subject *subject;
    const struct filter *filter;
    struct text value;
};

static bool fire(struct scan *scan, uint32_t number, const struct pack_atom *atom)
{
    struct matcher *m = scan->matcher;
    m->fired[number] = m->generation;
    for (uint32_t i = atom->first; i < atom->end; i++) {
        uint32_t rule = pack_trigger(m->pack, i);
        if (rule / WORD < m->words) {
            put_bit(m->candidates, rule);
        }
    }
    return subject_spend(scan->subject, MATCH_FIRE_COST * (atom->end - atom->first));
}

static bool try_entry(struct scan *scan, const struct filter_entry *entry, size_t where)
{
    struct matcher *m = scan->matcher;
    bool inside = scan->filter->kind <= FILTER_GRAM2;
    if (entry->atom >= m->atom_count || m->fired[entry->atom] == m->generation ||
        (inside && where < entry->at)) {
        return true;
    }
    struct pack_atom atom = pack_atom(m->pack, entry->atom);
    struct text literal = pack_text(m->pack, atom.literal);
    if (!subject_spend(scan->subject, FILTER_COMPARE_COST(literal.len))) {
        return false;
    }
    return !atom_is_in((enum anchor)atom.anchor, literal, scan->value,
                       inside ? where - entry->at : 0) ||
           fire(scan, entry->atom, &atom);
}

static bool on_bucket(void *context, const struct filter *f, uint32_t first, uint32_t end,
                      uint32_t key, size_t where)
{
    struct scan *scan = context;
    end = end < f->entry_count ? end : f->entry_count;
    first = first < end ? first : end;
    if (!subject_spend(scan->subject, FILTER_BUCKET_COST(end - first))) {
        return false;
    }
    for (uint32_t i = first; i < end; i++) {
        struct filter_entry entry = filter_entry(f, i);
        if (entry.key == key && !try_entry(scan, &entry, where)) {
            return false;
        }
    }
    return true;
}

/* For subject_each(): true ends it. */
static bool scan_value(void *context, const struct value *v)
{
    struct scan *scan = context;
    struct filter_search search = {.context = scan, .on_bucket = on_bucket};
    char room[SUBJECT_NUMBER];
    if (!subject_text(scan->subject, v, false, room, &scan->value)) {
        return scan->subject->spent;
    }
    return !subject_spend(scan->subject, filter_cost(scan->filter, scan->value.len)) ||
           !filter_scan(scan->filter, scan->value, &search);
}

/* False: the budget ended before all was scanned. */
static bool find_candidates(struct matcher *m, struct subject *s)
{
    const uint8_t *scanned = m->scanned + s->event->header.type * m->filter_count;
    for (size_t i = 0; i < m->filter_count; i++) {
        struct scan scan = {.matcher = m, .subject = s, .filter = &m->filters[i]};
        if (!scanned[i]) {
            continue;
        }
        if (m->filters[i].field == FIELD_COUNT) {
            subject_each(s, &scan, scan_value);
        } else {
            struct value v = event_get(s->event, m->filters[i].field);
            scan_value(&scan, &v);
        }
        if (s->spent) {
            return false;
        }
    }
    return true;
}

/* ── running programs ── */

static enum verdict look(struct matcher *m, struct subject *s, uint32_t predicate)
{
    struct predicate p = pack_predicate(m->pack, predicate);
    if (!predicate_in_range(&p)) {
        return VERDICT_FAULT;
    }
    bool holds = predicate_holds(&p, s);
    if (s->spent) {
        return VERDICT_UNDECIDED;
    }
    m->answers[predicate] = m->generation * 2 + holds;
    return holds ? VERDICT_MATCH : VERDICT_MISS;
}

/* What the scan says, what was found out before, or a look. */
static enum verdict ask(struct matcher *m, struct subject *s, uint32_t predicate)
{
    uint32_t answer = m->answers[predicate];
    uint32_t atom = m->atom_of[predicate];
    if (answer / 2 == m->generation) {
        return answer & 1 ? VERDICT_MATCH : VERDICT_MISS;
    }
    if (atom != NO_ATOM && m->fired[atom] == m->generation) {
        return pack_atom(m->pack, atom).exact ? VERDICT_MATCH : look(m, s, predicate);
    }
    return atom != NO_ATOM && m->whole ? VERDICT_MISS : look(m, s, predicate);
}

static enum verdict run_program(struct matcher *m, const struct entry *entry, struct subject *s)
{
    uint32_t at = 0;
    while (at < entry->node_count) {
        struct pack_node node = pack_node(m->pack, entry->first_node + at);
        if (node.predicate >= pack_count(m->pack, PACK_PREDICATES)) {
            return VERDICT_FAULT;
        }
        enum verdict verdict =
            subject_spend(s, MATCH_NODE_COST) ? ask(m, s, node.predicate) : VERDICT_UNDECIDED;
        uint16_t next = verdict == VERDICT_MATCH ? node.on_true : node.on_false;
        if (verdict == VERDICT_FAULT || verdict == VERDICT_UNDECIDED) {
            return verdict;
        }
        if (next == NODE_MATCH || next == NODE_MISS) {
            return next == NODE_MATCH ? VERDICT_MATCH : VERDICT_MISS;
        }
        if (next <= at || next >= entry->node_count) {
            return VERDICT_FAULT;
        }
        at = next;
    }
    return VERDICT_MATCH;
}

static struct origin origin_of(const struct event *event)
{
    struct origin o = {.product = event_text(event, FIELD_LOG_PRODUCT),
                       .service = event_text(event, FIELD_LOG_SERVICE),
                       .category = event_text(event, FIELD_LOG_CATEGORY)};
    if (event_get(event, FIELD_LOG_PRODUCT).kind == VALUE_ABSENT) {
        o.product = TEXT("linux");
    }
    return o;
}

static bool wanted(struct text wanted, struct text given)
{
    return wanted.len == 0 || text_same(wanted, given);
}

static bool comes_from(const struct origin *want, const struct origin *given)
{
    return wanted(want->product, given->product) && wanted(want->service, given->service) &&
           wanted(want->category, given->category);
}

static void switch_off(struct matcher *m, size_t rule)
{
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        m->asked[type * m->words + rule / WORD] &= ~(1ULL << rule % WORD);
    }
}

static void run_rule(struct matcher *m, size_t rule, struct subject *s,
                     const struct matcher_sink *sink)
{
    struct matcher_tally *tally = &m->tallies[rule];
    uint64_t before = s->steps;
    s->spent = false;
    enum verdict verdict = subject_spend(s, MATCH_RULE_COST) ? run_program(m, &m->entries[rule], s)
                                                             : VERDICT_UNDECIDED;
    tally->runs++;
    tally->steps += s->steps - before;
    if (verdict == VERDICT_MATCH) {
        tally->matches++;
        sink->on_match(sink->context, rule);
    } else if (verdict == VERDICT_UNDECIDED) {
        m->undecided++;
    } else if (verdict == VERDICT_FAULT) {
        switch_off(m, rule);
        sink->on_fault(sink->context, rule,
                       "its program left its bounds: the pack changed after it was verified");
    }
}

static void run_candidates(struct matcher *m, struct subject *s, const struct matcher_sink *sink)
{
    const uint64_t *asked = m->asked + s->event->header.type * m->words;
    struct origin origin = origin_of(s->event);
    for (size_t w = 0; w < m->words; w++) {
        for (uint64_t left = m->candidates[w] & asked[w]; left; left &= left - 1) {
            size_t rule = w * WORD + (size_t)__builtin_ctzll(left);
            if (comes_from(&m->entries[rule].origin, &origin)) {
                run_rule(m, rule, s, sink);
            }
        }
    }
}

/* Where a scan ended early, any rule that was not a candidate by then could have become one. */
static size_t count_unseen(const struct matcher *m, unsigned type)
{
    size_t count = 0;
    for (size_t w = 0; w < m->words; w++) {
        uint64_t unseen = m->asked[type * m->words + w] & ~m->candidates[w];
        count += (size_t)__builtin_popcountll(unseen);
    }
    return count;
}

void matcher_run(struct matcher *m, const struct event *event, const struct matcher_sink *sink)
{
    unsigned type = event->header.type;
    uint64_t budget = m->pack->cost[type];
    struct subject s = {.event = event, .folded = m->folded, .budget = budget};
    next_generation(m);
    m->undecided = 0;
    memcpy(m->candidates, m->always + type * m->words, m->words * sizeof *m->candidates);
    /* Half is left for the programs of what was found by then. */
    s.budget = budget < m->pack->demand[type] ? budget / 2 : budget;
    m->whole = subject_spend(&s, MATCH_EVENT_COST(m->words)) && find_candidates(m, &s);
    if (!m->whole) {
        m->undecided = count_unseen(m, type);
    }
    s.budget = budget;
    run_candidates(m, &s, sink);
    m->steps = s.steps;
}

uint64_t matcher_steps(const struct matcher *m)
{
    return m->steps;
}

size_t matcher_undecided(const struct matcher *m)
{
    return m->undecided;
}

struct matcher_tally matcher_tally(const struct matcher *m, size_t rule)
{
    ENSURE(rule < pack_count(m->pack, PACK_RULES));
    return m->tallies[rule];
}
