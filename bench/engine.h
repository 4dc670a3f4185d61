/*
 * engine: the ways of asking all rules of a pack about an event that match_bench compares.
 *
 * `plain` runs one rule after another and asks every predicate by looking. `vectorscan` finds the
 * same atoms as the matcher, with Vectorscan in place of the pack's filters, and then runs the same
 * programs for the same triggers: whatever else is different would not be its fault.
 */
#pragma once

#include "content/match.h"
#include "content/predicate.h"

/* The rules that matched, a bit each. */
struct found {
    uint64_t *bits;
    size_t words;
};

void found_clear(struct found *f);
void found_add(struct found *f, size_t rule);

/* Does the event come from where the rule wants it to? */
bool rule_wants(const struct pack_rule *rule, const struct event *event);

/* Runs a rule's program; `ask` answers a predicate. */
bool rule_runs(const struct pack *pack, const struct pack_rule *rule, void *context,
               bool (*ask)(void *context, uint32_t predicate));

struct plain;

struct status plain_new(const struct pack *pack, struct plain **out);
void plain_drop(struct plain **p);
void plain_run(struct plain *p, const struct event *event, struct found *found);

struct vectorscan;

/* UNSUPPORTED: it was built without. `triggers_only`: other atoms are not searched for, and what
 * they would tell is found by looking. */
struct status vectorscan_new(const struct pack *pack, bool triggers_only, struct vectorscan **out);
void vectorscan_drop(struct vectorscan **v);
void vectorscan_run(struct vectorscan *v, const struct event *event, struct found *found);
size_t vectorscan_bytes(const struct vectorscan *v); /* of its databases and scratch */
