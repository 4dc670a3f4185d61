/*
 * lines: what `bulkhead-scan` says when a person asked for the scan: lines of JSON, as
 * docs/formats/scan.md describes them. Its reader may be slow, or gone: then it ends.
 */
#pragma once

#include "scan/pool.h"

struct lines {
    int fd;
    bool broken; /* nobody reads */
    uint64_t started_ns;
    uint64_t files; /* scanned */
    uint64_t folders;
    uint64_t bytes;
    uint64_t matches;
    uint64_t culprits;
    uint64_t flaws;
    uint64_t errors; /* of rule files */
    uint64_t outcomes[OUTCOME_COUNT];
    uint32_t rules;
    uint32_t lists; /* of hashes */
    uint32_t refused;
};

struct lines lines_begin(int fd);

void lines_match(struct lines *l, const char *path, struct text sha256,
                 const struct talk_match *match);
void lines_outcome(struct lines *l, const char *path, enum outcome outcome, struct text words);
void lines_culprit(struct lines *l, const char *path, enum outcome outcome,
                   const struct talk_named *rule, bool off);
void lines_flaw(struct lines *l, const struct talk_flaw *flaw);
void lines_ready(struct lines *l, const struct talk_ready *ready);
void lines_progress(struct lines *l, const char *path);
void lines_summary(struct lines *l);
