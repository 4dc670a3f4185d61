/*
 * rule_trace: why a rule does or does not match an event, in words for its author.
 *
 *   it is asked about file_open, not about process_exec
 *   path starts with "/dev/shm/": no
 *   … 12 more asked, all no
 */
#pragma once

#include "base/bytes.h"
#include "content/pack/pack.h"
#include "schema/event.h"

enum { TRACE_STEPS = 6 }; /* predicates that are told: the last of them decided */

/* Lines without indent, each with its end. */
void rule_trace(const struct pack *pack, size_t rule, const struct event *event,
                struct writer *out);
