#include "base/heap.h"
#include "base/own.h"
#include "base/test.h"
#include "content/match/match.h"
#include "content/match/predicate.h"
#include "content/pack/explain.h"
#include "content/pack/interest.h"
#include "content/pack/load.h"
#include "content/pack/sample.h"

#include <stdio.h>

static struct arena arena;

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

static struct rule one_node_rule(const char *id, const struct predicate *p, const struct node *n)
{
    return (struct rule){.id = text_of(id),
                         .title = TEXT("Title"),
                         .author = TEXT("Author"),
                         .level = TEXT("high"),
                         .types = 1ULL << EVENT_PROCESS_EXEC,
                         .predicates = p,
                         .predicate_count = 1,
                         .nodes = n,
                         .node_count = 1};
}

static const struct node ends = {.on_true = NODE_MATCH, .on_false = NODE_MISS};

static struct pack open_pack(struct text bytes)
{
    struct pack pack;
    struct pack_fault fault = {0};
    char words[256];
    if (!status_ok(pack_open(bytes, &pack, &fault))) {
        fail_msg("%s", pack_fault_text(&fault, words, sizeof words));
    }
    return pack;
}

static void what_was_built_comes_back(void **state)
{
    (void)state;
    struct text bytes;
    assert_ok(sample_pack(&arena, &bytes));
    struct pack pack = open_pack(bytes);
    assert_int_equal(pack_count(&pack, PACK_RULES), PREDICATE_KIND_COUNT + 2);
    assert_int_equal(pack.types, (1ULL << EVENT_COUNT) - 1);
    size_t last = pack_find(&pack, TEXT("z"));
    assert_int_equal(last, PREDICATE_KIND_COUNT);
    assert_int_equal(pack_find(&pack, TEXT("zzz")), SIZE_MAX);
    struct pack_rule rule = pack_rule(&pack, last);
    assert_text(rule.author, "Somebody");
    assert_text(rule.product, "linux");
    assert_text(rule.service, "");
    assert_int_equal(rule.node_count, 4);
    struct predicate p = pack_predicate(&pack, pack_node(&pack, rule.first_node).predicate);
    assert_int_equal(p.field, FIELD_COUNT);
    assert_text(p.text, "evil"); /* folded when it was built */
}

static void order_of_rules_does_not_matter(void **state)
{
    (void)state;
    struct predicate p = {.kind = PREDICATE_EQUAL, .field = FIELD_PATH, .text = TEXT("x")};
    struct predicate q = {.kind = PREDICATE_PREFIX, .field = FIELD_PATH, .text = TEXT("y")};
    struct rule rules[2] = {one_node_rule("1", &p, &ends), one_node_rule("2", &q, &ends)};
    struct text packs[2];
    for (unsigned round = 0; round < 2; round++) {
        struct builder *b;
        char why[160];
        assert_ok(builder_new(&arena, &b));
        assert_ok(builder_add(b, &rules[round], why));
        assert_ok(builder_add(b, &rules[!round], why));
        assert_ok(builder_finish(b, &packs[round]));
    }
    assert_true(text_same(packs[0], packs[1]));
}

static void equal_predicates_are_stored_once(void **state)
{
    (void)state;
    struct predicate p = {.kind = PREDICATE_EQUAL, .field = FIELD_PATH, .text = TEXT("Same")};
    struct predicate q = {.kind = PREDICATE_EQUAL,
                          .field = FIELD_PATH,
                          .text = TEXT("sAME"),
                          .number = 7 /* means nothing here */};
    struct rule rules[2] = {one_node_rule("1", &p, &ends), one_node_rule("2", &q, &ends)};
    struct builder *b;
    struct text bytes;
    char why[160];
    assert_ok(builder_new(&arena, &b));
    assert_ok(builder_add(b, &rules[0], why));
    assert_ok(builder_add(b, &rules[1], why));
    assert_ok(builder_finish(b, &bytes));
    struct pack pack = open_pack(bytes);
    assert_int_equal(pack_count(&pack, PACK_PREDICATES), 1);
}

static void is_refused(struct rule rule, const char *reason)
{
    struct builder *b;
    struct text bytes;
    char why[160];
    assert_ok(builder_new(&arena, &b));
    assert_false(status_ok(builder_add(b, &rule, why)));
    if (!strstr(why, reason)) {
        fail_msg("%s, not: %s", why, reason);
    }
    assert_ok(builder_finish(b, &bytes)); /* it goes on without */
    assert_int_equal(open_pack(bytes).types, 0);
}

