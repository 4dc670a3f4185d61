#include "content/prove/witness.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/match/match.h"
#include "content/match/predicate.h"
#include "content/prove/vector.h"
#include "content/prove/witness_path.h"

enum {
    /* Ways that are tried to show that one field decides, over all nodes that ask about it. No
     * public rule needs 64. */
    TRIES_MAX = 1024,
    SCRATCH_MAX = 64 << 20, /* bytes for the values of one try */
    PATHS_MAX = 64 << 20,   /* bytes for the ways: a few words a node */
    CHANGES = 4,            /* values that are tried in the place of what matched */
};

/* A vector in the making. */
struct made {
    struct text event;
    bool matches;
    struct probe *probes;
    size_t probe_count;
    size_t probe_capacity;
};

struct maker {
    struct arena *arena;   /* for what is kept */
    struct arena *scratch; /* for one try */
    const struct rule *rule;
    struct matcher *matcher;
    struct witness_paths paths;
    struct witness_room room;
    uint8_t *event_room;
    uint8_t *change_room;
    struct wish *field_wishes; /* those about one field */
    struct reads reads;
    enum field carrier; /* where texts are put that may stand in any field */
    enum event_type type;
    bool matched;
    struct made *made;
    size_t made_count;
    size_t made_capacity;
};

/* Texts for the fields of one event. */
struct values {
    bool given[FIELD_COUNT];
    struct text value[FIELD_COUNT];
};

static void on_match(void *context, size_t rule)
{
    struct maker *m = context;
    (void)rule;
    m->matched = true;
}

static void on_fault(void *context, size_t rule, const char *what)
{
    (void)context;
    (void)rule;
    (void)what;
}

static bool matches(struct maker *m, const struct event *event)
{
    struct matcher_sink sink = {.context = m, .on_match = on_match, .on_fault = on_fault};
    m->matched = false;
    matcher_run(m->matcher, event, &sink);
    return m->matched;
}

/* ── an event out of wishes ── */

static bool is_same_kind(const struct predicate *p)
{
    return predicate_info(p->kind)->uses & USES_OTHER;
}

/* "The same as that field", once that field has its value. Turned round, only its own text is sure
 * to start, end or be in a text. */
static struct status as_literal(struct maker *m, const struct wish *w, enum field field,
                                struct text value, struct wish *out)
{
    static const enum predicate_kind kinds[] = {PREDICATE_EQUAL, PREDICATE_PREFIX, PREDICATE_SUFFIX,
                                                PREDICATE_CONTAINS};
    const struct predicate *p = w->predicate;
    char *folded = arena_alloc(m->scratch, value.len + 1, 1);
    struct predicate *literal = arena_alloc(m->scratch, 1, sizeof *literal);
    if (!folded || !literal) {
        FAIL(MEMORY);
    }
    struct predicate raw = {.kind = p->field == field ? kinds[p->kind - PREDICATE_SAME]
                                                      : PREDICATE_EQUAL,
                            .field = field,
                            .cased = p->cased,
                            .text = value};
    *literal = predicate_plain(&raw, folded);
    *out = (struct wish){.predicate = literal, .holds = w->holds};
    return OK;
}

/* Makes `w` one about `field` alone; false: it is none, or says nothing yet. */
static struct status wish_about(struct maker *m, enum field field, const struct values *values,
                                struct wish *w, bool *out)
{
    const struct predicate *p = w->predicate;
    *out = p->field == field || (p->field == FIELD_COUNT && field == m->carrier);
    if (is_same_kind(p)) {
        enum field other = p->field == field ? p->other : p->field;
        *out = (p->field == field || p->other == field) && values->given[other];
        return *out ? as_literal(m, w, field, values->value[other], w) : OK;
    }
    return OK;
}

