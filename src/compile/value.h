/*
 * value: one value of a detection item, by its modifiers, as an expression over a field.
 */
#pragma once

#include "compile/expression.h"
#include "compile/modifier.h"

/* The field that a rule means: Sigma's taxonomy name or ours. DETECTION where there is none, or
 * where no event that the rule is asked for carries it. */
struct status value_field(struct job *job, struct text name, uint32_t line, enum field *out);

/* `field` FIELD_COUNT: a keyword. `modifiers` are those of modifier_read(); ALL and NEQ are the
 * caller's work. */
struct status value_compile(struct job *job, const struct yaml_node *value, enum field field,
                            uint32_t modifiers, const struct expression **out);