static void a_predicate_is_refused(struct predicate p, const char *reason)
{
    is_refused(one_node_rule("1", &p, &ends), reason);
}

static void predicates_that_mean_nothing_are_refused(void **state)
{
    (void)state;
    struct predicate p = {.kind = PREDICATE_EXISTS, .field = FIELD_COUNT};
    a_predicate_is_refused(p, "needs a field");
    p = (struct predicate){.kind = PREDICATE_SAME, .field = FIELD_PATH, .other = FIELD_COUNT};
    a_predicate_is_refused(p, "second field");
    p.other = FIELD_PATH;
    a_predicate_is_refused(p, "compared to itself");
    p = (struct predicate){.kind = PREDICATE_CIDR, .field = FIELD_PATH, .text = TEXT("10.0.0.0")};
    a_predicate_is_refused(p, "network");
    p = (struct predicate){.kind = PREDICATE_GLOB, .field = FIELD_PATH, .text = TEXT("a\\")};
    a_predicate_is_refused(p, "backslash");
    p = (struct predicate){.kind = PREDICATE_REGEX, .field = FIELD_PATH, .text = TEXT("a+")};
    a_predicate_is_refused(p, "automaton");
    p = (struct predicate){.kind = PREDICATE_EQUAL, .field = FIELD_PATH, .text = TEXT("\xff")};
    a_predicate_is_refused(p, "UTF-8");
    p = (struct predicate){.kind = PREDICATE_KIND_COUNT, .field = FIELD_PATH};
    a_predicate_is_refused(p, "no such kind");
    p = (struct predicate){
        .kind = PREDICATE_TIME, .field = FIELD_UTC_TIME, .part = TIME_PART_COUNT};
    a_predicate_is_refused(p, "part of a time");
}

static void rules_that_mean_nothing_are_refused(void **state)
{
    (void)state;
    struct predicate p = {.kind = PREDICATE_EXISTS, .field = FIELD_PATH};
    struct node backward = {.on_true = 0, .on_false = NODE_MISS};
    struct node outside = {.on_true = 1, .on_false = NODE_MISS};
    struct node nowhere = {.predicate = 1, .on_true = NODE_MATCH, .on_false = NODE_MISS};
    is_refused(one_node_rule("1", &p, &backward), "forward");
    is_refused(one_node_rule("1", &p, &outside), "forward");
    is_refused(one_node_rule("1", &p, &nowhere), "not there");
    is_refused(one_node_rule("", &p, &ends), "not there");
    struct rule rule = one_node_rule("1", &p, &ends);
    rule.types = 0;
    is_refused(rule, "events");
    rule = one_node_rule("1", &p, &ends);
    rule.level = TEXT("urgent");
    is_refused(rule, "level");
    rule.level = TEXT("high");
    rule.node_count = NODES_MAX + 1U;
    is_refused(rule, "limit 65534");
}

/* Alerts are known by their rule's id: of two that alerts cannot tell apart one would be lost. */
static void an_id_fits_into_an_alert(void **state)
{
    (void)state;
    char id[RULE_ID_MAX + 2];
    char why[160];
    struct builder *b;
    struct predicate p = {.kind = PREDICATE_EXISTS, .field = FIELD_PATH};
    memset(id, 'a', sizeof id - 1);
    id[RULE_ID_MAX + 1] = 0;
    is_refused(one_node_rule(id, &p, &ends), "longer than an alert");
    id[RULE_ID_MAX] = 0;
    struct rule rule = one_node_rule(id, &p, &ends);
    assert_ok(builder_new(&arena, &b));
    assert_ok(builder_add(b, &rule, why));
}

static void an_id_is_taken_once(void **state)
{
    (void)state;
    struct predicate p = {.kind = PREDICATE_EXISTS, .field = FIELD_PATH};
    struct rule rule = one_node_rule("1", &p, &ends);
    struct builder *b;
    char why[160];
    assert_ok(builder_new(&arena, &b));
    assert_ok(builder_add(b, &rule, why));
    assert_fault(builder_add(b, &rule, why), INVALID);
    assert_non_null(strstr(why, "same id"));
}

