/*
 * Rules in, predicates and programs out. What a pack makes of them corpus_test asks the
 * interpreter.
 */
#include "base/bytes.h"
#include "base/heap.h"
#include "base/test.h"
#include "compile/sigma.h"
#include "content/pack/pack.h"

#include <stdio.h>

enum { ROOM = 1 << 20 };

static char room[ROOM];
static struct sigma_file file;
static struct sigma_outcome outcome;

static int end(void **state)
{
    (void)state;
    sigma_close(&file);
    return 0;
}

static const struct rule *compile_text(struct text text)
{
    sigma_close(&file);
    sigma_open(&file, (struct sigma_options){0}, TEXT("x.yml"), text);
    assert_true(sigma_next(&file, &outcome));
    return outcome.ok ? &outcome.rule : NULL;
}

/* A rule of process_creation with this detection, whose lines follow its own sixth. */
static const struct rule *compile(const char *detection)
{
    struct writer w = writer_over(room, sizeof room);
    writer_print(&w, "title: T\nid: 1\nlogsource:\n  category: process_creation\ndetection:\n");
    writer_bytes(&w, text_of(detection));
    assert_ok(writer_end(&w));
    return compile_text(writer_text(&w));
}

/* The one predicate of `CommandLine|…: value`. */
static struct predicate predicate_of(const char *item)
{
    char detection[4096];
    snprintf(detection, sizeof detection, "  s: {%s}\n  condition: s\n", item);
    const struct rule *rule = compile(detection);
    if (!rule) {
        fail_msg("%s: %s", item, outcome.refusal.words);
    }
    assert_int_equal(rule->predicate_count, 1);
    assert_int_equal(rule->node_count, 1);
    return rule->predicates[0];
}

static void is(const char *item, enum predicate_kind kind, const char *text)
{
    struct predicate p = predicate_of(item);
    if (p.kind != kind || !text_same(p.text, text_of(text))) {
        fail_msg("%s: kind %d, text '%.*s'", item, p.kind, TEXT_ARGS(p.text));
    }
}

static void values_take_the_cheapest_kind(void **state)
{
    (void)state;
    is("CommandLine: ab", PREDICATE_EQUAL, "ab");
    is("CommandLine: ab*", PREDICATE_PREFIX, "ab");
    is("CommandLine: '**ab'", PREDICATE_SUFFIX, "ab");
    is("CommandLine: '*ab*'", PREDICATE_CONTAINS, "ab");
    is("CommandLine|contains: '*ab*'", PREDICATE_CONTAINS, "ab");
    is("CommandLine|startswith: ab", PREDICATE_PREFIX, "ab");
    is("CommandLine|endswith: ab", PREDICATE_SUFFIX, "ab");
    is("CommandLine|contains: 'a**b'", PREDICATE_GLOB, "*a*b*");
    is("CommandLine: 'a?b'", PREDICATE_GLOB, "a?b");
    is("CommandLine: ''", PREDICATE_EQUAL, "");
    is("CommandLine: '*'", PREDICATE_PRESENT, "");
    is("CommandLine|contains: ''", PREDICATE_PRESENT, "");
    is("CommandLine: 0x10", PREDICATE_EQUAL, "16");
    is("CommandLine: True", PREDICATE_EQUAL, "true");
    is("CommandLine|windash: ' -a /b--c –d x-y -'", PREDICATE_GLOB, " \\-a \\-b-\\-c \\-d x-y -");
    is("CommandLine|windash: 'a-b'", PREDICATE_EQUAL, "a-b");
    is("CommandLine|windash|contains: '-*'", PREDICATE_CONTAINS, "-");
}

static void backslash_escapes_three_characters(void **state)
{
    (void)state;
    is("CommandLine: 'a\\b'", PREDICATE_EQUAL, "a\\b");
    is("CommandLine: 'a\\\\b'", PREDICATE_EQUAL, "a\\b");
    is("CommandLine: 'a\\\\\\b'", PREDICATE_EQUAL, "a\\\\b");
    is("CommandLine: 'a\\*'", PREDICATE_EQUAL, "a*");
    is("CommandLine: 'a\\\\*'", PREDICATE_PREFIX, "a\\");
    is("CommandLine: '\\*a*\\?b?'", PREDICATE_GLOB, "\\*a*\\?b?");
    is("CommandLine|contains: 'b\\'", PREDICATE_CONTAINS, "b\\");
    is("CommandLine: 'a?\\-'", PREDICATE_GLOB, "a?\\\\-");
}

