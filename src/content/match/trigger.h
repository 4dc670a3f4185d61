/*
 * trigger: the fewest and rarest predicates without which a rule cannot match.
 *
 * A rule's program runs only if one of its triggers' atoms was found. They are a cut of the
 * program: whichever way leads to a match passes the "yes" of one of them. trigger_choose() finds
 * the cut whose atoms are least likely in an event; trigger_covers() proves a cut, whoever chose
 * it.
 */
#pragma once

#include "base/arena.h"
#include "content/pack/pack.h"

/* "Surely there": the most that a weight may be, so that sums of a program's stay in 32 bits. */
enum { TRIGGER_WEIGHT_BITS = 18, TRIGGER_WEIGHT_MAX = 1 << TRIGGER_WEIGHT_BITS };

enum { TRIGGER_MEMORY = 4 << 20 /* bytes that a choice takes at most: 38 a node, 65,534 nodes */ };

/* How likely a predicate's atom is in an event, from 1 up to TRIGGER_WEIGHT_MAX; 0: it has no atom.
 */
typedef uint32_t trigger_weight(void *context, uint32_t predicate);

struct trigger_choice {
    void *context;
    trigger_weight *weight;
    struct arena *arena; /* scratch; what was taken is given back with it */
};

/* Marks the chosen predicates of a program in `cut`, a bool for each node (true at all nodes that
 * ask a chosen predicate). False: there is no cut, the rule always has to run. MEMORY. */
struct status trigger_choose(const struct pack *pack, const struct pack_program *rule,
                             const struct trigger_choice *choice, bool *cut, bool *found);

/* Does every way to a match pass a node of the cut, and go on by its "yes"? `reached` is scratch, a
 * bool for each node. */
bool trigger_covers(const struct pack *pack, const struct pack_program *rule, const bool *cut,
                    bool *reached);
