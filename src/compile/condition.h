/*
 * condition: `sel_a and not 1 of filter_*` over named selections.
 *
 * not binds before and, and before or. Parentheses are kept on a stack of our own, so that their
 * depth is bounded by a number and not by the machine's stack.
 */
#pragma once

#include "compile/expression.h"

enum {
    CONDITION_BYTES_MAX = 16384, /* the longest public one has 900 */
    CONDITION_DEPTH_MAX = 200,   /* open parentheses */
};

struct selection {
    struct text name;
    const struct expression *expression;
};

struct selections {
    struct selection *items;
    size_t count;
};

/* `node` is a text, or a list of them of which any is enough. */
struct status condition_compile(struct job *job, const struct yaml_node *node,
                                const struct selections *selections, const struct expression **out);
