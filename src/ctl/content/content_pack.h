/*
 * content_pack: a pack from a file, read into memory of our own and proven: by bulkhead-verify in
 * its cage, and then here, by the same function.
 */
#pragma once

#include "content/pack/pack.h"
#include "ctl/content/content_file.h"

struct content_pack {
    struct content_bytes bytes;
    struct pack pack;
};

/* False, after a complaint: it cannot be read or was not accepted. */
bool content_pack_open(const char *path, struct content_pack *out);

/* For OWN(). */
void content_pack_drop(struct content_pack *pack);
