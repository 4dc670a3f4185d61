#include "compile/regex.h"

#include "base/bytes.h"
#include "base/own.h"
#include "compile/regex_tree.h"
#include "content/automaton.h"

#include <stdio.h>

/* Everything on the way; the largest part is the sets of places of regex_dfa.c. */
enum { SCRATCH_MAX = 128 * 1024 * 1024 };

/* Merged states and the classes as they will be written. */
struct table {
    const struct regex_alphabet *alphabet;
    const struct regex_dfa *dfa;
    const uint16_t *number; /* of each state of the dfa */
    size_t states;
    const size_t *row; /* a state of the dfa for each number */
};

static size_t table_size(const struct table *t)
{
    size_t rows = t->states - AUTOMATON_FIRST_ROW;
    size_t size = AUTOMATON_HEADER + t->alphabet->range_count * AUTOMATON_RANGE +
                  rows * t->dfa->class_count * automaton_width(t->states) + rows;
    return (size + 7) / 8 * 8;
}

static void write_classes(const struct table *t, struct writer *w)
{
    const struct regex_alphabet *a = t->alphabet;
    for (size_t i = 0; i < AUTOMATON_ASCII; i++) {
        writer_u8(w, (uint8_t)a->class_of[i]);
    }
    for (size_t i = 0; i < a->range_count; i++) {
        writer_u32(w, a->starts[i]);
        writer_u32(w, a->class_of[AUTOMATON_ASCII + i]);
    }
}

static void write_states(const struct table *t, struct writer *w)
{
    size_t classes = t->dfa->class_count;
    for (size_t s = AUTOMATON_FIRST_ROW; s < t->states; s++) {
        for (size_t class = 0; class < classes; class ++) {
            uint16_t next = t->number[t->dfa->next[t->row[s] * classes + class]];
            if (automaton_width(t->states) == 1) {
                writer_u8(w, (uint8_t)next);
            } else {
                writer_u16(w, next);
            }
        }
    }
    for (size_t s = AUTOMATON_FIRST_ROW; s < t->states; s++) {
        writer_u8(w, t->dfa->at_end[t->row[s]]);
    }
    while (w->used % 8 != 0) {
        writer_u8(w, 0);
    }
}

static struct status encode(const struct table *t, struct arena *arena, struct text *out)
{
    const struct regex_alphabet *a = t->alphabet;
    size_t size = table_size(t);
    void *room = arena_alloc(arena, size, 1);
    if (!room) {
        FAIL(MEMORY);
    }
    struct writer w = writer_over(room, size);
    writer_u32(&w, (uint32_t)size);
    writer_u16(&w, (uint16_t)t->states);
    writer_u16(&w, t->number[0]);
    writer_u16(&w, (uint16_t)t->dfa->class_count);
    writer_u16(&w, (uint16_t)a->range_count);
    writer_u16(&w, a->class_of[AUTOMATON_ASCII + a->range_count]);
    writer_u16(&w, 0);
    write_classes(t, &w);
    write_states(t, &w);
    TRY(writer_end(&w));
    ENSURE(w.used == size && !automaton_check(writer_text(&w)));
    *out = writer_text(&w);
    return OK;
}

static struct status merge_and_encode(struct regex_alphabet *alphabet, struct regex_dfa *dfa,
                                      struct arena *scratch, struct arena *arena, struct text *out,
                                      char *why)
{
    uint16_t *number = arena_alloc(scratch, dfa->count, sizeof *number);
    size_t *row = arena_alloc(scratch, dfa->count + AUTOMATON_FIRST_ROW, sizeof *row);
    struct table table = {.alphabet = alphabet, .dfa = dfa, .number = number, .row = row};
    if (!number || !row) {
        FAIL(MEMORY);
    }
    TRY(regex_minimise(dfa, scratch, number, &table.states));
    for (size_t s = dfa->count; s-- > 0;) {
        row[number[s]] = s;
    }
    if (table.states > AUTOMATON_STATES_MAX || table_size(&table) > AUTOMATON_SIZE_MAX) {
        return regex_too_large(
            "the expression's automaton is too large (limits 16384 states, 1 MiB)", why);
    }
    return encode(&table, arena, out);
}

static struct status compile_part(const struct regex_tree *tree, struct arena *arena,
                                  struct regex_part *out, char *why)
{
    OWN(arena_done) struct arena scratch;
    struct regex_nfa nfa;
    struct regex_alphabet alphabet;
    struct regex_dfa dfa;
    struct regex_part made;
    arena_init(&scratch, SCRATCH_MAX);
    snprintf(why, REGEX_WHY, "the expression needs too much memory");
    TRY(regex_make_nfa(tree, &nfa, why));
    TRY(regex_make_alphabet(tree, &nfa, &alphabet, why));
    TRY(regex_make_dfa(&nfa, &alphabet, &scratch, &dfa, why));
    TRY(regex_factor(tree, arena, &made.factor));
    TRY(merge_and_encode(&alphabet, &dfa, &scratch, arena, &made.automaton, why));
    *out = made;
    return OK;
}

/* What is being compiled: parts are added to `out`. */
struct compiling {
    struct arena *arena;
    struct regex out;
    size_t capacity;
    char *why;
};

static struct status add_part(void *context, const struct regex_tree *tree)
{
    struct compiling *c = context;
    struct regex_part *parts =
        arena_push(c->arena, c->out.parts, c->out.count, &c->capacity, sizeof *parts);
    if (!parts) {
        FAIL(MEMORY);
    }
    c->out.parts = parts;
    TRY(compile_part(tree, c->arena, &parts[c->out.count], c->why));
    c->out.count++;
    return OK;
}

static struct status compile(struct text pattern, unsigned flags, bool may_split,
                             struct compiling *c)
{
    OWN(arena_done) struct arena scratch;
    struct regex_tree tree = {.arena = &scratch};
    arena_init(&scratch, SCRATCH_MAX);
    c->out = (struct regex){0};
    c->capacity = 0;
    snprintf(c->why, REGEX_WHY, "the expression needs too much memory");
    TRY(regex_parse(pattern, flags, &tree, c->why));
    return may_split ? regex_split(&tree, c, add_part) : add_part(c, &tree);
}

/* Where the parts are too large or too many, the whole may not be. */
struct status regex_compile(struct text pattern, unsigned flags, struct arena *arena,
                            struct regex *out, char *why)
{
    struct compiling c = {.arena = arena, .why = why};
    struct status s = compile(pattern, flags, true, &c);
    if (s.fault == FAULT_LIMIT) {
        s = compile(pattern, flags, false, &c);
    }
    TRY(s);
    *out = c.out;
    return OK;
}