static void encodings(void **state)
{
    (void)state;
    is("CommandLine|base64: foobar", PREDICATE_EQUAL, "Zm9vYmFy");
    is("CommandLine|base64: fooba", PREDICATE_EQUAL, "Zm9vYmE=");
    is("CommandLine|base64|contains: foob", PREDICATE_CONTAINS, "Zm9vYg==");
    is("CommandLine|base64: 'a\\*b'", PREDICATE_EQUAL, "YSpi");
    is("CommandLine|wide|base64: cmd", PREDICATE_EQUAL, "YwBtAGQA");
    is("CommandLine|utf16be|base64: cmd", PREDICATE_EQUAL, "AGMAbQBk");
    is("CommandLine|utf16|base64: cmd", PREDICATE_EQUAL, "//5jAG0AZAA=");
    is("CommandLine|utf16le|base64: 😀", PREDICATE_EQUAL, "PdgA3g==");
    const struct rule *rule = compile("  s: {CommandLine|base64offset|contains: /bin/bash}\n"
                                      "  condition: s\n");
    assert_int_equal(rule->predicate_count, 3);
    assert_text(rule->predicates[2].text, "L2Jpbi9iYXNo");
    assert_text(rule->predicates[1].text, "9iaW4vYmFza");
    assert_text(rule->predicates[0].text, "vYmluL2Jhc2");
}

static void other_kinds(void **state)
{
    (void)state;
    is("CommandLine|cidr: 10.0.0.0/8", PREDICATE_CIDR, "10.0.0.0/8");
    is("CommandLine|cidr: '::1'", PREDICATE_CIDR, "::1/128");
    assert_int_equal(predicate_of("ProcessId|gt: 1024").number, 1024000000);
    assert_int_equal(predicate_of("ProcessId|gte: -1.5").number, -1500000);
    assert_int_equal(predicate_of("ProcessId|lt: -.5").number, -500000);
    assert_int_equal(predicate_of("ProcessId|lte: 1.23456789").number, 1234567);
    assert_int_equal(predicate_of("ProcessId|lt: 9223372036854775807").number, INT64_MAX);
    assert_int_equal(predicate_of("ProcessId|lt: -9223372036854775807").number, INT64_MIN);
    assert_int_equal(predicate_of("ProcessId|exists: true").kind, PREDICATE_EXISTS);
    struct predicate p = predicate_of("Image|fieldref|endswith|cased: CommandLine");
    assert_int_equal(p.kind, PREDICATE_SAME_SUFFIX);
    assert_int_equal(p.other, FIELD_COMMAND_LINE);
    assert_true(p.cased);
    p = predicate_of("UtcTime|week|gte: 7");
    assert_int_equal(p.kind, PREDICATE_TIME);
    assert_int_equal(p.part, TIME_WEEK);
    assert_int_equal(p.compare, COMPARE_GREATER_EQUAL);
    assert_int_equal(p.number, 7);
    p = predicate_of("'|re': 'e[vw]il'");
    assert_int_equal(p.kind, PREDICATE_REGEX);
    assert_int_equal(p.field, FIELD_COUNT);
    assert_int_equal(predicate_of("exe_memfd: true").field, FIELD_EXE_MEMFD);
}

/* Walks the program with the answers of `truth`: predicate i is bit i, by the letter it contains.
 */
static bool runs_to_match(const struct rule *rule, unsigned truth)
{
    uint16_t at = 0;
    while (at != NODE_MATCH && at != NODE_MISS) {
        assert_true(at < rule->node_count);
        const struct node *node = &rule->nodes[at];
        unsigned letter = (unsigned)(rule->predicates[node->predicate].text.ptr[0] - 'a');
        uint16_t next = truth >> letter & 1 ? node->on_true : node->on_false;
        assert_true(next > at);
        at = next;
    }
    return at == NODE_MATCH;
}

