/*
 * Correlations when memory is short: what is dropped, what is lost, and what is told; and who is
 * silent.
 */
#include "base/heap.h"
#include "base/own.h"
#include "base/test.h"
#include "content/correlate/detect.h"
#include "content/pack/builder.h"

enum { RULES = 2, CORRELATIONS = 3, REFS = 2 };

#define SECOND 1000000000ULL

static const char *const rule_ids[RULES] = {"a", "b"};
static const char *const correlation_ids[CORRELATIONS] = {"m", "e", "x"};

struct asked {
    struct correlation plain;
    struct correlation_reference references[REFS];
    enum field lists[REFS][2];
    struct correlation_condition conditions[2];
};

static struct asked asked[CORRELATIONS];

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

/* ── when memory is short ── */

/* All three correlations ask the same, by user; "a" matches. */
static void ask_all(enum correlation_type type, uint32_t span_s, int64_t least)
{
    for (unsigned c = 0; c < CORRELATIONS; c++) {
        struct asked *a = &asked[c];
        *a = (struct asked){.plain = {.type = type,
                                      .span_s = span_s,
                                      .group_fields = 1,
                                      .reference_count = 1,
                                      .condition_count = 1,
                                      .generate = true}};
        a->plain.value_fields = correlation_has_values(type);
        a->lists[0][0] = FIELD_USER;
        a->lists[0][1] = correlation_has_numbers(type) ? FIELD_PID : FIELD_CWD;
        a->references[0] =
            (struct correlation_reference){.id = text_of(rule_ids[0]), .fields = a->lists[0]};
        a->conditions[0] =
            (struct correlation_condition){.operator= CORRELATION_GTE, .whole = least};
        a->plain.references = a->references;
        a->plain.conditions = a->conditions;
    }
}

/* An event of "a" by a user with this number. */
static void run_user(struct detector *d, uint64_t time_ns, unsigned user, unsigned value,
                     struct outcome *o)
{
    static char room[EVENT_MAX];
    struct detector_sink sink = {
        .context = o, .on_alert = on_alert, .on_fault = on_fault, .on_lossy = on_lossy};
    struct event_builder b;
    struct text record;
    struct event event;
    event_begin(&b, room, sizeof room);
    event_put_text(&b, FIELD_COMMAND_LINE, TEXT("a"));
    event_put_number(&b, FIELD_USER, user);
    event_put_number(&b, FIELD_CWD, value);
    event_put_number(&b, FIELD_PID, value);
    struct event_header header = {.type = EVENT_PROCESS_EXEC, .time_ns = time_ns};
    assert_ok(event_end(&b, header, &record));
    assert_ok(event_open(record, &event));
    o->fired = 0;
    detector_run(d, &event, &sink);
    assert_true(detector_steps(d) <=
                o->pack->cost[EVENT_PROCESS_EXEC] + o->pack->windows_cost[EVENT_PROCESS_EXEC]);
}

/* A noisy group holds no more than its condition needs: the quiet one is not forgotten. */
static void a_noisy_group_does_not_push_out_another(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct pack pack;
    struct outcome o = {.pack = &pack};
    arena_init(&arena, 16 << 20);
    ask_all(CORRELATION_EVENT_COUNT, 1000, 5);
    build(&arena, &pack);
    OWN(detector_drop) struct detector *d = detector_of(&pack, windows_need(&pack));
    for (unsigned i = 0; i < 5; i++) {
        run_user(d, (1 + i) * 100 * SECOND, 1, 0, &o);
        assert_int_equal(o.fired, i == 4 ? 7 : 0);
        for (unsigned k = 0; k < 2000; k++) {
            run_user(d, (1 + i) * 100 * SECOND + k, 2, 0, &o);
            assert_int_equal(o.fired, i > 0 || k >= 4 ? 7 : 0);
        }
    }
    assert_int_equal(o.lossy, 0);
}

/* Of each rule its last time is enough. */
static void a_noisy_sequence_does_not_push_out_another(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct pack pack;
    struct outcome o = {.pack = &pack};
    arena_init(&arena, 16 << 20);
    ask_all(CORRELATION_TEMPORAL_ORDERED, 1000, 1);
    for (unsigned c = 0; c < CORRELATIONS; c++) {
        asked[c].plain.condition_count = 0;
        asked[c].plain.reference_count = 2;
        asked[c].references[1] = asked[c].references[0];
    }
    build(&arena, &pack);
    OWN(detector_drop) struct detector *d = detector_of(&pack, windows_need(&pack));
    run_user(d, SECOND, 1, 0, &o);
    for (unsigned k = 0; k < 2000; k++) {
        run_user(d, 2 * SECOND + k, 2, 0, &o);
    }
    run_user(d, 1001 * SECOND, 1, 0, &o);
    assert_int_equal(o.fired, 7);
    assert_int_equal(o.lossy, 0);
}

