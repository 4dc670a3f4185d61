#include "engine.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/match/atom.h"

#ifndef HAVE_VECTORSCAN

struct status vectorscan_new(const struct pack *pack, bool triggers_only, struct vectorscan **out)
{
    (void)pack;
    (void)triggers_only;
    (void)out;
    FAIL(UNSUPPORTED);
}

void vectorscan_drop(struct vectorscan **v)
{
    *v = NULL;
}

void vectorscan_run(struct vectorscan *v, const struct event *event, struct found *found)
{
    (void)v;
    (void)event;
    (void)found;
}

size_t vectorscan_bytes(const struct vectorscan *v)
{
    (void)v;
    return 0;
}

#else

#include <hs.h>
#include <stdio.h>

enum {
    NO_ATOM = UINT32_MAX,
    LITERAL_MAX = 1000, /* bytes that become a pattern; a longer atom is confirmed by looking */
    DATABASES = FIELD_COUNT + 1,
};

struct vectorscan {
    const struct pack *pack;
    struct pack_rule *rules;
    hs_database_t *databases[DATABASES];
    hs_scratch_t *scratch;
    bool scanned[EVENT_COUNT][DATABASES];
    size_t words;
    uint64_t *asked; /* by type: the rules that want it */
    uint64_t *always;
    uint64_t *candidates;
    struct pack_atom *atoms;
    uint32_t *first; /* by atom, and one more: where its rules begin in … */
    uint32_t *rules_of;
    uint32_t *atom_of; /* by predicate */
    uint32_t *answers; /* by predicate: generation * 2 + answer */
    uint32_t *fired;   /* by atom: generation */
    uint32_t generation;
    char *folded;
    struct subject subject;
};

static enum field field_of(const struct vectorscan *v, size_t atom)
{
    return pack_predicate(v->pack, v->atoms[atom].predicate).field;
}

static bool is_searched(const struct vectorscan *v, size_t atom, bool triggers_only)
{
    return !triggers_only || v->first[atom] < v->first[atom + 1];
}

/* ── databases ── */

/* The patterns of one field. */
struct patterns {
    char **texts;
    unsigned *flags;
    unsigned *ids;
    unsigned count;
};

static void patterns_done(struct patterns *p)
{
    for (unsigned i = 0; i < p->count; i++) {
        heap_free(p->texts[i]);
    }
    heap_free(p->texts);
    heap_free(p->flags);
    heap_free(p->ids);
}

static char *pattern(const struct pack_atom *atom, struct text literal)
{
    static const char hex[] = "0123456789abcdef";
    bool front = atom->anchor == ANCHOR_FRONT || atom->anchor == ANCHOR_WHOLE;
    bool back = atom->anchor == ANCHOR_BACK || atom->anchor == ANCHOR_WHOLE;
    char *out = heap_alloc(4 * literal.len + 8, 1);
    if (!out) {
        return NULL;
    }
    char *at = out;
    if (front) {
        *at++ = '^';
    }
    for (size_t i = 0; i < literal.len; i++) {
        unsigned char c = (unsigned char)literal.ptr[i];
        *at++ = '\\';
        *at++ = 'x';
        *at++ = hex[c >> 4];
        *at++ = hex[c & 15];
    }
    memcpy(at, back ? "\\z" : "", back ? 3 : 1);
    return out;
}

static struct status collect(struct vectorscan *v, unsigned field, bool triggers_only,
                             struct patterns *p)
{
    size_t atoms = pack_count(v->pack, PACK_ATOMS);
    p->texts = heap_alloc(atoms, sizeof *p->texts);
    p->flags = heap_alloc(atoms, sizeof *p->flags);
    p->ids = heap_alloc(atoms, sizeof *p->ids);
    if (!p->texts || !p->flags || !p->ids) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < atoms; i++) {
        if ((unsigned)field_of(v, i) != field || !is_searched(v, i, triggers_only)) {
            continue;
        }
        struct text literal = pack_text(v->pack, v->atoms[i].literal);
        if (literal.len > LITERAL_MAX) {
            bool back = v->atoms[i].anchor == ANCHOR_BACK;
            literal = text_part(literal, back ? literal.len - LITERAL_MAX : 0, LITERAL_MAX);
            v->atoms[i].anchor = back ? ANCHOR_BACK : ANCHOR_INSIDE;
            v->atoms[i].exact = false;
        }
        p->texts[p->count] = pattern(&v->atoms[i], literal);
        if (!p->texts[p->count]) {
            FAIL(MEMORY);
        }
        p->flags[p->count] = HS_FLAG_SINGLEMATCH | HS_FLAG_CASELESS | HS_FLAG_DOTALL;
        p->ids[p->count++] = (unsigned)i;
    }
    return OK;
}

