#include "content/match/trigger.h"

#include "base/test.h"
#include "content/pack/builder.h"

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

/* Long words are rare; "ab" is in many values. */
#define RARE(word)                                                                                 \
    {                                                                                              \
        .kind = PREDICATE_CONTAINS, .field = FIELD_PATH, .text = TEXT(word)                        \
    }
#define COMMON                                                                                     \
    {                                                                                              \
        .kind = PREDICATE_CONTAINS, .field = FIELD_PATH, .text = TEXT("ab")                        \
    }
#define NO_ATOM                                                                                    \
    {                                                                                              \
        .kind = PREDICATE_EXISTS, .field = FIELD_PID                                               \
    }

enum { YES = NODE_MATCH, NO = NODE_MISS };

static struct pack pack_of(const struct predicate *predicates, size_t predicate_count,
                           const struct node *nodes, size_t node_count)
{
    struct builder *b;
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    char why[160];
    struct rule rule = {.id = TEXT("1"),
                        .title = TEXT("Title"),
                        .types = 1ULL << EVENT_PROCESS_EXEC,
                        .predicates = predicates,
                        .predicate_count = predicate_count,
                        .nodes = nodes,
                        .node_count = node_count};
    assert_ok(builder_new(&arena, &b));
    assert_ok(builder_add(b, &rule, why));
    assert_ok(builder_finish(b, &bytes));
    assert_ok(pack_open(bytes, &pack, &fault));
    return pack;
}

/* Does the predicate whose text this is trigger the rule? */
static bool triggers(const struct pack *pack, const char *text)
{
    bool does = false;
    for (size_t i = 0; i < pack_count(pack, PACK_TRIGGERS); i++) {
        struct pack_atom atom = pack_atom(pack, pack_trigger(pack, i).atom);
        does = does || text_same(pack_text(pack, atom.literal), text_of(text));
    }
    return does;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PACK(predicates, nodes) pack_of(predicates, COUNT(predicates), nodes, COUNT(nodes))

static void of_all_the_rarest_is_enough(void **state)
{
    (void)state;
    const struct predicate p[] = {COMMON, RARE("somethingrare"), NO_ATOM};
    const struct node n[] = {{0, 1, NO}, {1, 2, NO}, {2, YES, NO}};
    struct pack pack = PACK(p, n);
    assert_true(triggers(&pack, "somethingrare"));
    assert_false(triggers(&pack, "ab"));
    assert_int_equal(pack_count(&pack, PACK_ALWAYS), 0);
}

static void of_any_each_is_needed(void **state)
{
    (void)state;
    const struct predicate p[] = {RARE("firstword"), RARE("secondword")};
    const struct node n[] = {{0, YES, 1}, {1, YES, NO}};
    struct pack pack = PACK(p, n);
    assert_true(triggers(&pack, "firstword"));
    assert_true(triggers(&pack, "secondword"));
}

/* (a or b) and c: c alone, or a and b. */
static void the_lighter_side_is_chosen(void **state)
{
    (void)state;
    const struct node n[] = {{0, 2, 1}, {1, 2, NO}, {2, YES, NO}};
    const struct predicate one[] = {RARE("firstword"), RARE("secondword"), RARE("thirdword")};
    struct pack pack = PACK(one, n);
    assert_true(triggers(&pack, "thirdword"));
    assert_false(triggers(&pack, "firstword"));
    const struct predicate two[] = {RARE("firstword"), RARE("secondword"), COMMON};
    pack = PACK(two, n);
    assert_true(triggers(&pack, "firstword"));
    assert_true(triggers(&pack, "secondword"));
    assert_false(triggers(&pack, "ab"));
}

/* A way around: the flow has to be led back. a? -> b or c; not a? -> c; then d. */
static void flows_are_led_back(void **state)
{
    (void)state;
    const struct predicate p[] = {RARE("firstword"), RARE("secondword"), RARE("thirdword")};
    const struct node n[] = {{0, 1, 2}, {1, YES, 2}, {2, YES, NO}};
    struct pack pack = PACK(p, n);
    assert_true(triggers(&pack, "thirdword"));
    assert_true(triggers(&pack, "firstword") != triggers(&pack, "secondword"));
}

static void without_a_cut_the_rule_always_runs(void **state)
{
    (void)state;
    const struct predicate p[] = {RARE("firstword"), NO_ATOM};
    const struct node any[] = {{0, YES, 1}, {1, YES, NO}};
    struct pack pack = PACK(p, any);
    assert_int_equal(pack_count(&pack, PACK_ALWAYS), 1);
    assert_int_equal(pack_count(&pack, PACK_TRIGGERS), 0);
    const struct node negated[] = {{0, NO, YES}};
    pack = pack_of(p, 1, negated, 1);
    assert_int_equal(pack_count(&pack, PACK_ALWAYS), 1);
    pack = pack_of(p, 0, NULL, 0);
    assert_int_equal(pack_count(&pack, PACK_ALWAYS), 1);
}

/* What can never match never runs. */
static void without_a_match_there_is_nothing_to_trigger(void **state)
{
    (void)state;
    const struct predicate p[] = {NO_ATOM};
    const struct node n[] = {{0, NO, NO}};
    struct pack pack = PACK(p, n);
    assert_int_equal(pack_count(&pack, PACK_ALWAYS), 0);
    assert_int_equal(pack_count(&pack, PACK_TRIGGERS), 0);
}

static void long_programs_are_cut_at_every_atom(void **state)
{
    (void)state;

    enum { LENGTH = 9000 };
    static struct node nodes[LENGTH];
    const struct predicate p[] = {RARE("firstword"), RARE("secondword")};
    for (uint16_t i = 0; i < LENGTH; i++) {
        nodes[i] = (struct node){.predicate = i % 2,
                                 .on_true = i + 1 < LENGTH ? (uint16_t)(i + 1) : (uint16_t)YES,
                                 .on_false = NO};
    }
    struct pack pack = pack_of(p, 2, nodes, LENGTH);
    assert_true(triggers(&pack, "firstword"));
    assert_true(triggers(&pack, "secondword"));
}

#define with_arena(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(of_all_the_rarest_is_enough),
        with_arena(of_any_each_is_needed),
        with_arena(the_lighter_side_is_chosen),
        with_arena(flows_are_led_back),
        with_arena(without_a_cut_the_rule_always_runs),
        with_arena(without_a_match_there_is_nothing_to_trigger),
        with_arena(long_programs_are_cut_at_every_atom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
