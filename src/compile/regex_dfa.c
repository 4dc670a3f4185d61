/*
 * The subset construction. A state is a set of places in the nfa, and what the last character was,
 * as far as assertions ask. Assertions look one character ahead, so a place that waits at one stays
 * in the set, and is led past it when the next character (or the end) is known.
 *
 * '$' may stand before a newline that ends the subject. A place that went past it there is marked
 * "last": the subject must end after that newline, or the place is given up.
 */
#include "base/hash.h"
#include "compile/regex_tree.h"

enum {
    STEPS_MAX = 100 * 1000 * 1000, /* places and words of sets visited: under a second */
    DFA_START = 0,
    DFA_FOUND = 1,
};

struct state {
    uint64_t *places; /* a bit for each place */
    uint64_t hash;
    enum regex_look previous;
};

struct maker {
    const struct regex_nfa *nfa;
    const struct regex_alphabet *alphabet;
    struct arena *arena;
    size_t words; /* u64s of a set of places */
    struct state *states;
    size_t count;
    uint32_t *table; /* hash table of state number + 1 */
    uint16_t *stack; /* for walks; a place is in it at most once */
    uint64_t *reached[LOOK_COUNT];
    uint64_t *next;
    uint16_t
        *highest; /* rank in each chain, for places that are not last, and for those that are */
    uint64_t steps;
    struct regex_dfa dfa;
    char *why;
};

enum { TABLE_SIZE = REGEX_DFA_MAX * 4 };

/* A place is a state of the nfa, and whether the subject must end. */
static size_t place(uint16_t state, bool last)
{
    return (size_t)state * 2 + last;
}

static bool has(const uint64_t *set, size_t place)
{
    return set[place / 64] >> place % 64 & 1;
}

static bool put(uint64_t *set, size_t place)
{
    bool fresh = !has(set, place);
    set[place / 64] |= 1ULL << place % 64;
    return fresh;
}

static bool is_word(enum regex_look look)
{
    return look == LOOK_WORD;
}

/* Does the assertion hold between these two? LOOK_EDGE is the start on the left, the end on the
 * right. */
static bool holds(enum regex_assertion assertion, enum regex_look left, enum regex_look right)
{
    switch (assertion) {
    case ASSERTION_START:
        return left == LOOK_EDGE;
    case ASSERTION_LINE_START:
        /* As in PCRE, there is no line after a newline that ends the subject. */
        return left == LOOK_EDGE || (left == LOOK_NEWLINE && right != LOOK_EDGE);
    case ASSERTION_END:
        return right == LOOK_EDGE;
    case ASSERTION_LAST_LINE:
    case ASSERTION_LINE_END:
        return right == LOOK_EDGE || right == LOOK_NEWLINE;
    case ASSERTION_WORD:
        return is_word(left) != is_word(right);
    case ASSERTION_NOT_WORD:
        return is_word(left) == is_word(right);
    }
    return false;
}

/* Adds `from` and all that it leads to without a character. Past assertions only where `right` is
 * known, which LOOK_COUNT says it is not. */
static void walk(struct maker *m, uint64_t *set, size_t from, enum regex_look left,
                 enum regex_look right)
{
    size_t depth = 0;
    if (put(set, from)) {
        m->stack[depth++] = (uint16_t)from;
    }
    while (depth) {
        size_t at = m->stack[--depth];
        const struct regex_nfa_state *s = &m->nfa->states[at / 2];
        bool last = at & 1;
        m->steps++;
        if (s->op == REGEX_OP_SPLIT) {
            if (put(set, place(s->other, last))) {
                m->stack[depth++] = (uint16_t)place(s->other, last);
            }
        } else if (s->op != REGEX_OP_ASSERT || right == LOOK_COUNT ||
                   !holds((enum regex_assertion)s->assertion, left, right)) {
            continue;
        }
        last = last || (s->op == REGEX_OP_ASSERT && s->assertion == ASSERTION_LAST_LINE &&
                        right == LOOK_NEWLINE);
        if (put(set, place(s->next, last))) {
            m->stack[depth++] = (uint16_t)place(s->next, last);
        }
    }
}

/* Calls for each place of a set: the next one at or after `from`, or SIZE_MAX. */
static size_t next_place(const struct maker *m, const uint64_t *set, size_t from)
{
    for (size_t word = from / 64; word < m->words; word++) {
        uint64_t bits = set[word];
        if (word == from / 64) {
            bits &= UINT64_MAX << from % 64;
        }
        if (bits) {
            return word * 64 + (size_t)__builtin_ctzll(bits);
        }
    }
    return SIZE_MAX;
}

