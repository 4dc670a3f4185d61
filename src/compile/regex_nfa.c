#include "compile/regex_tree.h"
#include "content/match/automaton.h"
#include "content/match/utf8.h"

#include <stdio.h>
#include <stdlib.h>

struct status regex_too_large(const char *what, char *why)
{
    snprintf(why, REGEX_WHY, "%s", what);
    FAIL(LIMIT);
}

/* ── tree -> nfa ── */

struct maker {
    struct regex_nfa *nfa;
    char *why;
};

static struct status state_new(struct maker *m, struct regex_nfa_state state, uint16_t *out)
{
    if (m->nfa->count == REGEX_NFA_MAX) {
        return regex_too_large("the expression is too large; use smaller repeat counts", m->why);
    }
    *out = (uint16_t)m->nfa->count;
    m->nfa->states[m->nfa->count++] = state;
    return OK;
}

static struct status make(struct maker *m, const struct regex_node *node, uint16_t next,
                          uint16_t *out);

static struct status split(struct maker *m, uint16_t next, uint16_t other, uint16_t *out)
{
    return state_new(m, (struct regex_nfa_state){REGEX_OP_SPLIT, .next = next, .other = other},
                     out);
}

/* What a node repeats, as it is made copy by copy. */
struct copies {
    const struct regex_node *child;
    size_t rank;    /* of the next copy in the chain */
    uint16_t chain; /* 0: there is none yet */
};

/* One more copy, which is noted in the chain if it is a single character. */
static struct status make_copy(struct maker *m, struct copies *copies, uint16_t next, uint16_t *out)
{
    size_t before = m->nfa->count;
    TRY(make(m, copies->child, next, out));
    struct regex_nfa_state *first = &m->nfa->states[*out];
    if (m->nfa->count == before + 1 && first->op == REGEX_OP_SET) {
        copies->chain = copies->chain ? copies->chain : *out;
        first->chain = copies->chain;
        first->rank = (uint16_t)copies->rank;
    }
    return OK;
}

/* "x{n,}": the fewer copies are still wanted, the more texts can follow. */
static struct status make_endless(struct maker *m, const struct regex_node *node, uint16_t next,
                                  uint16_t *out)
{
    struct copies copies = {.child = node->last, .rank = node->min + 1U};
    uint16_t body;
    uint16_t tail;
    TRY(split(m, next, next, &tail));
    TRY(make_copy(m, &copies, tail, &body));
    m->nfa->states[tail].next = body;
    for (copies.rank = node->min; copies.rank > 0; copies.rank--) {
        uint16_t before = tail;
        TRY(make_copy(m, &copies, tail, &tail));
        if (tail == before) {
            break; /* the child is empty, and so are all copies of it */
        }
    }
    *out = tail;
    return OK;
}

/* "x{n,m}": made from the end, so first those that may be left out. The more of them there still
 * may be, the more texts can follow; those that must be there do not compare. */
static struct status make_counted(struct maker *m, const struct regex_node *node, uint16_t next,
                                  uint16_t *out)
{
    struct copies copies = {.child = node->last};
    uint16_t tail = next;
    for (; copies.rank < node->max - node->min; copies.rank++) {
        uint16_t body;
        TRY(make_copy(m, &copies, tail, &body));
        TRY(split(m, body, next, &tail));
    }
    for (uint32_t i = 0; i < node->min; i++) {
        uint16_t before = tail;
        TRY(make(m, node->last, tail, &tail));
        if (tail == before) {
            break;
        }
    }
    *out = tail;
    return OK;
}

static struct status make_children(struct maker *m, const struct regex_node *node, uint16_t next,
                                   uint16_t *out)
{
    uint16_t start = next;
    for (const struct regex_node *child = node->last; child; child = child->before) {
        TRY(make(m, child, start, &start));
    }
    *out = start;
    return OK;
}

