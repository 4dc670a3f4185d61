#include "content/interest.h"

static bool names_path(const struct predicate *p)
{
    return p->field == FIELD_TARGET_PATH &&
           (p->kind == PREDICATE_EQUAL || p->kind == PREDICATE_PREFIX ||
            p->kind == PREDICATE_SUFFIX);
}

/* Can the rule match though no path it names is the event's? Follows every jump but the "yes" of
 * those; what is reached is marked in `reached`, and as jumps are forward one round is enough. */
static bool matches_elsewhere(const struct pack *pack, const struct pack_rule *rule, bool *reached)
{
    bool elsewhere = rule->node_count == 0;
    for (uint32_t i = 0; i < rule->node_count; i++) {
        reached[i] = i == 0;
    }
    for (uint32_t i = 0; i < rule->node_count; i++) {
        struct pack_node node = pack_node(pack, rule->first_node + i);
        struct predicate p = pack_predicate(pack, node.predicate);
        uint16_t jumps[2] = {node.on_false, names_path(&p) ? NODE_MISS : node.on_true};
        for (unsigned k = 0; reached[i] && k < 2; k++) {
            elsewhere = elsewhere || jumps[k] == NODE_MATCH;
            if (jumps[k] < rule->node_count) {
                reached[jumps[k]] = true;
            }
        }
    }
    return elsewhere;
}

bool interest_open_paths(const struct pack *pack,
                         void (*on_path)(void *context, const struct predicate *p), void *context)
{
    bool reached[NODES_MAX];
    bool complete = true;
    for (size_t r = 0; r < pack_count(pack, PACK_RULES); r++) {
        struct pack_rule rule = pack_rule(pack, r);
        if (!(rule.types >> EVENT_FILE_OPEN & 1)) {
            continue;
        }
        complete = !matches_elsewhere(pack, &rule, reached) && complete;
        for (uint32_t i = 0; i < rule.node_count; i++) {
            struct predicate p =
                pack_predicate(pack, pack_node(pack, rule.first_node + i).predicate);
            if (names_path(&p)) {
                on_path(context, &p);
            }
        }
    }
    return complete;
}
