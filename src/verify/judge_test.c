#include "base/heap.h"
#include "base/own.h"
#include "base/test.h"
#include "content/pack/builder.h"
#include "verify/judge.h"

enum { DESCRIPTION_AT = 36 }; /* within a rule: docs/formats/pack.md */

static struct arena arena;
static const struct judge_limits limits = {
    .event_cost = PACK_EVENT_COST, .memory = 64 << 20, .size = PACK_SIZE_MAX};

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

static struct text build(const char *id)
{
    static const struct node node = {.on_true = NODE_MATCH, .on_false = NODE_MISS};
    const struct predicate p = {.kind = PREDICATE_SUFFIX, .field = FIELD_PATH, .text = TEXT("/x")};
    const struct rule rule = {.id = text_of(id),
                              .title = TEXT("Title"),
                              .types = 1ULL << EVENT_PROCESS_EXEC,
                              .predicates = &p,
                              .predicate_count = 1,
                              .nodes = &node,
                              .node_count = 1};
    struct builder *b;
    struct text bytes;
    char why[160];
    assert_ok(builder_new(&arena, &b));
    assert_ok(builder_add(b, &rule, why));
    assert_ok(builder_finish(b, &bytes));
    return bytes;
}

static const char *says(struct text pack, struct judge_limits within, bool json)
{
    static char room[512];
    struct judgement j;
    struct writer out = writer_over(room, sizeof room - 1);
    assert_ok(judge(pack, &within, &j));
    judgement_write(&j, pack.len, json, &out);
    assert_ok(writer_end(&out));
    room[out.used] = 0;
    return room;
}

static void a_pack_is_accepted_with_numbers(void **state)
{
    (void)state;
    struct text pack = build("1");
    assert_non_null(strstr(says(pack, limits, false),
                           "1 rule, 1 predicate, 0 correlations, 0 indicators in 0 "
                           "lists, 0 YARA files, 1 test event, 1 probe"));
    assert_non_null(strstr(says(pack, limits, true), "{\"accepted\":true,"));
}

static void budgets_are_kept(void **state)
{
    (void)state;
    struct text pack = build("1");
    struct judge_limits l = limits;
    l.size = pack.len - 1;
    assert_non_null(strstr(says(pack, l, false), "refused: pack: it has more bytes"));
    l.size = pack.len;
    l.memory = pack.len;
    assert_non_null(strstr(says(pack, l, false), "refused: pack: it takes more memory"));
    l = limits;
    l.event_cost = 1000;
    assert_non_null(strstr(says(pack, l, false), "too long"));
}

/* The id is whatever somebody wrote. */
static void a_rule_is_named_and_cannot_draw(void **state)
{
    (void)state;
    struct text pack = build("a\x1b[2Jb");
    struct pack open;
    struct pack_fault fault;
    assert_ok(pack_open(pack, &open, &fault));
    /* The probe's text becomes the rule's description: all texts of a pack are of use. */
    char *probe = (char *)(uintptr_t)open.sections[PACK_PROBES].at;
    memcpy((char *)(uintptr_t)open.sections[PACK_RULES].at + DESCRIPTION_AT, probe, 4);
    memset(probe, 0xff, 4);
    struct writer sum = writer_over((void *)(uintptr_t)(pack.ptr + PACK_CHECKSUM_AT), 8);
    writer_u64(&sum, pack_checksum(pack));
    assert_string_equal(says(pack, limits, false),
                        "refused: rules[0]: no test event shows that this field decides, whatever "
                        "else is in it: path (rule a?[2Jb)\n");
    assert_non_null(strstr(says(pack, limits, true), "\"field\":\"path\",\"rule\":\"a?[2Jb\"}"));
    struct judge_limits structure = limits;
    structure.structure = true;
    assert_non_null(strstr(says(pack, structure, false), "accepted: "));
}

static void no_memory_is_no_judgement(void **state)
{
    (void)state;
    struct text pack = build("1");
    struct judgement j;
    unsigned long before = heap_count();
    assert_ok(judge(pack, &limits, &j));
    unsigned long wanted = heap_count() - before;
    for (unsigned long nth = 1; nth <= wanted; nth++) {
        heap_fail_at(nth);
        assert_fault(judge(pack, &limits, &j), MEMORY);
    }
    heap_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pack_is_accepted_with_numbers),
        cmocka_unit_test(budgets_are_kept),
        cmocka_unit_test(a_rule_is_named_and_cannot_draw),
        cmocka_unit_test(no_memory_is_no_judgement),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