/* The wishes about a field that a value for it alone can fulfil; *positive: one wants a value. */
static struct status wishes_of(struct maker *m, enum field field, const struct values *values,
                               const struct wish *wishes, size_t count, size_t *out, bool *positive)
{
    size_t used = 0;
    *positive = false;
    for (size_t i = 0; i < count; i++) {
        struct wish w = wishes[i];
        bool about;
        TRY(wish_about(m, field, values, &w, &about));
        if (about) {
            *positive = *positive || w.holds;
            m->field_wishes[used++] = w;
        }
    }
    *out = used;
    return OK;
}

static struct status fill_field(struct maker *m, enum field field, unsigned attempt, bool always,
                                struct values *values)
{
    size_t count;
    bool positive;
    TRY(wishes_of(m, field, values, m->paths.wishes, m->paths.wish_count, &count, &positive));
    if (!positive && !always) {
        return OK;
    }
    TRY(witness_value(&m->room, field, m->field_wishes, count, attempt, &values->value[field]));
    values->given[field] = true;
    return OK;
}

/* Is the field one of two that have to be the same, somewhere on a way? *other: the one that the
 * other is compared to. */
static bool is_compared(const struct wish *wishes, size_t count, enum field field, bool *other)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        const struct predicate *p = wishes[i].predicate;
        if (wishes[i].holds && is_same_kind(p) && (p->field == field || p->other == field)) {
            found = true;
            *other = *other || p->other == field;
        }
    }
    return found;
}

/* Fields that others are compared to come first. `always`: a field that gets a value whether or not
 * anything wants one; FIELD_COUNT: none. */
static struct status fill(struct maker *m, enum field always, unsigned attempt,
                          struct values *values)
{
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < FIELD_COUNT; i++) {
            enum field field = (enum field)i;
            bool other = false;
            bool on = is_compared(m->paths.wishes, m->paths.wish_count, field, &other);
            bool off = is_compared(m->paths.off_wishes, m->paths.off_count, field, &other);
            if (other == (round == 0) &&
                (m->reads.how[field] != READING_NONE || field == m->carrier)) {
                TRY(fill_field(m, field, attempt, on || off || field == always, values));
            }
        }
    }
    return OK;
}

static void put_origin(struct event_builder *b, const struct rule *rule)
{
    if (rule->product.len && !text_same(rule->product, TEXT("linux"))) {
        event_put_text(b, FIELD_LOG_PRODUCT, rule->product);
    }
    if (rule->service.len) {
        event_put_text(b, FIELD_LOG_SERVICE, rule->service);
    }
    if (rule->category.len) {
        event_put_text(b, FIELD_LOG_CATEGORY, rule->category);
    }
}

static struct status build_event(struct maker *m, const struct values *values, struct event *out)
{
    struct event_builder b;
    struct text record;
    event_begin(&b, m->event_room, EVENT_MAX);
    put_origin(&b, m->rule);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (values->given[i]) {
            vector_put(&b, (enum field)i, values->value[i]);
        }
    }
    TRY(event_end(&b, (struct event_header){.type = (uint16_t)m->type}, &record));
    return event_open(record, out);
}

/* ── what is kept ── */

static struct status keep_event(struct maker *m, struct text event, bool matching)
{
    struct made *made =
        arena_push(m->arena, m->made, m->made_count, &m->made_capacity, sizeof *m->made);
    if (!made) {
        FAIL(MEMORY);
    }
    m->made = made;
    made[m->made_count] = (struct made){.matches = matching};
    TRY(arena_text(m->arena, event, &made[m->made_count].event));
    m->made_count++;
    return OK;
}

static struct status keep_probe(struct maker *m, struct made *made, const struct probe *probe)
{
    struct probe *probes = arena_push(m->arena, made->probes, made->probe_count,
                                      &made->probe_capacity, sizeof *probes);
    size_t at = made->probe_count;
    if (!probes) {
        FAIL(MEMORY);
    }
    while (at > 0 && probes[at - 1].field > probe->field) {
        probes[at] = probes[at - 1];
        at--;
    }
    probes[at] = *probe;
    made->probes = probes;
    made->probe_count++;
    return arena_text(m->arena, probe->value, &probes[at].value);
}

/* ── one field ── */

