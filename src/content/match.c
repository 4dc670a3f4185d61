#include "content/match.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/predicate.h"

enum verdict { VERDICT_MISS, VERDICT_MATCH, VERDICT_FAULT };

/* Where an event comes from, as Sigma's log source names it. */
struct origin {
    struct text product;
    struct text service;
    struct text category;
};

/* What a run needs of a rule, out of the pack's bytes. */
struct entry {
    uint32_t rule;
    uint32_t first_node;
    uint32_t node_count;
    bool off;
    struct origin origin; /* empty: any */
};

struct matcher {
    const struct pack *pack;
    struct entry *entries; /* a rule each, in their order */
    uint32_t *by_type;     /* indexes of entries: those for type t are from[t] up to from[t + 1] */
    size_t from[EVENT_COUNT + 1];
    uint32_t *answers; /* for each predicate: generation * 2 + answer */
    uint32_t generation;
    char *folded;
    uint64_t steps;
};

static void fill_entries(struct matcher *m)
{
    for (size_t i = 0; i < pack_count(m->pack, PACK_RULES); i++) {
        struct pack_rule rule = pack_rule(m->pack, i);
        m->entries[i] = (struct entry){.rule = (uint32_t)i,
                                       .first_node = rule.first_node,
                                       .node_count = rule.node_count,
                                       .origin = {.product = rule.product,
                                                  .service = rule.service,
                                                  .category = rule.category}};
    }
}

/* Counts, and on the second round fills in; returns how many there are. */
static size_t index_types(struct matcher *m, bool fill)
{
    size_t used = 0;
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        m->from[type] = used;
        for (size_t i = 0; i < pack_count(m->pack, PACK_RULES); i++) {
            if (!(pack_rule(m->pack, i).types >> type & 1)) {
                continue;
            }
            if (fill) {
                m->by_type[used] = (uint32_t)i;
            }
            used++;
        }
    }
    m->from[EVENT_COUNT] = used;
    return used;
}

struct status matcher_new(const struct pack *pack, struct matcher **out)
{
    OWN(matcher_drop) struct matcher *m = heap_alloc(1, sizeof *m);
    if (!m) {
        FAIL(MEMORY);
    }
    m->pack = pack;
    m->entries = heap_alloc(pack_count(pack, PACK_RULES), sizeof *m->entries);
    m->by_type = heap_alloc(index_types(m, false), sizeof *m->by_type);
    m->answers = heap_alloc(pack_count(pack, PACK_PREDICATES), sizeof *m->answers);
    m->folded = heap_alloc(EVENT_MAX, 1);
    if (!m->entries || !m->by_type || !m->answers || !m->folded) {
        FAIL(MEMORY);
    }
    fill_entries(m);
    index_types(m, true);
    *out = TAKE(m);
    return OK;
}

void matcher_free(struct matcher *m)
{
    if (m) {
        heap_free(m->entries);
        heap_free(m->by_type);
        heap_free(m->answers);
        heap_free(m->folded);
        heap_free(m);
    }
}

void matcher_drop(struct matcher **m)
{
    matcher_free(*m);
    *m = NULL;
}

/* Forgets the answers about the last event. */
static void next_generation(struct matcher *m)
{
    if (++m->generation > UINT32_MAX / 2) {
        for (size_t i = 0; i < pack_count(m->pack, PACK_PREDICATES); i++) {
            m->answers[i] = 0;
        }
        m->generation = 1;
    }
}

static enum verdict ask(struct matcher *m, struct subject *s, uint32_t predicate)
{
    uint32_t answer = m->answers[predicate];
    if (answer / 2 == m->generation) {
        return answer & 1 ? VERDICT_MATCH : VERDICT_MISS;
    }
    struct predicate p = pack_predicate(m->pack, predicate);
    if (!predicate_in_range(&p)) {
        return VERDICT_FAULT;
    }
    bool holds = predicate_holds(&p, s);
    m->answers[predicate] = m->generation * 2 + holds;
    return holds ? VERDICT_MATCH : VERDICT_MISS;
}

static enum verdict run_program(struct matcher *m, const struct entry *entry, struct subject *s)
{
    uint32_t at = 0;
    while (at < entry->node_count) {
        struct pack_node node = pack_node(m->pack, entry->first_node + at);
        s->steps++;
        if (node.predicate >= pack_count(m->pack, PACK_PREDICATES)) {
            return VERDICT_FAULT;
        }
        enum verdict verdict = ask(m, s, node.predicate);
        uint16_t next = verdict == VERDICT_MATCH ? node.on_true : node.on_false;
        if (verdict == VERDICT_FAULT) {
            return VERDICT_FAULT;
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

/* Rules run one after another; the matcher tables of later packs will say here which need not. */
void matcher_run(struct matcher *m, const struct event *event, const struct matcher_sink *sink)
{
    struct subject subject = {.event = event, .folded = m->folded};
    struct origin origin = origin_of(event);
    next_generation(m);
    for (size_t i = m->from[event->header.type]; i < m->from[event->header.type + 1U]; i++) {
        struct entry *entry = &m->entries[m->by_type[i]];
        subject.steps++;
        if (entry->off || !comes_from(&entry->origin, &origin)) {
            continue;
        }
        enum verdict verdict = run_program(m, entry, &subject);
        if (verdict == VERDICT_MATCH) {
            sink->on_match(sink->context, entry->rule);
        } else if (verdict == VERDICT_FAULT) {
            entry->off = true;
            sink->on_fault(sink->context, entry->rule,
                           "its program left its bounds: the pack changed after it was verified");
        }
    }
    m->steps = subject.steps;
}

uint64_t matcher_steps(const struct matcher *m)
{
    return m->steps;
}
