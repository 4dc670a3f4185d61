/*
 * automaton_needs(): walks the automaton and the literal's own automaton (Knuth, Morris, Pratt
 * 1977) together, over all texts at once. If a pair "found, and the literal was not yet" can be
 * reached, there is a text that shows it.
 */
#include "content/match/automaton.h"

#include "base/heap.h"
#include "base/own.h"
#include "base/status.h"
#include "content/match/automaton_table.h"

_Static_assert((int)AUTOMATON_BLOCK == 4, "as fill_all() has it");

enum {
    LITERAL_MAX = 64,
    PAIRS_MAX = 1 << 16,           /* states of both together: a millisecond or a few */
    SYMBOLS_MAX = 2 * LITERAL_MAX, /* its letters, as capitals too */
    ROW_BLOCKS_MAX = AUTOMATON_CLASSES_MAX / AUTOMATON_BLOCK,
    /* Of a literal's automaton as many ways go on as it has letters, and no more of them go back to
     * another place than its start; each for both cases. */
    STEPS_MAX = 4 * LITERAL_MAX,
    OTHER_TOO = SYMBOLS_MAX + 1,
};

/* A letter of the literal, and its class; once where both its cases are in one. */
struct symbol {
    uint8_t class;
    char letter; /* folded */
};

/* A symbol, and how much of the literal there is after it: some. */
struct step {
    struct symbol symbol;
    uint8_t known;
};

struct pair {
    uint16_t state; /* one with a row */
    uint8_t known;  /* how much there is of the literal */
};

struct walk {
    struct automaton_table table;
    struct text literal;
    struct symbol symbols[SYMBOLS_MAX];
    size_t symbol_count;
    /* For each class: its symbols; OTHER_TOO where it has characters that are no symbols. */
    uint8_t symbols_of[AUTOMATON_CLASSES_MAX];
    struct step steps[STEPS_MAX];
    size_t first_step[LITERAL_MAX + 1]; /* for each length that there is of the literal */
    /* For each of these and each block of a row: a bit for each class that has a character after
     * which nothing of the literal is there. */
    uint8_t others[LITERAL_MAX][ROW_BLOCKS_MAX];
    uint8_t *done; /* for each block: a bit for each next state that was visited as (it, 0) */
    bool *seen;    /* for each pair */
    struct pair *queue;
    size_t queued;
};

static void find_symbols(struct walk *w)
{
    uint8_t classes[AUTOMATON_ASCII];
    uint8_t letter[AUTOMATON_ASCII] = {0}; /* of the literal, for it and for its capital */
    automaton_ascii_classes(&w->table, classes);
    for (size_t i = 0; i < w->literal.len; i++) {
        unsigned c = (unsigned char)w->literal.ptr[i];
        letter[c] = (uint8_t)c;
        letter[c >= 'a' && c <= 'z' ? c - 0x20 : c] = (uint8_t)c;
    }
    for (unsigned c = 0; c < AUTOMATON_ASCII; c++) {
        if (!letter[c]) {
            w->symbols_of[classes[c]] = OTHER_TOO;
        } else if (c == letter[c] || classes[c] != classes[letter[c]]) {
            w->symbols[w->symbol_count++] =
                (struct symbol){.class = classes[c], .letter = (char)letter[c]};
        }
    }
    for (size_t i = 0; i < w->table.shape.ranges; i++) {
        w->symbols_of[automaton_range_class(&w->table, i)] = OTHER_TOO;
    }
    w->symbols_of[w->table.invalid] = OTHER_TOO;
    for (size_t i = 0; i < w->symbol_count; i++) {
        uint8_t *count = &w->symbols_of[w->symbols[i].class];
        *count = *count == OTHER_TOO ? OTHER_TOO : (uint8_t)(*count + 1);
    }
}

static void add_step(struct walk *w, size_t *count, struct symbol symbol, size_t known)
{
    ENSURE(*count < STEPS_MAX);
    w->steps[(*count)++] = (struct step){.symbol = symbol, .known = (uint8_t)known};
}

/* How much there is after a letter, where there were `known`. */
static size_t known_after(const struct walk *w, size_t known, char letter)
{
    size_t after = 0;
    for (size_t i = w->first_step[known]; i < w->first_step[known + 1]; i++) {
        after = w->steps[i].symbol.letter == letter ? w->steps[i].known : after;
    }
    return after;
}

/* A letter goes on with the literal, or as it would from the longest shorter start of the literal
 * that what there is ends in. */
