#include "content/pack/interest.h"

static bool names_path(const struct predicate *p)
{
    return p->field == FIELD_TARGET_PATH &&
           (p->kind == PREDICATE_EQUAL || p->kind == PREDICATE_PREFIX ||
            p->kind == PREDICATE_SUFFIX);
}

/* No live event carries the field, so that the predicate is false for all. */
static bool is_never(const struct predicate *p)
{
    return (p->field < FIELD_COUNT && field_info(p->field)->recorded) ||
           (p->other < FIELD_COUNT && field_info(p->other)->recorded);
}

/* Can the rule match though all such predicates are false? Follows every jump but the "yes" of
 * those; what is reached is marked in `reached`, and as jumps are forward one round is enough. */
static bool matches_without(const struct pack *pack, const struct pack_rule *rule, bool *reached,
                            bool (*is_false)(const struct predicate *p))
{
    bool matches = rule->node_count == 0;
    for (uint32_t i = 0; i < rule->node_count; i++) {
        reached[i] = i == 0;
    }
    for (uint32_t i = 0; i < rule->node_count; i++) {
        struct pack_node node = pack_node(pack, rule->first_node + i);
        struct predicate p = pack_predicate(pack, node.predicate);
        uint16_t jumps[2] = {node.on_false, is_false(&p) ? NODE_MISS : node.on_true};
        for (unsigned k = 0; reached[i] && k < 2; k++) {
            matches = matches || jumps[k] == NODE_MATCH;
            if (jumps[k] < rule->node_count) {
                reached[jumps[k]] = true;
            }
        }
    }
    return matches;
}

uint64_t interest_types(const struct pack *pack)
{
    bool reached[NODES_MAX];
    uint64_t types = 0;
    for (size_t r = 0; r < pack_count(pack, PACK_RULES); r++) {
        struct pack_rule rule = pack_rule(pack, r);
        bool ours = rule.product.len == 0 || text_same(rule.product, TEXT("linux"));
        uint64_t more = rule.types & ~types & ~(1ULL << EVENT_RECORDED);
        /* A live event names no service; its categories are those of its type. */
        bool live = ours && rule.service.len == 0;
        if (live && more && matches_without(pack, &rule, reached, is_never)) {
            types |= more;
        }
    }
    return types;
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
        complete = !matches_without(pack, &rule, reached, names_path) && complete;
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