static void on_match(void *context, size_t rule)
{
    (void)rule;
    ++*(unsigned *)context;
}

static void on_fault(void *context, size_t rule, const char *what)
{
    (void)context;
    fail_msg("rule %zu: %s", rule, what);
}

/* Sixty of these once took 12 s for one event. What an event may take is cut, and what was not
 * decided then is told. */
static void patterns_that_go_back_and_forth_end_in_time(void **state)
{
    (void)state;
    static char pattern[802], value[EVENT_TEXT_MAX], record[EVENT_MAX];
    char why[160], id[8];
    unsigned matches = 0;
    struct builder *b;
    struct text bytes;
    struct event event;
    struct event_builder eb;
    struct node node = {.on_true = NODE_MATCH, .on_false = NODE_MISS};
    memset(pattern, 'a', sizeof pattern);
    memset(value, 'a', sizeof value);
    pattern[0] = '*';
    pattern[sizeof pattern - 1] = '?';
    struct predicate p = {.kind = PREDICATE_GLOB,
                          .field = FIELD_PATH,
                          .text = {.ptr = pattern, .len = sizeof pattern}};
    assert_ok(builder_new(&arena, &b));
    for (unsigned i = 0; i < 60; i++) {
        pattern[sizeof pattern - 2 - i] = 'b';
        snprintf(id, sizeof id, "%u", i);
        struct rule rule = one_node_rule(id, &p, &node);
        assert_ok(builder_add(b, &rule, why));
        pattern[sizeof pattern - 2 - i] = 'a';
    }
    assert_ok(builder_finish(b, &bytes));
    struct pack pack = open_pack(bytes);
    assert_int_equal(pack.cost[EVENT_PROCESS_EXEC], PACK_EVENT_COST);
    assert_true(pack.demand[EVENT_PROCESS_EXEC] > PACK_EVENT_COST);
    event_begin(&eb, record, sizeof record);
    event_put_text(&eb, FIELD_PATH, (struct text){value, sizeof value});
    assert_ok(event_end(&eb, (struct event_header){.type = EVENT_PROCESS_EXEC}, &bytes));
    assert_ok(event_open(bytes, &event));
    OWN(matcher_drop) struct matcher *m = NULL;
    struct matcher_sink sink = {.context = &matches, .on_match = on_match, .on_fault = on_fault};
    assert_ok(matcher_new(&pack, &m));
    matcher_run(m, &event, &sink);
    assert_true(matcher_steps(m) <= PACK_EVENT_COST);
    assert_true(matcher_undecided(m) > 50);
    assert_int_equal(matches, 0);
}

/* Rules of another product do not run, but are asked whether they have to: that counts. */
static void candidates_of_another_origin_count(void **state)
{
    (void)state;

    enum { MANY = 4000 };
    struct predicate p = {.kind = PREDICATE_EXISTS, .field = FIELD_PATH};
    struct node node = {.on_true = NODE_MATCH, .on_false = NODE_MISS};
    struct rule rule = one_node_rule("", &p, &node);
    struct pack_limits limits = PACK_LIMITS;
    struct event event = {.header = {.type = EVENT_PROCESS_EXEC}};
    struct pack_fault fault;
    struct builder *b;
    struct text bytes;
    char why[160], id[8];
    unsigned matches = 0;
    assert_ok(builder_new(&arena, &b));
    rule.product = TEXT("windows");
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "%u", i);
        rule.id = text_of(id);
        assert_ok(builder_add(b, &rule, why));
    }
    assert_ok(builder_finish(b, &bytes));
    for (unsigned tight = 0; tight < 2; tight++) {
        struct pack pack;
        limits.event = tight ? 25000 : PACK_EVENT_COST;
        assert_ok(pack_open_within(bytes, limits, &pack, &fault));
        OWN(matcher_drop) struct matcher *m = NULL;
        struct matcher_sink sink = {
            .context = &matches, .on_match = on_match, .on_fault = on_fault};
        assert_ok(matcher_new(&pack, &m));
        matcher_run(m, &event, &sink);
        assert_true(matcher_steps(m) <= pack.cost[EVENT_PROCESS_EXEC]);
        assert_true(matcher_steps(m) >= (tight ? 24990 : MANY * MATCH_ORIGIN_COST));
        size_t asked = (size_t)(25000 - MATCH_EVENT_COST((MANY + 63) / 64)) / MATCH_ORIGIN_COST;
        assert_int_equal(matcher_undecided(m), tight ? MANY - asked : 0);
    }
    assert_int_equal(matches, 0);
}

