/*
 * regex_tree: what regex's own files share: the tree of an expression, and the automata made of it.
 *
 * regex_parse.c and regex_set.c: text -> tree. regex_nfa.c: tree -> nfa and alphabet. regex_dfa.c:
 * nfa -> dfa. regex_minimise.c merges equal states. Everything lies in one arena that is dropped at
 * the end.
 */
#pragma once

#include "compile/regex.h"

struct regex_range {
    uint32_t first;
    uint32_t last;
};

/* A set of characters. */
struct regex_set {
    uint64_t ascii[2];          /* a bit for each code point below 0x80 */
    bool invalid;               /* bytes that are not UTF-8, too */
    struct regex_range *ranges; /* above ASCII: sorted and apart, once regex_set_close() was here */
    size_t range_count;
    size_t range_capacity;
};

enum regex_kind {
    REGEX_EMPTY,
    REGEX_SET,
    REGEX_ASSERTION,
    REGEX_SEQUENCE,
    REGEX_CHOICE,
    REGEX_REPEAT,
};

enum regex_assertion {
    ASSERTION_START,      /* \A, ^ */
    ASSERTION_LINE_START, /* ^ with REGEX_M */
    ASSERTION_END,        /* \z */
    ASSERTION_LAST_LINE,  /* $, \Z: at the end, and before a newline that ends the subject */
    ASSERTION_LINE_END,   /* $ with REGEX_M */
    ASSERTION_WORD,       /* \b */
    ASSERTION_NOT_WORD,   /* \B */
};

#define REGEX_NO_MAX UINT32_MAX

struct regex_node {
    enum regex_kind kind;
    enum regex_assertion assertion;
    size_t set;              /* REGEX_SET: index into the tree's sets */
    uint32_t min;            /* REGEX_REPEAT: of its only child */
    uint32_t max;            /* or REGEX_NO_MAX */
    struct regex_node *last; /* children, last first: automata are built from the end */
    struct regex_node *before;
};

struct regex_tree {
    struct arena *arena;
    struct regex_node *root;
    struct regex_set *sets; /* all different */
    size_t set_count;
    size_t set_capacity;
};

/* The alphabet: characters that no set tells apart are one class. Symbols are the ASCII bytes, then
 * the ranges above, then "not UTF-8". */
struct regex_alphabet {
    uint32_t *starts; /* of the ranges above ASCII; starts[0] is 0x80 */
    size_t range_count;
    uint16_t *class_of; /* of each symbol */
    size_t class_count;
    bool *used;             /* for each set: a state asks it; the others tell nothing apart */
    uint64_t (*members)[4]; /* for each set: a bit for each class */
    uint8_t *look;          /* for each class: enum regex_look */
};

/* What assertions can tell about the character on either side of a place. */
enum regex_look { LOOK_OTHER, LOOK_WORD, LOOK_NEWLINE, LOOK_EDGE, LOOK_COUNT };

enum regex_op { REGEX_OP_SET, REGEX_OP_ASSERT, REGEX_OP_SPLIT, REGEX_OP_FOUND };

/* The copies of one repeated character are a chain: what can follow one of higher rank includes
 * what can follow one of lower rank, so of those that are reached together the highest is enough.
 */
struct regex_nfa_state {
    uint8_t op;
    uint8_t assertion;
    uint16_t set;
    uint16_t next;
    uint16_t other; /* REGEX_OP_SPLIT */
    uint16_t chain; /* its first state; 0: in none */
    uint16_t rank;
};

struct regex_nfa {
    struct regex_nfa_state *states;
    size_t count;
    uint16_t start;
    unsigned assertions; /* those in use, a bit each */
};

/* State 0 is the start, state 1 is "found". */
struct regex_dfa {
    uint16_t *next; /* [count][class_count] */
    bool *at_end;
    size_t count;
    size_t class_count;
};

struct status regex_parse(struct text pattern, unsigned flags, struct regex_tree *tree, char *why);
struct status regex_make_nfa(const struct regex_tree *tree, struct regex_nfa *out, char *why);
struct status regex_make_alphabet(const struct regex_tree *tree, const struct regex_nfa *nfa,
                                  struct regex_alphabet *out, char *why);
struct status regex_make_dfa(const struct regex_nfa *nfa, const struct regex_alphabet *alphabet,
                             struct arena *arena, struct regex_dfa *out, char *why);

/* Numbers the merged states as automaton.h wants them: `number` of each state, `count` of numbers.
 */
struct status regex_minimise(const struct regex_dfa *dfa, struct arena *arena, uint16_t *number,
                             size_t *count);

/* The longest word that every match holds, folded; empty where there is none. */
struct status regex_factor(const struct regex_tree *tree, struct arena *arena, struct text *out);

/* Takes an expression apart at its choices, where that gives every part a word. Calls `on_part`
 * with the tree as each part has it: at least once. LIMIT: there would be too many. */
typedef struct status regex_part_maker(void *context, const struct regex_tree *tree);
struct status regex_split(const struct regex_tree *tree, void *context, regex_part_maker *on_part);

/* Sets (regex_set.c). Adding and negating want MEMORY's status looked at, as ranges need room. */
struct status regex_set_add(struct arena *arena, struct regex_set *set, uint32_t first,
                            uint32_t last);
/* \d \w \s and the capitals that negate them; false: `letter` is none of these. */
bool regex_set_is_shorthand(uint32_t letter);
struct status regex_set_add_shorthand(struct arena *arena, struct regex_set *set, uint32_t letter);
void regex_set_fold(struct regex_set *set);
void regex_set_close(struct regex_set *set);
struct status regex_set_negate(struct arena *arena, struct regex_set *set);
bool regex_set_has(const struct regex_set *set, uint32_t code);

/* The index of an equal set in the tree, which is added if there is none. */
struct status regex_set_keep(struct regex_tree *tree, const struct regex_set *set, size_t *out);

/* Writes `what` into `why` (REGEX_WHY bytes) and is the LIMIT that the caller returns. */
struct status regex_too_large(const char *what, char *why);
