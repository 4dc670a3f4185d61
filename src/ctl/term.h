/*
 * term: text for a terminal: colours where they are wanted, columns, and no byte that could draw.
 *
 * What an event quotes was written by whoever is being watched. Control characters, invisible and
 * direction-changing ones and bytes that are not UTF-8 are shown as escapes: a command line can
 * neither hide itself nor forge a line of ours.
 */
#pragma once

#include "base/bytes.h"

#include <stdio.h>

enum style {
    STYLE_PLAIN,
    STYLE_BOLD,
    STYLE_DIM,
    STYLE_RED,
    STYLE_YELLOW,
    STYLE_GREEN,
    STYLE_CYAN,
    STYLE_ALARM, /* white on red */
    STYLE_COUNT
};

struct term {
    struct writer *out;
    bool colour;
};

/* Are colours wanted on `file`? It is a terminal, TERM is not "dumb" and NO_COLOR is not set. */
bool term_wants_colour(FILE *file);

/* What others wrote; at most `limit` bytes of it, then "…". */
void term_quote(struct term *t, enum style style, struct text quoted, size_t limit);

/* The same, filled up with spaces to `width` columns. */
void term_column(struct term *t, enum style style, struct text quoted, size_t width);

/* printf for words of our own: no escaping, short lines. */
void term_print(struct term *t, enum style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