/* Of one value the last event is enough. */
static void repeated_values_push_nothing_out(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct pack pack;
    struct outcome o = {.pack = &pack};
    arena_init(&arena, 16 << 20);
    ask_all(CORRELATION_VALUE_COUNT, 1000, 3);
    build(&arena, &pack);
    OWN(detector_drop) struct detector *d = detector_of(&pack, windows_need(&pack));
    for (unsigned k = 0; k < 5000; k++) {
        run_user(d, k, 2, k % 2, &o);
        assert_int_equal(o.fired, 0);
    }
    run_user(d, 6000, 2, 2, &o);
    assert_int_equal(o.fired, 7);
    assert_int_equal(o.lossy, 0);
}

/* The newest events count exactly, the older ones are missed: that is told, at 1, 10, 100 …. */
static void a_flood_of_groups_is_told(void **state)
{
    (void)state;
    for (unsigned type = 0; type < CORRELATION_TYPE_COUNT; type++) {
        OWN(arena_done) struct arena arena;
        struct pack pack;
        struct outcome o = {.pack = &pack};
        arena_init(&arena, 16 << 20);
        ask_all((enum correlation_type)type, 1000, 1);
        for (unsigned c = 0; c < CORRELATIONS; c++) {
            asked[c].plain.condition_count = type != CORRELATION_TEMPORAL_ORDERED;
        }
        build(&arena, &pack);
        OWN(detector_drop) struct detector *d = detector_of(&pack, windows_need(&pack));
        for (unsigned k = 0; k < 20000; k++) {
            run_user(d, SECOND + k, k, k, &o);
        }
        assert_int_equal(o.lossy, 15); /* three correlations */
        assert_int_equal(o.lost, 10000);
        assert_true(correlator_lost(detector_correlator(d), 0) >= 20000 - 100);
        assert_true(correlator_bytes(detector_correlator(d)) <= windows_need(&pack));
    }
}

/* What no span holds any more goes first, and is no loss. */
static void what_is_over_is_no_loss(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct pack pack;
    struct outcome o = {.pack = &pack};
    arena_init(&arena, 16 << 20);
    ask_all(CORRELATION_VALUE_SUM, 10, 100);
    build(&arena, &pack);
    OWN(detector_drop) struct detector *d = detector_of(&pack, windows_need(&pack));
    for (unsigned k = 0; k < 5000; k++) {
        run_user(d, k * SECOND, k % 7, 50, &o);
        assert_int_equal(o.fired, k >= 7 ? 7 : 0);
    }
    /* A clock that was wrong once makes nothing old. */
    run_user(d, 4000000 * SECOND, 9, 50, &o);
    run_user(d, 5000 * SECOND, 5000 % 7, 50, &o);
    assert_int_equal(o.fired, 7);
    assert_int_equal(o.lossy, 0);
}

/* Also before the oldest of a group that has more than others. */
static void what_is_over_goes_first(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct pack pack;
    struct outcome o = {.pack = &pack};
    arena_init(&arena, 16 << 20);
    ask_all(CORRELATION_VALUE_SUM, 10, 100);
    build(&arena, &pack);
    OWN(detector_drop) struct detector *d = detector_of(&pack, windows_need(&pack));
    for (unsigned k = 0; k < 40; k++) {
        run_user(d, k, k, 1, &o);
    }
    for (unsigned k = 0; k < 60; k++) {
        run_user(d, 100 * SECOND + k, 99, 1, &o);
    }
    assert_int_equal(o.lossy, 0);
}

/* ── when events are late ── */

/* All types, a user's events a second from each other, all of them within the timespan. */
static void build_type(struct arena *arena, unsigned type, struct pack *out)
{
    arena_init(arena, 16 << 20);
    ask_all((enum correlation_type)type, 100000, 1);
    for (unsigned c = 0; c < CORRELATIONS; c++) {
        bool ordered = type == CORRELATION_TEMPORAL_ORDERED;
        asked[c].plain.condition_count = !ordered;
        asked[c].plain.reference_count = ordered ? 2 : 1;
        asked[c].references[1] = asked[c].references[0];
    }
    build(arena, out);
}

static uint64_t steps_of(struct detector *d, uint64_t time_ns, struct outcome *o)
{
    run_user(d, time_ns, 1, (unsigned)(time_ns % 97), o);
    return correlator_steps(detector_correlator(d));
}

