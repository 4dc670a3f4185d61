/*
 * automaton_build: an automaton as plain tables -> the bytes of automaton.h.
 *
 * Classes that no state tells apart become one, ranges of one class too, and the next states are
 * cut into blocks that are there once. Equal tables make equal bytes.
 */
#pragma once

#include "base/arena.h"
#include "content/match/automaton.h"

/* States 0 and 1 mean "never" and "found" and have no row. */
struct automaton_plain {
    size_t states;
    size_t start;
    size_t classes;
    size_t ranges;
    const uint16_t *class_of;   /* of each ASCII byte, of each range, of what is no UTF-8 */
    const uint32_t *range_from; /* of each range: its first code point */
    const uint16_t *next;       /* [states - 2][classes] */
    const bool *at_end;         /* [states - 2] */
};

/* The bytes lie in `arena`, what is needed on the way in `scratch`. LIMIT: they are too many. */
struct status automaton_build(const struct automaton_plain *plain, struct arena *scratch,
                              struct arena *arena, struct text *out);
