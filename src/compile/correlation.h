/*
 * correlation: the `correlation` of a rule, once all rules are known.
 */
#pragma once

#include "compile/document.h"

/* Fills in out->rule.correlation, and out->types and out->foreign from what it refers to.
 * CORRELATION, REFERENCE. */
struct status correlation_compile(struct job *job, const struct document *d,
                                  const struct yaml_node *document, struct sigma_outcome *out);
