/*
 * The lists of a pack and the rules that ask for them. Hits are rare: here all rules, or all steps
 * of one, may be looked at.
 */
#include "base/status.h"
#include "content/indicator/indicator.h"
#include "schema/event.h"

static size_t rule_of(const struct pack *pack, const char *list)
{
    for (size_t r = 0; r < pack_count(pack, PACK_RULES); r++) {
        struct pack_rule rule = pack_rule(pack, r);
        for (uint32_t i = 0; i < rule.node_count; i++) {
            struct pack_node node = pack_node(pack, rule.first_node + i);
            struct predicate p = pack_predicate(pack, node.predicate);
            if (p.kind == PREDICATE_LISTED && p.text.ptr == list) {
                return r;
            }
        }
    }
    return SIZE_MAX;
}

static bool has_key(struct text list, const char *key, uint16_t width)
{
    for (uint32_t i = 0; i < indicator_tables(list); i++) {
        struct indicator_table t = indicator_table(list, i);
        if (t.width == width) {
            uint64_t hash = indicator_hash_key(indicator_seed(list), key, width);
            return indicator_probe_key(&t, key, hash) != INDICATOR_NONE;
        }
    }
    return false;
}

bool indicator_has_hash(const struct pack *pack, const uint8_t sha256[32], size_t *rule)
{
    for (uint32_t n = 0; n < pack_count(pack, PACK_INDICATOR_ENDS); n++) {
        struct text list = pack_list(pack, n);
        if (indicator_kind(list) == INDICATOR_HASH && has_key(list, (const char *)sha256, 32)) {
            *rule = rule_of(pack, list.ptr);
            return true;
        }
    }
    return false;
}

/* From the last step: the side of a connection that was called comes before the caller. */
bool indicator_matched(const struct pack *pack, size_t rule, const struct event *event,
                       struct text *list, struct indicator_found *found)
{
    struct pack_rule r = pack_rule(pack, rule);
    for (uint32_t i = r.node_count; i-- > 0;) {
        struct pack_node node = pack_node(pack, r.first_node + i);
        struct predicate p = pack_predicate(pack, node.predicate);
        uint64_t steps = 0;
        if (p.kind == PREDICATE_LISTED &&
            indicator_find(p.text, event_text(event, p.field), found, &steps)) {
            *list = p.text;
            return true;
        }
    }
    return false;
}