static void a_log_source_has_its_length(void **state)
{
    (void)state;
    static char name[LOG_SOURCE_MAX + 1];
    struct predicate p = {.kind = PREDICATE_EXISTS, .field = FIELD_PATH};
    memset(name, 'a', sizeof name);
    for (unsigned i = 0; i < 6; i++) {
        struct rule rule = one_node_rule("1", &p, &ends);
        struct text *parts[] = {&rule.product, &rule.service, &rule.category};
        struct builder *b;
        char why[160];
        *parts[i / 2] = (struct text){name, LOG_SOURCE_MAX + i % 2};
        assert_ok(builder_new(&arena, &b));
        assert_int_equal(status_ok(builder_add(b, &rule, why)), i % 2 == 0);
        assert_true(i % 2 == 0 || strstr(why, "log source"));
    }
}

/* The demand of a diamond is its costliest path, not the sum of its nodes. */
static void demand_is_that_of_the_longest_path(void **state)
{
    (void)state;
    struct predicate predicates[2] = {
        {.kind = PREDICATE_EXISTS, .field = FIELD_PATH},
        {.kind = PREDICATE_CONTAINS, .field = FIELD_PATH, .text = TEXT("x")}};
    struct node nodes[3] = {{.predicate = 0, .on_true = 1, .on_false = 2},
                            {.predicate = 1, .on_true = NODE_MATCH, .on_false = NODE_MISS},
                            {.predicate = 0, .on_true = NODE_MATCH, .on_false = NODE_MISS}};
    struct rule rule = one_node_rule("1", predicates, nodes);
    rule.predicate_count = 2;
    rule.node_count = 3;
    struct builder *b;
    struct text bytes;
    char why[160];
    assert_ok(builder_new(&arena, &b));
    assert_ok(builder_add(b, &rule, why));
    assert_ok(builder_finish(b, &bytes));
    struct pack pack = open_pack(bytes);
    uint64_t search = 5 * (EVENT_TEXT_MAX + 1) + 1;
    uint64_t event = MATCH_EVENT_COST(1) + SUBJECT_FOLD_COST;
    uint64_t program =
        MATCH_ORIGIN_COST + MATCH_RULE_COST + (1 + MATCH_NODE_COST) + (search + MATCH_NODE_COST);
    assert_int_equal(pack.demand[EVENT_PROCESS_EXEC], event + program);
    assert_int_equal(pack.demand[EVENT_MOUNT], event);
    assert_int_equal(pack.cost[EVENT_PROCESS_EXEC], event + program);
}

/* Whoever sets a budget gets it, or a refusal: to look at the largest event has its price. */
static void looking_alone_has_to_fit_the_budget(void **state)
{
    (void)state;
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    assert_ok(sample_pack(&arena, &bytes));
    struct pack_limits limits = PACK_LIMITS;
    limits.event = 20000;
    assert_fault(pack_open_within(bytes, limits, &pack, &fault), LIMIT);
    assert_non_null(strstr(fault.what, "only to look"));
    limits.event = 900000;
    assert_ok(pack_open_within(bytes, limits, &pack, &fault));
    assert_true(pack.cost[EVENT_PROCESS_EXEC] <= 900000);
}

/* Many predicates may share a text, and all of it is looked at for each. */
static void a_proof_ends_in_time(void **state)
{
    (void)state;
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    struct pack_limits limits = PACK_LIMITS;
    unsigned predicates = 0;
    unsigned atoms = 0;
    assert_ok(sample_pack(&arena, &bytes));
    limits.proof = 0;
    while (!status_ok(pack_open_within(bytes, limits, &pack, &fault))) {
        assert_non_null(strstr(fault.what, "too long"));
        predicates += text_same(text_of(fault.section), TEXT("predicates"));
        atoms += text_same(text_of(fault.section), TEXT("atoms"));
        limits.proof++;
    }
    assert_true(predicates > 10 && atoms > 10 && predicates + atoms == limits.proof);
}