/* The field that is changed for `field`: keywords' is the carrier. */
static enum field changed_field(const struct maker *m, enum field field)
{
    return field == FIELD_COUNT ? m->carrier : field;
}

static enum reading reading_of(const struct maker *m, enum field field)
{
    return (enum reading)(field == FIELD_COUNT ? m->reads.any_field : m->reads.how[field]);
}

static bool has_value(const struct event *event, enum field field)
{
    enum value_kind kind = event_get(event, field).kind;
    return kind != VALUE_ABSENT && kind != VALUE_NULL;
}

static bool turns(struct maker *m, const struct event *base, const struct probe *probe)
{
    struct event changed;
    return text_is_utf8(probe->value) &&
           status_ok(vector_change(base, probe, m->change_room, EVENT_MAX, &changed)) &&
           !matches(m, &changed);
}

/* A change of one field of an event that matches, after which it does not. Where the field is read
 * for its value, from one value to another. */
static bool find_change(struct maker *m, const struct event *base, enum field field,
                        const struct text *wanted, struct probe *out)
{
    enum field changed = changed_field(m, field);
    const struct text values[CHANGES] = {TEXT("-"), TEXT("0"), TEXT("true"), TEXT("")};
    struct probe probe = {.field = changed};
    if (reading_of(m, field) == READING_VALUE && !has_value(base, changed)) {
        return false;
    }
    for (size_t i = 0; i < CHANGES; i++) {
        probe.value = values[i];
        if (turns(m, base, &probe)) {
            *out = probe;
            return true;
        }
    }
    probe.value = wanted ? *wanted : TEXT("");
    if (wanted && turns(m, base, &probe)) {
        *out = probe;
        return true;
    }
    probe = (struct probe){.field = changed, .removed = true, .value = TEXT("")};
    if (reading_of(m, field) != READING_VALUE && turns(m, base, &probe)) {
        *out = probe;
        return true;
    }
    return false;
}

/* Does one of the events that are there show it already? */
static struct status try_made(struct maker *m, enum field field, bool *out)
{
    for (size_t i = 0; i < m->made_count; i++) {
        struct event event;
        struct probe probe;
        if (m->made[i].matches && status_ok(event_open(m->made[i].event, &event)) &&
            find_change(m, &event, field, NULL, &probe)) {
            TRY(keep_probe(m, &m->made[i], &probe));
            *out = true;
            return OK;
        }
    }
    *out = false;
    return OK;
}

/* The value that the way to the miss wants the field to have. */
static bool value_off(struct maker *m, enum field field, unsigned attempt,
                      const struct values *values, struct text *out)
{
    size_t count;
    bool positive;
    enum field changed = changed_field(m, field);
    return status_ok(wishes_of(m, changed, values, m->paths.off_wishes, m->paths.off_count, &count,
                               &positive)) &&
           positive &&
           status_ok(witness_value(&m->room, changed, m->field_wishes, count, attempt, out));
}

static struct status try_fork(struct maker *m, const struct witness_fork *fork, bool *out)
{
    struct values *values = arena_alloc(m->scratch, 1, sizeof *values);
    enum field changed = changed_field(m, fork->field);
    bool by_value = reading_of(m, fork->field) == READING_VALUE;
    struct event event;
    struct probe probe;
    struct text wanted;
    if (!values) {
        FAIL(MEMORY);
    }
    *out = false;
    if (!witness_paths_fork(&m->paths, fork) ||
        !status_ok(fill(m, by_value ? changed : FIELD_COUNT, fork->attempt, values)) ||
        !status_ok(build_event(m, values, &event)) || !matches(m, &event)) {
        return OK;
    }
    bool has_wanted = value_off(m, fork->field, fork->attempt, values, &wanted);
    if (find_change(m, &event, fork->field, has_wanted ? &wanted : NULL, &probe)) {
        struct text record = {.ptr = event.record, .len = event.header.size};
        TRY(keep_event(m, record, true));
        TRY(keep_probe(m, &m->made[m->made_count - 1], &probe));
        *out = true;
    }
    return OK;
}