static void fill_steps(struct walk *w)
{
    size_t shorter = 0;
    size_t count = 0;
    for (size_t known = 0; known < w->literal.len; known++) {
        char wanted = w->literal.ptr[known];
        for (size_t i = 0; i < w->symbol_count; i++) {
            if (w->symbols[i].letter == wanted) {
                add_step(w, &count, w->symbols[i], known + 1);
            }
        }
        for (size_t i = w->first_step[shorter]; known && i < w->first_step[shorter + 1]; i++) {
            if (w->steps[i].symbol.letter != wanted) {
                add_step(w, &count, w->steps[i].symbol, w->steps[i].known);
            }
        }
        w->first_step[known + 1] = count;
        shorter = known ? known_after(w, shorter, wanted) : 0;
    }
}

/* For each block of a row: a bit for each class of which there is a character. */
static void fill_all(const struct walk *w, uint8_t all[ROW_BLOCKS_MAX])
{
    for (size_t i = 0; i < w->table.row_blocks; i++) {
        const uint8_t *symbols = w->symbols_of + i * AUTOMATON_BLOCK;
        all[i] = (uint8_t)((symbols[0] != 0) | (symbols[1] != 0) << 1 | (symbols[2] != 0) << 2 |
                           (symbols[3] != 0) << 3);
    }
}

/* All of them, but those of whose characters all are steps. */
static void fill_others(struct walk *w, size_t known, const uint8_t all[ROW_BLOCKS_MAX])
{
    uint8_t *others = w->others[known];
    memcpy(others, all, w->table.row_blocks);
    for (size_t i = w->first_step[known]; i < w->first_step[known + 1]; i++) {
        size_t class = w->steps[i].symbol.class;
        bool other = w->symbols_of[class] == OTHER_TOO;
        if (!other && --w->symbols_of[class] == 0) {
            others[class / AUTOMATON_BLOCK] &= (uint8_t) ~(1U << class % AUTOMATON_BLOCK);
        }
    }
    for (size_t i = w->first_step[known]; i < w->first_step[known + 1]; i++) {
        uint8_t *left = &w->symbols_of[w->steps[i].symbol.class];
        *left = *left == OTHER_TOO ? OTHER_TOO : (uint8_t)(*left + 1);
    }
}

/* False: the pair shows that the literal is not needed. */
static bool visit(struct walk *w, size_t state, size_t known)
{
    if (state == AUTOMATON_NEVER || known == w->literal.len) {
        return true;
    }
    if (state == AUTOMATON_FOUND) {
        return false;
    }
    size_t pair = (state - AUTOMATON_FIRST_ROW) * w->literal.len + known;
    if (w->seen[pair]) {
        return true;
    }
    w->seen[pair] = true;
    w->queue[w->queued++] = (struct pair){.state = (uint16_t)state, .known = (uint8_t)known};
    return !automaton_found_at_end(&w->table, state);
}

/* The next states of a block that `left` has a bit for. */
static bool visit_block(struct walk *w, size_t block, unsigned left)
{
    bool needed = true;
    w->done[block] |= (uint8_t)left;
    for (size_t k = 0; left >> k && needed; k++) {
        needed = !(left >> k & 1) || visit(w, automaton_block_next(&w->table, block, k), 0);
    }
    return needed;
}

/* What follows without anything of the literal is the same whatever was there before: so each next
 * state of a block is visited in this way once. */
static bool visit_others(struct walk *w, const char *row, size_t known)
{
    bool needed = true;
    const uint8_t *others = w->others[known];
    const uint8_t *done = w->done;
    for (size_t i = 0; i < w->table.row_blocks && needed; i++) {
        size_t block = automaton_row_block(&w->table, row, i);
        unsigned left = others[i] & ~(unsigned)done[block];
        needed = left == 0 || visit_block(w, block, left);
    }
    return needed;
}

static bool visit_steps(struct walk *w, const char *row, size_t known)
{
    bool needed = true;
    for (size_t i = w->first_step[known]; i < w->first_step[known + 1] && needed; i++) {
        size_t class = w->steps[i].symbol.class;
        size_t block = automaton_row_block(&w->table, row, class / AUTOMATON_BLOCK);
        size_t next = automaton_block_next(&w->table, block, class % AUTOMATON_BLOCK);
        needed = visit(w, next, w->steps[i].known);
    }
    return needed;
}

static bool walk_all(struct walk *w)
{
    bool needed = visit(w, w->table.start, 0);
    for (size_t at = 0; needed && at < w->queued; at++) {
        struct pair pair = w->queue[at];
        const char *row = automaton_row(&w->table, pair.state);
        needed = visit_others(w, row, pair.known) && visit_steps(w, row, pair.known);
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
    uint8_t all[ROW_BLOCKS_MAX];
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
    OWN(heap_drop) struct pair *queue = heap_alloc(pairs, sizeof *queue);
    if (!done || !seen || !queue) {
        return false;
    }
    w.done = done;
    w.seen = seen;
    w.queue = queue;
    find_symbols(&w);
    fill_steps(&w);
    fill_all(&w, all);
    for (size_t known = 0; known < literal.len; known++) {
        fill_others(&w, known, all);
    }
    return walk_all(&w);
}
