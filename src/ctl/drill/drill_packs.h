/*
 * drill_packs: packs with the faults of the drill. They are bytes of a good pack, changed as a
 * compiler that miscounts would have written them; the checksum is always right.
 */
#pragma once

#include "base/arena.h"
#include "schema/schema.h"

/* A program of this name is what the good rule matches. */
#define DRILL_PROGRAM "bulkhead-drill-291"

/* Two rules: one of a path and a number of arguments, one of a command line. */
struct status drill_good(struct arena *arena, struct text *out);

/* Why the builder refuses a rule about a field that the schema has not; false: it took it. */
bool drill_build_extra_field(struct arena *arena, char *why);

enum drill_fault {
    DRILL_COUNT,      /* the header counts one field more */
    DRILL_HIDDEN,     /* the header is right, but a predicate asks about the field after the last */
    DRILL_OLD_SCHEMA, /* the header counts one field less, and hashes otherwise */
    DRILL_NEW_CONTENT, /* a test event holds the field after the last */
    DRILL_WILDCARD,    /* a probe takes the field away in place of changing it */
    DRILL_WRONG_INDEX, /* a predicate asks about another field, and the tests are as they were */
};

/* A copy of `good` with the fault. */
struct status drill_fault(struct arena *arena, struct text good, enum drill_fault fault,
                          struct text *out);

/* A copy with one bit flipped behind the header, and the checksum made right: the `nth` of a fixed
 * sequence. */
struct status drill_flip(struct arena *arena, struct text good, unsigned nth, struct text *out);
