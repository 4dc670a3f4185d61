#include "content/correlate.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/number.h"

#include <inttypes.h>
#include <stdio.h>

/* The hash of a field of the event that is being looked at. */
struct digest {
    struct hash128 hash;
    bool known, there;
};

struct correlator {
    const struct pack *pack;
    struct correlate_settings settings;
    struct window *windows;
    __int128 *numbers; /* as many as the largest window of a median has events */
    uint64_t random;
    uint64_t steps;
    size_t bytes; /* of `numbers` */
    struct digest digests[FIELD_COUNT];
};

/* ── making ── */

static struct status make_windows(struct correlator *c)
{
    uint64_t need = windows_need(c->pack);
    size_t numbers = 0;
    if (need > c->settings.memory) {
        FAIL(LIMIT);
    }
    for (size_t i = 0; i < pack_count(c->pack, PACK_CORRELATIONS); i++) {
        struct window_plan plan = window_plan_of(c->pack, i, c->settings.memory, need);
        plan.seed = c->random;
        numbers = plan.ranked && plan.room > numbers ? plan.room : numbers;
        TRY(window_init(&c->windows[i], plan));
    }
    c->bytes = numbers * sizeof *c->numbers;
    c->numbers = numbers ? heap_alloc(numbers, sizeof *c->numbers) : NULL;
    if (numbers && !c->numbers) {
        FAIL(MEMORY);
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
        heap_free(c->numbers);
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
    size_t bytes = c->bytes;
    for (size_t i = 0; i < pack_count(c->pack, PACK_CORRELATIONS); i++) {
        bytes += c->windows[i].bytes;
    }
    return bytes;
}

uint64_t correlator_steps(const struct correlator *c)
{
    return c->steps;
}

/* ── what an event contributes ── */

/* Values compare as text, numbers in decimal. */
static struct digest digest_of(struct correlator *c, const struct event *event, enum field field)
{
    char digits[24];
    struct value value = event_get(event, field);
    struct text text = text_part(value.text, 0, EVENT_TEXT_MAX);
    if (value.kind == VALUE_NUMBER) {
        int len = snprintf(digits, sizeof digits, "%" PRId64, value.number);
        text = (struct text){digits, (size_t)len};
    } else if (value.kind == VALUE_BOOL) {
        text = value.number ? TEXT("true") : TEXT("false");
    } else if (value.kind != VALUE_TEXT) {
        return (struct digest){.known = true};
    }
    struct siphash s = siphash_begin(c->settings.key);
    siphash_bytes(&s, text);
    c->steps += text.len + WINDOW_HASH;
    return (struct digest){.hash = siphash_end(&s), .known = true, .there = true};
}

/* False: the event does not carry one of the fields. */
static bool hash_fields(struct correlator *c, const struct event *event, uint32_t first,
                        unsigned count, struct hash128 *out)
{
    struct siphash s = siphash_begin(c->settings.key);
    for (uint32_t i = 0; i < count; i++) {
        enum field field = pack_correlation_field(c->pack, first + i);
        struct digest *digest = &c->digests[field];
        if (!digest->known) {
            *digest = digest_of(c, event, field);
        }
        if (!digest->there) {
            return false;
        }
        c->steps += WINDOW_HASH;
        siphash_bytes(&s, (struct text){(const char *)&digest->hash, sizeof digest->hash});
    }
    *out = siphash_end(&s);
    return true;
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

/* False: the event is left out, as a field is missing. */
static bool read_event(struct correlator *c, const struct pack_correlation *k, uint32_t first,
                       const struct event *event, struct window_event *out)
{
    uint32_t values = first + k->group_fields;
    *out = (struct window_event){.time_ns = event->header.time_ns};
    if (!hash_fields(c, event, first, k->group_fields, &out->group)) {
        return false;
    }
    if (correlation_has_numbers(k->type)) {
        return number_of(event, pack_correlation_field(c->pack, values), &out->number);
    }
    return !correlation_has_members(k->type) ||
           hash_fields(c, event, values, k->value_fields, &out->member);
}

/* ── medians ── */

static void swap(__int128 *a, __int128 *b)
{
    __int128 kept = *a;
    *a = *b;
    *b = kept;
}

/* The one that would stand at `rank` if they were sorted (Hoare's quickselect). Pivots are chosen
 * by a number that nobody who sends events knows: no order of values is a bad one. */
static __int128 select_rank(struct correlator *c, size_t count, size_t rank)
{
    __int128 *n = c->numbers;
    size_t from = 0;
    size_t to = count;
    while (to - from > 1) {
        c->random ^= c->random << 13;
        c->random ^= c->random >> 7;
        c->random ^= c->random << 17;
        __int128 pivot = n[from + c->random % (to - from)];
        size_t less = from;
        size_t more = to;
        for (size_t i = from; i < more;) {
            if (n[i] < pivot) {
                swap(&n[i++], &n[less++]);
            } else if (n[i] > pivot) {
                swap(&n[i], &n[--more]);
            } else {
                i++;
            }
        }
        if (rank >= less && rank < more) {
            return pivot;
        }
        from = rank < less ? from : more;
        to = rank < less ? less : to;
    }
    return n[from];
}

/* The sum of the two in the middle, or twice the one: of those that walk_back() met. */
static __int128 twice_selected(struct correlator *c, uint32_t count)
{
    return select_rank(c, count, (count - 1) / 2) + select_rank(c, count, count / 2);
}

/* Of the span before an event that came in order. */
static __int128 twice_ranked(const struct window *w, uint32_t last)
{
    uint32_t group = w->entries[last].group;
    uint32_t count = w->groups[group].inside;
    uint32_t low = rank_at(&w->rank, w->roots[group], (count - 1) / 2);
    uint32_t high = rank_at(&w->rank, w->roots[group], count / 2);
    return w->entries[low].number + w->entries[high].number;
}

/* ── measuring ── */

struct measure {
    __int128 value; /* in millionths, times `divisor` */
    uint32_t divisor;
    uint32_t events;
};

/* What a walk over the events of a span found. */
struct walk {
    __int128 sum;
    uint64_t mask;
    uint32_t first;
    uint32_t count;
    uint32_t distinct;
    uint32_t same; /* with the value of the event it is about */
};

static bool is_within(const struct window *w, uint64_t time_ns, uint64_t last_ns)
{
    return last_ns - time_ns <= w->plan.span_ns;
}

static struct walk walk_back(struct correlator *c, struct window *w, uint32_t last)
{
    struct walk walk = {.first = last};
    w->mark++;
    for (uint32_t i = last; i; i = w->entries[i].before) {
        const struct window_entry *e = &w->entries[i];
        if (!is_within(w, e->time_ns, w->entries[last].time_ns)) {
            break;
        }
        walk.first = i;
        walk.sum += w->plan.steps ? 0 : e->number;
        walk.mask |= w->plan.steps ? (uint64_t)e->number : 0;
        if (w->plan.ranked) {
            c->numbers[walk.count] = e->number;
        }
        walk.same += e->member == w->entries[last].member;
        if (e->member && w->members[e->member].mark != w->mark) {
            w->members[e->member].mark = w->mark;
            walk.distinct++;
        }
        walk.count++;
    }
    c->steps += (uint64_t)walk.count * WINDOW_STEP;
    return walk;
}

static struct walk of_group(const struct window *w, uint32_t last)
{
    const struct window_entry *e = &w->entries[last];
    const struct window_group *g = &w->groups[e->group];
    return (struct walk){.sum = g->sum,
                         .first = g->first,
                         .count = g->inside,
                         .distinct = g->distinct,
                         .same = e->member ? w->members[e->member].inside : 0};
}

/* The latest time of each rule, up to the event. */
static uint64_t known_rules(struct window *w, uint32_t last)
{
    const struct window_entry *e = &w->entries[last];
    const uint64_t *times = window_steps(w, e->group);
    uint64_t mask = 0;
    for (unsigned i = 0; i < w->plan.steps; i++) {
        bool in = times[i] != WINDOW_NEVER && is_within(w, times[i], e->time_ns);
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

static struct measure measure(struct correlator *c, struct window *w, enum correlation_type type,
                              uint32_t last, bool late)
{
    struct walk walk = late ? walk_back(c, w, last) : of_group(w, last);
    struct measure m = {.divisor = 1, .events = walk.count};
    uint64_t mask = 0;
    switch (type) {
    case CORRELATION_EVENT_COUNT:
        m.value = (__int128)walk.count * CORRELATION_SCALE;
        break;
    case CORRELATION_VALUE_COUNT:
        m.value = (__int128)walk.distinct * CORRELATION_SCALE;
        break;
    case CORRELATION_TEMPORAL:
        note_rules(w, last);
        mask = late ? walk.mask : known_rules(w, last);
        m.value = (__int128)__builtin_popcountll(mask) * CORRELATION_SCALE;
        break;
    case CORRELATION_VALUE_SUM:
    case CORRELATION_VALUE_AVG:
        m.value = walk.sum;
        m.divisor = type == CORRELATION_VALUE_AVG ? walk.count : 1;
        break;
    case CORRELATION_VALUE_PERCENTILE:
        m.value = (__int128)walk.same * 100 * CORRELATION_SCALE;
        m.divisor = walk.count;
        break;
    case CORRELATION_VALUE_MEDIAN:
        m.value = late ? twice_selected(c, walk.count) : twice_ranked(w, last);
        m.divisor = 2;
        break;
    case CORRELATION_TEMPORAL_ORDERED:
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
        complete = complete || (i + 1 == w->plan.steps && is_within(w, began, e->time_ns));
        later(&times[i], began);
    }
    return complete;
}

/* Everything anew, since a late event may stand in the middle of a sequence. */
static void retake_steps(struct window *w, uint32_t group)
{
    uint64_t times[CORRELATION_REFERENCES_MAX];
    for (unsigned i = 0; i < w->plan.steps; i++) {
        times[i] = WINDOW_NEVER;
    }
    for (uint32_t i = w->groups[group].head; i; i = w->entries[i].after) {
        take_steps(w, times, &w->entries[i]);
    }
    for (unsigned i = 0; i < w->plan.steps; i++) {
        if (times[i] != WINDOW_NEVER) {
            later(&window_steps(w, group)[i], times[i]);
        }
    }
}

static bool in_order(struct correlator *c, struct window *w, uint32_t last, bool late,
                     struct measure *out)
{
    const struct window_entry *e = &w->entries[last];
    bool complete = false;
    struct walk walk = late ? walk_back(c, w, last) : of_group(w, last);
    if (!late) {
        complete = take_steps(w, window_steps(w, e->group), e);
    } else {
        unsigned taken = 0; /* the earliest event for each step leaves most for the others */
        for (uint32_t i = walk.first; i != last; i = w->entries[i].after) {
            taken += taken + 1 < w->plan.steps && (uint64_t)w->entries[i].number >> taken & 1;
        }
        complete = taken + 1 == w->plan.steps && (uint64_t)e->number >> taken & 1;
        retake_steps(w, e->group);
        c->steps += 2ULL * w->groups[e->group].count * WINDOW_STEP;
    }
    *out = (struct measure){
        .value = (__int128)w->plan.steps * CORRELATION_SCALE, .divisor = 1, .events = walk.count};
    return complete;
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

static bool add(struct correlator *c, struct window *w, const struct pack_correlation *k,
                const struct window_event *event, struct measure *out)
{
    bool late;
    uint32_t last = window_add(w, event, &late);
    bool complete = true;
    if (late) {
        c->steps += (uint64_t)w->groups[w->entries[last].group].count * WINDOW_STEP;
    }
    if (k->type == CORRELATION_TEMPORAL_ORDERED) {
        complete = in_order(c, w, last, late, out);
    } else {
        *out = measure(c, w, k->type, last, late);
    }
    return complete && holds(c, k, out);
}

/* Where aliases name other fields for other rules, an event may belong to several groups. */
struct part {
    struct window_event event;
    uint32_t first_field;
    uint64_t mask;
};

/* One for each group, though not each list of fields gives another group. */
static size_t split(struct correlator *c, const struct pack_correlation *k,
                    const struct event *event, uint64_t mask, struct part *parts)
{
    size_t count = 0;
    for (uint32_t i = 0; i < k->references; i++) {
        struct part part;
        size_t at = 0;
        part.first_field = pack_reference(c->pack, k->first_reference + i).first_field;
        while (at < count && parts[at].first_field != part.first_field) {
            at++;
        }
        if (!(mask >> i & 1) ||
            (at == count && !read_event(c, k, part.first_field, event, &part.event))) {
            continue;
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

void correlator_begin(struct correlator *c)
{
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        c->digests[i].known = false;
    }
}

bool correlator_feed(struct correlator *c, size_t correlation, const struct event *event,
                     uint64_t mask, struct correlation_hit *hit)
{
    struct pack_correlation k = pack_correlation(c->pack, correlation);
    struct part parts[CORRELATION_REFERENCES_MAX];
    size_t count = split(c, &k, event, mask, parts);
    bool fired = false;
    for (size_t i = 0; i < count; i++) {
        struct measure m;
        if (correlation_has_steps(k.type)) {
            parts[i].event.number = (__int128)parts[i].mask;
        }
        if (add(c, &c->windows[correlation], &k, &parts[i].event, &m) && !fired) {
            fired = true;
            *hit = (struct correlation_hit){.correlation = (uint32_t)correlation,
                                            .rule = k.rule,
                                            .first_field = parts[i].first_field,
                                            .events = m.events,
                                            .divisor = m.divisor,
                                            .measured = m.value};
        }
    }
    return fired;
}
