/*
 * evaluate: the engine's work, once it is in its cage: every event through every rule.
 *
 * Alerts of one event are counted from 0 in the order of the rules' ids, the same in every engine
 * that runs this pack: so guard can drop those that come again after a restart. Those of
 * correlations, which a new engine has forgotten, come after all others.
 */
#pragma once

#include "engine/content.h"

#include <bulkhead/bulkhead.h>

/* Asks guard for the events and the opens of files that any rule could need. */
void evaluate_subscribe(const struct pack *pack, struct bh_client *client);

/* Until guard is gone, which is OK, or the stream cannot be read on. Allocates nothing. */
struct status evaluate_run(const struct content *content, struct bh_client *client);