static struct status make_choice(struct maker *m, const struct regex_node *node, uint16_t next,
                                 uint16_t *out)
{
    uint16_t start;
    TRY(make(m, node->last, next, &start));
    for (const struct regex_node *child = node->last->before; child; child = child->before) {
        uint16_t other;
        TRY(make(m, child, next, &other));
        TRY(split(m, other, start, &start));
    }
    *out = start;
    return OK;
}

/* The states that do `node` and go on at `next`. */
static struct status make(struct maker *m, const struct regex_node *node, uint16_t next,
                          uint16_t *out)
{
    struct regex_nfa_state state = {.next = next};
    switch (node->kind) {
    case REGEX_EMPTY:
        *out = next;
        return OK;
    case REGEX_SET:
        state.op = REGEX_OP_SET;
        state.set = (uint16_t)node->set;
        return state_new(m, state, out);
    case REGEX_ASSERTION:
        state.op = REGEX_OP_ASSERT;
        state.assertion = (uint8_t)node->assertion;
        m->nfa->assertions |= 1U << node->assertion;
        return state_new(m, state, out);
    case REGEX_SEQUENCE:
        return make_children(m, node, next, out);
    case REGEX_CHOICE:
        return make_choice(m, node, next, out);
    case REGEX_REPEAT:
        return node->max == REGEX_NO_MAX ? make_endless(m, node, next, out)
                                         : make_counted(m, node, next, out);
    }
    FAIL(INVALID);
}

struct status regex_make_nfa(const struct regex_tree *tree, struct regex_nfa *out, char *why)
{
    struct regex_nfa nfa = {.states = arena_alloc(tree->arena, REGEX_NFA_MAX, sizeof *nfa.states)};
    struct maker m = {.nfa = &nfa, .why = why};
    uint16_t found;
    if (!nfa.states) {
        FAIL(MEMORY);
    }
    TRY(state_new(&m, (struct regex_nfa_state){REGEX_OP_FOUND}, &found));
    TRY(make(&m, tree->root, found, &nfa.start));
    *out = nfa;
    return OK;
}

/* ── alphabet ── */

static int compare_codes(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Of an expression that was taken apart, each part asks its own sets alone. */
static struct status find_used(const struct regex_tree *tree, const struct regex_nfa *nfa,
                               struct regex_alphabet *a)
{
    a->used = arena_alloc(tree->arena, tree->set_count, sizeof *a->used);
    if (!a->used) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < nfa->count; i++) {
        if (nfa->states[i].op == REGEX_OP_SET) {
            a->used[nfa->states[i].set] = true;
        }
    }
    return OK;
}

/* Where ranges of any set begin, or have just ended. */
static struct status cut_ranges(const struct regex_tree *tree, struct regex_alphabet *a, char *why)
{
    size_t most = 1;
    for (size_t i = 0; i < tree->set_count; i++) {
        most += tree->sets[i].range_count * 2;
    }
    a->starts = arena_alloc(tree->arena, most, sizeof *a->starts);
    if (!a->starts) {
        FAIL(MEMORY);
    }
    size_t count = 0;
    a->starts[count++] = AUTOMATON_ASCII;
    for (size_t i = 0; i < tree->set_count; i++) {
        for (size_t k = 0; a->used[i] && k < tree->sets[i].range_count; k++) {
            a->starts[count++] = tree->sets[i].ranges[k].first;
            a->starts[count++] = tree->sets[i].ranges[k].last + 1;
        }
    }
    qsort(a->starts, count, sizeof *a->starts, compare_codes);
    for (size_t i = 0; i < count; i++) {
        bool again = a->range_count && a->starts[i] == a->starts[a->range_count - 1];
        if (!again && a->starts[i] < UTF8_INVALID) {
            a->starts[a->range_count++] = a->starts[i];
        }
    }
    return a->range_count <= AUTOMATON_RANGES_MAX
               ? OK
               : regex_too_large("the expression names too many ranges of characters", why);
}

static size_t symbol_count(const struct regex_alphabet *a)
{
    return AUTOMATON_ASCII + a->range_count + 1;
}

