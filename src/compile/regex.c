#include "compile/regex.h"

#include "base/own.h"
#include "compile/regex_tree.h"
#include "content/match/automaton_build.h"

#include <stdio.h>

/* Everything on the way; the largest part is the sets of places of regex_dfa.c. */
enum { SCRATCH_MAX = 128 * 1024 * 1024 };

/* The merged states' rows, as automaton_build() wants them: row[n] is a state of the dfa for n. */
static struct status fill_rows(const struct regex_dfa *dfa, const uint16_t *number,
                               const size_t *row, struct arena *scratch,
                               struct automaton_plain *plain)
{
    size_t rows = plain->states - AUTOMATON_FIRST_ROW;
    uint16_t *next = arena_alloc(scratch, rows * dfa->class_count, sizeof *next);
    bool *at_end = arena_alloc(scratch, rows, sizeof *at_end);
    if (!next || !at_end) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < rows; i++) {
        size_t state = row[i + AUTOMATON_FIRST_ROW];
        for (size_t class = 0; class < dfa->class_count; class ++) {
            next[i * dfa->class_count + class] =
                number[dfa->next[state * dfa->class_count + class]];
        }
        at_end[i] = dfa->at_end[state];
    }
    plain->next = next;
    plain->at_end = at_end;
    return OK;
}

static struct status merge_and_encode(const struct regex_alphabet *alphabet,
                                      const struct regex_dfa *dfa, struct arena *scratch,
                                      struct arena *arena, struct text *out)
{
    uint16_t *number = arena_alloc(scratch, dfa->count, sizeof *number);
    size_t *row = arena_alloc(scratch, dfa->count + AUTOMATON_FIRST_ROW, sizeof *row);
    if (!number || !row) {
        FAIL(MEMORY);
    }
    struct automaton_plain plain = {.classes = alphabet->class_count,
                                    .ranges = alphabet->range_count,
                                    .class_of = alphabet->class_of,
                                    .range_from = alphabet->starts};
    TRY(regex_minimise(dfa, scratch, number, &plain.states));
    for (size_t s = dfa->count; s-- > 0;) {
        row[number[s]] = s;
    }
    plain.start = number[0];
    TRY(fill_rows(dfa, number, row, scratch, &plain));
    return automaton_build(&plain, scratch, arena, out);
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
    struct status s = merge_and_encode(&alphabet, &dfa, &scratch, arena, &made.automaton);
    if (s.fault == FAULT_LIMIT) {
        return regex_too_large(
            "the expression's automaton is too large (limits 16384 states, 65535 blocks, 1 MiB)",
            why);
    }
    TRY(s);
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
