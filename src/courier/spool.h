/*
 * spool: the alerts on disk, one JSON object a line: alerts.jsonl, and older ones in
 * alerts.jsonl.1, alerts.jsonl.2 and so on.
 *
 * A file holds whole lines only: what a crash or a full disk left half written is cut off again. A
 * line is on disk for good after spool_sync(). Lines are events as event_json_write() makes them,
 * so that a restarted courier finds out what it wrote already.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

#include <stdint.h>

enum {
    SPOOL_FILE_MIB = 16, /* some 10,000 alerts a file: a text editor still opens it at once … */
    SPOOL_FILE_MIB_MAX = 1024,
    SPOOL_FILES = 5, /* … and all of them together take less of a disk than a browser */
    SPOOL_FILES_MAX = 100,
    SPOOL_LINE_MAX = 512 * 1024, /* the longest event as JSON (BH_JSON_MAX) */
};

struct spool_limits {
    uint64_t file_bytes; /* the file is put aside before a line would make it longer */
    unsigned files;      /* with the one that is written to */
};

struct spool {
    int folder;
    int file; /* -1: could not be opened yet */
    struct spool_limits limits;
    uint64_t size;     /* of the whole lines in the file */
    uint64_t last_seq; /* of the last line; 0: there is none */
    bool torn;         /* half a line may stand behind them */
    bool unsynced;     /* lines that only the page cache has … */
    bool renamed;      /* … in a file whose name only it has */
};

/* Gives files of an earlier courier to this one's user. Before the cage, as root. */
struct status spool_adopt(int folder, unsigned files, uint32_t user, uint32_t group);

/* Opens the newest file, or makes one. `folder` stays the caller's. */
struct status spool_open(int folder, struct spool_limits limits, struct spool *out);
void spool_close(struct spool *spool);

/* Does any line start with `head` (at most 255 bytes)? Reads all files: for the start only. */
struct status spool_has(const struct spool *spool, struct text head, bool *out);

/* Has somebody moved or removed the file? Then it is synced and closed, and the next line begins
 * one anew under the name. */
struct status spool_look(struct spool *spool, bool *out_moved);

/* Appends one line, whose last byte is its newline, or nothing. May be repeated after a failure. */
struct status spool_append(struct spool *spool, struct text line);

/* Does nothing where nothing was written. */
struct status spool_sync(struct spool *spool);
