#include "content/correlate/correlate.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/match/number.h"
#include "content/match/predicate.h"

/* The hash of a field of the event that is being looked at. */
struct digest {
    struct hash128 hash;
    bool there;
};

/* Where aliases name other fields for other rules, an event may belong to several groups. */
struct part {
    struct window_event event;
    uint32_t first_field;
    uint64_t mask;
};

struct correlator {
    const struct pack *pack;
    struct correlate_settings settings;
    struct window *windows;
    uint64_t random;             /* of medians' trees */
    uint64_t most;               /* steps for this event … */
    struct window_budget budget; /* … and what is left of them */
    size_t undecided;
    uint64_t known[FIELD_COUNT / 64 + 1]; /* a bit for each of … */
    struct digest digests[FIELD_COUNT];
    struct part parts[CORRELATION_REFERENCES_MAX]; /* of the event */
};

/* ── making ── */

static struct status make_windows(struct correlator *c)
{
    uint64_t need = windows_need(c->pack);
    if (need > c->settings.memory) {
        FAIL(LIMIT);
    }
    for (size_t i = 0; i < pack_count(c->pack, PACK_CORRELATIONS); i++) {
        struct window_plan plan = window_plan_of(c->pack, i, c->settings.memory, need);
        plan.seed = c->random;
        TRY(window_init(&c->windows[i], plan));
    }
    return OK;
}

struct status correlator_new(const struct pack *pack, struct correlate_settings settings,
                             struct correlator **out)
{
    OWN(correlator_drop) struct correlator *c = heap_alloc(1, sizeof *c);
    if (!c) {
        FAIL(MEMORY);
    }
    struct siphash seed = siphash_begin(settings.key);
    c->random = siphash_end(&seed).low | 1;
    c->pack = pack;
    c->settings = settings;
    c->windows = heap_alloc(pack_count(pack, PACK_CORRELATIONS) + 1, sizeof *c->windows);
    if (!c->windows) {
        FAIL(MEMORY);
    }
    TRY(make_windows(c));
    *out = TAKE(c);
    return OK;
}

void correlator_free(struct correlator *c)
{
    if (c) {
        for (size_t i = 0; c->windows && i < pack_count(c->pack, PACK_CORRELATIONS); i++) {
            window_done(&c->windows[i]);
        }
        heap_free(c->windows);
        heap_free(c);
    }
}

void correlator_drop(struct correlator **c)
{
    correlator_free(*c);
    *c = NULL;
}

uint64_t correlator_lost(const struct correlator *c, size_t correlation)
{
    return c->windows[correlation].lost;
}

size_t correlator_bytes(const struct correlator *c)
{
    size_t bytes = 0;
    for (size_t i = 0; i < pack_count(c->pack, PACK_CORRELATIONS); i++) {
        bytes += c->windows[i].bytes;
    }
    return bytes;
}

uint64_t correlator_steps(const struct correlator *c)
{
    return c->most - c->budget.left;
}

size_t correlator_undecided(const struct correlator *c)
{
    return c->undecided;
}

/* ── what an event contributes ── */

/* Values compare as text, numbers in decimal. False: the budget ended. */
static bool digest_of(struct correlator *c, const struct event *event, enum field field)
{
    struct digest *digest = &c->digests[field];
    char room[SUBJECT_NUMBER];
    struct value value = event_get(event, field);
    struct text text;
    *digest = (struct digest){.there = value_text(&value, room, &text)};
    if (digest->there) {
        if (!window_spend(&c->budget, text.len + WINDOW_HASH)) {
            return false;
        }
        struct siphash s = siphash_begin(c->settings.key);
        siphash_bytes(&s, text);
        digest->hash = siphash_end(&s);
    }
    c->known[field / 64] |= 1ULL << field % 64;
    return true;
}

/* What became of an event. */
enum outcome { OUTCOME_OUT, OUTCOME_IN, OUTCOME_UNDECIDED };