/* Runs `try` with memory of its own. */
static struct status try_fork_apart(struct maker *m, const struct witness_fork *fork, bool *out)
{
    arena_init(m->scratch, SCRATCH_MAX);
    struct status s = try_fork(m, fork, out);
    arena_done(m->scratch);
    return s;
}

static struct status search_field(struct maker *m, enum field field, bool *out)
{
    unsigned tries = 0;
    *out = false;
    for (unsigned attempt = 0; attempt < WITNESS_ATTEMPTS; attempt++) {
        for (size_t node = 0; node < m->rule->node_count; node++) {
            const struct predicate *p = &m->rule->predicates[m->rule->nodes[node].predicate];
            for (int branch = 1; witness_asks(p, field) && branch >= 0; branch--) {
                struct witness_fork fork = {
                    .field = field, .node = node, .branch = branch, .attempt = attempt};
                if (tries++ == TRIES_MAX) {
                    return OK;
                }
                TRY(try_fork_apart(m, &fork, out));
                if (*out) {
                    return OK;
                }
            }
        }
    }
    return OK;
}

/* ── a rule ── */

/* The type that carries the most of what the rule reads; the first among equals. */
static enum event_type choose_type(const struct maker *m)
{
    unsigned best = 0;
    int best_count = -1;
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        int count = 0;
        for (unsigned field = 0; field < FIELD_COUNT; field++) {
            count += m->reads.how[field] != READING_NONE &&
                     field_guarantee((enum event_type)type, (enum field)field) != GUARANTEE_NONE;
        }
        if (m->rule->types >> type & 1 && count > best_count) {
            best = type;
            best_count = count;
        }
    }
    return (enum event_type)best;
}

/* A text field that the rule does not read by its name, of the event's own if there is one. */
static enum field choose_carrier(const struct maker *m, enum field not_this)
{
    enum field best = FIELD_COUNT;
    for (unsigned i = 0; i < FIELD_COUNT && m->reads.any_field != READING_NONE; i++) {
        enum field field = (enum field)i;
        bool own = field_guarantee(m->type, field) != GUARANTEE_NONE;
        if (field == not_this || m->reads.how[i] != READING_NONE ||
            field_info(field)->kind != FIELD_KIND_TEXT || field == FIELD_LOG_PRODUCT ||
            field == FIELD_LOG_SERVICE || field == FIELD_LOG_CATEGORY) {
            continue;
        }
        if (best == FIELD_COUNT || (own && field_guarantee(m->type, best) == GUARANTEE_NONE)) {
            best = field;
        }
    }
    return best;
}

static struct status take_given(struct maker *m, size_t *wrong)
{
    for (size_t i = 0; i < m->rule->vector_count; i++) {
        const struct vector *v = &m->rule->vectors[i];
        struct event event;
        *wrong = i;
        TRY(event_open(v->event, &event));
        if (!(m->rule->types >> event.header.type & 1) || matches(m, &event) != v->matches) {
            FAIL(INVALID);
        }
        TRY(keep_event(m, v->event, v->matches));
    }
    *wrong = SIZE_MAX;
    return OK;
}

/* Any event that it matches: what is left to show begins with it. */
static struct status find_match(struct maker *m, struct witness *out)
{
    for (size_t i = 0; i < m->made_count; i++) {
        out->matches = out->matches || m->made[i].matches;
    }
    for (unsigned attempt = 0; attempt < TRIES_MAX && !out->matches; attempt++) {
        struct event event;
        arena_init(m->scratch, SCRATCH_MAX);
        struct values *values = arena_alloc(m->scratch, 1, sizeof *values);
        struct status kept = OK;
        bool way = witness_paths_match(&m->paths, attempt);
        out->contradicts = !way && m->paths.exhausted;
        if (values && way && status_ok(fill(m, FIELD_COUNT, attempt, values)) &&
            status_ok(build_event(m, values, &event)) && matches(m, &event)) {
            kept = keep_event(m, (struct text){event.record, event.header.size}, true);
            out->matches = true;
        }
        arena_done(m->scratch);
        TRY(kept);
        if (out->contradicts) {
            return OK;
        }
    }
    return OK;
}

