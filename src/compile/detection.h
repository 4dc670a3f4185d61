/*
 * detection: the `detection` map of a Sigma rule as one expression.
 */
#pragma once

#include "compile/expression.h"

/* `detection` is the map; job->types says which fields may occur. */
struct status detection_compile(struct job *job, const struct yaml_node *detection,
                                const struct expression **out);
