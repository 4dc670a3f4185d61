/*
 * program: where the other programs of this Bulkhead are, and asking one that answers a line.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

enum { PROGRAM_PATH = 4096 };

/* Finds `name`: beside this program, in its libexec folder, or where the build puts it, in `folder`
 * beside this program's. MISSING: nowhere there. */
struct status program_find(const char *name, const char *folder, char out[PROGRAM_PATH]);

/* How a program ended. */
struct program_end {
    int signal; /* 0: it ended itself */
    int code;
};

/* Runs `path` with `input` as its standard input, and keeps what it says on standard output up to
 * `size` bytes. `arguments` ends with NULL. */
struct program_job {
    const char *path;
    char *const *arguments;
    int input;
    char *room;
    size_t size;
};

struct status program_ask(const struct program_job *job, struct text *out, struct program_end *end);
