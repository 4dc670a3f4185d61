#include "base/heap.h"
#include "base/own.h"
#include "base/test.h"
#include "content/match/automaton.h"
#include "content/match/predicate.h"
#include "content/pack/encode.h"
#include "content/pack/sample.h"
#include "content/prove/automaton_text.h"
#include "content/prove/prove.h"
#include "content/prove/vector.h"

#include <stdio.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static const struct node ends = {.on_true = NODE_MATCH, .on_false = NODE_MISS};

static struct rule rule_of(const struct predicate *predicates, size_t count,
                           const struct node *nodes, size_t node_count)
{
    return (struct rule){.id = TEXT("1"),
                         .title = TEXT("Title"),
                         .types = 1ULL << EVENT_PROCESS_EXEC,
                         .predicates = predicates,
                         .predicate_count = count,
                         .nodes = nodes,
                         .node_count = node_count};
}

/* All predicates have to say what `holds` says, one after another. */
static struct rule all_of(const struct predicate *predicates, const bool *holds, size_t count)
{
    struct node *nodes = arena_alloc(&arena, count, sizeof *nodes);
    assert_non_null(nodes);
    for (size_t i = 0; i < count; i++) {
        uint16_t next = (uint16_t)(i + 1 == count ? NODE_MATCH : i + 1);
        nodes[i] = (struct node){.predicate = (uint16_t)i,
                                 .on_true = holds[i] ? next : NODE_MISS,
                                 .on_false = holds[i] ? NODE_MISS : next};
    }
    return rule_of(predicates, count, nodes, count);
}

static struct text build(const struct rule *rule, char why[160])
{
    struct builder *b;
    struct text bytes;
    assert_ok(builder_new(&arena, &b));
    if (!status_ok(builder_add(b, rule, why))) {
        return TEXT("");
    }
    assert_ok(builder_finish(b, &bytes));
    return bytes;
}

/* What is wrong with a pack: "" for nothing. */
static const char *judge(struct text bytes)
{
    static char words[256];
    struct pack pack;
    struct pack_fault fault = {0};
    struct status s = pack_open(bytes, &pack, &fault);
    s = status_ok(s) ? pack_prove(&pack, &fault) : s;
    return status_ok(s) ? "" : pack_fault_text(&fault, words, sizeof words);
}

static void is_proven(struct rule rule)
{
    char why[160] = "";
    struct text bytes = build(&rule, why);
    assert_string_equal(why, "");
    assert_string_equal(judge(bytes), "");
}

/* ── what can be shown ── */

static void every_kind_is_shown(void **state)
{
    (void)state;
    struct text bytes;
    assert_ok(sample_pack(&arena, &bytes));
    assert_string_equal(judge(bytes), "");
}

static struct predicate text_predicate(enum predicate_kind kind, enum field field, const char *text)
{
    return (struct predicate){
        .kind = kind, .field = field, .text = text_of(text), .other = FIELD_COUNT};
}

static struct predicate number_predicate(enum predicate_kind kind, int64_t number)
{
    return (struct predicate){
        .kind = kind, .field = FIELD_PID, .number = number, .other = FIELD_COUNT};
}

static void values_are_found(void **state)
{
    (void)state;

    const enum field C = FIELD_COMMAND_LINE;
    const enum field I = FIELD_PATH;

    const bool both[] = {true, true, true};
    const bool not_last[] = {true, true, false};
    const bool not_first[] = {false, true, true};
    const struct predicate between[] = {number_predicate(PREDICATE_GREATER, 5000000),
                                        number_predicate(PREDICATE_LESS, 5000002),
                                        number_predicate(PREDICATE_GREATER_EQUAL, -1)};
    is_proven(all_of(between, both, 3));
    const struct predicate pieces[] = {text_predicate(PREDICATE_PREFIX, C, "ab"),
                                       text_predicate(PREDICATE_SUFFIX, C, "ba"),
                                       text_predicate(PREDICATE_CONTAINS, C, "abba")};
    is_proven(all_of(pieces, both, 3));
    is_proven(all_of(pieces, not_last, 3));
    const struct predicate end[] = {text_predicate(PREDICATE_CONTAINS, C, " a "),
                                    text_predicate(PREDICATE_GLOB, C, "*x?\\-*y *"),
                                    text_predicate(PREDICATE_SUFFIX, C, " ")};
    is_proven(all_of(end, both, 3));
    is_proven(all_of(end, not_last, 3));
    const struct predicate networks[] = {
        text_predicate(PREDICATE_CIDR, FIELD_DESTINATION_ADDRESS, "10.1.2.0/24"),
        text_predicate(PREDICATE_EQUAL, I, "/bin/x"),
        text_predicate(PREDICATE_CIDR, FIELD_SOURCE_ADDRESS, "2001:db8::/32")};
    is_proven(all_of(networks, both, 3));
    is_proven(all_of(networks, not_first, 3));
}

