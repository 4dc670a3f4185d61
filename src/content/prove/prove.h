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

#include "content/match/match.h"

/* Steps of all runs together, of one to three nanoseconds each. 3,000 rules take 2 % of them. A
 * run may take a millisecond, and 64 MiB have room for millions: they could keep an engine from its
 * work for hours. */
enum { PROVE_STEPS = 1000000000 };

/* Proves an open pack. INVALID: `fault` says what; MEMORY. Takes as many runs of the matcher as the
 * pack has vectors and probes. */
struct status pack_prove(const struct pack *pack, struct pack_fault *fault);

/* The same with so many steps. */
struct status pack_prove_within(const struct pack *pack, uint64_t steps, struct pack_fault *fault);
