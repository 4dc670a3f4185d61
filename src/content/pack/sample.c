#include "content/pack/sample.h"

#include "base/bytes.h"
#include "base/heap.h"
#include "base/own.h"
#include "content/indicator/indicator_build.h"
#include "content/match/automaton_build.h"
#include "content/match/predicate.h"

/* States: 2 nothing, 3 after an a. Classes: other, a, b. */
struct text sample_automaton(void)
{
    static uint8_t room[104];
    struct writer w = writer_over(room, sizeof room);
    writer_u32(&w, sizeof room);
    static const uint16_t head[] = {4, 2, 3, 1, 0, 2};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) {
        writer_u16(&w, head[i]);
    }
    for (unsigned i = 0; i < AUTOMATON_ASCII; i += 2) {
        writer_u8(&w, i + 1 == 'a' ? 0x10 : i == 'b' ? 0x02 : 0);
    }
    writer_u32(&w, 0x80);
    writer_u32(&w, 0);
    static const uint8_t rest[] = {2, 3, 1, 0, 2, 3, 2, 0, 1, 0, 0};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) {
        writer_u8(&w, rest[i]);
    }
    while (w.used < sizeof room) {
        writer_u8(&w, 0);
    }
    return (struct text){.ptr = (const char *)room, .len = sizeof room};
}

enum { LARGE_ROWS = 257, LARGE_CLASSES = AUTOMATON_NIBBLES + 1 };

/* Row n waits for the letter of its turn, and goes on; any other leads back to the first. */
static void fill_large(uint16_t class_of[AUTOMATON_ASCII + 2],
                       uint16_t next[LARGE_ROWS][LARGE_CLASSES], bool at_end[LARGE_ROWS])
{
    for (unsigned i = 0; i + 1 < LARGE_CLASSES; i++) {
        class_of['a' + i] = (uint16_t)(i + 1);
    }
    for (unsigned row = 0; row < LARGE_ROWS; row++) {
        for (unsigned class = 0; class < LARGE_CLASSES; class ++) {
            bool turn = class == row % (LARGE_CLASSES - 1) + 1;
            bool last = row + 1 == LARGE_ROWS;
            next[row][class] = !turn  ? AUTOMATON_FIRST_ROW
                               : last ? AUTOMATON_FOUND
                                      : (uint16_t)(row + 1 + AUTOMATON_FIRST_ROW);
        }
        at_end[row] = row == 20;
    }
}

struct status sample_large_automaton(struct arena *arena, struct text *out)
{
    static const uint32_t from = AUTOMATON_ASCII;
    uint16_t class_of[AUTOMATON_ASCII + 2] = {0};
    uint16_t next[LARGE_ROWS][LARGE_CLASSES];
    bool at_end[LARGE_ROWS];
    fill_large(class_of, next, at_end);
    return automaton_build(&(struct automaton_plain){.states = LARGE_ROWS + AUTOMATON_FIRST_ROW,
                                                     .start = AUTOMATON_FIRST_ROW,
                                                     .classes = LARGE_CLASSES,
                                                     .ranges = 1,
                                                     .class_of = class_of,
                                                     .range_from = &from,
                                                     .next = next[0],
                                                     .at_end = at_end},
                           arena, arena, out);
}

static struct predicate sample_predicate(enum predicate_kind kind)
{
    struct predicate p = {.kind = kind,
                          .field = FIELD_COMMAND_LINE,
                          .text = TEXT("ab"),
                          .number = 5000000,
                          .other = FIELD_PATH,
                          .part = TIME_HOUR,
                          .compare = COMPARE_LESS};
    if (kind == PREDICATE_REGEX) {
        p.text = sample_automaton();
    } else if (kind == PREDICATE_GLOB) {
        p.text = TEXT("*\\-?b*");
    } else if (kind == PREDICATE_CIDR) {
        p.text = TEXT("10.0.0.0/8");
    }
    return p;
}

static struct rule sample_rule(const char *id)
{
    return (struct rule){.id = text_of(id),
                         .title = TEXT("A sample"),
                         .author = TEXT("Somebody"),
                         .level = TEXT("low"),
                         .status = TEXT("test"),
                         .types = (1ULL << EVENT_COUNT) - 1};
}

static struct status add_key(struct indicator_set *set, struct text t)
{
    char room[INDICATOR_ROOM];
    struct indicator_key key;
    ENSURE(indicator_key_of(set->kind, t, room, &key));
    return indicator_add(set, &key);
}

struct status sample_list_of(enum indicator_kind kind, const char *const *words, size_t count,
                             struct arena *arena, struct text *out)
{
    struct indicator_set set = {.arena = arena, .kind = kind};
    for (size_t i = 0; i < count; i++) {
        TRY(add_key(&set, text_of(words[i])));
    }
    return indicator_finish(&set, TEXT("sample"), out);
}

