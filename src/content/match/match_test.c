#include "base/own.h"
#include "base/test.h"
#include "content/match/match.h"
#include "content/pack/builder.h"
#include "content/pack/sample.h"

static uint8_t room[EVENT_MAX];
static struct arena arena;

struct seen {
    unsigned matches;
    unsigned faults;
    size_t last;
};

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 16 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static void on_match(void *context, size_t rule)
{
    struct seen *seen = context;
    seen->matches++;
    seen->last = rule;
}

static void on_fault(void *context, size_t rule, const char *what)
{
    struct seen *seen = context;
    assert_non_null(strstr(what, "bounds"));
    seen->faults++;
    seen->last = rule;
}

static struct rule rule_of(const char *id)
{
    return (struct rule){.id = text_of(id),
                         .title = TEXT("Title"),
                         .types = 1ULL << EVENT_PROCESS_EXEC | 1ULL << EVENT_RECORDED};
}

static struct pack pack_of(const struct rule *rules, size_t count)
{
    struct builder *b;
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    char why[160];
    assert_ok(builder_new(&arena, &b));
    for (size_t i = 0; i < count; i++) {
        struct status s = builder_add(b, &rules[i], why);
        if (!status_ok(s)) {
            fail_msg("%s", why);
        }
    }
    assert_ok(builder_finish(b, &bytes));
    assert_ok(pack_open(bytes, &pack, &fault));
    return pack;
}

static struct seen run(const struct pack *pack, const struct event *event)
{
    OWN(matcher_drop) struct matcher *m = NULL;
    struct seen seen = {0};
    struct matcher_sink sink = {.context = &seen, .on_match = on_match, .on_fault = on_fault};
    assert_ok(matcher_new(pack, &m));
    matcher_run(m, event, &sink);
    assert_true(matcher_steps(m) <= pack->cost[event->header.type]);
    return seen;
}

/* One predicate, asked of an event of one field. */
static bool holds(struct predicate p, const struct event *event)
{
    struct node node = {.on_true = NODE_MATCH, .on_false = NODE_MISS};
    struct rule rule = rule_of("1");
    rule.predicates = &p;
    rule.predicate_count = 1;
    rule.nodes = &node;
    rule.node_count = 1;
    struct pack pack = pack_of(&rule, 1);
    return run(&pack, event).matches;
}

static struct event event_of(void (*put)(struct event_builder *b))
{
    struct event_builder b;
    struct text record;
    struct event event;
    event_begin(&b, room, sizeof room);
    put(&b);
    assert_ok(event_end(&b, (struct event_header){.type = EVENT_PROCESS_EXEC}, &record));
    assert_ok(event_open(record, &event));
    return event;
}

static void put_texts(struct event_builder *b)
{
    event_put_text(b, FIELD_COMMAND_LINE, TEXT("Nc -e /bin/SH"));
    event_put_text(b, FIELD_PATH, TEXT("/bin/sh"));
    event_put_text(b, FIELD_USER, TEXT(""));
    event_put_null(b, FIELD_CWD);
    event_put_number(b, FIELD_PID, -42);
    event_put_bool(b, FIELD_EXE_MEMFD, true);
    event_put_text(b, FIELD_SOURCE_ADDRESS, TEXT("10.1.2.3"));
    event_put_text(b, FIELD_FILE_VERSION, TEXT("7.25"));
    event_put_text(b, FIELD_UTC_TIME, TEXT("2024-05-06 07:08:09.123"));
    event_put_text(b, FIELD_LOG_SERVICE, TEXT("somewhere"));
}

static bool text_holds(enum predicate_kind kind, enum field field, const char *text, bool cased)
{
    struct event event = event_of(put_texts);
    struct predicate p = {.kind = kind, .field = field, .text = text_of(text), .cased = cased};
    return holds(p, &event);
}

