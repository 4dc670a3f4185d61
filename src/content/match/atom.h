/*
 * atom: a literal that a predicate's value has to hold, so that one scan answers many predicates.
 *
 * A predicate has one atom or none: the text itself where it is compared as text, a piece of a
 * pattern, a word that an expression cannot match without. Case is folded on both sides. If the
 * atom is not in the value, the predicate does not hold; if it is and the atom is exact, it does;
 * otherwise the predicate has to be asked. filter.h finds atoms, trigger.h hangs rules on them.
 */
#pragma once

#include "base/arena.h"
#include "content/rule.h"

enum anchor {
    ANCHOR_INSIDE, /* anywhere in the value */
    ANCHOR_FRONT,  /* at its start */
    ANCHOR_BACK,   /* at its end */
    ANCHOR_WHOLE,  /* it is the value */
    ANCHOR_COUNT
};

enum { ATOM_MIN = 1 /* byte */ };

struct atom {
    enum anchor anchor;
    struct text literal;
    bool exact; /* where the atom is, the predicate holds */
};

/* The best atom of a plain predicate; false: it has none, or (`arena` is full) it gets none. The
 * literal lies in the predicate or in the arena. */
bool atom_of(const struct predicate *p, struct arena *arena, struct atom *out);

/* Does the predicate hold only where this atom is? The proof that packs' atoms have to stand: false
 * where it cannot be shown. `exact` is what atom_is_exact() says. */
bool atom_follows(const struct predicate *p, enum anchor anchor, struct text literal);
bool atom_is_exact(const struct predicate *p, enum anchor anchor, struct text literal);

/* Is the atom in `value` (folded), in answer to bytes that were found there? `hint` is where an
 * atom inside would begin; those at an end have their place. */
static inline bool atom_is_in(enum anchor anchor, struct text literal, struct text value,
                              size_t hint)
{
    if (literal.len > value.len || (anchor == ANCHOR_WHOLE && literal.len != value.len)) {
        return false;
    }
    size_t room = value.len - literal.len;
    size_t from = anchor == ANCHOR_INSIDE ? hint : anchor == ANCHOR_BACK ? room : 0;
    return from <= room && memcmp(value.ptr + from, literal.ptr, literal.len) == 0;
}