/* Whatever was accepted runs, within what it may cost, and its tables miss no rule. */
static void runs_within_its_cost(const struct pack *pack)
{
    static uint8_t room[EVENT_MAX];
    unsigned matches = 0;
    struct matcher_sink sink = {.context = &matches, .on_match = on_match, .on_fault = on_fault};
    OWN(matcher_drop) struct matcher *m = NULL;
    assert_ok(matcher_new(pack, &m));
    for (unsigned i = 0; i < SAMPLE_EVENTS; i++) {
        struct event event;
        assert_ok(sample_event(i, room, sizeof room, &event));
        matcher_run(m, &event, &sink);
        assert_true(matcher_steps(m) <= pack->cost[event.header.type]);
        assert_true(sample_agrees(pack, m, &event));
    }
    char words[16384];
    struct writer out = writer_over(words, sizeof words);
    for (size_t i = 0; i < pack_count(pack, PACK_RULES); i++) {
        assert_int_equal(pack_find(pack, pack_rule(pack, i).id), i);
        explain_program(pack, i, &out);
    }
}

static void set_checksum(char *bytes, size_t size)
{
    struct writer w = writer_over(bytes + PACK_CHECKSUM_AT, 8);
    writer_u64(&w, pack_checksum((struct text){bytes, size}));
}

/* The checksum finds any one bit. With the checksum made right again, the verifier has to. */
static void every_flip_is_refused_or_harmless(void **state)
{
    (void)state;
    struct text bytes;
    unsigned accepted = 0;
    assert_ok(sample_pack(&arena, &bytes));
    char *copy = heap_alloc(bytes.len, 1);
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        struct pack pack;
        struct pack_fault fault;
        memcpy(copy, bytes.ptr, bytes.len);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        struct text flipped = {copy, bytes.len};
        assert_false(status_ok(pack_open(flipped, &pack, &fault)));
        set_checksum(copy, bytes.len);
        if (status_ok(pack_open(flipped, &pack, &fault))) {
            runs_within_its_cost(&pack);
            accepted++;
        }
    }
    heap_free(copy);
    assert_true(accepted > 100); /* letters in texts, operands: else nothing was tried */
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct text bytes;
    assert_ok(sample_pack(&arena, &bytes));
    for (size_t len = 0; len < bytes.len; len++) {
        /* Memory of exactly this length, so that the sanitizer sees the first byte outside. */
        char *copy = heap_alloc(len, 1);
        struct pack pack;
        struct pack_fault fault;
        memcpy(copy, bytes.ptr, len);
        assert_false(status_ok(pack_open((struct text){copy, len}, &pack, &fault)));
        if (len >= PACK_HEADER) {
            set_checksum(copy, len);
            assert_false(status_ok(pack_open((struct text){copy, len}, &pack, &fault)));
        }
        heap_free(copy);
    }
}

/* A pack whose bytes from `at` on are `value`, with the checksum right: what is said about it. */
static const char *fault_of(size_t at, uint64_t value, size_t size, enum fault expected)
{
    static char words[256];
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    assert_ok(sample_pack(&arena, &bytes));
    char *copy = (char *)(uintptr_t)bytes.ptr;
    for (size_t i = 0; i < size; i++) {
        copy[at + i] = (char)(value >> i * 8);
    }
    set_checksum(copy, bytes.len);
    assert_int_equal(pack_open(bytes, &pack, &fault).fault, expected);
    return pack_fault_text(&fault, words, sizeof words);
}

static size_t offset_of(enum pack_section section)
{
    struct text bytes;
    assert_ok(sample_pack(&arena, &bytes));
    struct pack pack = open_pack(bytes);
    return (size_t)(pack.sections[section].at - bytes.ptr);
}

static void faults_say_where(void **state)
{
    (void)state;
    const char *schema =
        "header: the pack was built for another schema; build it again with this version";
    /* 21 fields where the schema has 20 */
    assert_string_equal(fault_of(12, FIELD_COUNT + 1, 2, FAULT_VERSION), schema);
    assert_string_equal(fault_of(14, EVENT_COUNT - 1, 2, FAULT_VERSION), schema);
    assert_string_equal(fault_of(24, schema_hash() + 1, 8, FAULT_VERSION), schema);
    assert_string_equal(
        fault_of(offset_of(PACK_PREDICATES) + 2 * 8 + 2, FIELD_COUNT, 1, FAULT_INVALID),
        "predicates[2]: the field is not in the schema");
    assert_string_equal(fault_of(offset_of(PACK_NODES) + 4, 0, 2, FAULT_INVALID),
                        "nodes[0]: it does not lead forward");
    /* A count whose product with the size of an item is the right one again, past 64 bits. */
    assert_string_equal(fault_of(PACK_HEADER + 16, 1ULL << 62, 8, FAULT_INVALID),
                        "text_ends: it does not lie where it should");
}

