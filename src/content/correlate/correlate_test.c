/*
 * Correlations through builder, verifier and detector, against an evaluator that goes through all
 * earlier events for each event and shares nothing with them but what is asked.
 */
#include "base/own.h"
#include "base/test.h"
#include "base/xorshift.h"
#include "content/correlate/detect.h"
#include "content/pack/builder.h"

#include <string.h>

enum { RULES = 4, CORRELATIONS = 3, EVENTS = 70, FIELDS = 4, REFS = 4, PACKS = 700, STREAMS = 4 };

#define SECOND 1000000000ULL

static const enum field fields[FIELDS] = {FIELD_USER, FIELD_CWD, FIELD_PARENT_USER, FIELD_PID};

static const char *const rule_ids[RULES] = {"a", "b", "c", "d"};
static const char *const correlation_ids[CORRELATIONS] = {"m", "e", "x"}; /* not in order */

static uint64_t seed = 88172645463325252ULL;

static unsigned roll(unsigned sides)
{
    return (unsigned)((xorshift(&seed) >> 20) % sides);
}

/* ── what is asked, and what happens ── */

struct asked {
    struct correlation plain;
    struct correlation_reference references[REFS];
    enum field lists[REFS][2 * CORRELATION_FIELDS_MAX];
    struct correlation_condition conditions[2];
    unsigned rules[REFS]; /* from RULES on: a correlation */
};

/* Texts of one letter, or a number; 0: absent. `letters`: of the command line, which rules match.
 */
struct happened {
    uint64_t time_ns;
    char letters[RULES + 1];
    char values[FIELDS]; /* 'n': null */
};

static struct asked asked[CORRELATIONS];

static void choose_lists(struct asked *a)
{
    size_t width = a->plain.group_fields + a->plain.value_fields;
    for (size_t i = 0; i < a->plain.reference_count; i++) {
        for (size_t j = 0; j < width; j++) {
            /* Sometimes an alias. */
            a->lists[i][j] = i > 0 && roll(4) ? a->lists[0][j] : fields[roll(FIELDS)];
        }
        if (correlation_has_numbers(a->plain.type)) {
            a->lists[i][a->plain.group_fields] = FIELD_PID;
        }
        a->references[i].fields = a->lists[i];
    }
}

static void choose_rules(struct asked *a, unsigned place)
{
    a->plain.reference_count = 1 + roll(3);
    for (size_t i = 0; i < a->plain.reference_count; i++) {
        bool again = true;
        while (again) {
            a->rules[i] = roll(RULES + place);
            again = false;
            for (size_t j = 0; j < i && a->plain.type != CORRELATION_TEMPORAL_ORDERED; j++) {
                again = again || a->rules[j] == a->rules[i];
            }
        }
        a->references[i].id = text_of(a->rules[i] < RULES ? rule_ids[a->rules[i]]
                                                          : correlation_ids[a->rules[i] - RULES]);
    }
}

static void choose_conditions(struct asked *a)
{
    bool rare = a->plain.type == CORRELATION_VALUE_PERCENTILE;
    bool ordered = a->plain.type == CORRELATION_TEMPORAL_ORDERED;
    a->plain.condition_count = ordered ? 0 : 1 + roll(2);
    unsigned first = roll(CORRELATION_OPERATOR_COUNT - 1);
    for (unsigned i = 0; i < 2; i++) {
        a->conditions[i] = (struct correlation_condition){
            .operator=(enum correlation_operator)(first + i),
            .whole = rare ? (int)roll(101) : (int)roll(7) - (roll(8) == 0),
            .millionths = roll(3)   ? 0
                          : roll(2) ? 500000
                                    : 333333,
        };
    }
}

static void choose(struct asked *a, unsigned place)
{
    *a = (struct asked){0};
    a->plain.type = (enum correlation_type)roll(CORRELATION_TYPE_COUNT);
    a->plain.span_s = roll(12);
    a->plain.group_fields = roll(3);
    a->plain.value_fields = correlation_has_numbers(a->plain.type)   ? 1
                            : correlation_has_members(a->plain.type) ? 1 + roll(2)
                                                                     : 0;
    a->plain.generate = true;
    choose_rules(a, place);
    choose_lists(a);
    choose_conditions(a);
    a->plain.references = a->references;
    a->plain.conditions = a->conditions;
}

