/*
 * idle: fields that a rule reads and that never decide, whatever is in them.
 *
 * A filter for what the selection excludes already is one way to such a field. Two runs of the
 * program are followed at once that get the same answers but about that field; if no two end
 * differently, the program without it says the same of every event.
 */
#pragma once

#include "base/arena.h"
#include "content/rule.h"

/* Does `field` never decide? False also where that cannot be told in bounded time. Scratch from
 * `arena`. */
struct status idle_is(struct arena *arena, const struct rule *rule, enum field field, bool *out);

/* The rule without what it asks of that field: as if no event had it. New tables come from
 * `arena`. */
struct status idle_drop(struct arena *arena, struct rule *rule, enum field field);
