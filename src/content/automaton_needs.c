/*
 * automaton_needs(): walks the automaton and the literal's own automaton (Knuth, Morris, Pratt
 * 1977) together, over all texts at once. If a pair "found, and the literal was not yet" can be
 * reached, there is a text that shows it.
 */
#include "content/automaton.h"

#include "base/heap.h"
#include "base/own.h"
#include "base/status.h"
#include "content/automaton_table.h"

enum {
    LITERAL_MAX = 64,
    PAIRS_MAX = 1 << 16,           /* states of both together: a millisecond or a few */
    SYMBOLS_MAX = 2 * LITERAL_MAX, /* its letters, as capitals too */
    ROW_BLOCKS_MAX = AUTOMATON_CLASSES_MAX / AUTOMATON_BLOCK,
    /* Of a literal's automaton as many ways go on as it has letters, and no more of them go back to
     * another place than its start; each for both cases. */
    STEPS_MAX = 4 * LITERAL_MAX,
};

/* A letter of the literal, and its class; once where both its cases are in one. */
struct symbol {
    uint8_t class;
    char letter; /* folded */
};

/* A class, by a letter of the literal, and how much of the literal there is after it: some. */
struct step {
    uint8_t class;
    uint8_t known;
};

struct walk {
    struct automaton_table table;
    struct text literal;
    struct symbol symbols[SYMBOLS_MAX];
    size_t symbol_count;
    uint8_t symbol_of[AUTOMATON_ASCII];     /* of a letter of the literal: one of them, + 1 */
    uint8_t next[LITERAL_MAX][SYMBOLS_MAX]; /* how much of the literal there is, after a symbol */
    struct step steps[STEPS_MAX];
    size_t first_step[LITERAL_MAX + 1]; /* for each length that there is of it */
    /* For each of these and each block of a row: a bit for each class that has a character after
     * which nothing of the literal is there. */
    uint8_t others[LITERAL_MAX][ROW_BLOCKS_MAX];
    uint8_t *done;   /* for each block: a bit for each next state that was visited as (it, 0) */
    bool *seen;      /* for each pair: a row, and how much of the literal there is */
    uint16_t *queue; /* of pairs */
    size_t queued;
};

static void add_other(struct walk *w, size_t known, size_t class)
{
    w->others[known][class / AUTOMATON_BLOCK] |= (uint8_t)(1U << class % AUTOMATON_BLOCK);
}

/* Other characters than the literal's are in others[0]. */
static void find_symbols(struct walk *w)
{
    for (size_t i = 0; i < w->literal.len; i++) {
        w->symbol_of[(unsigned char)w->literal.ptr[i]] = 1;
    }
    for (unsigned c = 0; c < AUTOMATON_ASCII; c++) {
        unsigned folded = (unsigned char)text_fold((char)c);
        size_t class = automaton_ascii_class(&w->table, c);
        if (!w->symbol_of[folded]) {
            add_other(w, 0, class);

        } else if (c == folded || class != automaton_ascii_class(&w->table, folded)) {
            w->symbols[w->symbol_count++] =
                (struct symbol){.class = (uint8_t) class, .letter = (char)folded};
            w->symbol_of[folded] = (uint8_t)w->symbol_count;
        }
    }
    for (size_t i = 0; i < w->table.shape.ranges; i++) {
        add_other(w, 0, automaton_range_class(&w->table, i));
    }
    add_other(w, 0, w->table.invalid);
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

static void fill_steps(struct walk *w)
{
    size_t count = 0;
    for (size_t known = 1; known < w->literal.len; known++) {
        memcpy(w->others[known], w->others[0], w->table.row_blocks);
    }
    for (size_t known = 0; known < w->literal.len; known++) {
        w->first_step[known] = count;
        for (size_t i = 0; i < w->symbol_count; i++) {
            if (w->next[known][i] == 0) {
                add_other(w, known, w->symbols[i].class);
            } else {
                ENSURE(count < STEPS_MAX);
                w->steps[count++] =
                    (struct step){.class = w->symbols[i].class, .known = w->next[known][i]};
            }
        }
    }
    w->first_step[w->literal.len] = count;
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

/* What follows without anything of the literal is the same whatever was there before: so each next
 * state of a block is visited in this way once. */
static bool visit_others(struct walk *w, size_t state, size_t known)
{
    bool needed = true;
    for (size_t i = 0; i < w->table.row_blocks && needed; i++) {
        size_t block = automaton_block(&w->table, state, i);
        unsigned left = w->others[known][i] & ~(unsigned)w->done[block];
        w->done[block] |= (uint8_t)left;
        for (size_t k = 0; left >> k && needed; k++) {
            needed = !(left >> k & 1) || visit(w, automaton_block_next(&w->table, block, k), 0);
        }
    }
    return needed;
}

static bool visit_steps(struct walk *w, size_t state, size_t known)
{
    bool needed = true;
    for (size_t i = w->first_step[known]; i < w->first_step[known + 1] && needed; i++) {
        struct step step = w->steps[i];
        needed = visit(w, automaton_next(&w->table, state, step.class), step.known);
    }
    return needed;
}

static bool walk_all(struct walk *w)
{
    bool needed = visit(w, w->table.start, 0);
    for (size_t at = 0; needed && at < w->queued; at++) {
        size_t state = w->queue[at] / w->literal.len + AUTOMATON_FIRST_ROW;
        size_t known = w->queue[at] % w->literal.len;
        needed = visit_others(w, state, known) && visit_steps(w, state, known);
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
    fill_steps(&w);
    return walk_all(&w);
}
