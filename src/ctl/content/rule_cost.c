#include "ctl/content/rule_cost.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/match/match.h"
#include "content/match/predicate.h"

static uint64_t cost_after(const uint64_t *costs, uint16_t jump, uint32_t count)
{
    return jump < count ? costs[jump] : 0;
}

static bool always_runs(const struct pack *pack, size_t rule)
{
    for (size_t i = 0; i < pack_count(pack, PACK_ALWAYS); i++) {
        if (pack_always(pack, i) == rule) {
            return true;
        }
    }
    return false;
}

/* From the last node to the first, as the verifier does it. */
static void fill_costs(const struct pack *pack, const struct pack_rule *rule, uint64_t *costs)
{
    for (uint32_t i = rule->node_count; i-- > 0;) {
        struct pack_node node = pack_node(pack, rule->first_node + i);
        struct predicate p = pack_predicate(pack, node.predicate);
        uint64_t on_true = cost_after(costs, node.on_true, rule->node_count);
        uint64_t on_false = cost_after(costs, node.on_false, rule->node_count);
        costs[i] = predicate_cost(&p) + MATCH_NODE_COST + (on_true > on_false ? on_true : on_false);
    }
}

/* Walks the costliest way and keeps its costliest predicate. */
static void find_dearest(const struct pack *pack, const struct pack_rule *rule,
                         const uint64_t *costs, struct rule_cost *out)
{
    for (uint32_t at = 0; at < rule->node_count;) {
        struct pack_node node = pack_node(pack, rule->first_node + at);
        struct predicate p = pack_predicate(pack, node.predicate);
        uint64_t steps = predicate_cost(&p);
        if (steps > out->predicate_steps) {
            out->predicate = node.predicate;
            out->predicate_steps = steps;
        }
        at = cost_after(costs, node.on_true, rule->node_count) >
                     cost_after(costs, node.on_false, rule->node_count)
                 ? node.on_true
                 : node.on_false;
    }
}

struct status rule_cost_of(const struct pack *pack, size_t rule, struct rule_cost *out)
{
    struct pack_rule r = pack_rule(pack, rule);
    struct rule_cost cost = {.always = always_runs(pack, rule)};
    OWN(heap_drop) uint64_t *costs = heap_alloc(r.node_count + 1, sizeof *costs);
    if (!costs) {
        FAIL(MEMORY);
    }
    fill_costs(pack, &r, costs);
    find_dearest(pack, &r, costs, &cost);
    cost.steps = MATCH_RULE_COST + costs[0];
    *out = cost;
    return OK;
}