static void fields_that_are_compared_are_shown(void **state)
{
    (void)state;
    const bool holds[] = {true, true};
    const bool not_first[] = {false, true};
    struct predicate p[] = {
        {.kind = PREDICATE_SAME, .field = FIELD_PATH, .other = FIELD_PARENT_PATH},
        text_predicate(PREDICATE_PREFIX, FIELD_PARENT_PATH, "/tmp/")};
    is_proven(all_of(p, holds, 2));
    is_proven(all_of(p, not_first, 2));
    is_proven(all_of(p, not_first, 1));
    p[0].kind = PREDICATE_SAME_CONTAINS;
    is_proven(all_of(p, holds, 2));
}

static void times_are_found(void **state)
{
    (void)state;
    const bool holds[] = {true, true, false};
    struct predicate p[3];

    const struct {
        enum time_part part;
        enum compare compare;
        int64_t number;
    } rows[] = {{TIME_WEEK, COMPARE_EQUAL, 53},
                {TIME_HOUR, COMPARE_GREATER, 17},
                {TIME_YEAR, COMPARE_GREATER_EQUAL, 2021}};

    for (size_t i = 0; i < 3; i++) {
        p[i] = (struct predicate){.kind = PREDICATE_TIME,
                                  .field = FIELD_UTC_TIME,
                                  .other = FIELD_COUNT,
                                  .part = rows[i].part,
                                  .compare = rows[i].compare,
                                  .number = rows[i].number};
    }
    is_proven(all_of(p, holds, 3)); /* 2020 has 53 weeks */
}

/* Which of a list has to be chosen is said only later on. */
static void a_way_through_a_list_is_found(void **state)
{
    (void)state;

    enum { LIST = 40 };

    struct predicate p[LIST + 1];
    struct node nodes[LIST + 2];
    char names[LIST][8];
    for (unsigned i = 0; i < LIST; i++) {
        snprintf(names[i], sizeof names[i], "/tool%02u", i);
        p[i] = text_predicate(PREDICATE_SUFFIX, FIELD_PATH, names[i]);
        nodes[i] = (struct node){.predicate = (uint16_t)i,
                                 .on_true = LIST,
                                 .on_false = (uint16_t)(i + 1 == LIST ? NODE_MISS : i + 1)};
    }
    p[LIST] = text_predicate(PREDICATE_CONTAINS, FIELD_COMMAND_LINE, " -p ");
    nodes[LIST] = (struct node){.predicate = 30, .on_true = LIST + 1, .on_false = NODE_MATCH};
    nodes[LIST + 1] =
        (struct node){.predicate = LIST, .on_true = NODE_MISS, .on_false = NODE_MATCH};
    is_proven(rule_of(p, LIST + 1, nodes, LIST + 2));
}

static void an_expression_is_spelled(void **state)
{
    (void)state;
    struct text found;
    assert_ok(automaton_text(&arena, sample_automaton(), TEXT(""), TEXT(""), &found));
    assert_text(found, "ab");
    assert_ok(automaton_text(&arena, sample_automaton(), TEXT("xa"), TEXT(""), &found));
    assert_text(found, "b");
    assert_ok(automaton_text(&arena, sample_automaton(), TEXT("x"), TEXT("ab"), &found));
    assert_text(found, "");
    assert_true(automaton_may_find(sample_automaton(), TEXT("xAB")));
    assert_false(automaton_may_find(sample_automaton(), TEXT("xa-b")));
    assert_false(automaton_takes_all(sample_automaton()));
}

static void a_contradiction_stays_and_never_matches(void **state)
{
    (void)state;
    const bool holds[] = {true, true};
    const struct predicate p[] = {text_predicate(PREDICATE_EQUAL, FIELD_PATH, "runwizard"),
                                  {.kind = PREDICATE_REGEX,
                                   .field = FIELD_PATH,
                                   .other = FIELD_COUNT,
                                   .text = sample_automaton()}};
    struct rule rule = all_of(p, holds, 2);
    char why[160] = "";
    struct text bytes = build(&rule, why);
    assert_non_null(strstr(why, "it can never match"));
    assert_string_equal(judge(bytes), "");
}

/* ── what is not shown is refused ── */

