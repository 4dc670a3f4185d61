/*
 * builder: rules in, the bytes of a pack out. Same rules, same bytes.
 *
 * Equal predicates and strings are stored once. What the builder writes pack_open() accepts; a rule
 * that breaks a limit of the format is refused here, and the builder goes on without it.
 */
#pragma once

#include "base/arena.h"
#include "content/pack/pack.h"

struct builder;

/* All memory comes from `arena`, which has to outlive it. */
struct status builder_new(struct arena *arena, struct builder **out);

/* Adds a list of indicators, which is not copied and has to outlive the builder. Rules that ask for
 * it come after it, and name it by the same slice. INVALID, LIMIT: `why` as below. */
struct status builder_list(struct builder *b, struct text list, char *why);

/* Adds a rule (its texts are copied) and makes the test vectors that it lacks. What a correlation
 * refers to was added before, and becomes silent unless a correlation that refers to it generates.
 * LIMIT, INVALID: `why` (at least 160 bytes) says what about it. OK: `why` is empty, or what people
 * should know: it can never match, a field of it never decides and was left out, or pack_prove()
 * will refuse a pack with it. */
struct status builder_add(struct builder *b, const struct rule *rule, char *why);

/* Adds a file of YARA rules; both texts have to outlive the builder. LIMIT, INVALID: as above. */
struct status builder_add_yara(struct builder *b, struct text file, struct text source, char *why);

enum builder_proof {
    BUILDER_PROOF_TRIED,  /* a rule of which not everything could be shown stays, with a remark */
    BUILDER_PROOF_WANTED, /* such a rule is refused */
    BUILDER_PROOF_NONE,   /* no vectors are made: for tests of what lies below the proof */
};

/* For the rules that are added from now on; PROOF_TRIED if nobody says. */
void builder_proof(struct builder *b, enum builder_proof proof);

/* The finished pack, in the arena. */
struct status builder_finish(struct builder *b, struct text *out);
