/*
 * explain: a rule's program in words, for people.
 *
 *   0  path ends with "/nc", any case            yes: 1  no: miss
 *   1  command_line contains " -e ", any case    yes: match  no: miss
 */
#pragma once

#include "base/bytes.h"
#include "content/pack.h"

/* One predicate, without a newline: `path ends with "/nc", any case`. */
void explain_predicate(const struct predicate *p, struct writer *out);

/* Every node of a rule of an open pack, a line each. */
void explain_program(const struct pack *pack, size_t rule, struct writer *out);