static void build(struct arena *arena, struct pack *out)
{
    struct builder *b;
    struct text bytes;
    struct pack_fault fault;
    char why[160];
    assert_ok(builder_new(arena, &b));
    for (unsigned i = 0; i < RULES; i++) {
        struct predicate p = {
            .kind = PREDICATE_CONTAINS, .field = FIELD_COMMAND_LINE, .text = text_of(rule_ids[i])};
        struct node node = {.on_true = NODE_MATCH, .on_false = NODE_MISS};
        struct rule rule = {.id = p.text,
                            .title = TEXT("Rule"),
                            .types = 1ULL << EVENT_PROCESS_EXEC,
                            .predicates = &p,
                            .predicate_count = 1,
                            .nodes = &node,
                            .node_count = 1};
        assert_ok(builder_add(b, &rule, why));
    }
    for (unsigned i = 0; i < CORRELATIONS; i++) {
        struct rule rule = {.id = text_of(correlation_ids[i]),
                            .title = TEXT("Correlation"),
                            .correlation = &asked[i].plain};
        struct status s = builder_add(b, &rule, why);
        if (!status_ok(s)) {
            fail_msg("%s", why);
        }
    }
    assert_ok(builder_finish(b, &bytes));
    if (!status_ok(pack_open(bytes, out, &fault))) {
        fail_msg("%s: %s", fault.section, fault.what);
    }
}

/* Of the stream: stamps of several CPUs, that are out of order by nanoseconds; and now and then one
 * of a clock that is far ahead. */
static bool jitter;

static struct happened happen(uint64_t *now)
{
    struct happened h = {.time_ns = *now += roll(3) * SECOND};
    unsigned used = 0;
    if (jitter) {
        h.time_ns += SECOND - roll(3);
        h.time_ns += roll(15) == 0 ? (1 + roll(100)) * SECOND : 0;
    }
    if (roll(jitter ? 50 : 5) == 0) {
        uint64_t late = roll(20) * SECOND; /* late, but for the clock's start */
        h.time_ns = h.time_ns > late ? h.time_ns - late : 0;
    }
    if (roll(40) == 0) {
        *now += 30 * SECOND;
    }
    for (unsigned i = 0; i < RULES; i++) {
        if (roll(3) == 0) {
            h.letters[used++] = *rule_ids[i];
        }
    }
    for (unsigned i = 0; i < FIELDS; i++) {
        h.values[i] = "pqpqpq\0n"[roll(8)];
        if (fields[i] == FIELD_PID) {
            h.values[i] = "012345\0n"[roll(8)];
        }
    }
    return h;
}

static void event_of(const struct happened *h, struct event *out)
{
    static char room[EVENT_MAX];
    struct event_builder b;
    struct text record;
    event_begin(&b, room, sizeof room);
    event_put_text(&b, FIELD_COMMAND_LINE, text_of(h->letters));
    for (unsigned i = 0; i < FIELDS; i++) {
        bool number = h->values[i] >= '0' && h->values[i] <= '9';
        if (h->values[i] == 'n') {
            event_put_null(&b, fields[i]);
        } else if (number && h->time_ns / SECOND % 2) {
            event_put_number(&b, fields[i], h->values[i] - '0'); /* 5 and "5" are the same */
        } else if (h->values[i]) {
            event_put_text(&b, fields[i], (struct text){&h->values[i], 1});
        }
    }
    struct event_header header = {.type = EVENT_PROCESS_EXEC, .time_ns = h->time_ns};
    assert_ok(event_end(&b, header, &record));
    assert_ok(event_open(record, out));
}

/* ── the other evaluator ── */

/* An event as a correlation sees it: once for each group. */
struct seen {
    uint64_t time_ns;
    unsigned order; /* of arrival */
    unsigned mask;
    char group[8];
    char value[8];
    int number;
};

static struct seen seen[CORRELATIONS][EVENTS * REFS];
static size_t seen_count[CORRELATIONS];

static bool spell(const struct happened *h, const enum field *list, size_t count, char *out)
{
    memset(out, 0, 8);
    for (size_t i = 0; i < count; i++) {
        unsigned field = 0;
        while (fields[field] != list[i]) {
            field++;
        }
        if (h->values[field] == 0 || h->values[field] == 'n') {
            return false;
        }
        out[i] = h->values[field];
    }
    return true;
}

static bool is_before(const struct seen *a, const struct seen *b)
{
    return a->time_ns < b->time_ns || (a->time_ns == b->time_ns && a->order <= b->order);
}

/* The events that count at `last`, in their order. */
static size_t window_of(unsigned c, const struct seen *last, const struct seen **out)
{
    size_t count = 0;
    for (size_t i = 0; i < seen_count[c]; i++) {
        const struct seen *s = &seen[c][i];
        if (strcmp(s->group, last->group) == 0 && is_before(s, last) &&
            last->time_ns - s->time_ns <= asked[c].plain.span_s * SECOND) {
            size_t at = count++;
            for (; at > 0 && !is_before(out[at - 1], s); at--) {
                out[at] = out[at - 1];
            }
            out[at] = s;
        }
    }
    return count;
}