static void set_checksum(struct text bytes)
{
    struct writer w = writer_over((void *)(uintptr_t)(bytes.ptr + PACK_CHECKSUM_AT), 8);
    writer_u64(&w, pack_checksum(bytes));
}

static char *item(struct text bytes, enum pack_section section, size_t index, size_t size)
{
    struct pack pack;
    struct pack_fault fault;
    assert_ok(pack_open(bytes, &pack, &fault));
    return (char *)(uintptr_t)pack.sections[section].at + index * size;
}

/* What the July 2024 fault was, for each predicate and each field that it could be moved to. */
static void a_field_read_at_another_index_is_noticed(void **state)
{
    (void)state;
    struct text bytes;
    assert_ok(sample_pack(&arena, &bytes));
    char *predicates = item(bytes, PACK_PREDICATES, 0, 8);
    for (size_t i = 0; i < PREDICATE_KIND_COUNT + 3; i++) {
        /* Two of these ask the same field, in one rule: fields are shown, not predicates. */
        if (predicates[i * 8] == PREDICATE_LISTED) {
            continue;
        }
        for (unsigned at = 2; at < 4; at++) {
            char right = predicates[i * 8 + at];
            for (unsigned field = 0; field < 256; field++) {
                predicates[i * 8 + at] = (char)field;
                set_checksum(bytes);
                if ((char)field != right && judge(bytes)[0] == 0) {
                    fail_msg("predicate %zu may read field %u at byte %u", i, field, at);
                }
            }
            predicates[i * 8 + at] = right;
        }
    }
    set_checksum(bytes);
    assert_string_equal(judge(bytes), "");
}

static void a_wildcard_shows_nothing(void **state)
{
    (void)state;
    char why[160];
    const bool holds[] = {true, true};
    const struct predicate p[] = {text_predicate(PREDICATE_SUFFIX, FIELD_PATH, "/sh"),
                                  text_predicate(PREDICATE_EQUAL, FIELD_CWD, "/tmp")};
    struct rule rule = all_of(p, holds, 2);
    struct text bytes = build(&rule, why);
    char *probe = item(bytes, PACK_PROBES, 1, 8);
    assert_int_equal(probe[4], FIELD_CWD);
    /* The field is taken away: that shows no more than that there is one. */
    memset(probe, 0xff, 4);
    set_checksum(bytes);
    assert_string_equal(judge(bytes), "rules[0]: no test event shows that this field decides, "
                                      "whatever else is in it: cwd");
    /* Another field is changed in its place: one that the rule does not read, so nothing turns. */
    bytes = build(&rule, why);
    item(bytes, PACK_PROBES, 1, 8)[4] = FIELD_COMM;
    set_checksum(bytes);
    assert_string_equal(judge(bytes), "probes[1]: the rule matches an event that it has to miss");
}

static struct text event_of(const char *path, const char *cwd)
{
    static uint8_t room[2][512];
    static unsigned next;
    struct event_builder b;
    struct text record;
    event_begin(&b, room[next++ % 2], sizeof room[0]);
    event_put_text(&b, FIELD_PATH, text_of(path));
    event_put_text(&b, FIELD_CWD, text_of(cwd));
    assert_ok(event_end(&b, (struct event_header){.type = EVENT_PROCESS_EXEC}, &record));
    return record;
}

/* Packs as a builder would write them that makes mistakes. */
static const char *judge_with(const struct vector *vectors, size_t count)
{
    static const struct node nodes[] = {
        {.predicate = 0, .on_true = 1, .on_false = NODE_MISS},
        {.predicate = 1, .on_true = NODE_MATCH, .on_false = NODE_MISS}};
    const struct predicate p[] = {text_predicate(PREDICATE_SUFFIX, FIELD_PATH, "/sh"),
                                  text_predicate(PREDICATE_EQUAL, FIELD_CWD, "/tmp")};
    struct rule rule = rule_of(p, 2, nodes, 2);
    struct text bytes;
    rule.vectors = vectors;
    rule.vector_count = count;
    assert_ok(encode_pack(&arena, &(struct pack_source){.rules = &rule, .rule_count = 1}, &bytes));
    return judge(bytes);
}

static void what_is_left_out_is_noticed(void **state)
{
    (void)state;
    const struct probe probes[] = {{.field = FIELD_PATH, .value = TEXT("/bin/true")},
                                   {.field = FIELD_CWD, .value = TEXT("/")}};
    struct vector v = {
        .event = event_of("/bin/sh", "/tmp"), .matches = true, .probes = probes, .probe_count = 2};
    assert_string_equal(judge_with(&v, 1), "");
    v.probe_count = 1;
    assert_non_null(strstr(judge_with(&v, 1), "this field decides, whatever else is in it: cwd"));
    assert_string_equal(judge_with(NULL, 0), "rules[0]: there is no test event that it matches");
    v.event = event_of("/bin/sh", "/");
    assert_string_equal(judge_with(&v, 1), "vectors[0]: the rule does not match its test event");
    v = (struct vector){.event = event_of("/bin/sh", "/tmp")};
    assert_string_equal(judge_with(&v, 1),
                        "vectors[0]: the rule matches an event that it has to miss");
}

