#include "engine/costs.h"

#include "base/clock.h"

void costs_count(struct costs *c, uint64_t steps)
{
    c->events++;
    c->steps += steps;
}

/* The costliest rules, the costliest first. */
struct ranking {
    size_t rules[BH_RULE_COSTS];
    uint64_t steps[BH_RULE_COSTS];
    size_t count;
};

static void rank(struct ranking *r, size_t rule, uint64_t steps)
{
    size_t at = r->count;
    if (at == BH_RULE_COSTS && steps <= r->steps[at - 1]) {
        return;
    }
    at -= at == BH_RULE_COSTS;
    r->count = at + 1;
    for (; at > 0 && r->steps[at - 1] < steps; at--) {
        r->steps[at] = r->steps[at - 1];
        r->rules[at] = r->rules[at - 1];
    }
    r->steps[at] = steps;
    r->rules[at] = rule;
}

static struct bh_text cut(struct text t, size_t max)
{
    t = text_part(t, 0, max);
    return (struct bh_text){.ptr = t.ptr, .len = t.len};
}

static int tell(const struct costs *c, struct bh_client *client, const struct ranking *r,
                unsigned nth)
{
    struct pack_rule rule = pack_rule(c->pack, r->rules[nth]);
    struct matcher_tally tally = matcher_tally(c->matcher, r->rules[nth]);
    struct bh_rule_cost cost = {
        .size = sizeof cost,
        .nth = nth,
        .count = (unsigned)r->count,
        .id = cut(rule.id, RULE_ID_MAX),
        .title = cut(rule.title, 256),
        .runs = tally.runs,
        .matches = tally.matches,
        .steps = tally.steps,
        .all_events = c->events,
        .all_steps = c->steps,
    };
    return bh_client_rule_cost(client, &cost);
}

void costs_tick(struct costs *c, struct bh_client *client, uint64_t now_ns)
{
    static struct ranking r;
    if (c->next_ns == 0) {
        c->next_ns = now_ns + (uint64_t)COSTS_FIRST_MS * CLOCK_NS_PER_MS;
    }
    if (now_ns < c->next_ns || c->events == 0) {
        return;
    }
    c->next_ns = now_ns + (uint64_t)COSTS_EVERY_S * CLOCK_NS_PER_S;
    r.count = 0;
    for (size_t i = 0; i < pack_count(c->pack, PACK_RULES); i++) {
        struct matcher_tally tally = matcher_tally(c->matcher, i);
        if (tally.steps) {
            rank(&r, i, tally.steps);
        }
    }
    int result = BH_OK;
    for (unsigned nth = 0; nth < r.count && result == BH_OK; nth++) {
        result = tell(c, client, &r, nth);
    }
}