/* Does any choice of later and later events go through the steps and end with the last? */
static bool sequence(const struct seen *const *window, size_t count, size_t step, size_t from,
                     size_t steps)
{
    for (size_t i = from; i < count; i++) {
        if (!(window[i]->mask >> step & 1)) {
            continue;
        }
        if (step + 1 == steps ? i + 1 == count : sequence(window, count, step + 1, i + 1, steps)) {
            return true;
        }
    }
    return false;
}

static int64_t median_twice(const struct seen *const *window, size_t count)
{
    int64_t twice = 0;
    for (size_t i = 0; i < count; i++) {
        size_t less = 0;
        size_t same = 0;
        for (size_t j = 0; j < count; j++) {
            less += window[j]->number < window[i]->number;
            same += window[j]->number == window[i]->number;
        }
        /* Each value is counted once for all that are the same. */
        size_t low = (count - 1) / 2;
        size_t high = count / 2;
        bool first = true;
        for (size_t j = 0; j < i; j++) {
            first = first && window[j]->number != window[i]->number;
        }
        twice += first && low >= less && low < less + same ? window[i]->number : 0;
        twice += first && high >= less && high < less + same ? window[i]->number : 0;
    }
    return twice;
}

static int64_t measure(unsigned c, const struct seen *const *window, size_t count, int64_t *divisor)
{
    enum correlation_type type = asked[c].plain.type;
    const struct seen *last = window[count - 1];
    int64_t sum = 0;
    int64_t distinct = 0;
    int64_t same = 0;
    unsigned mask = 0;
    for (size_t i = 0; i < count; i++) {
        bool fresh = true;
        for (size_t j = 0; j < i; j++) {
            fresh = fresh && strcmp(window[j]->value, window[i]->value) != 0;
        }
        distinct += fresh;
        sum += window[i]->number;
        same += strcmp(window[i]->value, last->value) == 0;
        mask |= window[i]->mask;
    }
    *divisor = type == CORRELATION_VALUE_AVG || type == CORRELATION_VALUE_PERCENTILE
                   ? (int64_t)count
               : type == CORRELATION_VALUE_MEDIAN ? 2
                                                  : 1;
    switch (type) {
    case CORRELATION_EVENT_COUNT:
        return (int64_t)count;
    case CORRELATION_VALUE_COUNT:
        return distinct;
    case CORRELATION_TEMPORAL:
        return __builtin_popcount(mask);
    case CORRELATION_VALUE_SUM:
    case CORRELATION_VALUE_AVG:
        return sum;
    case CORRELATION_VALUE_PERCENTILE:
        return same * 100;
    case CORRELATION_VALUE_MEDIAN:
        return median_twice(window, count);
    case CORRELATION_TEMPORAL_ORDERED:
    case CORRELATION_TYPE_COUNT:
        break;
    }
    return 0;
}

static bool compares(const struct correlation_condition *condition, int64_t value, int64_t divisor)
{
    int64_t left = value * 1000000;
    int64_t right = (condition->whole * 1000000 + condition->millionths) * divisor;
    const bool answers[CORRELATION_OPERATOR_COUNT] = {
        [CORRELATION_EQ] = left == right,
        [CORRELATION_NEQ] = left != right,
        [CORRELATION_LT] =
            left<right, [CORRELATION_LTE] = left <= right, [CORRELATION_GT] = left> right,
        [CORRELATION_GTE] = left >= right,
    };
    return answers[condition->operator];
}

static bool fires(unsigned c, const struct seen *last)
{
    static const struct seen *window[EVENTS * REFS];
    const struct correlation *k = &asked[c].plain;
    int64_t divisor;
    size_t count = window_of(c, last, window);
    if (k->type == CORRELATION_TEMPORAL_ORDERED) {
        return sequence(window, count, 0, 0, k->reference_count);
    }
    int64_t value = measure(c, window, count, &divisor);
    bool all = true;
    for (size_t i = 0; i < k->condition_count; i++) {
        all = all && compares(&k->conditions[i], value, divisor);
    }
    return all;
}

static bool look(unsigned c, const struct happened *h, unsigned order, unsigned matched)
{
    const struct asked *a = &asked[c];
    size_t groups = a->plain.group_fields;
    size_t first = seen_count[c];
    for (size_t i = 0; i < a->plain.reference_count; i++) {
        struct seen s = {.time_ns = h->time_ns, .order = order, .mask = 1U << i};
        size_t at = first;
        if (!(matched >> a->rules[i] & 1) || !spell(h, a->lists[i], groups, s.group) ||
            !spell(h, a->lists[i] + groups, a->plain.value_fields, s.value) ||
            (correlation_has_numbers(a->plain.type) && (s.value[0] < '0' || s.value[0] > '9'))) {
            continue;
        }
        s.number = s.value[0] - '0';
        while (at < seen_count[c] && strcmp(seen[c][at].group, s.group) != 0) {
            at++;
        }
        if (at == seen_count[c]) {
            seen[c][seen_count[c]++] = s;
        }
        seen[c][at].mask |= 1U << i;
    }
    bool fired = false;
    for (size_t i = first; i < seen_count[c]; i++) {
        fired = fires(c, &seen[c][i]) || fired;
    }
    return fired;
}

