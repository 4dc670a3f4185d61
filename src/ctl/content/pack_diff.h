/*
 * pack_diff: what makes two packs different, rule by rule.
 *
 * Where a rule was compiled from is no difference: the same rules in another folder are the same.
 */
#pragma once

#include "base/status.h"
#include "content/pack/pack.h"

/* What a rule says of itself, beside its program. */
#define RULE_WORDS(X)                                                                              \
    X(title)                                                                                       \
    X(level)                                                                                       \
    X(status)                                                                                      \
    X(author)                                                                                      \
    X(description)                                                                                 \
    X(tags)                                                                                        \
    X(product)                                                                                     \
    X(service)                                                                                     \
    X(category)

/* A rule of one pack, or of both with the same id. */
struct rule_pair {
    size_t a; /* SIZE_MAX: it is new */
    size_t b; /* SIZE_MAX: it is gone */
};

struct pack_diff {
    const struct pack *a;
    const struct pack *b;
    size_t next_a; /* where the walk is */
    size_t next_b;
};

/* The next rule, in the order of ids; false: there is none. */
bool pack_diff_next(struct pack_diff *d, struct rule_pair *out);

/* Is the rule with this id another one in the two packs? */
bool rule_pair_differs(const struct pack_diff *d, const struct rule_pair *pair);

/* Do the programs differ: in what they ask, or in what follows from an answer? */
bool rule_pair_programs_differ(const struct pack_diff *d, const struct rule_pair *pair);

/* Calls `on_predicate` for each predicate that rule `rule` of `pack` asks and rule `other_rule` of
 * `other` does not; each once. MEMORY. */
struct rule_ref {
    const struct pack *pack;
    size_t rule;
};

struct status rule_asks_more(struct rule_ref rule, struct rule_ref other, void *context,
                             void (*on_predicate)(void *context, const struct predicate *p));

/* A correlation: it asks nothing itself, and counts what others match. */
bool rule_is_correlation(struct rule_ref rule);
