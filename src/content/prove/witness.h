/*
 * witness: makes the test vectors of a rule out of the rule.
 *
 * For each field that the rule reads: an event that it matches, and a change of that field alone
 * after which it does not. Values are guessed out of what the predicates ask for; the interpreter
 * says what came of it, so that what is handed on is right. The search is bounded: a rule that
 * needs more is named, with the field. Same rule, same vectors.
 */
#pragma once

#include "base/arena.h"
#include "content/pack/pack.h"

struct witness {
    struct vector *vectors; /* the author's own first, then those that were made */
    size_t count;
    bool matches;     /* an event was found that the rule matches … */
    bool contradicts; /* … or there is none: every way to a match asks for what excludes itself */
    const char *unproven;      /* a field that nothing shows to decide; NULL: all do. A literal */
    enum field unproven_field; /* its number; FIELD_COUNT: any */
    size_t wrong; /* the author's event that the rule does not say that about; SIZE_MAX: none */
};

/* `rule` is in the form that packs hold (predicate.h), `trial` a pack of it alone. Vectors come
 * from `arena`. */
struct status witness_make(struct arena *arena, const struct rule *rule, const struct pack *trial,
                           struct witness *out);
