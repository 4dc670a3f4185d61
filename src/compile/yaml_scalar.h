/*
 * yaml_scalar: YAML 1.2's core schema: which plain scalars are null, a bool or a number.
 *
 * Numbers that do not fit 64 bits, exponents, infinities and not-a-number stay texts: what a rule
 * means by them is their spelling.
 */
#pragma once

#include "compile/yaml.h"

/* Sets kind, truth, whole and number of a plain scalar from its text. */
void yaml_scalar_type(struct yaml_node *node);
