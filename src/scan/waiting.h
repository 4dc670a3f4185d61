/*
 * waiting: events whose file is still to be scanned. Programs that ran go first, in the order in
 * which they ran; files that were written wait until nobody writes any more.
 *
 * A fixed table. When it is full what comes is not scanned, counted, and told.
 */
#pragma once

#include "base/status.h"
#include "scan/seen.h"

#include <bulkhead/bulkhead.h>

enum {
    WAITING_MAX = 2048,      /* a build writes some 1,000 files in the time that one waits */
    WAITING_WRITE_MS = 2000, /* after the last open for writing: there is no event for the close */
    WAITING_TRIES = 10,      /* a file that is written all the time is scanned as it is */
};

struct waiting_file {
    struct bh_event *event; /* NULL: free */
    uint64_t due_ns;        /* 0: a program */
    uint64_t path_hash;
    unsigned tries;
    unsigned stage; /* of its files: the program, then the script */
    unsigned nth;   /* alerts raised about it */
    bool busy;      /* a worker has it */
    struct seen_key key;
};

struct waiting {
    struct waiting_file files[WAITING_MAX];
    unsigned count;
    uint64_t refused; /* since last told */
};

/* Keeps a copy of the event. `due_ns` 0: a program, at once. What waits already is not taken twice:
 * a program that runs again and again meanwhile waits once, a written file's time is set anew. */
void waiting_add(struct waiting *w, const struct bh_event *event, uint64_t due_ns);

/* The next that may be scanned now; NULL: none. */
struct waiting_file *waiting_next(struct waiting *w, uint64_t now_ns);

void waiting_remove(struct waiting *w, struct waiting_file *file);
void waiting_done(struct waiting *w);

/* "path" or "target_path", whichever the event is about. */
struct bh_text waiting_path(const struct bh_event *event);