struct status sample_list(enum indicator_kind kind, struct arena *arena, struct text *out)
{
    static const char *const keys[INDICATOR_KIND_COUNT][4] = {
        {"d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
         "00000000000000000000000000000000000000000000000000000000000000ff"},
        {"10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0"},
        {"example.org", "a.example.org", "evil.example", "xn--bcher-kva.example"},
        {"/bin/sh", "/opt/x/", "/opt/x/y/", "/tmp/a b"}};
    return sample_list_of(kind, keys[kind], 4, arena, out);
}

/* One rule that asks for a list of each kind, whatever the answers. */
static struct status add_lists(struct builder *b, struct arena *arena, struct rule *rule, char *why)
{
    static const enum field fields[INDICATOR_KIND_COUNT] = {FIELD_SHA256, FIELD_COMMAND_LINE,
                                                            FIELD_COMMAND_LINE, FIELD_PATH};
    struct predicate predicates[INDICATOR_KIND_COUNT];
    struct node nodes[INDICATOR_KIND_COUNT];
    for (unsigned kind = 0; kind < INDICATOR_KIND_COUNT; kind++) {
        uint16_t next = kind + 1 < INDICATOR_KIND_COUNT ? (uint16_t)(kind + 1) : NODE_MISS;
        predicates[kind] = (struct predicate){.kind = PREDICATE_LISTED, .field = fields[kind]};
        nodes[kind] =
            (struct node){.predicate = (uint16_t)kind, .on_true = NODE_MATCH, .on_false = next};
        TRY(sample_list((enum indicator_kind)kind, arena, &predicates[kind].text));
        TRY(builder_list(b, predicates[kind].text, why));
    }
    rule->predicates = predicates;
    rule->predicate_count = INDICATOR_KIND_COUNT;
    rule->nodes = nodes;
    rule->node_count = INDICATOR_KIND_COUNT;
    return builder_add(b, rule, why);
}

static struct status add_kinds(struct builder *b, struct arena *arena, char *why)
{
    static const char *const ids[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                                      "k", "l", "m", "n", "o", "p", "q", "r", "r1"};
    _Static_assert(sizeof ids / sizeof *ids == PREDICATE_KIND_COUNT, "an id for each kind");
    for (unsigned kind = 0; kind < PREDICATE_KIND_COUNT; kind++) {
        struct rule rule = sample_rule(ids[kind]);
        struct predicate p = sample_predicate((enum predicate_kind)kind);
        struct node node = {.on_true = NODE_MATCH, .on_false = NODE_MISS};
        rule.predicates = &p;
        rule.predicate_count = 1;
        rule.nodes = &node;
        rule.node_count = 1;
        TRY(kind == PREDICATE_LISTED ? add_lists(b, arena, &rule, why)
                                     : builder_add(b, &rule, why));
    }
    return OK;
}

/* An automaton in the forms that large ones have. */
static struct status add_large(struct builder *b, struct arena *arena, char *why)
{
    struct rule rule = sample_rule("zz");
    struct predicate p = {.kind = PREDICATE_REGEX, .field = FIELD_COMMAND_LINE};
    struct node node = {.on_true = NODE_MATCH, .on_false = NODE_MISS};
    TRY(sample_large_automaton(arena, &p.text));
    rule.predicates = &p;
    rule.predicate_count = 1;
    rule.nodes = &node;
    rule.node_count = 1;
    return builder_add(b, &rule, why);
}

static struct status add_rules(struct builder *b, struct arena *arena)
{
    char why[160];
    TRY(add_kinds(b, arena, why));
    TRY(add_large(b, arena, why));
    struct rule rule = sample_rule("z");
    const struct predicate predicates[] = {
        {.kind = PREDICATE_CONTAINS, .field = FIELD_COUNT, .text = TEXT("Evil")},
        {.kind = PREDICATE_GREATER, .field = FIELD_PID, .number = 41000000},
        {.kind = PREDICATE_SUFFIX, .field = FIELD_PATH, .cased = true, .text = TEXT("/sh")},
    };
    const struct node nodes[] = {{.predicate = 0, .on_true = NODE_MATCH, .on_false = 1},
                                 {.predicate = 1, .on_true = 2, .on_false = NODE_MISS},
                                 {.predicate = 2, .on_true = NODE_MATCH, .on_false = 3},
                                 {.predicate = 0, .on_true = NODE_MISS, .on_false = NODE_MISS}};
    rule.predicates = predicates;
    rule.predicate_count = 3;
    rule.nodes = nodes;
    rule.node_count = 4;
    rule.product = TEXT("linux");
    TRY(builder_add(b, &rule, why));
    TRY(builder_add_yara(b, TEXT("b.yar"), TEXT("rule b { condition: true }"), why));
    return builder_add_yara(b, TEXT("a.yar"), TEXT("rule a { condition: true }"), why);
}

struct status sample_pack(struct arena *arena, struct text *out)
{
    struct builder *b;
    TRY(builder_new(arena, &b));
    TRY(add_rules(b, arena));
    return builder_finish(b, out);
}