/* It costs what is later, however full the window is; so does the next one in order. */
static void an_event_that_is_little_late_costs_little(void **state)
{
    (void)state;

    enum { MANY = 8000, IN_ORDER = 3 * 3000 }; /* steps of three correlations */

    for (unsigned type = 0; type < CORRELATION_TYPE_COUNT; type++) {
        OWN(arena_done) struct arena arena;
        struct pack pack;
        struct outcome o = {.pack = &pack};
        build_type(&arena, type, &pack);
        OWN(detector_drop) struct detector *d = detector_of(&pack, PACK_WINDOW_MEMORY);
        for (unsigned k = 1; k <= MANY; k++) {
            assert_true(steps_of(d, k * SECOND, &o) <= IN_ORDER);
        }
        for (unsigned k = 1; k < 20; k++) {
            assert_true(steps_of(d, (MANY + k) * SECOND - 1000, &o) <= IN_ORDER);
            assert_true(steps_of(d, (MANY + k) * SECOND - 1001, &o) <= IN_ORDER);
            assert_int_equal(detector_undecided(d), 0);
        }
        assert_true(steps_of(d, (MANY - 80) * SECOND, &o) <= IN_ORDER + 100 * 3 * 300);
        assert_true(steps_of(d, (MANY + 20) * SECOND, &o) <= IN_ORDER + 100 * 3 * 1200);
        assert_int_equal(detector_undecided(d), 0);
        assert_int_equal(o.fired, 7);
    }
}

/* Stamps of a clock that was a year ahead do not make all others cost more. */
static void a_wrong_clock_makes_nothing_late(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct pack pack;
    struct outcome o = {.pack = &pack};
    build_type(&arena, CORRELATION_VALUE_SUM, &pack);
    OWN(detector_drop) struct detector *d = detector_of(&pack, PACK_WINDOW_MEMORY);
    for (unsigned k = 1; k <= 2000; k++) {
        steps_of(d, k * SECOND, &o);
    }
    for (unsigned k = 0; k < 400; k++) {
        steps_of(d, (30000000 + k) * SECOND, &o);
    }
    steps_of(d, 2001 * SECOND, &o);
    for (unsigned k = 2002; k <= 2100; k++) {
        assert_true(steps_of(d, k * SECOND, &o) <= 3 * 2000);
    }
}

/* It is told and left out; what comes in order is decided as before. */
static void an_event_that_is_too_late_is_told(void **state)
{
    (void)state;
    for (unsigned type = 0; type < CORRELATION_TYPE_COUNT; type++) {
        OWN(arena_done) struct arena arena;
        struct pack pack;
        struct pack_fault fault;
        struct outcome o = {.pack = &pack};
        struct pack_limits limits = PACK_LIMITS;
        build_type(&arena, type, &pack);
        limits.correlations = 50000;
        assert_ok(pack_open_within(pack.bytes, limits, &pack, &fault));
        assert_int_equal(pack.windows_cost[EVENT_PROCESS_EXEC], 50000);
        OWN(detector_drop) struct detector *d = detector_of(&pack, PACK_WINDOW_MEMORY);
        for (unsigned k = 1; k <= 2000; k++) {
            steps_of(d, k * SECOND, &o);
            assert_int_equal(detector_undecided(d), 0);
        }
        assert_true(steps_of(d, SECOND, &o) <= 50000);
        assert_int_equal(detector_undecided(d), 3);
        steps_of(d, 2001 * SECOND, &o);
        assert_int_equal(detector_undecided(d), 0);
        assert_int_equal(o.fired, 7);
    }
}

/* Nor does it take memory. */
static void what_is_left_out_takes_no_room(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct pack pack;
    struct pack_fault fault;
    struct outcome o = {.pack = &pack};
    struct pack_limits limits = PACK_LIMITS;
    build_type(&arena, CORRELATION_VALUE_SUM, &pack);
    limits.correlations = 3000;
    assert_ok(pack_open_within(pack.bytes, limits, &pack, &fault));
    OWN(detector_drop) struct detector *d = detector_of(&pack, windows_need(&pack));
    for (unsigned k = 1; k <= 50; k++) {
        steps_of(d, k * SECOND, &o);
    }
    for (unsigned k = 0; k < 500; k++) {
        steps_of(d, 1, &o);
        assert_int_equal(detector_undecided(d), 3);
    }
    assert_int_equal(o.lossy, 0);
}

/* How far ahead the span has to be made anew is more than one event may take: it is gone on with.
 */
static void a_span_that_is_far_is_reached_in_time(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct pack pack;
    struct pack_fault fault;
    struct outcome o = {.pack = &pack};
    struct pack_limits limits = PACK_LIMITS;
    build_type(&arena, CORRELATION_EVENT_COUNT, &pack);
    limits.correlations = 50000;
    assert_ok(pack_open_within(pack.bytes, limits, &pack, &fault));
    OWN(detector_drop) struct detector *d = detector_of(&pack, PACK_WINDOW_MEMORY);
    unsigned undecided = 0;
    for (unsigned k = 1; k <= 2000; k++) {
        steps_of(d, k * SECOND, &o);
    }
    steps_of(d, 30000000 * SECOND, &o);
    for (unsigned k = 2001; k <= 2100; k++) {
        steps_of(d, k * SECOND, &o);
        undecided += detector_undecided(d) > 0;
        assert_true((detector_undecided(d) == 0) == (o.fired == 7));
    }
    assert_in_range(undecided, 10, 20); /* each takes some 160 of them, for three correlations */
    assert_int_equal(detector_undecided(d), 0);
}