static void no_memory_is_a_status(void **state)
{
    (void)state;
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    assert_ok(sample_pack(&arena, &bytes));
    heap_fail_at(1);
    assert_fault(pack_open(bytes, &pack, &fault), MEMORY);
    pack = open_pack(bytes);
    for (unsigned long nth = 1; nth <= 5; nth++) {
        struct matcher *m = NULL;
        heap_fail_at(nth);
        assert_fault(matcher_new(&pack, &m), MEMORY);
        assert_null(m);
    }
    heap_fail_at(0);
}

static void programs_are_explained(void **state)
{
    (void)state;
    struct text bytes;
    char room[2048];
    struct writer out = writer_over(room, sizeof room);
    assert_ok(sample_pack(&arena, &bytes));
    struct pack pack = open_pack(bytes);
    explain_program(&pack, pack_find(&pack, TEXT("z")), &out);
    assert_text(writer_text(&out),
                "    0  any field contains \"evil\", any case  yes: match  no: 1\n"
                "    1  pid > 41  yes: 2  no: miss\n"
                "    2  path ends with \"/sh\"  yes: match  no: 3\n"
                "    3  any field contains \"evil\", any case  yes: miss  no: miss\n");
}

static void on_path(void *context, const struct predicate *p)
{
    assert_int_equal(p->field, FIELD_TARGET_PATH);
    ++*(unsigned *)context;
}

static bool interest_of(const struct predicate *predicates, const struct node *nodes, size_t count,
                        unsigned *paths)
{
    struct rule rule = one_node_rule("1", predicates, nodes);
    struct builder *b;
    struct text bytes;
    char why[160];
    rule.types = 1ULL << EVENT_FILE_OPEN;
    rule.predicate_count = count;
    rule.node_count = count;
    assert_ok(builder_new(&arena, &b));
    assert_ok(builder_add(b, &rule, why));
    assert_ok(builder_finish(b, &bytes));
    struct pack pack = open_pack(bytes);
    *paths = 0;
    return interest_open_paths(&pack, on_path, paths);
}

static void interest_is_what_rules_name(void **state)
{
    (void)state;
    unsigned paths;
    struct predicate predicates[2] = {
        {.kind = PREDICATE_EQUAL, .field = FIELD_TARGET_PATH, .text = TEXT("/etc/shadow")},
        {.kind = PREDICATE_EQUAL, .field = FIELD_USER, .text = TEXT("root")}};
    struct node both[2] = {{0, 1, NODE_MISS}, {1, NODE_MATCH, NODE_MISS}};
    struct node either[2] = {{0, NODE_MATCH, 1}, {1, NODE_MATCH, NODE_MISS}};
    struct node without[2] = {{0, NODE_MISS, 1}, {1, NODE_MATCH, NODE_MISS}};
    assert_true(interest_of(predicates, both, 2, &paths));
    assert_int_equal(paths, 1);
    assert_false(interest_of(predicates, either, 2, &paths));
    assert_false(interest_of(predicates, without, 2, &paths));
}

