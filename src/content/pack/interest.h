/*
 * interest: what a pack could ever need to see, so that the rest need not be collected.
 *
 * Opens of files are too many to be published unasked: here are the paths that rules about them
 * name.
 */
#pragma once

#include "content/pack/pack.h"

/* Types of events, a bit each, of which a rule could match one that this machine publishes. Rules
 * of other products, and those that need a field that only recordings carry, match no such event.
 */
uint64_t interest_types(const struct pack *pack);

/* Calls `on_path` for each predicate over target_path (EQUAL, PREFIX or SUFFIX) that a rule for
 * file_open needs to hold before it can match; the same may come twice. False: some rule can match
 * without any of these, so that the paths do not say what it needs. */
bool interest_open_paths(const struct pack *pack,
                         void (*on_path)(void *context, const struct predicate *p), void *context);
