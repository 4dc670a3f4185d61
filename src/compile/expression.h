/*
 * expression: what a rule asks, as a tree of predicates; and its lowering to a decision program.
 *
 * Nodes are shared where a condition names a selection twice. Depth is bounded when a tree is
 * built, so that the lowering may recurse over it.
 */
#pragma once

#include "compile/job.h"
#include "content/rule.h"

enum {
    EXPRESSION_DEPTH_MAX = 256, /* each level costs a stack frame of about 100 bytes */
    PREDICATES_MAX = 16384,     /* of a rule; the longest public one has 1,700 */
};

enum expression_kind { EXPRESSION_PREDICATE, EXPRESSION_NOT, EXPRESSION_ALL, EXPRESSION_ANY };

/* What it takes to answer, at most: a program asks the cheap questions first. */
enum expression_effort {
    EFFORT_LITERAL, /* the scan of the value answers */
    EFFORT_PARSE,   /* numbers, times, networks, other fields */
    EFFORT_PATTERN,
    EFFORT_AUTOMATON,
    EFFORT_COUNT
};

struct expression {
    enum expression_kind kind;
    enum expression_effort effort;
    uint32_t depth;
    struct predicate predicate; /* EXPRESSION_PREDICATE */
    const struct expression **items;
    size_t count;
};

struct expression_list {
    const struct expression **items;
    size_t count;
    size_t capacity;
};

struct status expression_leaf(struct job *job, const struct predicate *predicate,
                              const struct expression **out);
struct status expression_not(struct job *job, const struct expression *item,
                             const struct expression **out);
struct status expression_add(struct job *job, struct expression_list *list,
                             const struct expression *item);

/* ALL or ANY of a list that is not empty; a list of one is its item. `line`: for the refusal of a
 * tree that is too deep. */
struct status expression_join(struct job *job, enum expression_kind kind, uint32_t line,
                              const struct expression_list *list, const struct expression **out);

/* Fills in the rule's predicates (equal ones once) and its program. */
struct status expression_lower(struct job *job, const struct expression *root, uint32_t line,
                               struct rule *out);
