/*
 * automaton_table: where the parts of an automaton lie, for those who walk one. Only for bytes that
 * automaton_check() accepted.
 */
#pragma once

#include "content/automaton.h"
#include "content/load.h"

struct automaton_table {
    size_t states;
    size_t start;
    size_t classes;
    size_t ranges;
    size_t width;       /* bytes of a state: 1 where there are at most 256 */
    size_t invalid;     /* the class of a byte that begins no UTF-8 sequence */
    const char *ascii;  /* a class for each byte below 0x80 */
    const char *range;  /* u32 first code point, u32 class; sorted */
    const char *next;   /* u8 or u16 [states - 2][classes] */
    const char *at_end; /* u8 [states - 2]: found if the subject ends here */
};

static inline struct automaton_table automaton_table(struct text bytes)
{
    struct automaton_table t = {.states = load_u16(bytes.ptr + 4),
                                .start = load_u16(bytes.ptr + 6),
                                .classes = load_u16(bytes.ptr + 8),
                                .ranges = load_u16(bytes.ptr + 10),
                                .invalid = load_u16(bytes.ptr + 12),
                                .ascii = bytes.ptr + 16};
    t.width = automaton_width(t.states);
    t.range = bytes.ptr + AUTOMATON_HEADER;
    t.next = t.range + t.ranges * AUTOMATON_RANGE;
    t.at_end = t.next + (t.states - AUTOMATON_FIRST_ROW) * t.classes * t.width;
    return t;
}

/* Of a state with a row. */
static inline size_t automaton_next(const struct automaton_table *t, size_t state, size_t class)
{
    size_t at = (state - AUTOMATON_FIRST_ROW) * t->classes + class;
    return t->width == 1 ? (unsigned char)t->next[at] : load_u16(t->next + at * 2);
}

static inline bool automaton_found_at_end(const struct automaton_table *t, size_t state)
{
    return t->at_end[state - AUTOMATON_FIRST_ROW];
}

/* The class of a range's code points. */
static inline size_t automaton_range_class(const struct automaton_table *t, size_t range)
{
    return load_u32(t->range + range * AUTOMATON_RANGE + 4);
}