/* ── the two agree ── */

struct outcome {
    const struct pack *pack;
    unsigned fired; /* a bit each, as `asked` */
    unsigned lossy;
    uint64_t lost;
};

static void on_alert(void *context, size_t rule, const struct correlation_hit *hit)
{
    struct outcome *o = context;
    for (unsigned i = 0; i < CORRELATIONS && hit; i++) {
        if (text_same(pack_rule(o->pack, rule).id, text_of(correlation_ids[i]))) {
            o->fired |= 1U << i;
        }
    }
}

static void on_fault(void *context, size_t rule, const char *what)
{
    (void)context;
    (void)rule;
    fail_msg("%s", what);
}

static void on_lossy(void *context, size_t rule, uint64_t events)
{
    struct outcome *o = context;
    (void)rule;
    o->lossy++;
    o->lost = events;
}

static struct detector *detector_of(const struct pack *pack, size_t memory)
{
    struct correlate_settings settings = {.memory = memory, .key = "sixteen bytes!!"};
    struct detector *d;
    assert_ok(detector_new(pack, settings, &d));
    assert_true(correlator_bytes(detector_correlator(d)) <= memory);
    return d;
}

static void run(struct detector *d, const struct happened *h, struct outcome *o)
{
    struct detector_sink sink = {
        .context = o, .on_alert = on_alert, .on_fault = on_fault, .on_lossy = on_lossy};
    struct event event;
    event_of(h, &event);
    o->fired = 0;
    detector_run(d, &event, &sink);
    assert_true(detector_steps(d) <=
                o->pack->cost[EVENT_PROCESS_EXEC] + o->pack->windows_cost[EVENT_PROCESS_EXEC]);
}

static void one_stream(const struct pack *pack)
{
    OWN(detector_drop) struct detector *d = detector_of(pack, 1 << 20);
    struct outcome o = {.pack = pack};
    uint64_t now = roll(2) * SECOND;
    jitter = roll(2);
    memset(seen_count, 0, sizeof seen_count);
    for (unsigned i = 0; i < EVENTS; i++) {
        struct happened h = happen(&now);
        unsigned matched = 0;
        unsigned fired = 0;
        for (unsigned j = 0; j < RULES; j++) {
            matched |= (unsigned)(strchr(h.letters, *rule_ids[j]) != NULL) << j;
        }
        for (unsigned c = 0; c < CORRELATIONS; c++) {
            unsigned hit = look(c, &h, i, matched);
            matched |= hit << (RULES + c);
            fired |= hit << c;
        }
        run(d, &h, &o);
        assert_int_equal(detector_undecided(d), 0);
        for (unsigned c = 0; c < CORRELATIONS; c++) {
            if ((o.fired ^ fired) >> c & 1) {
                fail_msg("event %u: %s %s", i, correlation_type_name(asked[c].plain.type),
                         fired >> c & 1 ? "did not fire" : "fired");
            }
        }
    }
    assert_int_equal(o.lossy, 0);
}

static void agrees_with_going_through_all_events(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PACKS; i++) {
        OWN(arena_done) struct arena arena;
        struct pack pack;
        arena_init(&arena, 16 << 20);
        for (unsigned c = 0; c < CORRELATIONS; c++) {
            choose(&asked[c], c);
        }
        build(&arena, &pack);
        for (unsigned s = 0; s < STREAMS; s++) {
            one_stream(&pack);
        }
    }
}

/* ── when memory is short ── */

/* Whatever comes late into windows that are full: no crash, no more memory, within the cost. */
static void full_windows_stay_whole(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        OWN(arena_done) struct arena arena;
        struct pack pack;
        struct outcome o = {.pack = &pack};
        arena_init(&arena, 16 << 20);
        for (unsigned c = 0; c < CORRELATIONS; c++) {
            choose(&asked[c], c);
            asked[c].plain.span_s = 1 + roll(300);
        }
        build(&arena, &pack);
        OWN(detector_drop) struct detector *d = detector_of(&pack, windows_need(&pack));
        uint64_t now = 1000 * SECOND;
        for (unsigned k = 0; k < 2500; k++) {
            struct happened h = happen(&now);
            run(d, &h, &o);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_going_through_all_events),
        cmocka_unit_test(full_windows_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
