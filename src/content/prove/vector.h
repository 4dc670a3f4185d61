/*
 * vector: a pack's test vectors: events, what a rule has to say about them, and which field
 * decides.
 *
 * A probe is an event with one field changed, after which the rule has to say the opposite. So it
 * shows that this field is read, at its own index, and for its value: a test that any value passes
 * would show nothing. prove.h says what a pack must have of them.
 */
#pragma once

#include "content/pack/pack.h"
#include "schema/event.h"

struct pack_vector {
    uint32_t rule;
    struct text event;
    bool matches;
    uint32_t first_probe;
    uint32_t probe_count;
};

/* Of an open pack; indexes must be below the counts. */
struct pack_vector pack_vector(const struct pack *pack, size_t index);
struct probe pack_probe(const struct pack *pack, size_t index);

/* Puts a value as events carry it: decimals into number fields and true, false into bool fields as
 * such, everything else as text. */
void vector_put(struct event_builder *b, enum field field, struct text value);

/* The event that a probe makes of another, in `buffer`. INVALID: it changes nothing. */
struct status vector_change(const struct event *base, const struct probe *probe, void *buffer,
                            size_t size, struct event *out);

/* How a rule reads a field. */
enum reading {
    READING_NONE,
    READING_PRESENCE, /* it only asks whether there is a value: any will do */
    READING_VALUE,
};

/* What a rule reads. any_field: keywords, which look at every field. */
struct reads {
    uint8_t how[FIELD_COUNT]; /* enum reading */
    uint8_t any_field;
    bool origin[FIELD_COUNT]; /* where the event comes from: log_product and the like */
};

void reads_add(struct reads *reads, const struct predicate *p);
void reads_origin(struct reads *reads, struct text product, struct text service,
                  struct text category);
void reads_of(const struct pack *pack, size_t rule, struct reads *out);
