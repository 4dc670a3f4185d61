/* What two packs differ in, and what their rules cost, with rules as the compiler makes them. */
#include "ctl/content/pack_diff.h"

#include "base/arena.h"
#include "base/bytes.h"
#include "base/own.h"
#include "base/test.h"
#include "compile/sigma.h"
#include "content/match/match.h"
#include "content/match/predicate.h"
#include "content/pack/builder.h"
#include "content/pack/explain.h"
#include "ctl/content/rule_cost.h"

#include <stdio.h>

enum { PACK_MEMORY = 64 << 20, SAID = 4096 };

static struct arena arenas[2];
static struct pack packs[2];
static char said_room[SAID];
static struct writer said;

static int start(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        arena_init(&arenas[i], PACK_MEMORY);
    }
    said = writer_over(said_room, sizeof said_room);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        arena_done(&arenas[i]);
    }
    return 0;
}

/* A rule for each pair of id and detection, NULL at the end. */
static void build(int which, const char *const *rules)
{
    struct builder *builder;
    struct pack_fault fault;
    struct text bytes;
    char yaml[1024];
    char why[160];
    assert_ok(builder_new(&arenas[which], &builder));
    for (; *rules; rules += 2) {
        struct sigma_file file;
        struct sigma_outcome outcome;
        snprintf(yaml, sizeof yaml,
                 "title: T\nid: %s\nlogsource: {category: process_creation}\ndetection:\n%s\n",
                 rules[0], rules[1]);
        sigma_open(&file, (struct sigma_options){0}, TEXT("x.yml"), text_of(yaml));
        assert_true(sigma_next(&file, &outcome) && outcome.ok);
        assert_ok(builder_add(builder, &outcome.rule, why));
        sigma_close(&file);
    }
    assert_ok(builder_finish(builder, &bytes));
    assert_ok(pack_open(bytes, &packs[which], &fault));
}

static void say_predicate(void *context, const struct predicate *p)
{
    (void)context;
    explain_predicate(p, &said);
    writer_print(&said, "; ");
}

static struct pack_diff diff(void)
{
    return (struct pack_diff){.a = &packs[0], .b = &packs[1]};
}

static void rules_are_paired_by_id(void **state)
{
    (void)state;
    static const char sh[] = "  s: {Image: /bin/sh}\n  condition: s";
    const char *const a[] = {"a", sh, "b", sh, "d", sh, NULL};
    const char *const b[] = {"b", sh, "c", sh, "d", sh, "e", sh, NULL};
    struct rule_pair pair;
    build(0, a);
    build(1, b);
    struct pack_diff d = diff();
    while (pack_diff_next(&d, &pair)) {
        struct text id = pair.a != SIZE_MAX ? pack_rule(d.a, pair.a).id : pack_rule(d.b, pair.b).id;
        writer_print(&said, "%.*s%s ", TEXT_ARGS(id),
                     pair.a == SIZE_MAX             ? "+"
                     : pair.b == SIZE_MAX           ? "-"
                     : rule_pair_differs(&d, &pair) ? "!"
                                                    : "=");
    }
    assert_text(writer_text(&said), "a- b= c+ d= e+ ");
}