static void clear(const struct maker *m, uint64_t *set)
{
    memset(set, 0, m->words * sizeof *set);
}

/* Leaves out of m->next what adds nothing: splits, which were followed, and of each chain all but
 * the highest. Without this, "x{0,64}" after something that may overlap itself has 2^64 sets. */
static void thin(struct maker *m)
{
    for (size_t i = 0; i < m->nfa->count * 2; i++) {
        m->highest[i] = 0;
    }
    for (size_t p = next_place(m, m->next, 0); p != SIZE_MAX; p = next_place(m, m->next, p + 1)) {
        const struct regex_nfa_state *s = &m->nfa->states[p / 2];
        uint16_t *highest = &m->highest[s->chain * 2U + p % 2];
        *highest = s->rank > *highest ? s->rank : *highest;
    }
    for (size_t p = next_place(m, m->next, 0); p != SIZE_MAX; p = next_place(m, m->next, p + 1)) {
        const struct regex_nfa_state *s = &m->nfa->states[p / 2];
        if (s->op == REGEX_OP_SPLIT || (s->chain && s->rank < m->highest[s->chain * 2U + p % 2])) {
            m->next[p / 64] &= ~(1ULL << p % 64);
        }
    }
}

/* The state with the places of m->next, which is made where there is none. */
static struct status intern(struct maker *m, enum regex_look previous, uint16_t *out)
{
    size_t size = m->words * sizeof *m->next;
    uint64_t hash = HASH_START ^ (uint64_t)previous;
    for (size_t i = 0; i < m->words; i++) {
        hash = (hash ^ m->next[i]) * 0x9e3779b97f4a7c15ULL;
        hash ^= hash >> 29;
    }
    size_t slot = hash % TABLE_SIZE;
    for (; m->table[slot]; slot = (slot + 1) % TABLE_SIZE) {
        const struct state *s = &m->states[m->table[slot] - 1];
        if (s->hash == hash && s->previous == previous && !memcmp(s->places, m->next, size)) {
            *out = (uint16_t)(m->table[slot] - 1);
            return OK;
        }
    }
    if (m->count == REGEX_DFA_MAX) {
        return regex_too_large("the expression needs too many states; make it simpler", m->why);
    }
    uint64_t *places = arena_alloc(m->arena, m->words, sizeof *places);
    if (!places) {
        return regex_too_large("the expression needs too much memory; make it simpler", m->why);
    }
    for (size_t i = 0; i < m->words; i++) {
        places[i] = m->next[i];
    }
    m->states[m->count] = (struct state){.places = places, .hash = hash, .previous = previous};
    m->table[slot] = (uint32_t)++m->count;
    *out = (uint16_t)(m->count - 1);
    return OK;
}

/* Where the places of state `at` lead when a character of `right` follows, before they take it. */
static void reach(struct maker *m, size_t at, enum regex_look right)
{
    const struct state *s = &m->states[at];
    uint64_t *reached = m->reached[right];
    clear(m, reached);
    for (size_t p = next_place(m, s->places, 0); p != SIZE_MAX;
         p = next_place(m, s->places, p + 1)) {
        /* A character follows: those that were promised the end give up. */
        if (right == LOOK_EDGE || !(p & 1)) {
            walk(m, reached, p, s->previous, right);
        }
    }
}

/* What of the last character the expression's assertions can ask for. */
static enum regex_look remembered(const struct maker *m, enum regex_look look)
{
    const unsigned words = 1U << ASSERTION_WORD | 1U << ASSERTION_NOT_WORD;
    bool asked = (look == LOOK_WORD && m->nfa->assertions & words) ||
                 (look == LOOK_NEWLINE && m->nfa->assertions & 1U << ASSERTION_LINE_START);
    return asked ? look : LOOK_OTHER;
}

