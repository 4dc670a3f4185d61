#include "content/pack/verify.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/match/match.h"
#include "content/pack/load.h"

static bool is_word(struct text t, const char *const *words)
{
    while (*words && !text_same(t, text_of(*words))) {
        words++;
    }
    return *words;
}

/* References of a rule: eleven, from byte 16 on; id and title must be there. */
static const char *check_references(const struct check *c, size_t index)
{
    const char *at = c->pack.sections[PACK_RULES].at + index * 64;
    for (size_t i = 0; i < PACK_RULE_TEXT_COUNT; i++) {
        uint32_t reference = load_u32(at + 16 + i * 4);
        bool there = reference < pack_count(&c->pack, PACK_TEXT_ENDS);
        if (!there && (reference != PACK_NONE || i < 2)) {
            return "a text is not there";
        }
        /* "No text" and "an empty text" would be two forms of one thing. */
        if (there && pack_text(&c->pack, reference).len == 0) {
            return "a text is empty";
        }
        if (there) {
            check_use(c, CHECK_TEXTS, reference);
        }
    }
    if ((unsigned char)at[60] >= ACTION_COUNT) {
        return "there is no such action";
    }
    return (unsigned char)at[61] <= 1 && load_u16(at + 62) == 0 ? NULL
                                                                : "a byte that must be zero is not";
}

static const char *check_words(const struct pack *pack, size_t index)
{
    static const char *const states[] = {"",           "stable",      "test", "experimental",
                                         "deprecated", "unsupported", NULL};
    struct text level = pack_rule_text(pack, index, PACK_RULE_LEVEL);
    if (level.len && !level_rank(level)) {
        return "the level is not one of Sigma's";
    }
    if (!is_word(pack_rule_text(pack, index, PACK_RULE_STATUS), states)) {
        return "the status is not one of Sigma's";
    }
    for (unsigned i = PACK_RULE_PRODUCT; i <= PACK_RULE_CATEGORY; i++) {
        if (pack_rule_text(pack, index, (enum pack_rule_text)i).len > LOG_SOURCE_MAX) {
            return "a part of its log source is too long";
        }
    }
    struct pack_program program = pack_program(pack, index);
    if (program.types >> EVENT_COUNT != 0) {
        return "it asks for events that are not in the schema";
    }
    /* It has to be a correlation: check_correlations() compares the numbers. */
    if (program.types == 0 &&
        (program.node_count || pack_rule_text(pack, index, PACK_RULE_PRODUCT).len ||
         pack_rule_text(pack, index, PACK_RULE_SERVICE).len ||
         pack_rule_text(pack, index, PACK_RULE_CATEGORY).len)) {
        return "it asks for no events, and has a program or a log source";
    }
    return NULL;
}

/* Ids are in order, which makes them unique; nodes are those after the last rule's. */
static const char *check_rule(struct check *c, size_t index, uint32_t first_node)
{
    const char *wrong = check_references(c, index);
    if (wrong) {
        return wrong;
    }
    struct pack_program rule = pack_program(&c->pack, index);
    struct text id = pack_rule_text(&c->pack, index, PACK_RULE_ID);
    if (index > 0 && pack_id_order(pack_rule_text(&c->pack, index - 1, PACK_RULE_ID), id) >= 0) {
        return "two rules have the same id, or they are not in order";
    }
    if (id.len > RULE_ID_MAX) {
        return "its id is longer than an alert carries";
    }
    if (rule.first_node != first_node || rule.node_count > NODES_MAX ||
        rule.node_count > pack_count(&c->pack, PACK_NODES) - first_node) {
        return "its nodes are not where they should be";
    }
    return check_words(&c->pack, index);
}

/* A jump from node `from` goes on, or ends. */
static bool is_forward(uint16_t jump, size_t from, size_t count)
{
    return (jump > from && jump < count) || jump == NODE_MATCH || jump == NODE_MISS;
}

/* Predicates are numbered as they are first asked. */
static struct status check_asked(struct check *c, const struct pack_program *rule)
{
    for (uint32_t i = 0; i < rule->node_count; i++) {
        uint32_t predicate = pack_node(&c->pack, rule->first_node + i).predicate;
        if (predicate >= pack_count(&c->pack, PACK_PREDICATES)) {
            return check_refuse(c, PACK_NODES, rule->first_node + i, "its predicate is not there");
        }
        if (predicate > c->asked) {
            return check_refuse(c, PACK_PREDICATES, c->asked,
                                "it is not asked before those that follow it");
        }
        c->asked += predicate == c->asked;
    }
    return OK;
}

/* From the last node to the first: as every jump is forward, what a jump costs is known by then. */
static struct status check_nodes(struct check *c, const struct pack_program *rule, uint64_t *costs,
                                 uint64_t *out)
{
    size_t count = rule->node_count;
    for (size_t i = count; i-- > 0;) {
        struct pack_node node = pack_node(&c->pack, rule->first_node + i);
        if (!is_forward(node.on_true, i, count) || !is_forward(node.on_false, i, count)) {
            return check_refuse(c, PACK_NODES, rule->first_node + i, "it does not lead forward");
        }
        uint64_t on_true = node.on_true < count ? costs[node.on_true] : 0;
        uint64_t on_false = node.on_false < count ? costs[node.on_false] : 0;
        costs[i] = c->predicate_cost[node.predicate] + (on_true > on_false ? on_true : on_false) +
                   MATCH_NODE_COST;
    }
    *out = MATCH_ORIGIN_COST + MATCH_RULE_COST + (count ? costs[0] : 0);
    return OK;
}

static void add_demand(struct check *c, uint64_t types, uint64_t cost)
{
    c->pack.types |= types;
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        c->pack.demand[type] += types >> type & 1 ? cost : 0;
    }
}

struct status check_rules(struct check *c)
{
    size_t nodes = pack_count(&c->pack, PACK_NODES);
    uint32_t first_node = 0;
    OWN(heap_drop)
    uint64_t *costs = heap_alloc(nodes < NODES_MAX ? nodes : NODES_MAX, sizeof *costs);
    if (!costs) {
        return check_no_memory(c, PACK_RULES);
    }
    if (pack_count(&c->pack, PACK_RULES) > PACK_RULES_MAX) {
        return check_exceeds(c, PACK_RULES, PACK_WHOLE, "there are too many");
    }
    for (size_t i = 0; i < pack_count(&c->pack, PACK_RULES); i++) {
        uint64_t cost = 0;
        const char *wrong = check_rule(c, i, first_node);
        if (wrong) {
            return check_refuse(c, PACK_RULES, i, wrong);
        }
        struct pack_program rule = pack_program(&c->pack, i);
        TRY(check_asked(c, &rule));
        TRY(check_nodes(c, &rule, costs, &cost));
        add_demand(c, rule.types, cost);
        first_node += rule.node_count;
    }
    if (c->asked != pack_count(&c->pack, PACK_PREDICATES)) {
        return check_refuse(c, PACK_PREDICATES, c->asked, "no node asks it");
    }
    return first_node == nodes ? OK
                               : check_refuse(c, PACK_NODES, first_node, "it belongs to no rule");
}
