/*
 * evaluate: the engine's work, once it is in its cage: every event through every rule.
 *
 * An alert is known by its event and its rule, the same in every engine whatever its pack: so guard
 * can drop those that come again after a restart.
 */
#pragma once

#include "engine/content.h"

#include <bulkhead/bulkhead.h>

/* Asks guard for the events and the opens of files that any rule could need. */
void evaluate_subscribe(const struct pack *pack, struct bh_client *client);

/* Correlations count over time: before its turn an engine looks again at what the stream holds of
 * the events before, and knows what the engine before it knew. */
struct rehearsal {
    uint64_t events; /* that were looked at */
    bool cut;        /* there was no time for all */
};

/* Looks at what there is so far, `most_ms` long; once while it waits for its turn, and once when
 * that has come, where it goes on. */
void evaluate_rehearse(const struct content *content, struct bh_client *client, int most_ms,
                       struct rehearsal *rehearsal);

/* Tells people how much the correlations know. */
void evaluate_tell(const struct content *content, struct bh_client *client,
                   const struct rehearsal *rehearsal);

/* Until guard is gone, which is OK, or the stream cannot be read on. Allocates nothing. */
struct status evaluate_run(const struct content *content, struct bh_client *client);