/* The state after one character of `class`. */
static struct status step(struct maker *m, size_t class, uint16_t *out)
{
    enum regex_look look = (enum regex_look)m->alphabet->look[class];
    const uint64_t *reached = m->reached[look];
    clear(m, m->next);
    m->steps += m->words;
    for (size_t p = next_place(m, reached, 0); p != SIZE_MAX; p = next_place(m, reached, p + 1)) {
        const struct regex_nfa_state *s = &m->nfa->states[p / 2];
        bool last = p & 1;
        m->steps++;
        if (s->op == REGEX_OP_SET && m->alphabet->members[s->set][class / 64] >> class % 64 & 1) {
            walk(m, m->next, place(s->next, last), LOOK_OTHER, LOOK_COUNT);
        } else if (s->op == REGEX_OP_FOUND && !last) {
            *out = DFA_FOUND;
            return OK;
        } else if (s->op == REGEX_OP_FOUND) {
            put(m->next, p);
        }
    }
    walk(m, m->next, place(m->nfa->start, false), LOOK_OTHER, LOOK_COUNT);
    if (has(m->next, 0)) {
        *out = DFA_FOUND; /* state 0 of the nfa is "found" */
        return OK;
    }
    thin(m);
    return intern(m, remembered(m, look), out);
}

static struct status expand(struct maker *m, size_t at)
{
    size_t classes = m->alphabet->class_count;
    reach(m, at, LOOK_OTHER);
    reach(m, at, LOOK_EDGE);
    if (m->nfa->assertions) {
        reach(m, at, LOOK_WORD);
        reach(m, at, LOOK_NEWLINE);
    }
    m->dfa.at_end[at] = has(m->reached[LOOK_EDGE], 0) || has(m->reached[LOOK_EDGE], 1);
    for (size_t class = 0; class < classes; class ++) {
        TRY(step(m, class, &m->dfa.next[at * classes + class]));
    }
    return m->steps < STEPS_MAX ? OK : regex_too_large("the expression is too complex", m->why);
}

static struct status make_room(struct maker *m)
{
    m->words = (m->nfa->count * 2 + 63) / 64;
    m->states = arena_alloc(m->arena, REGEX_DFA_MAX, sizeof *m->states);
    m->table = arena_alloc(m->arena, TABLE_SIZE, sizeof *m->table);
    m->stack = arena_alloc(m->arena, m->nfa->count * 2, sizeof *m->stack);
    m->next = arena_alloc(m->arena, m->words, sizeof *m->next);
    m->highest = arena_alloc(m->arena, m->nfa->count * 2, sizeof *m->highest);
    bool enough = m->states && m->table && m->stack && m->next && m->highest;
    for (unsigned look = 0; look < LOOK_COUNT; look++) {
        m->reached[look] = arena_alloc(m->arena, m->words, sizeof *m->reached[look]);
        enough = enough && m->reached[look];
    }
    m->dfa.class_count = m->alphabet->class_count;
    m->dfa.next = arena_alloc(m->arena, REGEX_DFA_MAX * m->dfa.class_count, sizeof *m->dfa.next);
    m->dfa.at_end = arena_alloc(m->arena, REGEX_DFA_MAX, sizeof *m->dfa.at_end);
    if (!enough || !m->dfa.next || !m->dfa.at_end) {
        FAIL(MEMORY);
    }
    return OK;
}

/* "Found" stays found, whatever follows. Its places are those no other state has: none at all. */
static struct status make_found(struct maker *m)
{
    uint16_t found;
    clear(m, m->next);
    TRY(intern(m, LOOK_COUNT, &found));
    ENSURE(found == DFA_FOUND);
    m->dfa.at_end[found] = true;
    for (size_t class = 0; class < m->dfa.class_count; class ++) {
        m->dfa.next[found * m->dfa.class_count + class] = DFA_FOUND;
    }
    return OK;
}

struct status regex_make_dfa(const struct regex_nfa *nfa, const struct regex_alphabet *alphabet,
                             struct arena *arena, struct regex_dfa *out, char *why)
{
    struct maker m = {.nfa = nfa, .alphabet = alphabet, .arena = arena, .why = why};
    uint16_t start;
    TRY(make_room(&m));
    walk(&m, m.next, place(nfa->start, false), LOOK_OTHER, LOOK_COUNT);
    TRY(intern(&m, LOOK_EDGE, &start));
    TRY(make_found(&m));
    /* An expression that matches nothing at all is found before any character. */
    bool everywhere = has(m.states[start].places, 0);
    for (size_t at = 0; at < m.count; at++) {
        if (at == DFA_START && everywhere) {
            m.dfa.at_end[at] = true;
            for (size_t class = 0; class < m.dfa.class_count; class ++) {
                m.dfa.next[class] = DFA_FOUND;
            }
        } else if (at != DFA_FOUND) {
            TRY(expand(&m, at));
        }
    }
    m.dfa.count = m.count;
    *out = m.dfa;
    return OK;
}
