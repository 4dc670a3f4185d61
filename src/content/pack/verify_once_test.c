#include "base/bytes.h"
#include "base/heap.h"
#include "base/test.h"
#include "content/pack/load.h"
#include "content/pack/sample.h"

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

enum { RULES = 6, AUTHOR_AT = 24 }; /* within a rule: docs/formats/pack.md */

/* Six rules, each of one predicate: predicate n is rule n's. */
static void build(struct pack *out)
{
    static const struct node ends = {.on_true = NODE_MATCH, .on_false = NODE_MISS};
    static const char *const ids[RULES] = {"1", "2", "3", "4", "5", "6"};
    struct text large;
    struct text bytes;
    struct pack_fault fault;
    struct builder *b;
    char why[160];
    assert_ok(sample_large_automaton(&arena, &large));
    const struct predicate p[RULES] = {
        {.kind = PREDICATE_EQUAL, .field = FIELD_PATH, .text = TEXT("/a")},
        {.kind = PREDICATE_EQUAL, .field = FIELD_PATH, .text = TEXT("/b")},
        {.kind = PREDICATE_GREATER, .field = FIELD_PID, .number = 5000000},
        {.kind = PREDICATE_LESS, .field = FIELD_PID, .number = 7000000},
        {.kind = PREDICATE_REGEX, .field = FIELD_PATH, .text = sample_automaton()},
        {.kind = PREDICATE_REGEX, .field = FIELD_CWD, .text = large}};
    assert_ok(builder_new(&arena, &b));
    for (size_t i = 0; i < RULES; i++) {
        struct rule rule = {.id = text_of(ids[i]),
                            .title = TEXT("Title"),
                            .author = i == 0 ? TEXT("Nobody else") : TEXT(""),
                            .types = 1ULL << EVENT_PROCESS_EXEC,
                            .predicates = &p[i],
                            .predicate_count = 1,
                            .nodes = &ends,
                            .node_count = 1};
        assert_ok(builder_add(b, &rule, why));
    }
    assert_ok(builder_finish(b, &bytes));
    assert_ok(pack_open(bytes, out, &fault));
    assert_int_equal(pack_count(out, PACK_PREDICATES), RULES);
}

static char *at(const struct pack *pack, enum pack_section section, size_t index, size_t size)
{
    return (char *)(uintptr_t)pack->sections[section].at + index * size;
}

static void is_refused(const struct pack *pack, const char *words)
{
    char room[256];
    struct pack other;
    struct pack_fault fault = {.section = "none", .what = "it was accepted"};
    struct writer sum = writer_over((char *)(uintptr_t)pack->bytes.ptr + PACK_CHECKSUM_AT, 8);
    writer_u64(&sum, pack_checksum(pack->bytes));
    struct status s = pack_open(pack->bytes, &other, &fault);
    assert_string_equal(pack_fault_text(&fault, room, sizeof room), words);
    assert_fault(s, INVALID);
}

static void every_predicate_is_asked_in_order(void **state)
{
    (void)state;
    struct pack pack;
    build(&pack);
    memcpy(at(&pack, PACK_NODES, 1, 8), at(&pack, PACK_NODES, 0, 8), 4);
    is_refused(&pack, "predicates[1]: it is not asked before those that follow it");
    build(&pack);
    memcpy(at(&pack, PACK_NODES, RULES - 1, 8), at(&pack, PACK_NODES, 0, 8), 4);
    is_refused(&pack, "predicates[5]: no node asks it");
    build(&pack);
    memcpy(at(&pack, PACK_NODES, 0, 8), at(&pack, PACK_NODES, 1, 8), 4);
    memset(at(&pack, PACK_NODES, 1, 8), 0, 4);
    is_refused(&pack, "predicates[0]: it is not asked before those that follow it");
}

static void no_predicate_is_there_twice(void **state)
{
    (void)state;
    struct pack pack;
    for (size_t i = 0; i < RULES; i++) {
        for (size_t k = i + 1; k < RULES; k++) {
            build(&pack);
            memcpy(at(&pack, PACK_PREDICATES, k, 8), at(&pack, PACK_PREDICATES, i, 8), 8);
            char words[64];
            snprintf(words, sizeof words, "predicates[%zu]: it is there twice", k);
            is_refused(&pack, words);
        }
    }
}

static void nothing_is_there_for_nobody(void **state)
{
    (void)state;
    struct pack pack;
    char words[64];
    build(&pack);
    snprintf(words, sizeof words, "text_ends[%u]: nothing refers to it",
             load_u32(at(&pack, PACK_RULES, 0, 64) + AUTHOR_AT));
    memset(at(&pack, PACK_RULES, 0, 64) + AUTHOR_AT, 0xff, 4);
    is_refused(&pack, words);
    build(&pack);
    memset(at(&pack, PACK_PREDICATES, 3, 8) + 4, 0, 4);
    is_refused(&pack, "numbers[1]: nothing refers to it");
    build(&pack);
    memset(at(&pack, PACK_PREDICATES, 5, 8) + 4, 0, 4);
    is_refused(&pack, "automaton_ends[1]: nothing refers to it");
}

/* What the rule has besides, and no node asks, is left out by the builder. */
static void what_no_node_asks_is_not_built(void **state)
{
    (void)state;
    static const struct node second = {
        .predicate = 1, .on_true = NODE_MATCH, .on_false = NODE_MISS};
    const struct predicate p[] = {
        {.kind = PREDICATE_EQUAL, .field = FIELD_CWD, .text = TEXT("/idle")},
        {.kind = PREDICATE_EQUAL, .field = FIELD_PATH, .text = TEXT("/asked")}};
    const struct rule rule = {.id = TEXT("1"),
                              .title = TEXT("Title"),
                              .types = 1ULL << EVENT_PROCESS_EXEC,
                              .predicates = p,
                              .predicate_count = 2,
                              .nodes = &second,
                              .node_count = 1};
    struct builder *b;
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    char why[160];
    assert_ok(builder_new(&arena, &b));
    assert_ok(builder_add(b, &rule, why));
    assert_ok(builder_finish(b, &bytes));
    assert_ok(pack_open(bytes, &pack, &fault));
    assert_int_equal(pack_count(&pack, PACK_PREDICATES), 1);
    assert_text(pack_predicate(&pack, 0).text, "/asked");
}

static void no_memory_is_a_status(void **state)
{
    (void)state;
    struct pack pack;
    struct pack_fault fault;
    build(&pack);
    unsigned long before = heap_count();
    assert_ok(pack_open(pack.bytes, &pack, &fault));
    unsigned long wanted = heap_count() - before;
    assert_true(wanted > 4);
    for (unsigned long nth = 1; nth <= wanted; nth++) {
        heap_fail_at(nth);
        assert_fault(pack_open(pack.bytes, &pack, &fault), MEMORY);
    }
    heap_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_predicate_is_asked_in_order),
        cmocka_unit_test(no_predicate_is_there_twice),
        cmocka_unit_test(nothing_is_there_for_nobody),
        cmocka_unit_test(what_no_node_asks_is_not_built),
        cmocka_unit_test(no_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