/* `table`: bit t is the answer where the selections a, b, c have the truth t (a is bit 0). */
static void means(const char *condition, unsigned table)
{
    char detection[1024];
    snprintf(detection, sizeof detection,
             "  a: {CommandLine: a}\n  b: {CommandLine: b}\n  c: {CommandLine: c}\n"
             "  _d: {CommandLine: d}\n  condition: %s\n",
             condition);
    const struct rule *rule = compile(detection);
    if (!rule) {
        fail_msg("%s: %s", condition, outcome.refusal.words);
    }
    for (unsigned truth = 0; truth < 8; truth++) {
        if (runs_to_match(rule, truth) != (table >> truth & 1)) {
            fail_msg("%s: wrong for %u", condition, truth);
        }
    }
}

static void conditions_mean_what_they_say(void **state)
{
    (void)state;

    enum { A = 0xaa, B = 0xcc, C = 0xf0, ALL = 0xff };

    means("a", A);
    means("not a", ALL & ~A);
    means("not not a", A);
    means("a and b", A & B);
    means("a or b", A | B);
    means("a or b and c", A | (B & C));
    means("a and b or c", (A & B) | C);
    means("not a and b", ALL & ~A & B);
    means("not a or b", (ALL & ~A) | B);
    means("a and (b or c)", A & (B | C));
    means("not (a or b) and c", ALL & ~(A | B) & C);
    means("not (not a or not (b and c))", A & B & C);
    means("(a)and(b)or(not(c))", (A & B) | (ALL & ~C));
    means("1 of them", A | B | C);
    means("all of them", A & B & C);
    means("not 1 of them", ALL & ~(A | B | C));
    means("all of * or a", (A & B & C) | A);
    means("1 of a and 1 of b*", A & B);
    means("[a and b, c]", (A & B) | C);
    means("((((((((((a and b)))) or c))))))", (A & B) | C);
    means("a and (b or (a and (c or (b and not c))))", A & (B | (A & (C | (B & ALL & ~C)))));
}

static void a_predicate_is_held_once(void **state)
{
    (void)state;
    const struct rule *rule = compile("  s:\n    - CommandLine: [a, b]\n    - CommandLine: [b, a]\n"
                                      "  condition: s or s\n");
    assert_int_equal(rule->predicate_count, 2);
    assert_int_equal(rule->node_count, 8);
    rule = compile("  s: {CommandLine: a, CommandLine|contains: a, Image: a}\n  condition: s\n");
    assert_int_equal(rule->predicate_count, 3);
}

static void actions_are_words_of_ours(void **state)
{
    (void)state;
    static const char *const wrong[] = {"kill", "{action: delete}",          "{action: [kill]}",
                                        "{}",   "{action: kill, when: now}", "{Action: kill}"};
    for (int action = 0; action <= ACTION_COUNT; action++) {
        struct writer w = writer_over(room, sizeof room);
        writer_print(&w,
                     "title: T\nlogsource: {category: process_creation}\n%s%s%s"
                     "detection: {s: {Image: a}, condition: s}\n",
                     action < ACTION_COUNT ? "bulkhead: {action: " : "",
                     action < ACTION_COUNT ? action_name((enum action)action) : "",
                     action < ACTION_COUNT ? "}\n" : "");
        const struct rule *rule = compile_text(writer_text(&w));
        assert_non_null(rule);
        assert_int_equal(rule->action, action < ACTION_COUNT ? action : ACTION_ALERT);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct writer w = writer_over(room, sizeof room);
        writer_print(&w,
                     "title: T\nlogsource: {category: process_creation}\nbulkhead: %s\n"
                     "detection: {s: {Image: a}, condition: s}\n",
                     wrong[i]);
        assert_null(compile_text(writer_text(&w)));
        assert_int_equal(outcome.refusal.class, REFUSAL_METADATA);
        assert_int_equal(outcome.refusal.line, 3);
    }
}

