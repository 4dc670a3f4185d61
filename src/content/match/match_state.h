/*
 * match_state: what a matcher consists of, for match_new.c (making it) and match.c (running it).
 */
#pragma once

#include "content/match/filter.h"
#include "content/match/match.h"

enum {
    MATCH_WORD = 64, /* rules are sets of bits, in words */
    MATCH_NO_ATOM = UINT32_MAX,
};

/* Where an event comes from, as Sigma's log source names it. */
struct match_origin {
    struct text product;
    struct text service;
    struct text category;
    bool any_category; /* of an event: that of its type */
};

/* What a run needs of a rule, out of the pack's bytes. */
struct match_rule {
    uint32_t first_node;
    uint32_t node_count;
    struct match_origin origin; /* empty: any */
};

/* What it needs of an atom. */
struct match_atom {
    struct text literal;
    uint32_t first; /* of its triggers */
    uint32_t end;
    enum anchor anchor;
    bool exact;
};

struct matcher {
    const struct pack *pack;
    size_t words; /* of a set of rules */
    size_t atom_count;
    size_t predicate_count;
    size_t filter_count;
    struct filter *filters;
    struct match_rule *rules;
    struct match_atom *atoms;
    uint64_t *asked;      /* for each event type the rules it has, and which are not off … */
    uint64_t *always;     /* … and those of them that no atom triggers */
    uint64_t *candidates; /* rules to run for this event */
    uint8_t *scanned;     /* for each event type and filter: some rule needs it */
    uint32_t *atom_of;    /* for each predicate, or MATCH_NO_ATOM */
    uint32_t *fired;      /* for each atom: the generation in which it was found */
    uint32_t *answers;    /* for each predicate: generation * 2 + answer */
    struct matcher_tally *tallies;
    char *folded;
    uint32_t generation;
    bool whole; /* all filters scanned all of this event: what was not found is not there */
    size_t undecided;
    uint64_t steps;
};

static inline void match_put_bit(uint64_t *set, size_t bit)
{
    set[bit / MATCH_WORD] |= 1ULL << bit % MATCH_WORD;
}
