/*
 * walk: the files below paths, opened for reading, one after another.
 *
 * Folder by folder through descriptors, so that nobody can lead it elsewhere while it goes; no link
 * is followed but where a path of the command line is one. What is not a regular file is never
 * opened: opening can wake a device, or wait for a FIFO's other end. The kernel's own file systems
 * (/proc, /sys …) hold no files.
 */
#pragma once

#include "scan/pool.h"

#include <dirent.h>
#include <sys/types.h>

enum { WALK_DEPTH = 128 }; /* folders in each other: each costs a descriptor */

struct walk_level {
    DIR *dir;
    dev_t device;
    size_t path_len; /* of the folder */
};

struct walk {
    char *const *paths; /* those that are left; NULL ends them */
    uint64_t max_size;
    bool one_system;
    struct walk_level levels[WALK_DEPTH];
    unsigned depth;
    char path[POOL_PATH]; /* where it is */
    dev_t start;          /* device of the path that it went in by */
};

enum walk_found { WALK_FILE, WALK_LEFT_OUT, WALK_FOLDER, WALK_END };

struct walk_left_out {
    enum outcome outcome;
    int error; /* errno, or 0 */
};

struct walk walk_begin(char *const *paths, uint64_t max_size, bool one_system);

/* FILE: `out` is filled in. LEFT_OUT: why, and where in walk.path. FOLDER: one more was entered. */
enum walk_found walk_next(struct walk *w, struct target *out, struct walk_left_out *why);

void walk_end(struct walk *w);

/* Opens one file by its path, as walk_next() would. LEFT_OUT or FILE. */
enum walk_found walk_open(int folder, const char *name, uint64_t max_size, bool follow, int *out_fd,
                          uint64_t *out_size, struct walk_left_out *why);
