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

/* Until guard is gone, which is OK, or the stream cannot be read on. Allocates nothing. */
struct status evaluate_run(const struct content *content, struct bh_client *client);