static void programs_are_compared_by_what_they_mean(void **state)
{
    (void)state;

    static const struct {
        const char *a, *b;
        const char *more; /* "b asks; a asks", or NULL where nothing differs */
    } cases[] = {
        {"  s: {Image: /bin/sh}\n  condition: s", "  other: {Image: /bin/SH}\n  condition: other",
         NULL},
        {"  s: {Image: /bin/sh}\n  condition: s", "  s: {Image|cased: /bin/sh}\n  condition: s",
         "path is \"/bin/sh\"; | path is \"/bin/sh\", any case; | "},
        {"  s: {Image: /bin/sh}\n  condition: s", "  s: {Image: /bin/sh}\n  condition: not s",
         " |  | "},
        {"  s: {CommandLine|re: a+}\n  condition: s", "  s: {CommandLine|re: a+b}\n  condition: s",
         ""},
        {"  s: {ParentProcessId|gt: 5}\n  condition: s",
         "  s: {ParentProcessId|gt: 6}\n  condition: s", "parent_pid > 6; | parent_pid > 5; | "},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const a[] = {"x", cases[i].a, NULL};
        const char *const b[] = {"x", cases[i].b, NULL};
        struct rule_pair pair = {0, 0};
        stop(NULL);
        start(NULL);
        build(0, a);
        build(1, b);
        struct pack_diff d = diff();
        assert_true(rule_pair_differs(&d, &pair) == (cases[i].more != NULL));
        assert_true(rule_pair_programs_differ(&d, &pair) == (cases[i].more != NULL));
        struct rule_ref from = {&packs[0], 0};
        struct rule_ref to = {&packs[1], 0};
        assert_ok(rule_asks_more(to, from, NULL, say_predicate));
        writer_print(&said, "| ");
        assert_ok(rule_asks_more(from, to, NULL, say_predicate));
        writer_print(&said, "| ");
        if (cases[i].more && cases[i].more[0] && cases[i].more[0] != ' ') {
            assert_true(text_same(writer_text(&said), text_of(cases[i].more)));
        }
    }
}

/* Another condition asks nothing new; an automaton of other bytes does. */
static void tables_are_compared_to_the_byte(void **state)
{
    (void)state;
    const char *const a[] = {"x", "  s: {CommandLine|re: a+b}\n  condition: s", NULL};
    const char *const b[] = {"x", "  s: {CommandLine|re: a+c}\n  condition: s", NULL};
    struct rule_ref from = {&packs[0], 0};
    struct rule_ref to = {&packs[1], 0};
    build(0, a);
    build(1, b);
    assert_ok(rule_asks_more(to, from, NULL, say_predicate));
    assert_true(said.used > 0);
    said.used = 0;
    assert_ok(rule_asks_more(from, from, NULL, say_predicate));
    assert_int_equal(said.used, 0);
}

/* What the verifier proved for all rules together is at least what each is said to cost. */
static void costs_are_those_of_the_verifier(void **state)
{
    (void)state;
    const char *const rules[] = {"a", "  s: {CommandLine|contains: [aaaa, bbbbb]}\n  condition: s",
                                 "b", "  s: {Image|endswith: /sh, User: root}\n  condition: s",
                                 "c", "  s: {User: root}\n  condition: not s",
                                 NULL};
    struct rule_cost cost;
    uint64_t sum = 0;
    build(0, rules);
    for (size_t i = 0; i < 3; i++) {
        assert_ok(rule_cost_of(&packs[0], i, &cost));
        assert_true(cost.predicate_steps > 0 && cost.predicate_steps < cost.steps);
        assert_true(cost.always == (i == 2)); /* what is not there cannot be found */
        struct predicate p = pack_predicate(&packs[0], cost.predicate);
        assert_true(i != 0 || p.field == FIELD_COMMAND_LINE);
        sum += cost.steps;
    }
    assert_true(sum <= packs[0].demand[EVENT_PROCESS_EXEC]);
    /* Of "and" the costliest way asks everything. */
    uint64_t both = MATCH_RULE_COST;
    struct pack_rule rule = pack_rule(&packs[0], 1);
    assert_int_equal(rule.node_count, 2);
    for (uint32_t i = 0; i < rule.node_count; i++) {
        uint32_t number = pack_node(&packs[0], rule.first_node + i).predicate;
        struct predicate p = pack_predicate(&packs[0], number);
        both += MATCH_NODE_COST + predicate_cost(&p);
    }
    assert_ok(rule_cost_of(&packs[0], 1, &cost));
    assert_int_equal(cost.steps, both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rules_are_paired_by_id, start, stop),
        cmocka_unit_test_setup_teardown(programs_are_compared_by_what_they_mean, start, stop),
        cmocka_unit_test_setup_teardown(tables_are_compared_to_the_byte, start, stop),
        cmocka_unit_test_setup_teardown(costs_are_those_of_the_verifier, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
