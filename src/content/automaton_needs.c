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
    PAIRS_MAX = 1 << 16, /* states of both together: a millisecond or a few */
    /* ASCII characters, ranges and what is no UTF-8, at most: what tells a letter of the literal
     * from others of its class makes more. */
    SYMBOLS_MAX = AUTOMATON_ASCII + AUTOMATON_RANGES_MAX + 1,
};

/* Characters that neither automaton tells apart. */
struct symbol {
    uint16_t class;
    char letter; /* of the literal; 0: none of it */
};

struct walk {
    struct automaton_table table;
    struct text literal;
    struct symbol symbols[SYMBOLS_MAX];
    size_t symbol_count;
    uint8_t next[LITERAL_MAX][SYMBOLS_MAX]; /* how much of the literal there is, after a symbol */
    bool *seen;                             /* for each row and length */
    uint32_t *queue;
    size_t queued;
};

static void add_symbol(struct walk *w, size_t class, char letter)
{
    struct symbol symbol = {.class = (uint16_t) class, .letter = letter};
    for (size_t i = 0; i < w->symbol_count; i++) {
        if (w->symbols[i].class == symbol.class && w->symbols[i].letter == letter) {
            return;
        }
    }
    w->symbols[w->symbol_count++] = symbol;
}

static void find_symbols(struct walk *w)
{
    for (unsigned c = 0; c < AUTOMATON_ASCII; c++) {
        char folded = text_fold((char)c);
        bool in_literal = c && text_find_byte(w->literal, folded) != SIZE_MAX;
        add_symbol(w, (unsigned char)w->table.ascii[c], in_literal ? folded : 0);
    }
    for (size_t i = 0; i < w->table.ranges; i++) {
        add_symbol(w, automaton_range_class(&w->table, i), 0);
    }
    add_symbol(w, w->table.invalid, 0);
}

/* The longest start of the literal that `known` bytes of it and a letter end in. */
static uint8_t longest_start(struct text literal, size_t known, char letter)
{
    for (size_t len = known + 1; len > 0; len--) {
        struct text end = text_part(literal, known + 1 - len, len - 1);
        if (literal.ptr[len - 1] == letter && text_starts(literal, end)) {
            return (uint8_t)len;
        }
    }
    return 0;
}

static void fill_next(struct walk *w)
{
    for (size_t known = 0; known < w->literal.len; known++) {
        for (size_t i = 0; i < w->symbol_count; i++) {
            char letter = w->symbols[i].letter;
            w->next[known][i] = letter ? longest_start(w->literal, known, letter) : 0;
        }
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
        w->queue[w->queued++] = (uint32_t)pair;
    }
    return true;
}

static bool walk_all(struct walk *w)
{
    bool needed = visit(w, w->table.start, 0);
    for (size_t at = 0; needed && at < w->queued; at++) {
        size_t state = w->queue[at] / w->literal.len + AUTOMATON_FIRST_ROW;
        size_t known = w->queue[at] % w->literal.len;
        for (size_t i = 0; needed && i < w->symbol_count; i++) {
            needed =
                visit(w, automaton_next(&w->table, state, w->symbols[i].class), w->next[known][i]);
        }
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
    OWN(heap_drop) struct walk *w = heap_alloc(1, sizeof *w);
    if (!w || literal.len == 0 || literal.len > LITERAL_MAX || !is_ascii(literal)) {
        return false;
    }
    w->table = automaton_table(automaton);
    w->literal = literal;
    size_t pairs = (w->table.states - AUTOMATON_FIRST_ROW) * literal.len;
    OWN(heap_drop) bool *seen = heap_alloc(pairs, sizeof *seen);
    OWN(heap_drop) uint32_t *queue = heap_alloc(pairs, sizeof *queue);
    if (!seen || !queue || pairs > PAIRS_MAX) {
        return false;
    }
    w->seen = seen;
    w->queue = queue;
    find_symbols(w);
    fill_next(w);
    return walk_all(w);
}
