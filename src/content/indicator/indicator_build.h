/*
 * indicator_build: keys in, one list of indicators out. Same keys, same bytes, in whatever order
 * and however often they came.
 *
 * All memory comes from the arena, which has to outlive the list.
 */
#pragma once

#include "base/arena.h"
#include "content/indicator/indicator.h"

/* What a list holds, in the form that lookups ask for. */
struct indicator_key {
    enum indicator_kind kind;
    uint16_t width; /* as in struct indicator_table */
    uint16_t detail;
    struct text bytes;
};

struct indicator_set {
    struct arena *arena;
    enum indicator_kind kind;
    struct indicator_item *items;
    size_t count;
    size_t capacity;
};

/* Each makes a key of what was given; false: it is none. Bytes that change are written to `room`,
 * of INDICATOR_ROOM bytes; others stay where they are. */
bool indicator_key_hash(struct text hex, char *room, struct indicator_key *out);
bool indicator_key_network(struct text t, char *room, struct indicator_key *out); /* "/n" or not */
bool indicator_key_domain(struct text t, char *room, struct indicator_key *out);  /* "*." or not */
bool indicator_key_path(struct text t, struct indicator_key *out);

/* By kind. */
bool indicator_key_of(enum indicator_kind kind, struct text t, char *room,
                      struct indicator_key *out);

/* Adds a key of the set's kind, whose bytes are copied. LIMIT, MEMORY. */
struct status indicator_add(struct indicator_set *set, const struct indicator_key *key);

/* The list of all keys of the set, which must have one. LIMIT: the list would be larger than a
 * pack, or somebody made the keys so that no seed spreads them. */
struct status indicator_finish(struct indicator_set *set, struct text name, struct text *out);
