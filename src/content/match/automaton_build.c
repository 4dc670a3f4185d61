#include "content/match/automaton_build.h"

#include "base/bytes.h"
#include "content/match/automaton_table.h"

#include <stdlib.h>

struct build {
    const struct automaton_plain *plain;
    struct arena *scratch;
    struct automaton_shape shape;
    uint16_t merged[AUTOMATON_CLASSES_MAX]; /* for each class: its number from here on */
    uint16_t first[AUTOMATON_CLASSES_MAX];  /* for each such number: the first that it stands for */
    size_t row_blocks;
    uint64_t *rows;   /* [states - 2][row_blocks]: blocks as numbers of one order */
    uint64_t *blocks; /* of these, each once, rising */
};

static size_t rows_of(const struct automaton_plain *plain)
{
    return plain->states - AUTOMATON_FIRST_ROW;
}

/* ── classes ── */

static bool same_column(const struct automaton_plain *plain, size_t a, size_t b)
{
    bool same = true;
    for (size_t row = 0; row < rows_of(plain) && same; row++) {
        const uint16_t *next = plain->next + row * plain->classes;
        same = next[a] == next[b];
    }
    return same;
}

static void merge_classes(struct build *b)
{
    for (size_t class = 0; class < b->plain->classes; class ++) {
        size_t number = 0;
        while (number < b->shape.classes && !same_column(b->plain, class, b->first[number])) {
            number++;
        }
        if (number == b->shape.classes) {
            b->first[b->shape.classes++] = (uint16_t) class;
        }
        b->merged[class] = (uint16_t)number;
    }
}

static uint16_t symbol_class(const struct build *b, size_t symbol)
{
    return b->merged[b->plain->class_of[symbol]];
}

/* Does a range say anything that the one before it does not? */
static bool range_is_new(const struct build *b, size_t range)
{
    size_t symbol = AUTOMATON_ASCII + range;
    return range == 0 || symbol_class(b, symbol) != symbol_class(b, symbol - 1);
}

/* ── blocks ── */

static uint64_t block_at(const struct build *b, size_t row, size_t nth)
{
    const uint16_t *next = b->plain->next + row * b->plain->classes;
    uint64_t key = 0;
    for (size_t i = 0; i < AUTOMATON_BLOCK; i++) {
        size_t class = nth * AUTOMATON_BLOCK + i;
        key |= class < b->shape.classes ? (uint64_t)next[b->first[class]] << 16 * i : 0;
    }
    return key;
}

static int order_blocks(const void *a, const void *b)
{
    uint64_t x;
    uint64_t y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static struct status collect_blocks(struct build *b)
{
    size_t count = rows_of(b->plain) * b->row_blocks;
    b->rows = arena_alloc(b->scratch, count, sizeof *b->rows);
    b->blocks = arena_alloc(b->scratch, count, sizeof *b->blocks);
    if (!b->rows || !b->blocks) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < count; i++) {
        b->rows[i] = block_at(b, i / b->row_blocks, i % b->row_blocks);
        b->blocks[i] = b->rows[i];
    }
    if (count) {
        qsort(b->blocks, count, sizeof *b->blocks, order_blocks);
    }
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || b->blocks[i] != b->blocks[b->shape.blocks - 1]) {
            b->blocks[b->shape.blocks++] = b->blocks[i];
        }
    }
    return OK;
}

static size_t block_number(const struct build *b, uint64_t block)
{
    const uint64_t *at =
        bsearch(&block, b->blocks, b->shape.blocks, sizeof *b->blocks, order_blocks);
    return (size_t)(at - b->blocks);
}

/* ── bytes ── */

static void write_number(struct writer *w, size_t number, size_t width)
{
    if (width == 1) {
        writer_u8(w, (uint8_t)number);
    } else {
        writer_u16(w, (uint16_t)number);
    }
}

static void write_classes(const struct build *b, struct writer *w)
{
    for (size_t i = 0; i < AUTOMATON_ASCII; i++) {
        if (b->shape.classes > AUTOMATON_NIBBLES) {
            writer_u8(w, (uint8_t)symbol_class(b, i));
        } else if (i % 2) {
            writer_u8(w, (uint8_t)(symbol_class(b, i) << 4 | symbol_class(b, i - 1)));
        }
    }
    for (size_t i = 0; i < b->plain->ranges; i++) {
        if (range_is_new(b, i)) {
            writer_u32(w, b->plain->range_from[i]);
            writer_u32(w, symbol_class(b, AUTOMATON_ASCII + i));
        }
    }
}

static void write_states(const struct build *b, struct writer *w)
{
    size_t width = automaton_width(b->shape.states);
    for (size_t i = 0; i < b->shape.blocks; i++) {
        for (size_t k = 0; k < AUTOMATON_BLOCK; k++) {
            write_number(w, b->blocks[i] >> 16 * k & UINT16_MAX, width);
        }
    }
    for (size_t i = 0; i < rows_of(b->plain) * b->row_blocks; i++) {
        write_number(w, block_number(b, b->rows[i]), automaton_width(b->shape.blocks));
    }
    uint8_t bits = 0;
    for (size_t row = 0; row < rows_of(b->plain); row++) {
        bits = (uint8_t)(bits | (unsigned)b->plain->at_end[row] << row % 8);
        if (row % 8 == 7 || row + 1 == rows_of(b->plain)) {
            writer_u8(w, bits);
            bits = 0;
        }
    }
    while (w->used % 8 != 0) {
        writer_u8(w, 0);
    }
}

static struct status write_all(const struct build *b, struct arena *arena, struct text *out)
{
    size_t size = automaton_size(&b->shape);
    void *room = arena_alloc(arena, size, 1);
    if (!room) {
        FAIL(MEMORY);
    }
    struct writer w = writer_over(room, size);
    writer_u32(&w, (uint32_t)size);
    writer_u16(&w, (uint16_t)b->shape.states);
    writer_u16(&w, (uint16_t)b->plain->start);
    writer_u16(&w, (uint16_t)b->shape.classes);
    writer_u16(&w, (uint16_t)b->shape.ranges);
    writer_u16(&w, symbol_class(b, AUTOMATON_ASCII + b->plain->ranges));
    writer_u16(&w, (uint16_t)b->shape.blocks);
    write_classes(b, &w);
    write_states(b, &w);
    TRY(writer_end(&w));
    ENSURE(w.used == size && !automaton_check(writer_text(&w)));
    *out = writer_text(&w);
    return OK;
}

struct status automaton_build(const struct automaton_plain *plain, struct arena *scratch,
                              struct arena *arena, struct text *out)
{
    struct build b = {.plain = plain, .scratch = scratch, .shape = {.states = plain->states}};
    if (plain->states > AUTOMATON_STATES_MAX) {
        FAIL(LIMIT);
    }
    merge_classes(&b);
    b.row_blocks = automaton_row_blocks(b.shape.classes);
    for (size_t i = 0; i < plain->ranges; i++) {
        b.shape.ranges += range_is_new(&b, i);
    }
    TRY(collect_blocks(&b));
    if (b.shape.blocks > AUTOMATON_BLOCKS_MAX || automaton_size(&b.shape) > AUTOMATON_SIZE_MAX) {
        FAIL(LIMIT);
    }
    return write_all(&b, arena, out);
}