static void an_event_of_another_schema_is_refused(void **state)
{
    (void)state;
    struct vector v = {.event = event_of("/bin/sh", "/tmp"), .matches = true};
    char *record = (char *)(uintptr_t)v.event.ptr;
    record[v.event.len - 8] = (char)FIELD_COUNT; /* one field more than there are */
    assert_string_equal(judge_with(&v, 1), "vectors[0]: its event is no record of this schema");
    record[v.event.len - 8] = FIELD_CWD;
    record[4] = EVENT_COUNT;
    assert_string_equal(judge_with(&v, 1), "vectors[0]: its event is no record of this schema");
    record[4] = EVENT_PROCESS_FORK;
    assert_string_equal(judge_with(&v, 1),
                        "vectors[0]: its event is of a type that the rule is not asked for");
}

static void tables_have_one_form(void **state)
{
    (void)state;

    static const struct {
        enum pack_section section;
        size_t size, at;
        const char *what;
    } rows[] = {
        {PACK_VECTORS, 16, 0, "vectors[0]: its rule is not there"},
        {PACK_VECTORS, 16, 7, "vectors[0]: its event or probes are not there"},
        {PACK_VECTORS, 16, 11, "vectors[0]: its event or probes are not there"},
        {PACK_VECTORS, 16, 12, "vectors[0]: a byte that must be zero is not"},
        {PACK_PROBES, 8, 5, "probes[0]: it is not in order, or a byte that must be zero is not"},
        {PACK_PROBES, 8, 4, "probes[0]: the field is not in the schema"},
        {PACK_PROBES, 8, 1, "probes[0]: its value is not there, or longer than any"}};

    char why[160];
    const struct predicate p = text_predicate(PREDICATE_SUFFIX, FIELD_PATH, "/sh");
    struct rule rule = rule_of(&p, 1, &ends, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text bytes = build(&rule, why);
        *(item(bytes, rows[i].section, 0, rows[i].size) + rows[i].at) = (char)200;
        set_checksum(bytes);
        assert_string_equal(judge(bytes), rows[i].what);
    }
}

/* ── the author's own events ── */

static void the_authors_events_are_kept_and_tried(void **state)
{
    (void)state;
    char why[160];
    const bool holds[] = {true, true};
    const struct predicate p[] = {text_predicate(PREDICATE_SUFFIX, FIELD_PATH, "/sh"),
                                  text_predicate(PREDICATE_EQUAL, FIELD_CWD, "/tmp")};
    struct rule rule = all_of(p, holds, 2);
    struct vector given[] = {{.event = event_of("/bin/sh", "/tmp"), .matches = true},
                             {.event = event_of("/bin/sh", "/"), .matches = false}};
    struct pack pack;
    struct pack_fault fault;
    rule.vectors = given;
    rule.vector_count = 2;
    struct text bytes = build(&rule, why);
    assert_string_equal(judge(bytes), "");
    assert_ok(pack_open(bytes, &pack, &fault));
    assert_int_equal(pack_count(&pack, PACK_VECTORS), 2);
    assert_int_equal(pack_vector(&pack, 0).probe_count, 2);
    given[1].matches = true;
    build(&rule, why);
    assert_string_equal(why, "the rule does not say that about its test event 2");
}

/* Ends with "x", or with anything: whatever is in the field, the rule matches. */
static void what_cannot_be_shown_is_named(void **state)
{
    (void)state;
    static const struct node either[] = {
        {.predicate = 0, .on_true = NODE_MATCH, .on_false = 1},
        {.predicate = 1, .on_true = NODE_MATCH, .on_false = NODE_MISS}};
    const struct predicate p[] = {
        text_predicate(PREDICATE_SUFFIX, FIELD_PATH, "x"),
        {.kind = PREDICATE_PRESENT, .field = FIELD_PATH, .other = FIELD_COUNT}};
    struct rule rule = rule_of(p, 2, either, 2);
    struct builder *b;
    char why[160];
    struct text bytes = build(&rule, why);
    assert_non_null(strstr(why, "no event was found in which its path decides"));
    assert_non_null(strstr(judge(bytes), "this field decides, whatever else is in it: path"));
    assert_ok(builder_new(&arena, &b));
    builder_proof(b, BUILDER_PROOF_WANTED);
    assert_fault(builder_add(b, &rule, why), INVALID);
}

