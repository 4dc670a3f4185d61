/*
 * choice: which pack was active last, and beside which --content, so that it is active again when
 * nothing is left but files: after a clean end, or when the machine was started again.
 *
 * HOME/content/content.choice holds it: magic, version, the two places (32 bits each), path and
 * bytes of --content as hashes, and a hash of all that (64 bits each). Written beside and renamed.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

struct choice {
    uint64_t path;     /* hash of --content's; 0: none was given */
    uint64_t bytes;    /* choice_sum() of the file there */
    uint32_t active;   /* enum pack_place */
    uint32_t previous; /* the same */
};

/* MISSING: there is none. INVALID: it is damaged, or no choice. */
struct status choice_read(const char *path, struct choice *out);

/* Waits for the disk. `beside` is a name for the time until it is whole. */
struct status choice_write(const char *path, const char *beside, const struct choice *choice);

/* Tells a file from another one, or 0 where it cannot be read. It proves nothing: whoever writes
 * there is root, and may as well `load`. */
uint64_t choice_sum(int fd);
