/*
 * witness_path: two ways through a rule's program that part at one node: one to a match, one not.
 *
 * What the predicates on them have to say is what an event has to fulfil, so that the field which
 * the node asks about decides. Ways are searched depth first, without those that visibly contradict
 * themselves; the order differs between attempts, and is the same for the same rule.
 */
#pragma once

#include "base/arena.h"
#include "content/prove/witness_value.h"

struct witness_turn;

struct witness_paths {
    const struct rule *rule;
    uint32_t *to_match; /* steps from each node to a match, UINT32_MAX: none … */
    uint32_t *to_miss;
    uint32_t *to_fork; /* … and to the node where the ways part */
    uint8_t *said;     /* of each predicate on the way to the match: SAID_… */
    uint8_t *said_off; /* on the way to the miss */
    struct wish *wishes;
    size_t wish_count;
    struct wish *off_wishes; /* about the field that decides, on the way to the miss */
    size_t off_count;
    struct witness_turn *turns; /* of the way that is being searched */
    uint64_t random;
    bool exhausted; /* the last search failed since every way contradicts itself */
};

/* All memory from `arena`. */
struct status witness_paths_init(struct witness_paths *paths, struct arena *arena,
                                 const struct rule *rule);

/* A field's place in a predicate: does it ask about it? FIELD_COUNT stands for "any field". */
bool witness_asks(const struct predicate *p, enum field field);

/* Can what is wished for hold together with all of `wishes`, as far as their texts tell? */
bool witness_is_possible(const struct wish *wishes, size_t count, const struct wish *w);

struct witness_fork {
    enum field field; /* that decides; FIELD_COUNT: any */
    size_t node;
    bool branch;      /* the answer of the node on the way to the match */
    unsigned attempt; /* which of the ways */
};

/* Leaves both ways' wishes in `paths`: those of the match, and those of the miss about other
 * fields, in `wishes`; the others in `off_wishes`. False: there is no such pair, or it contradicts
 * itself. */
bool witness_paths_fork(struct witness_paths *paths, const struct witness_fork *fork);

enum { WITNESS_ATTEMPTS = 64 }; /* after so many, ways are chosen as before, at random */

/* The wishes of a way to a match alone. False: there is none. */
bool witness_paths_match(struct witness_paths *paths, unsigned attempt);
