/*
 * judge: everything that is proven about one pack, and the words for it.
 */
#pragma once

#include "base/bytes.h"
#include "content/pack/pack.h"

struct judge_limits {
    uint64_t event_cost; /* steps for one event */
    uint64_t memory;     /* bytes of pack and interpreter together */
    uint64_t size;       /* bytes of the pack */
    bool structure;      /* the structure alone: test events are not run */
};

struct judgement {
    bool accepted;
    struct pack_fault fault; /* if not */
    char rule[65];           /* id of the rule that it is about; "" for none. Printable */
    size_t rules;
    size_t predicates;
    size_t correlations;
    size_t lists;
    size_t yara_files;
    size_t indicators; /* of all lists */
    size_t vectors;
    size_t probes;
    uint64_t cost; /* the most steps for one event */
    uint64_t memory;
};

/* Proves `pack` and, unless its structure is all that was asked for, runs its vectors. MEMORY:
 * there was too little to do so. */
struct status judge(struct text pack, const struct judge_limits *limits, struct judgement *out);

/* One line, its end included. */
void judgement_write(const struct judgement *j, size_t bytes, bool json, struct writer *out);