/* OUT: the event does not carry one of the fields. */
static enum outcome hash_fields(struct correlator *c, const struct event *event, uint32_t first,
                                unsigned count, struct hash128 *out)
{
    struct siphash s = siphash_begin(c->settings.key);
    for (uint32_t i = 0; i < count; i++) {
        enum field field = pack_correlation_field(c->pack, first + i);
        struct digest *digest = &c->digests[field];
        bool known = c->known[field / 64] >> field % 64 & 1;
        if ((!known && !digest_of(c, event, field)) || !window_spend(&c->budget, WINDOW_HASH)) {
            return OUTCOME_UNDECIDED;
        }
        if (!digest->there) {
            return OUTCOME_OUT;
        }
        siphash_bytes(&s, (struct text){(const char *)&digest->hash, sizeof digest->hash});
    }
    *out = siphash_end(&s);
    return OUTCOME_IN;
}

static bool number_of(const struct event *event, enum field field, __int128 *out)
{
    struct value value = event_get(event, field);
    if (value.kind == VALUE_NUMBER) {
        *out = (__int128)value.number * CORRELATION_SCALE;
        return true;
    }
    return value.kind == VALUE_TEXT && number_parse_wide(value.text, out);
}

/* OUT: a field is missing, or no number. */
static enum outcome read_event(struct correlator *c, const struct pack_correlation *k,
                               uint32_t first, const struct event *event, struct window_event *out)
{
    uint32_t values = first + k->group_fields;
    *out = (struct window_event){.time_ns = event->header.time_ns};
    enum outcome outcome = hash_fields(c, event, first, k->group_fields, &out->group);
    if (outcome == OUTCOME_IN && correlation_has_numbers(k->type)) {
        bool there = number_of(event, pack_correlation_field(c->pack, values), &out->number);
        outcome = there ? OUTCOME_IN : OUTCOME_OUT;
    } else if (outcome == OUTCOME_IN && correlation_has_members(k->type)) {
        outcome = hash_fields(c, event, values, k->value_fields, &out->member);
    }
    return outcome;
}

/* ── measuring ── */

struct measure {
    __int128 value; /* in millionths, times `divisor` */
    uint32_t divisor;
    uint32_t events;
};

/* The sum of the two in the middle, or twice the one. */
static __int128 median_twice(const struct window *w, uint32_t group)
{
    uint32_t count = w->groups[group].inside;
    uint32_t low = rank_at(&w->rank, w->roots[group], (count - 1) / 2);
    uint32_t high = rank_at(&w->rank, w->roots[group], count / 2);
    return w->entries[low].number + w->entries[high].number;
}

/* By the events that are still there, or the last time of a rule, which is kept beside them. */
static uint64_t known_rules(struct window *w, uint32_t last)
{
    const struct window_entry *e = &w->entries[last];
    const uint64_t *times = window_steps(w, e->group);
    const uint32_t *matches = window_matches(w, e->group);
    uint64_t mask = 0;
    for (unsigned i = 0; i < w->plan.steps; i++) {
        bool in =
            matches[i] > 0 || (times[i] != WINDOW_NEVER && window_within(w, times[i], e->time_ns));
        mask |= (uint64_t)in << i;
    }
    return mask;
}

static void later(uint64_t *time, uint64_t other)
{
    if (*time == WINDOW_NEVER || *time < other) {
        *time = other;
    }
}

static void note_rules(struct window *w, uint32_t last)
{
    const struct window_entry *e = &w->entries[last];
    for (unsigned i = 0; i < w->plan.steps; i++) {
        if ((uint64_t)e->number >> i & 1) {
            later(&window_steps(w, e->group)[i], e->time_ns);
        }
    }
}

/* Of the span, which ends at the event. */
static struct measure measure(struct window *w, enum correlation_type type, uint32_t last)
{
    const struct window_entry *e = &w->entries[last];
    const struct window_group *g = &w->groups[e->group];
    struct measure m = {.divisor = 1, .events = g->inside};
    switch (type) {
    case CORRELATION_EVENT_COUNT:
        m.value = (__int128)g->inside * CORRELATION_SCALE;
        break;
    case CORRELATION_VALUE_COUNT:
        m.value = (__int128)g->distinct * CORRELATION_SCALE;
        break;
    case CORRELATION_TEMPORAL:
        m.value = (__int128)__builtin_popcountll(known_rules(w, last)) * CORRELATION_SCALE;
        break;
    case CORRELATION_VALUE_SUM:
    case CORRELATION_VALUE_AVG:
        m.value = g->sum;
        m.divisor = type == CORRELATION_VALUE_AVG ? g->inside : 1;
        break;
    case CORRELATION_VALUE_PERCENTILE:
        m.value = (__int128)w->members[e->member].inside * 100 * CORRELATION_SCALE;
        m.divisor = g->inside;
        break;
    case CORRELATION_VALUE_MEDIAN:
        m.value = median_twice(w, e->group);
        m.divisor = 2;
        break;
    case CORRELATION_TEMPORAL_ORDERED:
        m.value = (__int128)w->plan.steps * CORRELATION_SCALE;
        break;
    case CORRELATION_TYPE_COUNT:
        break;
    }
    return m;
}

