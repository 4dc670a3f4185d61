/*
 * glob: Sigma's wildcards over a whole value.
 *
 * rule.h says what a pattern is: '*', '?', "\-" and escapes. Two places are remembered and never
 * more, so that the time is at most subject × longest piece between two stars; glob_cost() is that
 * bound. Case is the caller's matter: both sides come folded.
 */
#pragma once

#include "base/text.h"

/* NULL: a pattern. Otherwise what is wrong with it. */
const char *glob_check(struct text pattern);

/* Does `subject` match, from its first byte to its last? What it took is added to *steps; false
 * with more than `most` of them: it was given up. */
bool glob_match(struct text pattern, struct text subject, uint64_t most, uint64_t *steps);

/* The most steps for `texts` subjects of `bytes` together. */
uint64_t glob_cost(struct text pattern, size_t bytes, size_t texts);

/* A run of a pattern that stands for itself: no wildcard in it, its escapes not yet undone. */
struct glob_piece {
    struct text source; /* in the pattern */
    bool at_front;      /* every match starts with it */
    bool at_back;       /* … ends with it */
    bool cut;           /* glob_piece_text() had no room for all of it */
};

struct glob_pieces {
    struct text pattern;
    size_t at; /* 0 to begin with */
};

/* The next piece; false: there is none. */
bool glob_next_piece(struct glob_pieces *pieces, struct glob_piece *out);

/* Its bytes, as many as fit into `room`. */
struct text glob_piece_text(struct glob_piece *piece, char *room, size_t size);
