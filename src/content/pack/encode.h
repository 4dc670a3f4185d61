/*
 * encode: rules in their plain form -> the bytes of a pack. For builder.c alone.
 *
 * Each section grows in memory of its own, items in the order in which they were added; at the end
 * they are laid one after another. encode_pack() makes no choice: same rules, same bytes.
 */
#pragma once

#include "content/match/atom.h"
#include "content/pack/pack.h"
#include "content/pack/pool.h"

struct section_buffer {
    char *bytes;
    size_t used;
    size_t capacity;
};

/* What a pack is made of. */
struct pack_source {
    const struct rule *rules; /* sorted by id, in their plain form (predicate.h) */
    size_t rule_count;
    const struct text *lists; /* of indicators, sorted by name and kind */
    size_t list_count;
    const struct pack_yara *yara; /* sorted by name */
    size_t yara_count;
};

struct encoder {
    struct arena *arena;
    struct pool texts;
    struct pool automata;
    struct pool numbers;     /* eight bytes each */
    struct pool predicates;  /* encoded … */
    struct predicate *plain; /* … and as they are */
    size_t plain_capacity;
    const struct pack_source *source;
    struct section_buffer sections[PACK_SECTION_COUNT];
};

/* The number of a text; PACK_NONE for the empty one. */
struct status encode_text(struct encoder *e, struct text t, uint32_t *out);

/* The number of a predicate, which is plain. */
struct status encode_predicate(struct encoder *e, const struct predicate *p, uint32_t *out);

/* Appends whole items, or a part of one, to a section. */
struct status encode_bytes(struct encoder *e, enum pack_section section, struct text bytes);

/* The atoms of all predicates; the literals of those that are kept become texts. */
struct encoded_atom {
    uint32_t predicate;
    struct text literal;
    enum anchor anchor;
    bool exact;
};

struct encoded_atoms {
    struct encoded_atom *items; /* by predicate */
    size_t count;
};

struct status encode_atoms(struct encoder *e, struct encoded_atoms *out);

/* The sections of the matcher: atoms, triggers, rules without, filters. Rules, nodes
 * and predicates are in their sections already. Leaves out atoms that are not worth it. */
struct status encode_matcher(struct encoder *e, struct encoded_atoms *atoms);

/* Of these, the filters. */
struct status encode_filters(struct encoder *e, const struct encoded_atoms *atoms);

/* What is in the sections so far, for the functions of pack.h. */
struct pack encode_view(const struct encoder *e);

/* The sections of correlations. INVALID: one refers to itself, also through others. */
struct status encode_correlations(struct encoder *e, const struct pack_source *source);

/* The finished pack, in the arena. LIMIT: it would be too large. */
struct status encode_pack(struct arena *arena, const struct pack_source *source, struct text *out);
