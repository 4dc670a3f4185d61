/*
 * engine: Vectorscan as a way of asking all rules of a pack about an event.
 *
 * It finds the same atoms as the matcher, with Vectorscan in place of the pack's filters, and then
 * runs the same programs for the same triggers: what else would be different, were not its fault.
 */
#pragma once

#include "../tests/mutate/plain.h"

struct vectorscan;

/* UNSUPPORTED: it was built without. `triggers_only`: other atoms are not searched for, and what
 * they would tell is found by looking. */
struct status vectorscan_new(const struct pack *pack, bool triggers_only, struct vectorscan **out);
void vectorscan_drop(struct vectorscan **v);
void vectorscan_run(struct vectorscan *v, const struct event *event, struct found *found);
size_t vectorscan_bytes(const struct vectorscan *v); /* of its databases and scratch */