static void texts_compare_with_and_without_case(void **state)
{
    (void)state;
    assert_true(text_holds(PREDICATE_EQUAL, FIELD_COMMAND_LINE, "nc -E /bin/sh", false));
    assert_false(text_holds(PREDICATE_EQUAL, FIELD_COMMAND_LINE, "nc -e /bin/sh", true));
    assert_true(text_holds(PREDICATE_EQUAL, FIELD_COMMAND_LINE, "Nc -e /bin/SH", true));
    assert_true(text_holds(PREDICATE_PREFIX, FIELD_COMMAND_LINE, "NC ", false));
    assert_false(text_holds(PREDICATE_PREFIX, FIELD_COMMAND_LINE, "c -e", false));
    assert_true(text_holds(PREDICATE_SUFFIX, FIELD_COMMAND_LINE, "/Sh", false));
    assert_false(text_holds(PREDICATE_SUFFIX, FIELD_COMMAND_LINE, "/Sh", true));
    assert_true(text_holds(PREDICATE_CONTAINS, FIELD_COMMAND_LINE, " -E ", false));
    assert_false(text_holds(PREDICATE_CONTAINS, FIELD_COMMAND_LINE, " -E ", true));
    assert_true(text_holds(PREDICATE_GLOB, FIELD_COMMAND_LINE, "n? \\-E*sH", false));
    assert_false(text_holds(PREDICATE_GLOB, FIELD_COMMAND_LINE, "n? \\-E*sH", true));
    assert_true(text_holds(PREDICATE_EQUAL, FIELD_USER, "", false));
}

static void numbers_and_bools_have_text(void **state)
{
    (void)state;
    assert_true(text_holds(PREDICATE_EQUAL, FIELD_PID, "-42", true));
    assert_true(text_holds(PREDICATE_GLOB, FIELD_PID, "?4*", false));
    assert_true(text_holds(PREDICATE_EQUAL, FIELD_EXE_MEMFD, "TRUE", false));
    assert_false(text_holds(PREDICATE_EQUAL, FIELD_EXE_MEMFD, "1", false));
}

static void absent_and_null_have_none(void **state)
{
    (void)state;
    assert_false(text_holds(PREDICATE_CONTAINS, FIELD_CWD, "", false));
    assert_false(text_holds(PREDICATE_GLOB, FIELD_COMM, "*", false));
    assert_true(text_holds(PREDICATE_EXISTS, FIELD_CWD, "", false));
    assert_false(text_holds(PREDICATE_PRESENT, FIELD_CWD, "", false));
    assert_true(text_holds(PREDICATE_PRESENT, FIELD_USER, "", false));
    assert_false(text_holds(PREDICATE_EXISTS, FIELD_COMM, "", false));
}

static void any_field_is_every_value_alone(void **state)
{
    (void)state;
    assert_true(text_holds(PREDICATE_CONTAINS, FIELD_COUNT, "BIN/SH", false));
    assert_true(text_holds(PREDICATE_CONTAINS, FIELD_COUNT, "42", false));
    assert_false(text_holds(PREDICATE_CONTAINS, FIELD_COUNT, "SH/bin", false));
    assert_false(text_holds(PREDICATE_CONTAINS, FIELD_COUNT, "command_line", false));
    assert_false(text_holds(PREDICATE_CONTAINS, FIELD_COUNT, "somewhere", false));
}

static bool number_holds(enum predicate_kind kind, enum field field, int64_t scaled)
{
    struct event event = event_of(put_texts);
    return holds((struct predicate){.kind = kind, .field = field, .number = scaled}, &event);
}

static void numbers_compare_with_fractions(void **state)
{
    (void)state;
    assert_true(number_holds(PREDICATE_LESS, FIELD_PID, -41999999));
    assert_false(number_holds(PREDICATE_LESS, FIELD_PID, -42000000));
    assert_true(number_holds(PREDICATE_LESS_EQUAL, FIELD_PID, -42000000));
    assert_true(number_holds(PREDICATE_GREATER, FIELD_FILE_VERSION, 7249999));
    assert_false(number_holds(PREDICATE_GREATER, FIELD_FILE_VERSION, 7250000));
    assert_true(number_holds(PREDICATE_GREATER_EQUAL, FIELD_FILE_VERSION, 7250000));
    assert_false(number_holds(PREDICATE_GREATER, FIELD_PATH, 0));
    assert_false(number_holds(PREDICATE_GREATER, FIELD_EXE_MEMFD, 0));
    assert_false(number_holds(PREDICATE_LESS, FIELD_COMM, 0));
}

