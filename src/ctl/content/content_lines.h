/*
 * content_lines: a file of events line by line, however long the file is; plain, or packed with
 * zstd as `bulkhead record` writes it. What a recording says beside its events is taken note of and
 * left out.
 */
#pragma once

#include "base/text.h"
#include "ctl/unpack.h"

enum { CONTENT_LINE_MAX = 1 << 20 }; /* bytes: the largest event, every byte of it escaped, twice */

struct content_lines {
    struct unpack bytes;
    char *buffer; /* CONTENT_LINE_MAX bytes */
    size_t start; /* what is read and not yet given lies from here … */
    size_t end;   /* … to here */
    bool looked;  /* at the first bytes, whether they are text */
    bool ended;
    uint64_t line;     /* number of the line that was given last, from 1, notes counted */
    bool is_recording; /* it has the header of one, … */
    bool is_whole;     /* … and its end: the recorder was not killed */
    uint64_t lost;     /* events that the recorder was too slow for */
};

/* "-" is standard input. */
struct status content_lines_open(struct content_lines *l, const char *path);

/* The next line, without its end; it lives until the next call. CLOSED: there is none. LIMIT: it
 * was too long, and is skipped. INVALID, VERSION: it cannot be read on. */
struct status content_lines_next(struct content_lines *l, struct text *out);

/* What a failure of these functions means, in words that are written to `out`; returns it. */
const char *content_lines_fault(const struct content_lines *l, struct status s, char *out,
                                size_t out_size);

/* After CLOSED: what people should know about what they just read ("12 events were lost …"), or
 * NULL. `out` as above. */
const char *content_lines_caveat(const struct content_lines *l, char *out, size_t out_size);

/* For OWN(). */
void content_lines_close(struct content_lines *l);
