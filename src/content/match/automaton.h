/*
 * automaton: a regular expression as a table, searched in one pass and without memory of its own.
 *
 * docs/formats/pack.md gives the bytes; compile/regex.h makes them. It is a deterministic automaton
 * over characters as content/match/utf8.h counts them: a class for each ASCII byte, a sorted table
 * of ranges for the code points above, and one class for bytes that are not UTF-8. The table
 * already says "found anywhere": a search is a walk from the start state to a state that settles
 * it. States differ in few of their ways, so that a row is cut into blocks, and equal blocks are
 * there once.
 */
#pragma once

#include "base/text.h"

/* Two states are the same in every automaton, end a search, and have no row in the table. */
enum { AUTOMATON_NEVER = 0, AUTOMATON_FOUND = 1, AUTOMATON_FIRST_ROW = 2 };

enum {
    AUTOMATON_ASCII = 128,
    AUTOMATON_HEADER = 16,
    AUTOMATON_NIBBLES = 16, /* with so many classes or fewer, an ASCII byte's takes four bits */
    AUTOMATON_RANGE = 8,    /* bytes of an entry of the range table */
    AUTOMATON_BLOCK = 4,    /* classes whose next states are kept together: once for all states
                               that have them. Of public rules, 3 and 5 give 1 and 4 % more */
    AUTOMATON_BLOCKS_MAX = 65535,
    AUTOMATON_CLASSES_MAX = 256,  /* a class is a byte */
    AUTOMATON_RANGES_MAX = 256,   /* a character costs at most eight comparisons */
    AUTOMATON_STATES_MAX = 16384, /* a public rule needs 6,600: words before "[^\\]{1,256}$" */
    AUTOMATON_SIZE_MAX = 1 << 20, /* bytes; the largest of public rules, taken apart, has 70 KiB */
};

/* NULL: the bytes are an automaton, and no search leaves them. Otherwise what is wrong with them.
 */
const char *automaton_check(struct text automaton);

/* Is what the expression says anywhere in `subject`? Looks at each byte of it at most once. Only
 * for what automaton_check() accepted. */
bool automaton_search(struct text automaton, struct text subject);

/* A step is a byte looked at, or up to AUTOMATON_SKIP bytes that lead from the start to the start.
 */
enum { AUTOMATON_SKIP = 4 };

/* The same with at most `most` steps: *steps is what it took, or more than `most` where it was
 * given up. */
bool automaton_search_within(struct text automaton, struct text subject, uint64_t most,
                             uint64_t *steps);

/* Can the automaton find nothing in a text that, its ASCII letters folded, does not hold `literal`
 * (folded)? False also where the proof would take too long. Only for what automaton_check()
 * accepted.
 */
bool automaton_needs(struct text automaton, struct text literal);

/* For those that walk an automaton themselves: the state after `subject`, from `state`; and whether
 * a subject that ends in it is one in which something is found. */
size_t automaton_walk(struct text automaton, size_t state, struct text subject);
bool automaton_accepts(struct text automaton, size_t state);
