/*
 * examine: one file, in a worker: read whole, hashed, asked by rules and indicators.
 *
 * The bytes that are hashed are the bytes that the rules see, whatever happens to the file
 * meanwhile; nothing is mapped, so that a file which is cut costs no signal.
 */
#pragma once

#include "scan/rules.h"

enum {
    EXAMINE_MATCHES_MAX = 64, /* told of a file; more are counted. A file that matches hundreds of
                                 rules is a rule collection */
    EXAMINE_SHA256 = 65,      /* in hex, terminated */
};

struct examination {
    struct rules *rules;
    int file;
    uint64_t size;
    uint32_t first, end; /* the rules to ask */
    uint32_t time_s;
    struct text path;
    void *context; /* for the two below */
    void (*on_hash)(void *context, struct text sha256);
    void (*on_match)(void *context, const struct talk_match *match);
};

/* The verdict's words live until the next call. */
struct status examine(const struct examination *e, struct talk_verdict *out);