static void networks_and_times(void **state)
{
    (void)state;
    struct event event = event_of(put_texts);
    struct predicate time = {
        .kind = PREDICATE_TIME, .field = FIELD_UTC_TIME, .number = 19, .part = TIME_WEEK};
    assert_true(text_holds(PREDICATE_CIDR, FIELD_SOURCE_ADDRESS, "10.0.0.0/8", false));
    assert_false(text_holds(PREDICATE_CIDR, FIELD_SOURCE_ADDRESS, "11.0.0.0/8", false));
    assert_false(text_holds(PREDICATE_CIDR, FIELD_PATH, "0.0.0.0/0", false));
    assert_true(holds(time, &event));
    time.compare = COMPARE_GREATER;
    assert_false(holds(time, &event));
    time.field = FIELD_PATH;
    time.compare = COMPARE_LESS;
    assert_false(holds(time, &event));
}

static void fields_compare_to_fields(void **state)
{
    (void)state;
    struct event event = event_of(put_texts);
    struct predicate p = {
        .kind = PREDICATE_SAME_SUFFIX, .field = FIELD_COMMAND_LINE, .other = FIELD_PATH};
    assert_true(holds(p, &event));
    p.cased = true;
    assert_false(holds(p, &event));
    p.cased = false;
    p.kind = PREDICATE_SAME;
    assert_false(holds(p, &event));
    p.kind = PREDICATE_SAME_CONTAINS;
    assert_true(holds(p, &event));
    p.other = FIELD_COMM; /* absent: equal to nothing */
    assert_false(holds(p, &event));
}

static void expressions_run(void **state)
{
    (void)state;
    struct event event = event_of(put_texts);
    struct predicate p = {
        .kind = PREDICATE_REGEX, .field = FIELD_COUNT, .text = sample_automaton()};
    assert_false(holds(p, &event)); /* a+b */
    assert_ok(sample_event(0, room, sizeof room, &event));
    assert_true(holds(p, &event));
}

static void put_windows(struct event_builder *b)
{
    event_put_text(b, FIELD_LOG_PRODUCT, TEXT("windows"));
    event_put_text(b, FIELD_LOG_SERVICE, TEXT("sysmon"));
}

static void put_nothing(struct event_builder *b)
{
    event_put_number(b, FIELD_PID, 1);
}

static bool asked(const char *product, const char *service, void (*put)(struct event_builder *b))
{
    struct rule rule = rule_of("1");
    rule.product = text_of(product);
    rule.service = text_of(service);
    struct pack pack = pack_of(&rule, 1);
    struct event event = event_of(put);
    return run(&pack, &event).matches;
}

static void rules_are_asked_for_their_log_source(void **state)
{
    (void)state;
    assert_true(asked("linux", "", put_nothing));
    assert_true(asked("", "", put_nothing));
    assert_false(asked("windows", "", put_nothing));
    assert_false(asked("linux", "auditd", put_nothing));
    assert_true(asked("windows", "sysmon", put_windows));
    assert_true(asked("", "sysmon", put_windows));
    assert_false(asked("linux", "", put_windows));
    assert_false(asked("windows", "security", put_windows));
}

static void rules_are_asked_for_their_types(void **state)
{
    (void)state;
    struct rule rule = rule_of("1");
    rule.types = 1ULL << EVENT_FILE_OPEN;
    struct pack pack = pack_of(&rule, 1);
    struct event event = event_of(put_nothing);
    assert_int_equal(run(&pack, &event).matches, 0);
    assert_ok(sample_event(1, room, sizeof room, &event));
    assert_int_equal(run(&pack, &event).matches, 1);
}

/* Answers are kept for one event and no longer. */
static void answers_do_not_outlive_their_event(void **state)
{
    (void)state;
    OWN(matcher_drop) struct matcher *m = NULL;
    struct predicate p = {
        .kind = PREDICATE_CONTAINS, .field = FIELD_COMMAND_LINE, .text = TEXT("nc ")};
    struct node node = {.on_true = NODE_MATCH, .on_false = NODE_MISS};
    struct rule rules[2] = {rule_of("1"), rule_of("2")};
    for (unsigned i = 0; i < 2; i++) {
        rules[i].predicates = &p;
        rules[i].predicate_count = 1;
        rules[i].nodes = &node;
        rules[i].node_count = 1;
    }
    struct pack pack = pack_of(rules, 2);
    struct seen seen = {0};
    struct matcher_sink sink = {.context = &seen, .on_match = on_match, .on_fault = on_fault};
    assert_ok(matcher_new(&pack, &m));
    struct event event = event_of(put_texts);
    matcher_run(m, &event, &sink);
    assert_int_equal(seen.matches, 2);
    uint64_t shared = matcher_steps(m);
    event = event_of(put_nothing);
    matcher_run(m, &event, &sink);
    assert_int_equal(seen.matches, 2);
    /* What the second rule cost: to be triggered, asked and begun, and its node. The scan was for
     * both. */
    struct pack alone = pack_of(rules, 1);
    OWN(matcher_drop) struct matcher *single = NULL;
    assert_ok(matcher_new(&alone, &single));
    event = event_of(put_texts);
    matcher_run(single, &event, &sink);
    assert_int_equal(shared, matcher_steps(single) + MATCH_FIRE_COST + MATCH_ORIGIN_COST +
                                 MATCH_RULE_COST + MATCH_NODE_COST);
}

