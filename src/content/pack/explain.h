/*
 * explain: a rule's program in words, for people.
 *
 *   0  path ends with "/nc", any case            yes: 1  no: miss
 *   1  command_line contains " -e ", any case    yes: match  no: miss
 */
#pragma once

#include "base/bytes.h"
#include "content/correlate/correlate.h"

/* One predicate, without a newline: `path ends with "/nc", any case`. */
void explain_predicate(const struct predicate *p, struct writer *out);

/* What a correlation of an open pack counts, a line, and the rules that it refers to, a line each.
 */
void explain_correlation(const struct pack *pack, size_t correlation, struct writer *out);

/* Why a correlation fired at an event, without a newline: `3 events within 10s for user=root`.
 * Values are cut, and shown as they are: the caller makes them harmless. */
enum { EXPLAIN_HIT_MAX = 2048 }; /* bytes that it takes at most */

void explain_hit(const struct pack *pack, const struct correlation_hit *hit,
                 const struct event *event, struct writer *out);

/* Every node of a rule of an open pack, a line each; or what a correlation counts. */
void explain_program(const struct pack *pack, size_t rule, struct writer *out);