/* A character that stands for all of a symbol. */
static uint32_t symbol_code(const struct regex_alphabet *a, size_t symbol)
{
    if (symbol < AUTOMATON_ASCII) {
        return (uint32_t)symbol;
    }
    return symbol + 1 == symbol_count(a) ? UTF8_INVALID : a->starts[symbol - AUTOMATON_ASCII];
}

/* Parts every class that has members both in `set` and outside. */
static struct status refine(struct regex_alphabet *a, const struct regex_set *set, char *why)
{
    uint16_t inside[AUTOMATON_CLASSES_MAX] = {0};
    uint16_t moved[AUTOMATON_CLASSES_MAX] = {0};
    uint16_t size[AUTOMATON_CLASSES_MAX] = {0};
    for (size_t s = 0; s < symbol_count(a); s++) {
        size[a->class_of[s]]++;
        inside[a->class_of[s]] += regex_set_has(set, symbol_code(a, s));
    }
    for (size_t s = 0; s < symbol_count(a); s++) {
        size_t class = a->class_of[s];
        if (inside[class] == size[class] || !regex_set_has(set, symbol_code(a, s))) {
            continue;
        }
        if (!moved[class]) {
            if (a->class_count == AUTOMATON_CLASSES_MAX) {
                return regex_too_large("the expression tells too many characters apart", why);
            }
            moved[class] = (uint16_t)a->class_count++;
        }
        a->class_of[s] = moved[class];
    }
    return OK;
}

/* Which classes are members of which set. */
static void note_members(const struct regex_tree *tree, struct regex_alphabet *a)
{
    for (size_t i = 0; i < tree->set_count; i++) {
        for (size_t s = 0; s < symbol_count(a); s++) {
            size_t class = a->class_of[s];
            if (regex_set_has(&tree->sets[i], symbol_code(a, s))) {
                a->members[i][class / 64] |= 1ULL << class % 64;
            }
        }
    }
}

/* Assertions look at characters too; the classes must not mix what they tell apart. */
static struct status refine_looks(const struct regex_nfa *nfa, struct regex_alphabet *a,
                                  struct arena *arena, char *why)
{
    const unsigned words = 1U << ASSERTION_WORD | 1U << ASSERTION_NOT_WORD;
    struct regex_set newline = {0};
    struct regex_set word = {0};
    TRY(regex_set_add(arena, &newline, '\n', '\n'));
    TRY(regex_set_add_shorthand(arena, &word, 'w'));
    if (nfa->assertions) {
        TRY(refine(a, &newline, why));
    }
    if (nfa->assertions & words) {
        TRY(refine(a, &word, why));
    }
    for (size_t s = 0; nfa->assertions && s < symbol_count(a); s++) {
        uint32_t code = symbol_code(a, s);
        bool is_word = (nfa->assertions & words) && regex_set_has(&word, code);
        a->look[a->class_of[s]] = code == '\n' ? LOOK_NEWLINE : is_word ? LOOK_WORD : LOOK_OTHER;
    }
    return OK;
}

struct status regex_make_alphabet(const struct regex_tree *tree, const struct regex_nfa *nfa,
                                  struct regex_alphabet *out, char *why)
{
    struct regex_alphabet a = {.class_count = 1};
    TRY(find_used(tree, nfa, &a));
    TRY(cut_ranges(tree, &a, why));
    a.class_of = arena_alloc(tree->arena, symbol_count(&a), sizeof *a.class_of);
    a.members = arena_alloc(tree->arena, tree->set_count, sizeof *a.members);
    a.look = arena_alloc(tree->arena, AUTOMATON_CLASSES_MAX, sizeof *a.look);
    if (!a.class_of || !a.members || !a.look) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < tree->set_count; i++) {
        if (a.used[i]) {
            TRY(refine(&a, &tree->sets[i], why));
        }
    }
    TRY(refine_looks(nfa, &a, tree->arena, why));
    note_members(tree, &a);
    *out = a;
    return OK;
}