static void a_log_source_has_its_length(void **state)
{
    (void)state;
    static const char *const keys[] = {"product", "service", "category"};
    for (size_t i = 0; i < 3; i++) {
        struct writer w = writer_over(room, sizeof room);
        writer_print(
            &w, "title: T\nlogsource:\n  %s: x%064d\ndetection: {s: {Image: a}, condition: s}\n",
            keys[i], 1);
        assert_null(compile_text(writer_text(&w)));
        assert_int_equal(outcome.refusal.class, REFUSAL_LOGSOURCE);
        assert_int_equal(outcome.refusal.line, 3);
        assert_non_null(strstr(outcome.refusal.words, "64 bytes"));
    }
}

static void refused(const char *detection, enum refusal_class class, uint32_t line,
                    const char *words)
{
    const struct rule *rule = compile(detection);
    if (rule || outcome.refusal.class != class || outcome.refusal.line != line ||
        !strstr(outcome.refusal.words, words)) {
        fail_msg("%s: %u: %s: %s", detection, outcome.refusal.line,
                 refusal_name(outcome.refusal.class), outcome.refusal.words);
    }
}

static void refusals_say_what_and_where(void **state)
{
    (void)state;
    refused("  s: {\"\\u009b2J\\u202e\": a}\n  condition: s\n", REFUSAL_DETECTION, 6,
            "'\\x9b2J\\u{202e}'");
    refused("  s: {image: a}\n  condition: s\n", REFUSAL_DETECTION, 6, "did you mean 'Image'?");
    refused("  s: {DestinationPort: a}\n  condition: s\n", REFUSAL_DETECTION, 6, "log source");
    refused("  s: {CommandLine|wide: a}\n  condition: s\n", REFUSAL_MODIFIER, 6, "base64");
    refused("  s: {CommandLine|contains|base64: a}\n  condition: s\n", REFUSAL_MODIFIER, 6,
            "before");
    refused("  s: {CommandLine|re|re: a}\n  condition: s\n", REFUSAL_MODIFIER, 6, "twice");
    refused("  s: {'|endswith': a}\n  condition: s\n", REFUSAL_MODIFIER, 6, "needs a field");
    refused("  s: {CommandLine: []}\n  condition: s\n", REFUSAL_VALUE, 6, "empty list");
    refused("  s: {CommandLine: [[a]]}\n  condition: s\n", REFUSAL_TYPE, 6, "a value is");
    refused("  s: {CommandLine|base64: ''}\n  condition: s\n", REFUSAL_VALUE, 6, "empty");
    refused("  s: {CommandLine|base64offset|contains: a}\n  condition: s\n", REFUSAL_VALUE, 6,
            "too short");
    refused("  s: {CommandLine|cidr: 10.0.0.1/8}\n  condition: s\n", REFUSAL_CIDR, 6, "no network");
    refused("  s: word\n  condition: s\n", REFUSAL_DETECTION, 6, "a map");
    refused("  s: {CommandLine: a}\n  condition: s AND s\n", REFUSAL_CONDITION, 7, "'AND'");
    refused("  s: {CommandLine: a}\n  condition: NOT s\n", REFUSAL_CONDITION, 7, "lower case");
    refused("  s: {CommandLine: a}\n  condition: [s, [s]]\n", REFUSAL_CONDITION, 7, "a text");
    refused("  s: {CommandLine: a}\n  condition: []\n", REFUSAL_CONDITION, 7, "empty");
}

/* What is broken without being used is broken. */
static void unused_selections_count(void **state)
{
    (void)state;
    refused("  s: {CommandLine: a}\n  t: {CommandLine|x: a}\n  condition: s\n", REFUSAL_MODIFIER, 7,
            "'x'");
}

static struct text with_condition(const char *front, const char *piece, size_t count,
                                  const char *back)
{
    struct writer w = writer_over(room, sizeof room);
    writer_print(&w, "title: T\nlogsource: {category: process_creation}\ndetection:\n"
                     "  s: {CommandLine: a}\n  condition: ");
    for (size_t i = 0; i < count; i++) {
        writer_bytes(&w, text_of(front));
    }
    writer_bytes(&w, text_of(piece));
    for (size_t i = 0; i < count; i++) {
        writer_bytes(&w, text_of(back));
    }
    assert_ok(writer_end(&w));
    return writer_text(&w);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    assert_non_null(compile_text(with_condition("(", "s", 200, ")")));
    assert_null(compile_text(with_condition("(", "s", 201, ")")));
    assert_non_null(strstr(outcome.refusal.words, "200 deep"));
    assert_non_null(compile_text(with_condition("s and (s or ", "s", 120, ")")));
    assert_non_null(compile_text(with_condition("not ", "s", 3000, "")));
    assert_null(compile_text(with_condition("s and (not (s or ", "s", 100, "))")));
    assert_non_null(strstr(outcome.refusal.words, "nested"));
    assert_null(compile_text(with_condition("not ", "s", 9000, "")));
    assert_non_null(strstr(outcome.refusal.words, "bytes"));
}

