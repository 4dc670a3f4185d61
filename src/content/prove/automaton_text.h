/*
 * automaton_text: a text that an automaton accepts: the shortest, in letters where letters will do.
 *
 * For the builder, which makes test vectors of regular expressions. Searches the automaton breadth
 * first, so its time and memory are its table's.
 */
#pragma once

#include "base/arena.h"

/* What has to stand between `before` and `after` so that something is found in the whole, in the
 * arena. MISSING: nothing will do. Only for what automaton_check() accepted. */
struct status automaton_text(struct arena *arena, struct text automaton, struct text before,
                             struct text after, struct text *out);

/* Does it find something in every subject, the empty one too? */
bool automaton_takes_all(struct text automaton);

/* May it find something in `subject` if ASCII letters had whatever case? True where that cannot be
 * told in bounded time. */
bool automaton_may_find(struct text automaton, struct text subject);
