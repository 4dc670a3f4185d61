/*
 * prove: runs a pack's test vectors through the interpreter, and says what they leave unproven.
 *
 * pack_open() shows that a pack can do no harm; this shows that it does what it says. Every rule
 * needs an event that it matches, and every field that it reads a probe: that event with this field
 * alone changed, which it does not match. A field that is read for its value is changed from one
 * value to another: whether it is there at all must not be what decides. Keywords are shown
 * in two fields. A rule from which no way
 * leads to a match needs none.
 */
#pragma once

#include "content/match.h"

/* Proves an open pack. INVALID, LIMIT: `fault` says what; MEMORY. Takes as many runs of the matcher
 * as the pack has vectors and probes. */
struct status pack_prove(const struct pack *pack, struct pack_fault *fault);

/* The same with a matcher of the pack's, which says what memory it takes. */
struct status pack_prove_with(const struct pack *pack, struct matcher *matcher,
                              struct pack_fault *fault);