static void long_rules_are_refused(void **state)
{
    (void)state;
    struct writer w = writer_over(room, sizeof room);
    writer_print(&w, "title: T\nlogsource: {category: process_creation}\ndetection:\n  s:\n"
                     "    CommandLine:\n");
    for (int i = 0; i <= 16384; i++) {
        writer_print(&w, "      - v%d\n", i);
    }
    writer_print(&w, "  condition: s\n");
    assert_ok(writer_end(&w));
    assert_null(compile_text(writer_text(&w)));
    assert_non_null(strstr(outcome.refusal.words, "16384"));
}

static void every_document_is_an_outcome(void **state)
{
    (void)state;
    static const char text[] = "title: A\nid: a\nlogsource: {product: linux}\n"
                               "detection: {s: {Image: /x}, condition: s}\n"
                               "---\n# nothing\n---\ntitle: [\n---\n"
                               "title: C\nid: c\nlogsource: {product: linux}\n"
                               "detection: {s: {Image: /x}, condition: t}\n";
    sigma_open(&file, (struct sigma_options){0}, TEXT("x.yml"), text_of(text));
    assert_true(sigma_next(&file, &outcome) && outcome.ok);
    assert_text(outcome.rule.id, "a");
    assert_int_equal(outcome.line, 1);
    assert_true(sigma_next(&file, &outcome) && !outcome.ok);
    assert_int_equal(outcome.refusal.class, REFUSAL_YAML);
    assert_int_equal(outcome.line, 7);
    assert_true(sigma_next(&file, &outcome) && !outcome.ok);
    assert_text(outcome.id, "c");
    assert_int_equal(outcome.refusal.line, 13);
    assert_false(sigma_next(&file, &outcome));
}

static void files_are_refused_as_a_whole(void **state)
{
    (void)state;
    assert_null(compile_text(TEXT("title: a\nx: \xff\n")));
    assert_int_equal(outcome.refusal.line, 2);
    assert_string_equal(outcome.refusal.words, "this line is not UTF-8");
    assert_false(sigma_next(&file, &outcome));
    assert_null(compile_text(TEXT("# nothing\n")));
    assert_false(sigma_next(&file, &outcome));
    assert_null(compile_text(TEXT("")));
    assert_false(sigma_next(&file, &outcome));
    assert_null(compile_text((struct text){room, YAML_BYTES_MAX + 1}));
    assert_non_null(strstr(outcome.refusal.words, "8 MiB"));
}

static const struct rule *with_logsource(const char *logsource, bool any_product)
{
    struct writer w = writer_over(room, sizeof room);
    writer_print(&w, "title: T\nlogsource: %s\ndetection: {s: {Image: /x}, condition: s}\n",
                 logsource);
    sigma_close(&file);
    sigma_open(&file, (struct sigma_options){.any_product = any_product}, TEXT("x.yml"),
               writer_text(&w));
    assert_true(sigma_next(&file, &outcome));
    return outcome.ok ? &outcome.rule : NULL;
}