static struct status add_correlation(struct builder *b, const char *id, enum correlation_type type,
                                     const char *refers_to)
{
    static const enum field lists[2][2] = {{FIELD_PATH, FIELD_PID},
                                           {FIELD_COMMAND_LINE, FIELD_PID}};
    const struct correlation_reference references[] = {
        {.id = TEXT("m"), .fields = lists[0]}, {.id = text_of(refers_to), .fields = lists[1]}};
    const struct correlation_condition conditions[] = {
        {.operator= CORRELATION_NEQ, .whole = -1, .millionths = 500000},
        {.operator= CORRELATION_GTE, .whole = 1}};
    bool values = type != CORRELATION_EVENT_COUNT && type != CORRELATION_TEMPORAL &&
                  type != CORRELATION_TEMPORAL_ORDERED;
    struct correlation correlation = {.type = type,
                                      .span_s = 60,
                                      .group_fields = 1,
                                      .value_fields = values,
                                      .references = references,
                                      .reference_count = 2,
                                      .conditions = conditions,
                                      .condition_count =
                                          type == CORRELATION_TEMPORAL_ORDERED ? 0 : 2,
                                      .generate = true};
    struct rule rule = {.id = text_of(id), .title = TEXT("Some"), .correlation = &correlation};
    char why[160];
    return builder_add(b, &rule, why);
}

struct status sample_correlations(struct arena *arena, struct text *out)
{
    static const char *const ids[] = {"t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"};
    _Static_assert(sizeof ids / sizeof *ids == CORRELATION_TYPE_COUNT, "an id for each type");
    struct builder *b;
    TRY(builder_new(arena, &b));
    TRY(add_rules(b, arena));
    for (unsigned type = 0; type < CORRELATION_TYPE_COUNT; type++) {
        TRY(add_correlation(b, ids[type], (enum correlation_type)type, "z"));
    }
    TRY(add_correlation(b, "s", CORRELATION_TEMPORAL_ORDERED, "t4"));
    return builder_finish(b, out);
}

struct status sample_event(unsigned index, void *buffer, size_t size, struct event *out)
{
    static const enum event_type types[SAMPLE_EVENTS] = {EVENT_PROCESS_EXEC, EVENT_FILE_OPEN,
                                                         EVENT_NETWORK_CONNECT, EVENT_RECORDED};

    static const char *const lines[SAMPLE_EVENTS] = {"sh /xb -c aab", "\xff\xe2\x82 evil aab",
                                                     "10.1.2.3", "2024-05-06 03:04:05"};
    struct event_builder b;
    struct text record;
    event_begin(&b, buffer, size);
    event_put_text(&b, FIELD_COMMAND_LINE, text_of(lines[index]));
    event_put_text(&b, FIELD_PATH, TEXT("/bin/sh"));
    event_put_number(&b, FIELD_PID, 40 + (int)index);
    event_put_bool(&b, FIELD_INITIATED, index % 2);
    event_put_null(&b, FIELD_CWD);
    TRY(event_end(&b, (struct event_header){.type = (uint16_t)types[index]}, &record));
    return event_open(record, out);
}

bool sample_naive(const struct pack *pack, size_t index, const struct event *event)
{
    static char folded[EVENT_MAX];
    struct pack_rule rule = pack_rule(pack, index);
    struct subject s = {.event = event, .folded = folded, .budget = UINT64_MAX};
    uint32_t at = 0;
    if (!(rule.types >> event->header.type & 1)) {
        return false;
    }
    while (at < rule.node_count) {
        struct pack_node node = pack_node(pack, rule.first_node + at);
        struct predicate p = pack_predicate(pack, node.predicate);
        uint16_t next = predicate_holds(&p, &s) ? node.on_true : node.on_false;
        if (next == NODE_MATCH || next == NODE_MISS) {
            return next == NODE_MATCH;
        }
        at = next;
    }
    return true;
}

static void mark_match(void *context, size_t rule)
{
    ((bool *)context)[rule] = true;
}

static void mark_fault(void *context, size_t rule, const char *what)
{
    (void)context;
    (void)rule;
    bug(what, STATUS_HERE);
}

bool sample_agrees(const struct pack *pack, struct matcher *m, const struct event *event)
{
    size_t count = pack_count(pack, PACK_RULES);
    OWN(heap_drop) bool *matches = heap_alloc(count, sizeof *matches);
    struct matcher_sink sink = {.context = matches, .on_match = mark_match, .on_fault = mark_fault};
    ENSURE(matches);
    matcher_run(m, event, &sink);
    bool agrees = matcher_undecided(m) == 0;
    for (size_t i = 0; i < count; i++) {
        struct pack_rule rule = pack_rule(pack, i);
        bool any_source = rule.product.len + rule.service.len + rule.category.len == 0;
        bool linux_alone =
            rule.service.len + rule.category.len == 0 && text_same(rule.product, TEXT("linux"));
        if (any_source || linux_alone) {
            agrees = agrees && matches[i] == sample_naive(pack, i, event);
        }
    }
    return agrees;
}
