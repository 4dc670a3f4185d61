/*
 * yara: the YARA sources that a pack carries: written, proven and read.
 *
 * To this folder they are text with a name. Whether they compile is asked of libyara, in a cage of
 * its own (src/scan); nothing here runs them.
 */
#pragma once

#include "content/pack/encode.h"
#include "content/pack/verify.h"

enum {
    PACK_YARA_MAX = 4096,        /* sources; public collections have some 1,500 files */
    PACK_YARA_SOURCE = 16 << 20, /* bytes of one; the largest public file has 4 MiB */
    PACK_YARA_BYTES = 32 << 20,  /* of all: half of a pack, and a minute of compiling */
    PACK_YARA_NAME = 1024,       /* bytes of a source's name */
};

/* What is wrong with a source, or NULL. */
const char *yara_check(struct pack_yara source);

/* `sources` sorted by name. */
struct status encode_yara(struct encoder *e, const struct pack_yara *sources, size_t count);

struct status check_yara(struct check *c);
