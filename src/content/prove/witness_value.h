/*
 * witness_value: one value for one field that some predicates accept and others do not.
 *
 * It is put together out of the predicates' own texts, in several ways, and each try is shown to
 * the predicates themselves: what comes out is right, however it was found. Same wishes, same
 * value.
 */
#pragma once

#include "base/arena.h"
#include "content/rule.h"

/* What a predicate has to say. */
struct wish {
    const struct predicate *predicate;
    bool holds;
};

/* Where values are tried. */
struct witness_room {
    struct arena *arena; /* for the values */
    uint8_t *record;     /* EVENT_MAX bytes */
    char *folded;        /* EVENT_MAX bytes */
    char *value;         /* EVENT_TEXT_MAX bytes */
};

enum { WITNESS_VARIANTS = 72 };

/* A value for `field`, in the arena. `wishes` are about this field alone: predicates of it, or of
 * any field. `variant` tells where to begin among the ways, for another value than before. MISSING:
 * none was found. */
struct status witness_value(const struct witness_room *room, enum field field,
                            const struct wish *wishes, size_t count, unsigned variant,
                            struct text *out);
