/*
 * content_events: recorded events one by one: whatever file, plain or packed, in our names or in
 * Sigma's. What is no event is told on standard error with its line, and left out.
 */
#pragma once

#include "ctl/content/content_lines.h"
#include "schema/event.h"

enum content_names {
    CONTENT_NAMES_BY_LINE, /* each line that has "fields" is Sigma's */
    CONTENT_NAMES_OURS,
    CONTENT_NAMES_SIGMA,
};

/* "bulkhead" or "sigma"; false: neither. */
bool content_names_of(const char *word, enum content_names *out);

enum { CONTENT_BAD_LINES_TOLD = 5 }; /* of a file; the others are counted */

struct content_events {
    const char *path;
    enum content_names names;
    struct content_lines lines;
    uint64_t bad_lines;
    uint64_t count; /* events so far */
    struct text line;
    struct event event; /* the last one; it lives until the next call */
    uint8_t *record;    /* EVENT_MAX bytes */
};

/* "-" is standard input. False, after a complaint: it cannot be read. */
bool content_events_open(struct content_events *e, const char *path, enum content_names names);

enum content_next { CONTENT_NEXT_EVENT, CONTENT_NEXT_END, CONTENT_NEXT_BROKEN };

/* END: what a recording misses was told. BROKEN: it cannot be read on, which was told. */
enum content_next content_events_next(struct content_events *e);

/* Tells what is wrong with the line at hand, and counts it among the bad ones. */
void content_events_complain(struct content_events *e, const char *why);

/* For OWN(). */
void content_events_close(struct content_events *e);

/* Reads one event as a line of such a file holds it; `fault` says why it is none. */
struct status content_event_read(struct text line, enum content_names names, uint8_t *record,
                                 struct event *out, struct event_json_fault *fault);