/* What the verifier makes impossible: somebody changed the bytes since. The other rules go on. */
static void an_impossible_fault_switches_one_rule_off(void **state)
{
    (void)state;
    OWN(matcher_drop) struct matcher *m = NULL;
    struct predicate p = {.kind = PREDICATE_EXISTS, .field = FIELD_PID};
    struct node nodes[2] = {{0, 1, NODE_MISS}, {0, NODE_MATCH, NODE_MISS}};
    struct rule rules[2] = {rule_of("1"), rule_of("2")};
    for (unsigned i = 0; i < 2; i++) {
        rules[i].predicates = &p;
        rules[i].predicate_count = 1;
        rules[i].nodes = nodes;
        rules[i].node_count = 2;
    }
    struct pack pack = pack_of(rules, 2);
    struct seen seen = {0};
    struct matcher_sink sink = {.context = &seen, .on_match = on_match, .on_fault = on_fault};
    assert_ok(matcher_new(&pack, &m));
    /* The second rule's second node leads back to itself. */
    char *node = (char *)(uintptr_t)pack.sections[PACK_NODES].at + 3 * 8;
    node[4] = 1;
    node[5] = 0;
    struct event event = event_of(put_nothing);
    matcher_run(m, &event, &sink);
    assert_int_equal(seen.matches, 1);
    assert_int_equal(seen.faults, 1);
    assert_int_equal(seen.last, 1);
    matcher_run(m, &event, &sink);
    assert_int_equal(seen.matches, 2);
    assert_int_equal(seen.faults, 1); /* off: reported once */
}

/* Both were refused before: by pack_open() and by event_open(). */
static void another_schema_is_refused_again(void **state)
{
    (void)state;
    OWN(matcher_drop) struct matcher *m = NULL;
    struct matcher *other = NULL;
    struct rule rule = rule_of("1");
    struct seen seen = {0};
    struct matcher_sink sink = {.context = &seen, .on_match = on_match, .on_fault = on_fault};
    struct pack pack = pack_of(&rule, 1);
    struct event event = event_of(put_nothing);
    char *header = (char *)(uintptr_t)pack.bytes.ptr;
    assert_ok(matcher_new(&pack, &m));
    header[12]++; /* 21 fields where the schema has 20 */
    assert_fault(matcher_new(&pack, &other), VERSION);
    header[12]--;
    header[24]++;
    assert_fault(matcher_new(&pack, &other), VERSION);
    header[24]--;
    event.header.entries = FIELD_COUNT + 1;
    matcher_run(m, &event, &sink);
    assert_int_equal(matcher_undecided(m), 1);
    event.header.entries = 0;
    event.header.type = EVENT_COUNT;
    matcher_run(m, &event, &sink);
    assert_int_equal(matcher_undecided(m), 1);
    assert_int_equal(seen.matches + seen.faults, 0);
}

#define with_arena(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(texts_compare_with_and_without_case),
        with_arena(numbers_and_bools_have_text),
        with_arena(absent_and_null_have_none),
        with_arena(any_field_is_every_value_alone),
        with_arena(numbers_compare_with_fractions),
        with_arena(networks_and_times),
        with_arena(fields_compare_to_fields),
        with_arena(expressions_run),
        with_arena(rules_are_asked_for_their_log_source),
        with_arena(rules_are_asked_for_their_types),
        with_arena(answers_do_not_outlive_their_event),
        with_arena(an_impossible_fault_switches_one_rule_off),
        with_arena(another_schema_is_refused_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
