/*
 * value_text: the values that are compared as texts: plain ones, base64, regular expressions.
 */
#pragma once

#include "compile/expression.h"
#include "compile/modifier.h"

/* One value in its place. */
struct place {
    const struct yaml_node *value;
    enum field field; /* FIELD_COUNT: a keyword */
    uint32_t modifiers;
};

struct status value_plain(struct job *job, const struct place *at, const struct expression **out);
struct status value_base64(struct job *job, const struct place *at, const struct expression **out);
struct status value_base64offset(struct job *job, const struct place *at,
                                 const struct expression **out);
struct status value_regex(struct job *job, const struct place *at, const struct expression **out);
