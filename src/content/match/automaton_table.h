/*
 * automaton_table: where the parts of an automaton lie, for those who walk one. Only for bytes that
 * automaton_check() accepted.
 */
#pragma once

#include "content/match/automaton.h"
#include "content/pack/load.h"

/* How many there are of what: the sizes of all parts follow from it. */
struct automaton_shape {
    size_t states;
    size_t classes;
    size_t ranges;
    size_t blocks;
};

struct automaton_table {
    struct automaton_shape shape;
    size_t start;
    size_t invalid;     /* the class of a byte that begins no UTF-8 sequence */
    size_t width;       /* bytes of a state: 1 where there are at most 256 */
    size_t row_width;   /* bytes of a block's number, likewise */
    size_t row_blocks;  /* blocks of a row */
    bool nibbles;       /* the class of an ASCII byte takes four bits, the even byte's the lower */
    const char *ascii;  /* a class for each byte below 0x80 */
    const char *range;  /* u32 first code point, u32 class; sorted */
    const char *block;  /* u8 or u16 [blocks][4]: next states */
    const char *row;    /* u8 or u16 [states - 2][row_blocks]: a block */
    const char *at_end; /* a bit for each of states - 2: found if the subject ends here */
};

/* Bytes in which a number below `count` is written. */
static inline size_t automaton_width(size_t count)
{
    return count <= 256 ? 1 : 2;
}

static inline size_t automaton_row_blocks(size_t classes)
{
    return (classes + AUTOMATON_BLOCK - 1) / AUTOMATON_BLOCK;
}

static inline size_t automaton_ascii_size(size_t classes)
{
    return classes <= AUTOMATON_NIBBLES ? AUTOMATON_ASCII / 2 : AUTOMATON_ASCII;
}

/* With the zeroes at the end. */
static inline size_t automaton_size(const struct automaton_shape *s)
{
    size_t rows = s->states - AUTOMATON_FIRST_ROW;
    size_t size =
        AUTOMATON_HEADER + automaton_ascii_size(s->classes) + s->ranges * AUTOMATON_RANGE +
        s->blocks * AUTOMATON_BLOCK * automaton_width(s->states) +
        rows * automaton_row_blocks(s->classes) * automaton_width(s->blocks) + (rows + 7) / 8;
    return (size + 7) / 8 * 8;
}

static inline struct automaton_table automaton_table(struct text bytes)
{
    struct automaton_table t = {.shape = {.states = load_u16(bytes.ptr + 4),
                                          .classes = load_u16(bytes.ptr + 8),
                                          .ranges = load_u16(bytes.ptr + 10),
                                          .blocks = load_u16(bytes.ptr + 14)},
                                .start = load_u16(bytes.ptr + 6),
                                .invalid = load_u16(bytes.ptr + 12),
                                .ascii = bytes.ptr + AUTOMATON_HEADER};
    t.width = automaton_width(t.shape.states);
    t.row_width = automaton_width(t.shape.blocks);
    t.row_blocks = automaton_row_blocks(t.shape.classes);
    t.nibbles = t.shape.classes <= AUTOMATON_NIBBLES;
    t.range = t.ascii + automaton_ascii_size(t.shape.classes);
    t.block = t.range + t.shape.ranges * AUTOMATON_RANGE;
    t.row = t.block + t.shape.blocks * AUTOMATON_BLOCK * t.width;
    t.at_end = t.row + (t.shape.states - AUTOMATON_FIRST_ROW) * t.row_blocks * t.row_width;
    return t;
}

/* The class of a byte below 0x80. */
static inline size_t automaton_ascii_class(const struct automaton_table *t, unsigned byte)
{
    return t->nibbles ? (unsigned char)t->ascii[byte / 2] >> byte % 2 * 4 & 15
                      : (unsigned char)t->ascii[byte];
}

static inline void automaton_ascii_classes(const struct automaton_table *t,
                                           uint8_t out[AUTOMATON_ASCII])
{
    if (!t->nibbles) {
        memcpy(out, t->ascii, AUTOMATON_ASCII);
        return;
    }
    for (size_t i = 0; i < AUTOMATON_ASCII / 2; i++) {
        unsigned both = (unsigned char)t->ascii[i];
        out[i * 2] = both & 15;
        out[i * 2 + 1] = (uint8_t)(both >> 4);
    }
}

/* The class of a range's code points. */
static inline size_t automaton_range_class(const struct automaton_table *t, size_t range)
{
    return load_u32(t->range + range * AUTOMATON_RANGE + 4);
}

/* Of a state with a row: its blocks' numbers … */
static inline const char *automaton_row(const struct automaton_table *t, size_t state)
{
    return t->row + (state - AUTOMATON_FIRST_ROW) * t->row_blocks * t->row_width;
}

/* … of which this is that of its classes from 4 * `nth` on. */
static inline size_t automaton_row_block(const struct automaton_table *t, const char *row,
                                         size_t nth)
{
    return t->row_width == 1 ? (unsigned char)row[nth] : load_u16(row + nth * 2);
}

/* The same with one multiplication, for which a search would wait. */
static inline size_t automaton_block(const struct automaton_table *t, size_t state, size_t nth)
{
    size_t at = (state - AUTOMATON_FIRST_ROW) * t->row_blocks + nth;
    return t->row_width == 1 ? (unsigned char)t->row[at] : load_u16(t->row + at * 2);
}

/* A next state of a block. */
static inline size_t automaton_block_next(const struct automaton_table *t, size_t block, size_t nth)
{
    size_t at = block * AUTOMATON_BLOCK + nth;
    return t->width == 1 ? (unsigned char)t->block[at] : load_u16(t->block + at * 2);
}

/* Of a state with a row. */
static inline size_t automaton_next(const struct automaton_table *t, size_t state, size_t class)
{
    size_t block = automaton_block(t, state, class / AUTOMATON_BLOCK);
    return automaton_block_next(t, block, class % AUTOMATON_BLOCK);
}

static inline bool automaton_found_at_end(const struct automaton_table *t, size_t state)
{
    size_t row = state - AUTOMATON_FIRST_ROW;
    return (unsigned char)t->at_end[row / 8] >> row % 8 & 1;
}
