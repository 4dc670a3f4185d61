/*
 * rule_costs: what the engine last said its costliest rules cost, for `bulkhead status`.
 */
#pragma once

#include "base/json.h"
#include "wire/client.h"

enum { RULE_COSTS = 32 /* of the costliest; `nth` of the message rule_cost is below */ };

struct rule_cost {
    uint64_t runs;
    uint64_t matches;
    uint64_t steps;
    uint16_t id_len;
    uint16_t title_len;
    char id[64];
    char title[256];
};

struct rule_costs {
    struct rule_cost rules[RULE_COSTS];
    unsigned count;
    uint64_t events; /* that the engine looked at, with all rules */
    uint64_t steps;
};

/* Takes one row. INVALID: it is none of as many as it says there are. */
struct status rule_costs_take(struct rule_costs *c, const struct wire_rule_cost *m);

/* "rules":[…] and "matching":{…} of the status answer. */
void rule_costs_write(const struct rule_costs *c, struct json *j);
