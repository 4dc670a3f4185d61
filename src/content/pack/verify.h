/*
 * verify: what the parts of the verifier share. For verify*.c alone; pack_open() (pack.h) is the
 * whole.
 *
 * Sections are proven one after another, each with nothing but what was proven before it, and read
 * by the functions that the interpreter reads with. The first fault ends the proof and is noted.
 */
#pragma once

#include "content/pack/pack.h"

/* What parts of a pack refer to by number. */
enum check_used { CHECK_TEXTS, CHECK_AUTOMATA, CHECK_NUMBERS, CHECK_USED_COUNT };

struct check {
    struct pack pack;
    struct pack_limits limits;
    struct pack_fault *fault;
    uint64_t *predicate_cost;        /* for each predicate, once they are proven */
    uint32_t asked;                  /* predicates up to this one are asked by a node */
    uint8_t *used[CHECK_USED_COUNT]; /* for each text …: something refers to it */
    uint64_t work;                   /* what check_work() counted */
};

/* Notes what is wrong with an item (or with PACK_WHOLE) of a section, and returns INVALID. */
struct status check_refuse(struct check *c, enum pack_section section, size_t index,
                           const char *what);

/* Likewise with LIMIT: it is well-formed and too much. */
struct status check_exceeds(struct check *c, enum pack_section section, size_t index,
                            const char *what);

/* Counts what is about to be looked at for an item; LIMIT: the proof would take too long. */
struct status check_work(struct check *c, enum pack_section section, size_t index, uint64_t bytes);

/* MEMORY: what the proof itself needs. */
struct status check_no_memory(struct check *c, enum pack_section section);

/* Ends rise to the last byte; an item has at most `most` bytes, and ends at a multiple of `align`.
 */
struct status check_ends(struct check *c, enum pack_section ends, enum pack_section bytes,
                         size_t most, size_t align);

/* Lists of indicators: bounds, buckets, and that every key is found. */
struct status check_indicators(struct check *c);

/* Rules and their nodes: texts, order of ids, forward jumps. Fills in pack.types and, with what the
 * programs could take, pack.demand. */
struct status check_rules(struct check *c);

/* Correlations and their parts: references in bounds and acyclic, fields in the schema, memory
 * within the limit. Fills in pack.windows_cost. */
struct status check_correlations(struct check *c);

/* Atoms, triggers and filters: in bounds, and complete. Fills in pack.cost. */
struct status check_matcher(struct check *c);

/* Vectors and their probes: events of this schema, in order, each for a rule that is there. What
 * they prove is prove.h's business. */
struct status check_vectors(struct check *c);

/* Room to note what is referred to; dropped with check_used_drop(). */
struct status check_used_new(struct check *c);
void check_used_drop(struct check *c);

/* Notes that something refers to an item that is there. */
static inline void check_use(const struct check *c, enum check_used what, uint32_t index)
{
    c->used[what][index] = 1;
}

/* All texts, automata and numbers were referred to. */
struct status check_all_used(struct check *c);

/* No two predicates are equal. */
struct status check_predicates_differ(struct check *c);
