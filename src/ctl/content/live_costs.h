/*
 * live_costs: what rules cost in the engine that runs, as guard's status answer has it.
 */
#pragma once

#include "ctl/ctl.h"
#include "ctl/show.h"

/* A table of at most `most` rules, the costliest first; nothing where none is known. */
void live_costs_show(struct term *t, const json_t *answer, size_t most);
