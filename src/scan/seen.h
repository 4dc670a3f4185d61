/*
 * seen: which files were scanned, in the state that they are in.
 *
 * A file is known by where it lies (device, inode) and how it stands (size, times of change): the
 * change time cannot be set by who writes the file. A bounded table that forgets the oldest of a
 * group; what it forgets is scanned again.
 */
#pragma once

#include "base/status.h"

#include <stdint.h>
#include <sys/stat.h>

enum {
    SEEN_FILES = 16384, /* programs of a machine: a server runs some 2,000; 1 MiB */
    SEEN_GROUP = 4,     /* places that a file may be in */
};

struct seen_key {
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    int64_t changed_ns;
    int64_t written_ns;
};

struct seen {
    struct seen_key *keys; /* SEEN_FILES; inode 0: free */
    uint8_t *next;         /* of each group: which place is the oldest */
};

struct status seen_init(struct seen *s);
void seen_done(struct seen *s);

struct seen_key seen_key(const struct stat *info);
bool seen_has(const struct seen *s, const struct seen_key *key);
void seen_add(struct seen *s, const struct seen_key *key);
