/*
 * plain: a pack without its tables. One rule runs after another, and every predicate is asked by
 * looking.
 *
 * What the matcher has to find, in the way that is hardest to get wrong; tests compare with it and
 * benchmarks measure against it.
 */
#pragma once

#include "content/match/match.h"
#include "content/match/predicate.h"

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