static struct status show_field(struct maker *m, enum field field, const char *name,
                                struct witness *out)
{
    bool shown;
    TRY(try_made(m, field, &shown));
    if (!shown && (field == FIELD_COUNT || !m->reads.origin[field])) {
        TRY(search_field(m, field, &shown));
    }
    if (!shown) {
        out->unproven = name;
        out->unproven_field = field;
    }
    return OK;
}

/* Keywords are shown in two fields: in one, they could as well be about that field alone. */
static struct status show_all(struct maker *m, struct witness *out)
{
    for (unsigned i = 0; i < FIELD_COUNT && !out->unproven; i++) {
        if (m->reads.how[i] != READING_NONE || m->reads.origin[i]) {
            TRY(show_field(m, (enum field)i, field_info((enum field)i)->name, out));
        }
    }
    if (m->reads.any_field != READING_NONE && !out->unproven) {
        TRY(show_field(m, FIELD_COUNT, "any field", out));
    }
    if (m->reads.any_field != READING_NONE && !out->unproven) {
        m->carrier = choose_carrier(m, m->carrier);
        TRY(show_field(m, FIELD_COUNT, "any field", out));
    }
    return OK;
}

static struct status hand_over(struct maker *m, struct witness *out)
{
    out->count = m->made_count;
    out->vectors = arena_alloc(m->arena, m->made_count, sizeof *out->vectors);
    if (!out->vectors) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < m->made_count; i++) {
        const struct made *made = &m->made[i];
        out->vectors[i] = (struct vector){.event = made->event,
                                          .matches = made->matches,
                                          .probes = made->probes,
                                          .probe_count = made->probe_count};
    }
    return OK;
}

static struct status prepare(struct maker *m, struct arena *paths, const struct rule *rule)
{
    TRY(witness_paths_init(&m->paths, paths, rule));
    m->field_wishes = arena_alloc(paths, rule->predicate_count + 1, sizeof *m->field_wishes);
    m->room = (struct witness_room){.arena = m->scratch,
                                    .record = arena_alloc(paths, EVENT_MAX, 1),
                                    .folded = arena_alloc(paths, EVENT_MAX, 1),
                                    .value = arena_alloc(paths, EVENT_TEXT_MAX, 1)};
    m->event_room = arena_alloc(paths, EVENT_MAX, 1);
    m->change_room = arena_alloc(paths, EVENT_MAX, 1);
    if (!m->field_wishes || !m->room.record || !m->room.folded || !m->room.value ||
        !m->event_room || !m->change_room) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < rule->node_count; i++) {
        reads_add(&m->reads, &rule->predicates[rule->nodes[i].predicate]);
    }
    reads_origin(&m->reads, rule->product, rule->service, rule->category);
    m->type = choose_type(m);
    m->carrier = choose_carrier(m, FIELD_COUNT);
    return OK;
}

struct status witness_make(struct arena *arena, const struct rule *rule, const struct pack *trial,
                           struct witness *out)
{
    OWN(arena_done) struct arena paths;
    OWN(matcher_drop) struct matcher *matcher = NULL;
    struct arena scratch;
    struct witness made = {.wrong = SIZE_MAX};
    arena_init(&paths, PATHS_MAX);
    TRY(matcher_new(trial, &matcher));
    struct maker m = {.arena = arena, .scratch = &scratch, .rule = rule, .matcher = matcher};
    TRY(prepare(&m, &paths, rule));
    struct status given = take_given(&m, &made.wrong);
    if (given.fault == FAULT_MEMORY) {
        return given;
    }
    if (status_ok(given)) {
        TRY(find_match(&m, &made));
    }
    if (made.matches) {
        TRY(show_all(&m, &made));
    }
    TRY(hand_over(&m, &made));
    *out = made;
    return OK;
}