/* A filter for what the selection excludes already: whatever its other field holds, nothing
 * changes.
 */
static void a_field_that_never_decides_is_left_out(void **state)
{
    (void)state;
    static const struct node nodes[] = {
        {.predicate = 0, .on_true = 1, .on_false = NODE_MISS},
        {.predicate = 1, .on_true = 2, .on_false = NODE_MATCH},
        {.predicate = 2, .on_true = NODE_MISS, .on_false = NODE_MATCH}};
    struct predicate p[] = {text_predicate(PREDICATE_SUFFIX, FIELD_PATH, "/a.exe"),
                            text_predicate(PREDICATE_CONTAINS, FIELD_PARENT_PATH, "system32"),
                            text_predicate(PREDICATE_SUFFIX, FIELD_PATH, "/b.exe")};
    struct rule rule = rule_of(p, 3, nodes, 3);
    struct pack pack;
    struct pack_fault fault;
    char why[160];
    struct text bytes = build(&rule, why);
    assert_string_equal(why, "its parent_path never decides, whatever is in it, and is left out");
    assert_string_equal(judge(bytes), "");
    assert_ok(pack_open(bytes, &pack, &fault));
    assert_int_equal(pack_rule(&pack, 0).node_count, 1);
    /* It does where the filter is about what may be. */
    p[2].text = TEXT("a.exe");
    bytes = build(&rule, why);
    assert_string_equal(why, "");
    assert_string_equal(judge(bytes), "");
    /* And where keywords look into it. */
    p[2] = text_predicate(PREDICATE_SUFFIX, FIELD_PATH, "/b.exe");
    p[1].field = FIELD_COUNT;
    build(&rule, why);
    assert_null(strstr(why, "is left out"));
}

/* Each run may take a millisecond, and a pack has room for millions. */
static void all_runs_together_are_bounded(void **state)
{
    (void)state;
    const uint64_t plenty = 10000000;
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    uint64_t steps = 0;
    assert_ok(sample_pack(&arena, &bytes));
    assert_ok(pack_open(bytes, &pack, &fault));
    assert_ok(pack_prove_within(&pack, plenty, &fault));
    for (uint64_t step = plenty / 2; step > 0; step /= 2) {
        struct status s = pack_prove_within(&pack, steps + step, &fault);
        if (!status_ok(s)) {
            assert_int_equal(s.fault, FAULT_INVALID);
            assert_string_equal(fault.what, "to run all test events up to it takes too long");
            steps += step;
        }
    }
    /* Every run counts at least what it takes to copy the event. */
    size_t runs = pack_count(&pack, PACK_VECTORS) + pack_count(&pack, PACK_PROBES);
    assert_true(steps > runs * 200);
}

static void no_memory_is_a_status(void **state)
{
    (void)state;
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    assert_ok(sample_pack(&arena, &bytes));
    assert_ok(pack_open(bytes, &pack, &fault));
    heap_fail_at(1);
    assert_fault(pack_prove(&pack, &fault), MEMORY);
    for (unsigned long nth = 1; nth < 400; nth++) {
        struct arena own;
        arena_init(&own, 64 << 20);
        heap_fail_at(nth);
        struct status s = sample_pack(&own, &bytes);
        heap_fail_at(0);
        assert_true(status_ok(s) || s.fault == FAULT_MEMORY || s.fault == FAULT_INVALID);
        arena_done(&own);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_shown),
        cmocka_unit_test(values_are_found),
        cmocka_unit_test(fields_that_are_compared_are_shown),
        cmocka_unit_test(times_are_found),
        cmocka_unit_test(a_way_through_a_list_is_found),
        cmocka_unit_test(an_expression_is_spelled),
        cmocka_unit_test(a_contradiction_stays_and_never_matches),
        cmocka_unit_test(a_field_read_at_another_index_is_noticed),
        cmocka_unit_test(a_wildcard_shows_nothing),
        cmocka_unit_test(what_is_left_out_is_noticed),
        cmocka_unit_test(an_event_of_another_schema_is_refused),
        cmocka_unit_test(tables_have_one_form),
        cmocka_unit_test(the_authors_events_are_kept_and_tried),
        cmocka_unit_test(what_cannot_be_shown_is_named),
        cmocka_unit_test(a_field_that_never_decides_is_left_out),
        cmocka_unit_test(all_runs_together_are_bounded),
        cmocka_unit_test(no_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