static void log_sources_choose_events(void **state)
{
    (void)state;
    const struct rule *rule = with_logsource("{category: process_creation, product: linux}", false);
    assert_int_equal(rule->types, 1ULL << EVENT_PROCESS_EXEC);
    assert_text(rule->product, "linux");
    assert_text(rule->category, "process_creation");
    rule = with_logsource("{category: memfd_create}", false);
    assert_int_equal(rule->types, 1ULL << EVENT_MEMFD_CREATE);
    rule = with_logsource("{product: linux, service: auditd}", false);
    assert_text(rule->service, "auditd");
    assert_true(rule->types >> EVENT_RECORDED & 1 && rule->types >> EVENT_PROCESS_EXEC & 1);
    assert_false(rule->types >> EVENT_ALERT & 1 || rule->types >> EVENT_HEALTH & 1);
    assert_null(with_logsource("{category: registry_set}", false));
    assert_int_equal(outcome.refusal.class, REFUSAL_LOGSOURCE);
    assert_null(with_logsource("{category: alert}", false));
    assert_null(with_logsource("{product: windows}", false));
    assert_null(with_logsource("{category: [a]}", true));
    rule = with_logsource("{category: registry_set, product: windows}", true);
    assert_int_equal(rule->types, 1ULL << EVENT_RECORDED);
    assert_text(rule->category, "registry_set");
}

/* One that alerts would cut could be another's. */
static void an_id_has_64_bytes_at_most(void **state)
{
    char rule[512];
    (void)state;
    for (unsigned len = RULE_ID_MAX; len <= RULE_ID_MAX + 1; len++) {
        int size = snprintf(rule, sizeof rule,
                            "title: t\nid: %0*d\nlogsource: {category: process_creation}\n"
                            "detection:\n  s: {Image: a}\n  condition: s\n",
                            (int)len, 7);
        bool taken = compile_text((struct text){rule, (size_t)size});
        assert_int_equal(taken, len == RULE_ID_MAX);
    }
}

static void metadata_is_kept(void **state)
{
    (void)state;
    const struct rule *rule = compile_text(
        TEXT("title: T\nauthor: Ann, Bob\ndescription: |\n  d\n  e\ntags: [attack.t1, a.b]\n"
             "status: test\nlogsource: {product: linux}\n"
             "detection: {s: {Image: /x}, condition: s}\n"));
    assert_text(rule->author, "Ann, Bob");
    assert_text(rule->description, "d\ne\n");
    assert_text(rule->tags, "attack.t1,a.b");
    assert_text(rule->status, "test");
    assert_text(rule->level, "medium");
    assert_text(rule->file, "x.yml");
    assert_true(text_starts(rule->id, TEXT("without-id-")));
    assert_null(compile_text(TEXT("title: T\ntags: x\n")));
    assert_int_equal(outcome.refusal.class, REFUSAL_METADATA);
}

/* Refuses the first, the second … allocation until the rule compiles without one refused. */
static void every_allocation_may_fail(void **state)
{
    (void)state;
    unsigned long nth = 1;
    for (;; nth++) {
        unsigned long before = heap_count();
        heap_fail_at(nth);
        const struct rule *rule = compile("  s: {CommandLine|re: 'a[b-y]{1,50}z', Image: [a, b]}\n"
                                          "  condition: s\n");
        bool failed = heap_count() - before >= nth;
        heap_fail_at(0);
        if (!failed) {
            assert_non_null(rule);
            break;
        }
        assert_null(rule);
        assert_non_null(strstr(outcome.refusal.words, "memory"));
    }
    assert_true(nth > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(values_take_the_cheapest_kind, end),
        cmocka_unit_test_teardown(backslash_escapes_three_characters, end),
        cmocka_unit_test_teardown(encodings, end),
        cmocka_unit_test_teardown(other_kinds, end),
        cmocka_unit_test_teardown(actions_are_words_of_ours, end),
        cmocka_unit_test_teardown(conditions_mean_what_they_say, end),
        cmocka_unit_test_teardown(a_predicate_is_held_once, end),
        cmocka_unit_test_teardown(a_log_source_has_its_length, end),
        cmocka_unit_test_teardown(refusals_say_what_and_where, end),
        cmocka_unit_test_teardown(unused_selections_count, end),
        cmocka_unit_test_teardown(nesting_is_bounded, end),
        cmocka_unit_test_teardown(long_rules_are_refused, end),
        cmocka_unit_test_teardown(every_document_is_an_outcome, end),
        cmocka_unit_test_teardown(files_are_refused_as_a_whole, end),
        cmocka_unit_test_teardown(log_sources_choose_events, end),
        cmocka_unit_test_teardown(an_id_has_64_bytes_at_most, end),
        cmocka_unit_test_teardown(metadata_is_kept, end),
        cmocka_unit_test_teardown(every_allocation_may_fail, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
