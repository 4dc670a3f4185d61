/*
 * regex: the text of a regular expression -> the bytes of content/match/automaton.h.
 *
 * The language is the part of PCRE that has an automaton: docs/formats/sigma.md lists it. What has
 * none (look-around, back-references, possessive and atomic groups) is refused with reason and
 * place, and so is what breaks one of the limits below. Characters are code points; shorthand
 * classes, \b and case folding are ASCII.
 */
#pragma once

#include "base/arena.h"

enum {
    REGEX_I = 1, /* letters match both cases */
    REGEX_M = 2, /* ^ and $ match at every line */
    REGEX_S = 4, /* . matches a newline, too */
};

enum {
    REGEX_PATTERN_MAX = 4096, /* bytes; the longest public Sigma expression has about 300 */
    REGEX_DEPTH_MAX = 50,     /* groups within groups: the parser is recursive */
    REGEX_REPEAT_MAX = 4000,  /* in {n,m}: each count is a state of the automaton */
    REGEX_NFA_MAX = 16384,    /* states before they are made deterministic */
    REGEX_DFA_MAX = 32768,    /* states before equal ones are merged */
    REGEX_FACTOR_MAX = 64,    /* bytes: a longer word rules out no more */
    REGEX_WHY = 160,          /* bytes of a reason */
};

/* An expression is found where one of its parts is: most have one. */
struct regex_part {
    struct text automaton; /* 8-aligned */
    struct text factor;    /* every match holds it, letters folded; empty: no such word is known */
};

struct regex {
    struct regex_part *parts;
    size_t count;
};

/* Compiles `pattern`. INVALID, UNSUPPORTED, LIMIT: `why` (REGEX_WHY bytes) says what and where. The
 * result lies in `arena`. */
struct status regex_compile(struct text pattern, unsigned flags, struct arena *arena,
                            struct regex *out, char *why);
