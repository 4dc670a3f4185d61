/*
 * match: runs the rules of an open pack over events.
 *
 * One scan of each field finds the atoms of all rules (filter.h). A rule's program runs only if one
 * of its triggers was found (trigger.h); what it asks is answered by the scan or, once for all
 * rules, by looking. Allocates when it is made and never after. A rule that misbehaves in a way the
 * verifier should have refused switches that rule off, is reported, and nothing else.
 */
#pragma once

#include "content/pack/pack.h"
#include "schema/event.h"

/* Steps, about a nanosecond each, that are not a predicate's or a filter's. The verifier counts
 * with the same. */
enum {
    MATCH_FIRE_COST = 2, /* a rule on an atom's list */
    MATCH_ORIGIN_COST =
        10,               /* a candidate's log source: three texts of LOG_SOURCE_MAX, mostly none */
    MATCH_RULE_COST = 10, /* to begin with a program */
    MATCH_NODE_COST = 4,  /* a node, beside its predicate */
};

/* To begin with an event, for so many words of rules. */
#define MATCH_EVENT_COST(words) (100 + (uint64_t)(words))

struct matcher;

/* What happens to a rule, by its index in the pack. */
struct matcher_sink {
    void *context;
    void (*on_match)(void *context, size_t rule);
    void (*on_fault)(void *context, size_t rule, const char *what); /* it is off from now on */
};

/* The pack must stay open as long as the matcher is used. VERSION: it is of another schema than
 * this interpreter, which pack_open() refuses as well; MEMORY. */
struct status matcher_new(const struct pack *pack, struct matcher **out);
void matcher_free(struct matcher *m);
void matcher_drop(struct matcher **m); /* for OWN() */

/* Calls the sink for each rule that matches, in the order of their ids. An event of a type, or with
 * more fields, than the schema has is not looked at: all rules count as undecided. */
void matcher_run(struct matcher *m, const struct event *event, const struct matcher_sink *sink);

/* What the last run took; never more than pack.cost of the event's type. */
uint64_t matcher_steps(const struct matcher *m);

/* Rules that the last run did not decide, since the event would have cost too much: 0 for all but
 * events made for it. People have to be told. */
size_t matcher_undecided(const struct matcher *m);

/* What a rule's program did in all runs; finding its triggers is shared and not counted. */
struct matcher_tally {
    uint64_t runs;
    uint64_t matches;
    uint64_t steps;
};

struct matcher_tally matcher_tally(const struct matcher *m, size_t rule);

/* Bytes that a matcher for this pack takes. */
size_t matcher_memory(const struct pack *pack);