/* ── memory ── */

static void too_little_memory_is_refused(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct correlate_settings settings = {0};
    struct detector *d;
    struct pack pack;
    arena_init(&arena, 16 << 20);
    ask_all(CORRELATION_TEMPORAL, 10, 1);
    build(&arena, &pack);
    settings.memory = windows_need(&pack) - 1;
    assert_fault(detector_new(&pack, settings, &d), LIMIT);
    /* Every allocation may fail. */
    settings.memory = PACK_WINDOW_MEMORY;
    unsigned long failed = 0;
    for (bool whole = false; !whole; failed++) {
        heap_fail_at(failed + 1);
        whole = status_ok(detector_new(&pack, settings, &d));
        heap_fail_at(0);
    }
    assert_true(failed > 20);
    unsigned long before = heap_count();
    struct outcome o = {.pack = &pack};
    run_user(d, 1, 1, 1, &o);
    assert_int_equal(heap_count(), before);
    detector_free(d);
}

/* ── silence, and order ── */

struct said {
    char ids[32];
    size_t count;
    const struct pack *pack;
};

static void on_said(void *context, size_t rule, const struct correlation_hit *hit)
{
    struct said *said = context;
    (void)hit;
    said->ids[said->count++] = *pack_rule(said->pack, rule).id.ptr;
}

static void say(struct detector *d, const struct pack *pack, const char *letters, struct said *out)
{
    static char room[EVENT_MAX];
    struct detector_sink sink = {
        .context = out, .on_alert = on_said, .on_fault = on_fault, .on_lossy = on_lossy};
    struct event_builder b;
    struct text record;
    struct event event;
    *out = (struct said){.pack = pack};
    event_begin(&b, room, sizeof room);
    event_put_text(&b, FIELD_COMMAND_LINE, text_of(letters));
    event_put_text(&b, FIELD_USER, TEXT("p"));
    struct event_header header = {.type = EVENT_PROCESS_EXEC, .time_ns = SECOND};
    assert_ok(event_end(&b, header, &record));
    assert_ok(event_open(record, &event));
    detector_run(d, &event, &sink);
}

/* "m" and "e" refer to "a"; "x", which generates, to "b". */
static void what_is_referred_to_is_silent(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct pack pack;
    struct said said;
    arena_init(&arena, 16 << 20);
    ask_all(CORRELATION_EVENT_COUNT, 10, 1);
    asked[0].plain.generate = false;
    asked[1].plain.generate = false;
    asked[2].references[0].id = TEXT("b");
    build(&arena, &pack);
    OWN(detector_drop) struct detector *d = detector_of(&pack, 1 << 20);
    say(d, &pack, "ab", &said);
    assert_string_equal(said.ids, "bemx");
    say(d, &pack, "a", &said);
    assert_string_equal(said.ids, "em");
}

/* One that generates is enough. */
static void one_that_generates_is_enough(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct pack pack;
    struct said said;
    arena_init(&arena, 16 << 20);
    ask_all(CORRELATION_EVENT_COUNT, 10, 1);
    asked[1].plain.generate = false;
    asked[2].plain.generate = false;
    build(&arena, &pack);
    OWN(detector_drop) struct detector *d = detector_of(&pack, 1 << 20);
    say(d, &pack, "a", &said);
    assert_string_equal(said.ids, "aemx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_noisy_group_does_not_push_out_another),
        cmocka_unit_test(a_noisy_sequence_does_not_push_out_another),
        cmocka_unit_test(repeated_values_push_nothing_out),
        cmocka_unit_test(a_flood_of_groups_is_told),
        cmocka_unit_test(what_is_over_is_no_loss),
        cmocka_unit_test(what_is_over_goes_first),
        cmocka_unit_test(an_event_that_is_little_late_costs_little),
        cmocka_unit_test(a_wrong_clock_makes_nothing_late),
        cmocka_unit_test(an_event_that_is_too_late_is_told),
        cmocka_unit_test(what_is_left_out_takes_no_room),
        cmocka_unit_test(a_span_that_is_far_is_reached_in_time),
        cmocka_unit_test(too_little_memory_is_refused),
        cmocka_unit_test(what_is_referred_to_is_silent),
        cmocka_unit_test(one_that_generates_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
