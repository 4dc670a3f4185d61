/*
 * Faults in the sections of correlations: each is found, and whatever passes all the same runs
 * within its cost.
 */
#include "base/own.h"
#include "base/test.h"
#include "content/correlate/detect.h"
#include "content/pack/sample.h"

#include <string.h>

static struct arena arena;
static struct text sample;
static struct pack opened; /* of `sample` */
static char *damaged;      /* a copy to write to */

static int setup(void **state)
{
    (void)state;
    struct pack_fault fault;
    arena_init(&arena, 64 << 20);
    assert_ok(sample_correlations(&arena, &sample));
    assert_ok(pack_open(sample, &opened, &fault));
    damaged = arena_alloc(&arena, sample.len, 1);
    assert_non_null(damaged);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static void restore(void)
{
    struct writer w = writer_over(damaged, sample.len);
    writer_bytes(&w, sample);
}

static struct status open_damaged(struct pack *out, struct pack_fault *fault)
{
    struct writer sum = writer_over(damaged + PACK_CHECKSUM_AT, 8);
    writer_u64(&sum, pack_checksum((struct text){damaged, sample.len}));
    return pack_open((struct text){damaged, sample.len}, out, fault);
}

static size_t offset_of(enum pack_section section, size_t at)
{
    return (size_t)(opened.sections[section].at - sample.ptr) + at;
}

/* One byte of a section becomes another. */
static void is_refused(enum pack_section section, size_t at, int byte, const char *words)
{
    struct pack pack;
    struct pack_fault fault = {.what = ""};
    restore();
    damaged[offset_of(section, at)] = (char)byte;
    struct status s = open_damaged(&pack, &fault);
    if (status_ok(s) || !strstr(fault.what, words)) {
        fail_msg("byte %zu of section %u: \"%s\", not \"%s\"", at, (unsigned)section, fault.what,
                 words);
    }
}

static void faults_are_found(void **state)
{
    (void)state;

    enum { ITEM = 24 };

    uint32_t count = (uint32_t)pack_count(&opened, PACK_CORRELATIONS);
    size_t last = (count - 1) * ITEM;
    is_refused(PACK_CORRELATIONS, 0, 1, "its rule is not there");
    is_refused(PACK_CORRELATIONS, ITEM, (int)pack_correlation(&opened, 0).rule, "that of two");
    is_refused(PACK_CORRELATIONS, 7, 2, "over a year");
    is_refused(PACK_CORRELATIONS, 8, 1, "not where they should be");
    is_refused(PACK_CORRELATIONS, 12, 1, "not where they should be");
    is_refused(PACK_CORRELATIONS, 16, CORRELATION_TYPE_COUNT, "no such type");
    is_refused(PACK_CORRELATIONS, 16, CORRELATION_VALUE_COUNT, "counts fields");
    is_refused(PACK_CORRELATIONS, 16, CORRELATION_TEMPORAL_ORDERED, "needs a condition");
    is_refused(PACK_CORRELATIONS, 17, CORRELATION_FIELDS_MAX + 1, "too many");
    is_refused(PACK_CORRELATIONS, 18, 1, "counts fields");
    is_refused(PACK_CORRELATIONS, 19, 0, "needs a condition");
    is_refused(PACK_CORRELATIONS, 20, 0, "no rule");
    is_refused(PACK_CORRELATIONS, 20, CORRELATION_REFERENCES_MAX + 1, "too many");
    is_refused(PACK_CORRELATIONS, 23, 1, "must be zero");
    is_refused(PACK_CORRELATIONS, last, (int)pack_correlation(&opened, 0).rule, "that of two");
    is_refused(PACK_CORRELATION_FIELDS, 0, FIELD_COUNT, "not in the schema");
    is_refused(PACK_CORRELATION_FIELDS, 1, FIELD_PATH, "same fields twice");
    is_refused(PACK_CORRELATION_CONDITIONS, 0, CORRELATION_OPERATOR_COUNT, "operator");
    is_refused(PACK_CORRELATION_CONDITIONS, 16, CORRELATION_EQ, "operator");
    is_refused(PACK_CORRELATION_CONDITIONS, 1, 1, "must be zero");
    is_refused(PACK_CORRELATION_CONDITIONS, 7, 1, "wrong number");
    is_refused(PACK_CORRELATION_CONDITIONS, 16 + 15, 0x10, "more memory");
    is_refused(PACK_CORRELATION_REFERENCES, 3, 1, "not there");
    is_refused(PACK_CORRELATION_REFERENCES, 4, 1, "fields are not where");
    is_refused(PACK_CORRELATION_REFERENCES, 8, (int)pack_reference(&opened, 0).rule, "twice");
}

/* A circle needs two: the first would refer to one that comes after it. */
static void circles_are_found(void **state)
{
    (void)state;
    is_refused(PACK_CORRELATION_REFERENCES, 0, (int)pack_correlation(&opened, 0).rule,
               "not before it");
    is_refused(PACK_CORRELATION_REFERENCES, 0, (int)pack_correlation(&opened, 1).rule,
               "not before it");
}

static void there_is_one_order(void **state)
{
    (void)state;
    struct pack pack;
    struct pack_fault fault;
    restore();
    damaged[offset_of(PACK_CORRELATIONS, 0)] = (char)pack_correlation(&opened, 1).rule;
    damaged[offset_of(PACK_CORRELATIONS, 24)] = (char)pack_correlation(&opened, 0).rule;
    assert_fault(open_damaged(&pack, &fault), INVALID);
    assert_string_equal(fault.what, "the correlations are not in order");
}

static void a_rule_without_events_has_to_be_a_correlation(void **state)
{
    (void)state;
    struct pack pack;
    struct pack_fault fault;
    restore();
    size_t rule = pack_correlation(&opened, 0).rule;
    damaged[offset_of(PACK_RULES, rule * 64)] = 1; /* the correlation asks for events */
    assert_fault(open_damaged(&pack, &fault), INVALID);
}

static void limits_are_settings(void **state)
{
    (void)state;
    struct pack pack;
    struct pack_fault fault;
    struct pack_limits limits = PACK_LIMITS;
    limits.windows = windows_need(&opened);
    assert_ok(pack_open_within(sample, limits, &pack, &fault));
    limits.windows--;
    assert_fault(pack_open_within(sample, limits, &pack, &fault), LIMIT);
    assert_string_equal(fault.section, "correlations");
}

/* ── whatever passes ── */

static void on_alert(void *context, size_t rule, const struct correlation_hit *hit)
{
    (void)context;
    (void)rule;
    (void)hit;
}

static void on_fault(void *context, size_t rule, const char *what)
{
    (void)context;
    fail_msg("rule %zu: %s", rule, what);
}

static void on_lossy(void *context, size_t rule, uint64_t events)
{
    (void)context;
    (void)rule;
    (void)events;
}

static void runs_within_its_cost(const struct pack *pack)
{
    static uint8_t room[EVENT_MAX];
    const struct detector_sink sink = {
        .on_alert = on_alert, .on_fault = on_fault, .on_lossy = on_lossy};
    const struct correlate_settings settings = {.memory = (size_t)windows_need(pack)};
    OWN(detector_drop) struct detector *d = NULL;
    assert_ok(detector_new(pack, settings, &d));
    for (unsigned i = 0; i < 3 * SAMPLE_EVENTS; i++) {
        struct event event;
        assert_ok(sample_event(i % SAMPLE_EVENTS, room, sizeof room, &event));
        event.header.time_ns = (i % 5) * 40ULL * CORRELATION_NS;
        detector_run(d, &event, &sink);
        assert_true(detector_steps(d) <=
                    pack->cost[event.header.type] + pack->windows_cost[event.header.type]);
    }
}

static void every_flip_is_refused_or_harmless(void **state)
{
    (void)state;

    static const enum pack_section sections[] = {PACK_CORRELATION_FIELDS,
                                                 PACK_CORRELATION_CONDITIONS,
                                                 PACK_CORRELATION_REFERENCES, PACK_CORRELATIONS};

    size_t begin = offset_of(sections[0], 0);
    unsigned passed = 0;
    for (size_t at = begin; at < sample.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct pack pack;
            struct pack_fault fault;
            restore();
            damaged[at] ^= (char)(1U << bit);
            if (status_ok(open_damaged(&pack, &fault))) {
                runs_within_its_cost(&pack);
                passed++;
            }
        }
    }
    assert_true(passed > 50); /* other fields, spans and numbers mean something else */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_found),
        cmocka_unit_test(circles_are_found),
        cmocka_unit_test(there_is_one_order),
        cmocka_unit_test(a_rule_without_events_has_to_be_a_correlation),
        cmocka_unit_test(limits_are_settings),
        cmocka_unit_test(every_flip_is_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