/* ── one after another ── */

/* times[i]: of all sequences that went through the first i + 1 rules, when the one that began last
 * began. An event takes one step, so the steps are looked at from the last. True: the event, which
 * comes after all that `times` knows, ends a sequence within the span. */
static bool take_steps(const struct window *w, uint64_t *times, const struct window_entry *e)
{
    bool complete = false;
    for (unsigned i = w->plan.steps; i-- > 0;) {
        uint64_t began = i > 0 ? times[i - 1] : e->time_ns;
        if (!((uint64_t)e->number >> i & 1) || began == WINDOW_NEVER) {
            continue;
        }
        complete = complete || (i + 1 == w->plan.steps && window_within(w, began, e->time_ns));
        later(&times[i], began);
    }
    return complete;
}

/* Sequences that lead to an event, being followed back from it. */
struct trails {
    uint64_t open;                               /* a bit for each: the step that the event takes */
    unsigned needed[CORRELATION_REFERENCES_MAX]; /* the step before what was found of it so far */
    uint64_t began[CORRELATION_REFERENCES_MAX];  /* WINDOW_NEVER: there is none */
};

static void follow(struct trails *t, unsigned trail, const struct window_entry *e)
{
    if (!((uint64_t)e->number >> t->needed[trail] & 1)) {
        return;
    }
    if (t->needed[trail] > 0) {
        t->needed[trail]--;
        return;
    }
    t->began[trail] = e->time_ns;
    t->open &= ~(1ULL << trail);
}

/* For each step that the event takes, when the sequence up to it that began last began: going back,
 * the first event for each step is the one that leaves most for the others. Only rules that the
 * span has can be found in it. False: the budget ended. */
static bool follow_back(struct window *w, uint32_t last, struct window_budget *b, struct trails *t)
{
    const struct window_entry *e = &w->entries[last];
    const struct window_group *g = &w->groups[e->group];
    const uint32_t *matches = window_matches(w, e->group);
    bool possible = true;
    t->open = 0;
    for (unsigned i = 0; i < w->plan.steps; i++) {
        bool takes = (uint64_t)e->number >> i & 1;
        t->began[i] = takes && i == 0 ? e->time_ns : WINDOW_NEVER;
        t->needed[i] = i - 1;
        t->open |= (uint64_t)(takes && i > 0 && possible) << i;
        possible = possible && matches[i] > takes; /* one of them is the event itself */
    }
    for (uint32_t at = last; t->open && at != g->first;) {
        at = w->entries[at].before;
        if (!window_spend(b, WINDOW_STEP + w->plan.steps)) {
            return false;
        }
        for (uint64_t left = t->open; left; left &= left - 1) {
            follow(t, (unsigned)__builtin_ctzll(left), &w->entries[at]);
        }
    }
    return true;
}

/* An event that came late may stand in the middle of sequences: those that go through it are taken
 * on by what is after it. False: the budget ended. */
static bool retake_steps(struct window *w, uint32_t last, struct window_budget *b, bool *complete)
{
    struct trails t;
    uint32_t group = w->entries[last].group;
    if (!follow_back(w, last, b, &t)) {
        return false;
    }
    *complete = t.began[w->plan.steps - 1] != WINDOW_NEVER;
    for (uint32_t i = w->entries[last].after; i; i = w->entries[i].after) {
        if (!window_spend(b, WINDOW_STEP + w->plan.steps)) {
            return false;
        }
        take_steps(w, t.began, &w->entries[i]);
    }
    for (unsigned i = 0; i < w->plan.steps; i++) {
        if (t.began[i] != WINDOW_NEVER) {
            later(&window_steps(w, group)[i], t.began[i]);
        }
    }
    return true;
}

