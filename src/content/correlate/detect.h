/*
 * detect: rules and correlations of a pack over one event after another: what raises an alert.
 *
 * A matcher says which rules match, a correlator which of those add up. Rules that others refer to
 * are silent, unless a correlation says otherwise. Allocates when it is made and never after.
 */
#pragma once

#include "content/correlate/correlate.h"
#include "content/match/match.h"

struct detector;

/* Rules are named by their index in the pack. */
struct detector_sink {
    void *context;
    /* In the order of the rules' ids. `hit` is NULL for a rule that is no correlation. */
    void (*on_alert)(void *context, size_t rule, const struct correlation_hit *hit);
    void (*on_fault)(void *context, size_t rule, const char *what); /* it is off from now on */
    /* The rule's window is full, and `events` were dropped so far though they still counted. Said
     * at 1, 10, 100 … of them. */
    void (*on_lossy)(void *context, size_t rule, uint64_t events);
};

/* LIMIT: the windows do not fit into `settings.memory`. The pack must stay open. */
struct status detector_new(const struct pack *pack, struct correlate_settings settings,
                           struct detector **out);
void detector_free(struct detector *d);
void detector_drop(struct detector **d); /* for OWN() */

/* Not in order of time only costs time, and exactness when memory is full or the budget is met. */
void detector_run(struct detector *d, const struct event *event, const struct detector_sink *sink);

/* What the last run took; never more than pack.cost and pack.windows_cost of the event's type. */
uint64_t detector_steps(const struct detector *d);

/* Rules and correlations that the last run did not decide, since the event would have cost too
 * much: 0 for all but events made for it. People have to be told. */
size_t detector_undecided(const struct detector *d);

/* For what asks about single rules or the memory. */
struct matcher *detector_matcher(struct detector *d);
const struct correlator *detector_correlator(const struct detector *d);