static struct status compile(struct vectorscan *v, unsigned field, bool triggers_only)
{
    OWN(patterns_done) struct patterns p = {0};
    hs_compile_error_t *error = NULL;
    TRY(collect(v, field, triggers_only, &p));
    if (p.count == 0) {
        return OK;
    }
    if (hs_compile_multi((const char *const *)p.texts, p.flags, p.ids, p.count, HS_MODE_BLOCK, NULL,
                         &v->databases[field], &error) != HS_SUCCESS) {
        fprintf(stderr, "vectorscan: %s\n", error->message);
        hs_free_compile_error(error);
        FAIL(INVALID);
    }
    if (hs_alloc_scratch(v->databases[field], &v->scratch) != HS_SUCCESS) {
        FAIL(MEMORY);
    }
    return OK;
}

static void index_rules(struct vectorscan *v)
{
    for (size_t i = 0; i < pack_count(v->pack, PACK_RULES); i++) {
        v->rules[i] = pack_rule(v->pack, i);
        for (unsigned type = 0; type < EVENT_COUNT; type++) {
            bool wants = v->rules[i].types >> type & 1;
            v->asked[type * v->words + i / 64] |= (uint64_t)wants << i % 64;
        }
        for (uint32_t k = 0; k < v->rules[i].node_count; k++) {
            uint32_t predicate = pack_node(v->pack, v->rules[i].first_node + k).predicate;
            for (unsigned type = 0; type < EVENT_COUNT; type++) {
                v->scanned[type][pack_predicate(v->pack, predicate).field] |=
                    v->rules[i].types >> type & 1;
            }
        }
    }
    for (size_t i = 0; i < pack_count(v->pack, PACK_ALWAYS); i++) {
        uint32_t rule = pack_always(v->pack, i);
        v->always[rule / 64] |= 1ULL << rule % 64;
    }
}

/* Counts each atom's rules, and then puts them one behind the other. */
static void index_triggers(struct vectorscan *v)
{
    size_t atoms = pack_count(v->pack, PACK_ATOMS);
    size_t triggers = pack_count(v->pack, PACK_TRIGGERS);
    for (size_t i = 0; i < triggers; i++) {
        v->first[pack_trigger(v->pack, i).atom + 1]++;
    }
    for (size_t i = 0; i < atoms; i++) {
        v->first[i + 1] += v->first[i];
    }
    for (size_t i = triggers; i-- > 0;) {
        struct pack_trigger trigger = pack_trigger(v->pack, i);
        v->rules_of[--v->first[trigger.atom + 1]] = trigger.rule;
    }
    /* Each entry came to its own beginning, which is that of the atom before it. */
    memmove(v->first, v->first + 1, atoms * sizeof *v->first);
    v->first[atoms] = (uint32_t)triggers;
}

static void index_atoms(struct vectorscan *v, bool triggers_only)
{
    index_triggers(v);
    for (size_t i = 0; i < pack_count(v->pack, PACK_PREDICATES); i++) {
        v->atom_of[i] = NO_ATOM;
    }
    for (size_t i = 0; i < pack_count(v->pack, PACK_ATOMS); i++) {
        v->atoms[i] = pack_atom(v->pack, i);
        if (is_searched(v, i, triggers_only)) {
            v->atom_of[v->atoms[i].predicate] = (uint32_t)i;
        }
    }
}

struct status vectorscan_new(const struct pack *pack, bool triggers_only, struct vectorscan **out)
{
    OWN(vectorscan_drop) struct vectorscan *v = heap_alloc(1, sizeof *v);
    if (!v) {
        FAIL(MEMORY);
    }
    size_t rules = pack_count(pack, PACK_RULES);
    size_t predicates = pack_count(pack, PACK_PREDICATES);
    size_t atoms = pack_count(pack, PACK_ATOMS);
    v->pack = pack;
    v->words = (rules + 63) / 64;
    v->rules = heap_alloc(rules, sizeof *v->rules);
    v->asked = heap_alloc(EVENT_COUNT * v->words, sizeof *v->asked);
    v->always = heap_alloc(v->words, sizeof *v->always);
    v->candidates = heap_alloc(v->words, sizeof *v->candidates);
    v->atoms = heap_alloc(atoms, sizeof *v->atoms);
    v->first = heap_alloc(atoms + 2, sizeof *v->first);
    v->rules_of = heap_alloc(pack_count(pack, PACK_TRIGGERS), sizeof *v->rules_of);
    v->atom_of = heap_alloc(predicates, sizeof *v->atom_of);
    v->answers = heap_alloc(predicates, sizeof *v->answers);
    v->fired = heap_alloc(atoms, sizeof *v->fired);
    v->folded = heap_alloc(EVENT_MAX, 1);
    if (!v->rules || !v->asked || !v->always || !v->candidates || !v->atoms || !v->first ||
        !v->rules_of || !v->atom_of || !v->answers || !v->fired || !v->folded) {
        FAIL(MEMORY);
    }
    index_rules(v);
    index_atoms(v, triggers_only);
    for (unsigned field = 0; field < DATABASES; field++) {
        TRY(compile(v, field, triggers_only));
    }
    *out = TAKE(v);
    return OK;
}

