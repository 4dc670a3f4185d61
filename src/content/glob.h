/*
 * glob: Sigma's wildcards over a whole value.
 *
 * rule.h says what a pattern is: '*', '?', "\-" and escapes. Two places are remembered and never
 * more, so that the time is at most subject × longest piece between two stars; glob_cost() is that
 * bound. Case is the caller's matter: both sides come folded.
 */
#pragma once

#include "base/text.h"

/* NULL: a pattern. Otherwise what is wrong with it. */
const char *glob_check(struct text pattern);

/* Does `subject` match, from its first byte to its last? Adds what it took to *steps. */
bool glob_match(struct text pattern, struct text subject, uint64_t *steps);

/* The most steps for `texts` subjects of `bytes` together. */
uint64_t glob_cost(struct text pattern, size_t bytes, size_t texts);
