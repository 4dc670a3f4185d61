/*
 * yara_files: YARA sources on their way from files into packs.
 *
 * They are carried, never read here: whether they compile is asked of bulkhead-scan.
 */
#pragma once

#include "base/arena.h"
#include "content/pack/builder.h"

#include <jansson.h>

struct yara_file {
    struct text path;
    struct text source;
    uint32_t line;   /* of its first error; 0: none */
    struct text why; /* what is wrong there */
};

struct yara_files {
    struct arena *arena;
    struct yara_file *items;
    size_t count;
    size_t capacity;
};

/* Is this a file of YARA rules, by its name? */
bool yara_files_named(const char *path);

/* Reads one into the arena. `why` (at least 200 bytes): what is wrong with it, where that is not
 * our own trouble. */
struct status yara_files_read(struct yara_files *files, const char *path, char *why);

/* A pack of these alone, in the arena. Those that no pack can carry get their `why`. */
struct status yara_files_pack(struct yara_files *files, struct text *out);

/* Compiles them all in the scanner's cage; those with an error get their `line` and `why`. */
struct status yara_files_check(struct yara_files *files);

/* Notes an error line of the scanner. */
void yara_files_note(struct yara_files *files, const json_t *line);