/* ── an event ── */

static bool holds(const struct correlator *c, const struct pack_correlation *k,
                  const struct measure *m)
{
    bool all = true;
    for (uint32_t i = 0; i < k->conditions && all; i++) {
        struct correlation_condition condition = pack_condition(c->pack, k->first_condition + i);
        all = correlation_holds(&condition, m->value, m->divisor);
    }
    return all;
}

/* OUT: it did not fire. */
static enum outcome add(struct correlator *c, struct window *w, const struct pack_correlation *k,
                        const struct window_event *event, struct measure *out)
{
    bool late;
    bool complete = true;
    uint32_t last = window_add(w, event, &c->budget, &late);
    if (last == WINDOW_NONE) {
        return OUTCOME_UNDECIDED;
    }
    bool whole = window_look(w, last, &c->budget);
    if (k->type == CORRELATION_TEMPORAL) {
        note_rules(w, last);
    }
    if (k->type == CORRELATION_TEMPORAL_ORDERED && !late) {
        complete = take_steps(w, window_steps(w, w->entries[last].group), &w->entries[last]);
    } else if (k->type == CORRELATION_TEMPORAL_ORDERED && whole) {
        whole = retake_steps(w, last, &c->budget, &complete);
    }
    if (!whole) {
        return OUTCOME_UNDECIDED;
    }
    *out = measure(w, k->type, last);
    return complete && holds(c, k, out) ? OUTCOME_IN : OUTCOME_OUT;
}

/* One for each group, though not each list of fields gives another group. *undecided: the budget
 * ended, and some may be missing. */
static size_t split(struct correlator *c, const struct pack_correlation *k,
                    const struct event *event, uint64_t mask, bool *undecided)
{
    struct part *parts = c->parts;
    size_t count = 0;
    *undecided = false;
    for (uint32_t i = 0; i < k->references; i++) {
        struct part part;
        size_t at = 0;
        if (!(mask >> i & 1)) {
            continue;
        }
        part.first_field = pack_reference(c->pack, k->first_reference + i).first_field;
        while (at < count && parts[at].first_field != part.first_field) {
            at++;
        }
        if (at == count) {
            enum outcome read = read_event(c, k, part.first_field, event, &part.event);
            *undecided = *undecided || read == OUTCOME_UNDECIDED;
            if (read != OUTCOME_IN) {
                continue;
            }
        }
        part.mask = 0;
        for (size_t j = 0; j < count && at == count; j++) {
            struct hash128 other = parts[j].event.group;
            at = other.low == part.event.group.low && other.high == part.event.group.high ? j : at;
        }
        if (at == count) {
            parts[count++] = part;
        }
        parts[at].mask |= 1ULL << i;
    }
    return count;
}

void correlator_begin(struct correlator *c, const struct event *event)
{
    c->most = c->budget.left = c->pack->windows_cost[event->header.type];
    c->undecided = 0;
    memset(c->known, 0, sizeof c->known);
}

bool correlator_feed(struct correlator *c, size_t correlation, const struct event *event,
                     uint64_t mask, struct correlation_hit *hit)
{
    struct pack_correlation k = pack_correlation(c->pack, correlation);
    bool undecided;
    size_t count = split(c, &k, event, mask, &undecided);
    bool fired = false;
    for (size_t i = 0; i < count; i++) {
        struct measure m;
        struct part *part = &c->parts[i];
        if (correlation_has_steps(k.type)) {
            part->event.number = (__int128)part->mask;
        }
        enum outcome outcome = add(c, &c->windows[correlation], &k, &part->event, &m);
        undecided = undecided || outcome == OUTCOME_UNDECIDED;
        if (outcome == OUTCOME_IN && !fired) {
            fired = true;
            *hit = (struct correlation_hit){.correlation = (uint32_t)correlation,
                                            .rule = k.rule,
                                            .first_field = part->first_field,
                                            .events = m.events,
                                            .divisor = m.divisor,
                                            .measured = m.value};
        }
    }
    c->undecided += undecided && !fired;
    return fired;
}
