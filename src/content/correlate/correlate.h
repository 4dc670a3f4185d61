/*
 * correlate: the correlations of a pack over a stream of matches, in memory that is reserved once.
 *
 * The event's time is the time; there is no other clock. An event that a referred rule matched is
 * evaluated over the events of its group that came before it and are at most the timespan older.
 * When memory is full the window becomes shorter, which is counted and told (window.h). What one
 * event takes is cut at pack.windows_cost, and what was not decided then is counted as well.
 */
#pragma once

#include "content/correlate/correlation.h"
#include "schema/event.h"

struct correlator;

struct correlate_settings {
    size_t memory;            /* bytes for all windows; PACK_WINDOW_MEMORY */
    uint8_t key[SIPHASH_KEY]; /* random, and told nobody: of the tables' hashes */
};

/* A correlation that fired. */
struct correlation_hit {
    uint32_t correlation; /* of the pack */
    uint32_t rule;        /* of the pack */
    uint32_t first_field; /* the group: pack_correlation_field() from here on, of this event */
    uint32_t events;      /* of the group in the timespan that are still known */
    uint32_t divisor;
    __int128 measured; /* what the conditions are about: in millionths, times `divisor` */
};

/* LIMIT: `settings.memory` is less than the pack needs. MEMORY. The pack must stay open. */
struct status correlator_new(const struct pack *pack, struct correlate_settings settings,
                             struct correlator **out);
void correlator_free(struct correlator *c);
void correlator_drop(struct correlator **c); /* for OWN() */

/* Before the first correlator_feed() of an event. */
void correlator_begin(struct correlator *c, const struct event *event);

/* An event that matched the rules of `mask`, a bit for each of the correlation's references. True:
 * it fired, and `hit` is filled in. */
bool correlator_feed(struct correlator *c, size_t correlation, const struct event *event,
                     uint64_t mask, struct correlation_hit *hit);

/* Events that a correlation dropped though they still counted. */
uint64_t correlator_lost(const struct correlator *c, size_t correlation);

/* Correlations that were not decided for the event since correlator_begin(): it would have cost too
 * much. Where not even its place was found, it does not count for later ones. */
size_t correlator_undecided(const struct correlator *c);

/* Steps since correlator_begin(); never more than pack.windows_cost of the event's type. */
uint64_t correlator_steps(const struct correlator *c);

/* Bytes that all windows reserved. */
size_t correlator_bytes(const struct correlator *c);
