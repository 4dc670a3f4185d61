/*
 * match: the interpreter: every rule of a pack over one event.
 *
 * A predicate is asked when a rule's program comes to it, and once for each event however many
 * rules share it. The matcher allocates when it is made and never after. It is total: whatever a
 * rule does that the verifier should have refused switches that rule off, is reported, and nothing
 * else.
 */
#pragma once

#include "content/pack.h"
#include "schema/event.h"

struct matcher;

/* What happens to a rule, by its index in the pack. */
struct matcher_sink {
    void *context;
    void (*on_match)(void *context, size_t rule);
    void (*on_fault)(void *context, size_t rule, const char *what); /* it is off from now on */
};

/* The pack must stay open as long as the matcher is used. */
struct status matcher_new(const struct pack *pack, struct matcher **out);
void matcher_free(struct matcher *m);
void matcher_drop(struct matcher **m); /* for OWN() */

/* Calls the sink for each rule that matches, in the order of their ids. */
void matcher_run(struct matcher *m, const struct event *event, const struct matcher_sink *sink);

/* What the last run took; never more than pack.cost of the event's type. */
uint64_t matcher_steps(const struct matcher *m);
