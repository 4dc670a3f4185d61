/*
 * costs: tells guard now and then what the costliest rules cost, so that people can see it.
 *
 * The counts are the matcher's, since this engine began. They are not worth waiting for: where
 * guard's socket is full, they are left out until the next time.
 */
#pragma once

#include "content/match/match.h"

#include <bulkhead/bulkhead.h>

enum {
    COSTS_EVERY_S = 10,
    COSTS_FIRST_MS = 1000, /* after the first event: somebody may be looking already */
};

struct costs {
    const struct pack *pack;
    const struct matcher *matcher;
    uint64_t events;
    uint64_t steps; /* of all rules, and what they share */
    uint64_t next_ns;
};

/* Counts an event that took so many steps. */
void costs_count(struct costs *c, uint64_t steps);

/* Tells guard, if it is time. Allocates nothing. */
void costs_tick(struct costs *c, struct bh_client *client, uint64_t now_ns);
