/*
 * rule_cost: what a rule of an open pack may cost at worst, and why: the verifier's own sum, taken
 * apart for people.
 */
#pragma once

#include "base/status.h"
#include "content/pack/pack.h"

struct rule_cost {
    uint64_t steps;     /* of its program, on its costliest way */
    uint32_t predicate; /* the costliest on that way; of no meaning without nodes */
    uint64_t predicate_steps;
    bool always; /* it runs for every event of its types: nothing triggers it */
};

/* MEMORY. */
struct status rule_cost_of(const struct pack *pack, size_t rule, struct rule_cost *out);
