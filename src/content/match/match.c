#include "content/match/match.h"

#include "content/match/filter_scan.h"
#include "content/match/match_state.h"
#include "content/match/predicate.h"

enum verdict { VERDICT_MISS, VERDICT_MATCH, VERDICT_UNDECIDED, VERDICT_FAULT };

/* ── finding candidates ── */

/* Forgets what was found out about the last event. */
static void next_generation(struct matcher *m)
{
    if (++m->generation <= UINT32_MAX / 2) {
        return;
    }
    for (size_t i = 0; i < m->predicate_count; i++) {
        m->answers[i] = 0;
    }
    for (size_t i = 0; i < m->atom_count; i++) {
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

static bool fire(struct scan *scan, uint32_t number, const struct match_atom *atom)
{
    struct matcher *m = scan->matcher;
    m->fired[number] = m->generation;
    for (uint32_t i = atom->first; i < atom->end; i++) {
        uint32_t rule = pack_trigger(m->pack, i).rule;
        if (rule / MATCH_WORD < m->words) {
            match_put_bit(m->candidates, rule);
        }
    }
    return subject_spend(scan->subject, MATCH_FIRE_COST * (atom->end - atom->first));
}

/* `where` is the place in the value of the bytes that the entry stands for. */
static inline bool try_entry(struct scan *scan, const struct filter_entry *entry, size_t where)
{
    struct matcher *m = scan->matcher;
    bool gram = filter_is_gram(scan->filter->kind);
    if (entry->atom >= m->atom_count || m->fired[entry->atom] == m->generation ||
        (gram && where < entry->at)) {
        return true;
    }
    const struct match_atom *atom = &m->atoms[entry->atom];
    if (!subject_spend(scan->subject, FILTER_COMPARE_COST(atom->literal.len))) {
        return false;
    }
    return !atom_is_in(atom->anchor, atom->literal, scan->value, gram ? where - entry->at : 0) ||
           fire(scan, entry->atom, atom);
}

/* For filter_scan(). Bounds are clamped, so that tables which somebody changes after they were
 * proven lead to wrong answers at worst. */
static bool ask_bucket(void *context, const struct filter *f, struct filter_spot spot, size_t where)
{
    struct scan *scan = context;
    const char *bucket = f->buckets + (size_t)(spot.bit >> FILTER_BUCKET) * 4;
    uint32_t end = load_u32(bucket + 4);
    end = end < f->entry_count ? end : f->entry_count;
    uint32_t first = load_u32(bucket);
    first = first < end ? first : end;
    if (!subject_spend(scan->subject, FILTER_BUCKET_COST(end - first))) {
        return false;
    }
    for (uint32_t i = first; i < end; i++) {
        struct filter_entry entry = filter_entry(f, i);
        if (entry.key == spot.key && !try_entry(scan, &entry, where)) {
            return false;
        }
    }
    return true;
}

/* False: the budget ended. */
static bool scan_text(struct scan *scan, const struct filter *f)
{
    scan->filter = f;
    return subject_spend(scan->subject, filter_cost(f, scan->value.len)) &&
           filter_scan(f, scan->value, scan, ask_bucket);
}

/* For subject_each(): true ends it. */
static bool scan_value(void *context, const struct value *v)
{
    struct scan *scan = context;
    char room[SUBJECT_NUMBER];
    if (!subject_text(scan->subject, v, false, room, &scan->value)) {
        return scan->subject->spent;
    }
    return !scan_text(scan, scan->filter);
}

/* False: the budget ended before all was scanned. Filters of one field stand together. */
static bool find_candidates(struct matcher *m, struct subject *s)
{
    const uint8_t *scanned = m->scanned + s->event->header.type * m->filter_count;
    struct scan scan = {.matcher = m, .subject = s};
    char room[SUBJECT_NUMBER];
    enum field field = FIELD_COUNT;
    bool has_text = false;
    for (size_t i = 0; i < m->filter_count && !s->spent; i++) {
        const struct filter *f = &m->filters[i];
        if (!scanned[i]) {
            continue;
        }
        if (f->field == FIELD_COUNT) {
            scan.filter = f;
            subject_each(s, &scan, scan_value);
            continue;
        }
        if (f->field != field) {
            struct value v = event_get(s->event, f->field);
            field = f->field;
            has_text = subject_text(s, &v, false, room, &scan.value);
        }
        if (has_text) {
            scan_text(&scan, f);
        }
    }
    return !s->spent;
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

/* What was found out before, what the scan found, or a look. */
static enum verdict ask(struct matcher *m, struct subject *s, uint32_t predicate)
{
    uint32_t answer = m->answers[predicate];
    uint32_t atom = m->atom_of[predicate];
    if (answer / 2 == m->generation) {
        return answer & 1 ? VERDICT_MATCH : VERDICT_MISS;
    }
    bool exact = atom != MATCH_NO_ATOM && m->fired[atom] == m->generation && m->atoms[atom].exact;
    return exact ? VERDICT_MATCH : look(m, s, predicate);
}

/* Most questions end here: the scan was whole and did not find the atom. */
static inline bool is_ruled_out(const struct matcher *m, uint32_t predicate)
{
    uint32_t atom = m->atom_of[predicate];
    return atom != MATCH_NO_ATOM && m->fired[atom] != m->generation && m->whole;
}

static enum verdict run_program(struct matcher *m, const struct match_rule *rule, struct subject *s)
{
    uint32_t at = 0;
    while (at < rule->node_count) {
        struct pack_node node = pack_node(m->pack, rule->first_node + at);
        enum verdict verdict = VERDICT_MISS;
        if (node.predicate >= m->predicate_count) {
            return VERDICT_FAULT;
        }
        if (!subject_spend(s, MATCH_NODE_COST)) {
            return VERDICT_UNDECIDED;
        }
        if (!is_ruled_out(m, node.predicate)) {
            verdict = ask(m, s, node.predicate);
        }
        if (verdict == VERDICT_FAULT || verdict == VERDICT_UNDECIDED) {
            return verdict;
        }
        uint16_t next = verdict == VERDICT_MATCH ? node.on_true : node.on_false;
        if (next == NODE_MATCH || next == NODE_MISS) {
            return next == NODE_MATCH ? VERDICT_MATCH : VERDICT_MISS;
        }
        if (next <= at || next >= rule->node_count) {
            return VERDICT_FAULT;
        }
        at = next;
    }
    return VERDICT_MATCH;
}

static struct match_origin origin_of(const struct event *event)
{
    struct value product = event_get(event, FIELD_LOG_PRODUCT);
    struct value category = event_get(event, FIELD_LOG_CATEGORY);
    return (struct match_origin){
        .product = product.kind == VALUE_ABSENT ? TEXT("linux") : product.text,
        .service = event_get(event, FIELD_LOG_SERVICE).text,
        .category = category.text,
        .any_category = event->header.type != EVENT_RECORDED && category.kind == VALUE_ABSENT};
}

static bool wanted(struct text wanted, struct text given)
{
    return wanted.len == 0 || text_same(wanted, given);
}

static bool comes_from(const struct match_origin *want, const struct match_origin *given)
{
    /* A live event has all categories of its type, and the rule is asked for that type. */
    return wanted(want->product, given->product) && wanted(want->service, given->service) &&
           (given->any_category || wanted(want->category, given->category));
}

static void switch_off(struct matcher *m, size_t rule)
{
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        m->asked[type * m->words + rule / MATCH_WORD] &= ~(1ULL << rule % MATCH_WORD);
    }
}

static void run_rule(struct matcher *m, size_t rule, struct subject *s,
                     const struct matcher_sink *sink)
{
    struct matcher_tally *tally = &m->tallies[rule];
    uint64_t before = s->steps;
    s->spent = false;
    enum verdict verdict =
        subject_spend(s, MATCH_RULE_COST) ? run_program(m, &m->rules[rule], s) : VERDICT_UNDECIDED;
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

static size_t count_candidates(const struct matcher *m, const uint64_t *asked, size_t from)
{
    size_t count = 0;
    for (size_t w = from; w < m->words; w++) {
        count += (size_t)__builtin_popcountll(m->candidates[w] & asked[w]);
    }
    return count;
}

/* Rules of another origin take their part too: 65,536 of them would be more than the budget. */
static void run_candidates(struct matcher *m, struct subject *s, const struct matcher_sink *sink)
{
    const uint64_t *asked = m->asked + s->event->header.type * m->words;
    struct match_origin origin = origin_of(s->event);
    for (size_t w = 0; w < m->words; w++) {
        for (uint64_t left = m->candidates[w] & asked[w]; left; left &= left - 1) {
            size_t rule = w * MATCH_WORD + (size_t)__builtin_ctzll(left);
            if (!subject_spend(s, MATCH_ORIGIN_COST)) {
                m->undecided += (size_t)__builtin_popcountll(left);
                m->undecided += count_candidates(m, asked, w + 1);
                return;
            }
            if (comes_from(&m->rules[rule].origin, &origin)) {
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
    /* event_open() lets none come so far. One that did would be read at places that it has not. */
    if (type >= EVENT_COUNT || event->header.entries > FIELD_COUNT) {
        m->undecided = pack_count(m->pack, PACK_RULES);
        m->steps = 0;
        return;
    }
    uint64_t budget = m->pack->cost[type];
    struct subject s = {.event = event, .folded = m->folded, .budget = budget};
    next_generation(m);
    m->undecided = 0;
    memcpy(m->candidates, m->always + type * m->words, m->words * sizeof *m->candidates);
    /* The rest is left for the programs of what was found by then. */
    s.budget = budget < m->pack->demand[type] ? PACK_SCAN_SHARE(budget) : budget;
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
