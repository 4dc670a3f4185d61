/*
 * automaton_needs(): walks the automaton and the literal's own automaton (Knuth, Morris, Pratt
 * 1977) together, over all texts at once. If a pair "found, and the literal was not yet" can be
 * reached, there is a text that shows it.
 */
#include "content/automaton.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/automaton_table.h"

enum {
    LITERAL_MAX = 64,
    PAIRS_MAX = 1 << 16,           /* states of both together: a millisecond or a few */
    SYMBOLS_MAX = 2 * LITERAL_MAX, /* its letters, as capitals too */
    ROW_BLOCKS_MAX = AUTOMATON_CLASSES_MAX / AUTOMATON_BLOCK,
};

/* A letter of the literal, and its class; once where both its cases are in one. */
struct symbol {
    uint8_t class;
    char letter; /* folded */
};

struct walk {
    struct automaton_table table;
    struct text literal;
    struct symbol symbols[SYMBOLS_MAX];
    size_t symbol_count;
    uint8_t symbol_of[AUTOMATON_ASCII];     /* of a letter of the literal: one of them, + 1 */
    uint8_t others[ROW_BLOCKS_MAX];         /* for each block of a row: a bit for each class in
                                               which there is more than letters of the literal */
    uint8_t next[LITERAL_MAX][SYMBOLS_MAX]; /* how much of the literal there is, after a symbol */
    uint8_t *done;   /* for each block: a bit for each next state that was visited as (it, 0) */
    bool *seen;      /* for each pair: a row, and how much of the literal there is */
    uint16_t *queue; /* of pairs */
    size_t queued;
};

static void add_other(struct walk *w, size_t class)
{
    w->others[class / AUTOMATON_BLOCK] |= (uint8_t)(1U << class % AUTOMATON_BLOCK);
}

static void find_symbols(struct walk *w)
{
    for (size_t i = 0; i < w->literal.len; i++) {
        w->symbol_of[(unsigned char)w->literal.ptr[i]] = 1;
    }
    for (unsigned c = 0; c < AUTOMATON_ASCII; c++) {
        unsigned folded = (unsigned char)text_fold((char)c);
        size_t class = automaton_ascii_class(&w->table, c);
        if (!w->symbol_of[folded]) {
            add_other(w, class);

        } else if (c == folded || class != automaton_ascii_class(&w->table, folded)) {
            w->symbols[w->symbol_count++] =
                (struct symbol){.class = (uint8_t) class, .letter = (char)folded};
            w->symbol_of[folded] = (uint8_t)w->symbol_count;
        }
    }
    for (size_t i = 0; i < w->table.shape.ranges; i++) {
        add_other(w, automaton_range_class(&w->table, i));
    }
    add_other(w, w->table.invalid);
}

/* A symbol goes on with the literal, or with the longest start of it that what there is ends in. */
static void fill_next(struct walk *w)
{
    size_t shorter = 0;
    for (size_t known = 0; known < w->literal.len; known++) {
        char wanted = w->literal.ptr[known];
        for (size_t i = 0; i < w->symbol_count; i++) {
            uint8_t otherwise = known ? w->next[shorter][i] : 0;
            w->next[known][i] = w->symbols[i].letter == wanted ? (uint8_t)(known + 1) : otherwise;
        }
        shorter = known ? w->next[shorter][w->symbol_of[(unsigned char)wanted] - 1] : 0;
    }
}

/* False: the pair shows that the literal is not needed. */
static bool visit(struct walk *w, size_t state, size_t known)
{
    if (state == AUTOMATON_NEVER || known == w->literal.len) {
        return true;
    }
    if (state == AUTOMATON_FOUND || automaton_found_at_end(&w->table, state)) {
        return false;
    }
    size_t pair = (state - AUTOMATON_FIRST_ROW) * w->literal.len + known;
    if (!w->seen[pair]) {
        w->seen[pair] = true;
        w->queue[w->queued++] = (uint16_t)pair;
    }
    return true;
}

/* After a character that is no letter of the literal nothing of it is there, whatever was before:
 * so each next state of a block is visited in this way once. */
static bool visit_others(struct walk *w, size_t state)
{
    bool needed = true;
    for (size_t i = 0; i < w->table.row_blocks && needed; i++) {
        size_t block = automaton_block(&w->table, state, i);
        unsigned left = w->others[i] & ~(unsigned)w->done[block];
        w->done[block] |= (uint8_t)left;
        for (size_t k = 0; left >> k && needed; k++) {
            needed = !(left >> k & 1) || visit(w, automaton_block_next(&w->table, block, k), 0);
        }
    }
    return needed;
}

static bool visit_symbols(struct walk *w, size_t state, size_t known)
{
    bool needed = true;
    for (size_t i = 0; i < w->symbol_count && needed; i++) {
        needed = visit(w, automaton_next(&w->table, state, w->symbols[i].class), w->next[known][i]);
    }
    return needed;
}

static bool walk_all(struct walk *w)
{
    bool needed = visit(w, w->table.start, 0);
    for (size_t at = 0; needed && at < w->queued; at++) {
        size_t state = w->queue[at] / w->literal.len + AUTOMATON_FIRST_ROW;
        size_t known = w->queue[at] % w->literal.len;
        needed = visit_others(w, state) && visit_symbols(w, state, known);
    }
    return needed;
}

static bool is_ascii(struct text t)
{
    bool ascii = true;
    for (size_t i = 0; i < t.len; i++) {
        ascii = ascii && t.ptr[i] > 0;
    }
    return ascii;
}

bool automaton_needs(struct text automaton, struct text literal)
{
    struct walk w = {.literal = literal};
    if (literal.len == 0 || literal.len > LITERAL_MAX || !is_ascii(literal)) {
        return false;
    }
    w.table = automaton_table(automaton);
    size_t pairs = (w.table.shape.states - AUTOMATON_FIRST_ROW) * literal.len;
    if (pairs > PAIRS_MAX) {
        return false;
    }
    OWN(heap_drop) uint8_t *done = heap_alloc(w.table.shape.blocks, sizeof *done);
    OWN(heap_drop) bool *seen = heap_alloc(pairs, sizeof *seen);
    OWN(heap_drop) uint16_t *queue = heap_alloc(pairs, sizeof *queue);
    if (!done || !seen || !queue) {
        return false;
    }
    w.done = done;
    w.seen = seen;
    w.queue = queue;
    find_symbols(&w);
    fill_next(&w);
    return walk_all(&w);
}