void vectorscan_drop(struct vectorscan **slot)
{
    struct vectorscan *v = *slot;
    if (!v) {
        return;
    }
    for (unsigned field = 0; field < DATABASES; field++) {
        hs_free_database(v->databases[field]);
    }
    hs_free_scratch(v->scratch);
    heap_free(v->rules);
    heap_free(v->asked);
    heap_free(v->always);
    heap_free(v->candidates);
    heap_free(v->atoms);
    heap_free(v->first);
    heap_free(v->rules_of);
    heap_free(v->atom_of);
    heap_free(v->answers);
    heap_free(v->fired);
    heap_free(v->folded);
    heap_free(v);
    *slot = NULL;
}

size_t vectorscan_bytes(const struct vectorscan *v)
{
    size_t sum = 0;
    size_t size;
    for (unsigned field = 0; field < DATABASES; field++) {
        if (v->databases[field] && hs_database_size(v->databases[field], &size) == HS_SUCCESS) {
            sum += size;
        }
    }
    return sum + (v->scratch && hs_scratch_size(v->scratch, &size) == HS_SUCCESS ? size : 0);
}

/* ── running ── */

static int on_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                  void *context)
{
    struct vectorscan *v = context;
    (void)from;
    (void)to;
    (void)flags;
    v->fired[id] = v->generation;
    for (uint32_t i = v->first[id]; i < v->first[id + 1]; i++) {
        uint32_t rule = v->rules_of[i];
        v->candidates[rule / 64] |= 1ULL << rule % 64;
    }
    return 0;
}

static void scan(struct vectorscan *v, const hs_database_t *database, const struct value *value)
{
    char room[SUBJECT_NUMBER];
    struct text text;
    if (subject_text(&v->subject, value, true, room, &text)) {
        hs_scan(database, text.ptr, (unsigned)text.len, 0, v->scratch, on_hit, v);
    }
}

static bool scan_any(void *context, const struct value *value)
{
    struct vectorscan *v = context;
    scan(v, v->databases[FIELD_COUNT], value);
    return false;
}

static bool ask(void *context, uint32_t predicate)
{
    struct vectorscan *v = context;
    uint32_t atom = v->atom_of[predicate];
    if (v->answers[predicate] / 2 == v->generation) {
        return v->answers[predicate] & 1;
    }
    if (atom != NO_ATOM && v->fired[atom] != v->generation) {
        return false;
    }
    if (atom != NO_ATOM && v->atoms[atom].exact) {
        return true;
    }
    struct predicate p = pack_predicate(v->pack, predicate);
    bool holds = predicate_holds(&p, &v->subject);
    v->answers[predicate] = v->generation * 2 + holds;
    return holds;
}

void vectorscan_run(struct vectorscan *v, const struct event *event, struct found *found)
{
    unsigned type = event->header.type;
    ENSURE(++v->generation < UINT32_MAX / 2);
    v->subject = (struct subject){.event = event, .folded = v->folded, .budget = UINT64_MAX};
    memcpy(v->candidates, v->always, v->words * sizeof *v->always);
    for (unsigned field = 0; field < FIELD_COUNT; field++) {
        if (v->databases[field] && v->scanned[type][field]) {
            struct value value = event_get(event, (enum field)field);
            scan(v, v->databases[field], &value);
        }
    }
    if (v->databases[FIELD_COUNT] && v->scanned[type][FIELD_COUNT]) {
        subject_each(&v->subject, v, scan_any);
    }
    for (size_t w = 0; w < v->words; w++) {
        uint64_t left = v->candidates[w] & v->asked[type * v->words + w];
        for (; left; left &= left - 1) {
            size_t rule = w * 64 + (size_t)__builtin_ctzll(left);
            if (rule_wants(&v->rules[rule], event) && rule_runs(v->pack, &v->rules[rule], v, ask)) {
                found_add(found, rule);
            }
        }
    }
}

#endif