/* What only recordings carry costs nothing while the machine runs. */
static void interest_is_in_what_can_happen(void **state)
{
    (void)state;
    struct predicate predicates[2] = {
        {.kind = PREDICATE_PRESENT, .field = FIELD_SHA256},
        {.kind = PREDICATE_EQUAL, .field = FIELD_USER, .text = TEXT("root")}};
    struct node both[2] = {{0, 1, NODE_MISS}, {1, NODE_MATCH, NODE_MISS}};
    struct node either[2] = {{0, NODE_MATCH, 1}, {1, NODE_MATCH, NODE_MISS}};
    struct node without[2] = {{0, NODE_MISS, 1}, {1, NODE_MATCH, NODE_MISS}};

    const struct {
        const struct node *nodes;
        const char *product, *service, *category;
        uint64_t types;
    } rows[] = {{both, "", "", "", 0},
                {either, "", "", "", 1ULL << EVENT_PROCESS_EXEC},
                {either, "linux", "", "", 1ULL << EVENT_PROCESS_EXEC},
                {either, "linux", "", "process_creation", 1ULL << EVENT_PROCESS_EXEC},
                {either, "linux", "sshd", "", 0},
                {either, "windows", "", "process_creation", 0},
                {without, "", "", "", 1ULL << EVENT_PROCESS_EXEC}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rule rule = one_node_rule("1", predicates, rows[i].nodes);
        struct builder *b;
        struct text bytes;
        char why[160];
        rule.predicate_count = 2;
        rule.node_count = 2;
        rule.product = text_of(rows[i].product);
        rule.service = text_of(rows[i].service);
        rule.category = text_of(rows[i].category);
        assert_ok(builder_new(&arena, &b));
        assert_ok(builder_add(b, &rule, why));
        assert_ok(builder_finish(b, &bytes));
        struct pack pack = open_pack(bytes);
        assert_int_equal(pack.types, 1ULL << EVENT_PROCESS_EXEC);
        assert_int_equal(interest_types(&pack), rows[i].types);
    }
}

static void yara_sources_come_back_in_order(void **state)
{
    (void)state;
    struct text bytes;
    assert_ok(sample_pack(&arena, &bytes));
    struct pack pack = open_pack(bytes);
    assert_int_equal(pack_count(&pack, PACK_YARA), 2);
    assert_text(pack_yara(&pack, 0).file, "a.yar");
    assert_text(pack_yara(&pack, 0).source, "rule a { condition: true }");
    assert_text(pack_yara(&pack, 1).source, "rule b { condition: true }");
}

/* With no rule of our own beside them too: `bulkhead scan --rules` makes such packs. */
static void yara_sources_are_refused_for_what_they_are(void **state)
{
    (void)state;
    static char large[1025];
    struct builder *b;
    struct text bytes;
    char why[160];
    memset(large, 'x', sizeof large);
    assert_ok(builder_new(&arena, &b));
    assert_ok(builder_add_yara(b, TEXT("a.yar"), TEXT("rule"), why));
    assert_fault(builder_add_yara(b, TEXT("a.yar"), TEXT("other"), why), INVALID);
    assert_non_null(strstr(why, "same name"));
    assert_fault(builder_add_yara(b, TEXT(""), TEXT("rule"), why), INVALID);
    assert_fault(builder_add_yara(b, TEXT("b"), TEXT(""), why), INVALID);
    assert_fault(builder_add_yara(b, TEXT("b"), TEXT("ru\0le"), why), INVALID);
    assert_fault(builder_add_yara(b, TEXT("\xff"), TEXT("rule"), why), INVALID);
    struct text long_name = {.ptr = large, .len = sizeof large};
    assert_fault(builder_add_yara(b, long_name, TEXT("rule"), why), INVALID);
    assert_ok(builder_finish(b, &bytes));
    struct pack pack = open_pack(bytes);
    assert_int_equal(pack_count(&pack, PACK_YARA), 1);
}

#define with_arena(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(what_was_built_comes_back),
        with_arena(order_of_rules_does_not_matter),
        with_arena(equal_predicates_are_stored_once),
        with_arena(predicates_that_mean_nothing_are_refused),
        with_arena(rules_that_mean_nothing_are_refused),
        with_arena(an_id_fits_into_an_alert),
        with_arena(an_id_is_taken_once),
        with_arena(patterns_that_go_back_and_forth_end_in_time),
        with_arena(candidates_of_another_origin_count),
        with_arena(a_log_source_has_its_length),
        with_arena(demand_is_that_of_the_longest_path),
        with_arena(looking_alone_has_to_fit_the_budget),
        with_arena(a_proof_ends_in_time),
        with_arena(every_flip_is_refused_or_harmless),
        with_arena(every_cut_is_refused),
        with_arena(faults_say_where),
        with_arena(no_memory_is_a_status),
        with_arena(programs_are_explained),
        with_arena(interest_is_what_rules_name),
        with_arena(interest_is_in_what_can_happen),
        with_arena(yara_sources_come_back_in_order),
        with_arena(yara_sources_are_refused_for_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
