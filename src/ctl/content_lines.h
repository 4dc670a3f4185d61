/*
 * content_lines: a file of events line by line, however long the file is.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

enum { CONTENT_LINE_MAX = 1 << 20 }; /* bytes: the largest event, every byte of it escaped, twice */

struct content_lines {
    int fd;
    char *buffer; /* CONTENT_LINE_MAX bytes */
    size_t start; /* what is read and not yet given lies from here … */
    size_t end;   /* … to here */
    bool ended;
};

/* "-" is standard input. */
struct status content_lines_open(struct content_lines *l, const char *path);

/* The next line, without its end; it lives until the next call. CLOSED: there is none. LIMIT: it
 * was too long, and is skipped. */
struct status content_lines_next(struct content_lines *l, struct text *out);

/* For OWN(). */
void content_lines_close(struct content_lines *l);
