/*
 * pool: the opener's workers, and the files that they are at.
 *
 * It takes files from a source while a worker is free, and hands results back. A worker that dies
 * or takes too long costs its file's verdict: another is started, the rule to blame is looked for,
 * and the file is asked once more without it. One thread; nothing blocks but the wait in
 * pool_run().
 */
#pragma once

#include "scan/blame.h"
#include "scan/talk.h"

enum {
    POOL_PATH = 16 * 1024,     /* bytes of a path: folders 128 deep with the longest names */
    POOL_WORKER_FILES = 10000, /* then it is replaced: libyara does not give back all it took */
    POOL_COMPILE_S = 120,      /* 32 MiB of rules take 20 s */
    POOL_KILL_S = 3,           /* beyond libyara's own timeout, which it looks at now and then */
    POOL_READ_MIB_S = 32,      /* a file is read at least this fast, or its time is up */
    POOL_SCAN_MIB_S = 10,      /* … and scanned, on top of the base time */
    POOL_TIME_S = 10,          /* base time of a file */
    POOL_BLAME_S = 2,          /* of each try to find the rule that hangs */
    POOL_BLAME_ALL_S = 60,     /* of all tries for one file */
    POOL_CULPRITS = 3,         /* rules that are left out for one file, before it is given up */
    POOL_STRIKES = 3,          /* files that a rule fails on before it is off for good: with less,
                                  one made-up file would switch a rule off */
    POOL_OFF_MAX = 64,         /* rules with strikes; more are not noted */
    POOL_SKIPPED_MAX = 64,     /* sources that end a worker while they are compiled */
    POOL_STARTS_MAX = 5,       /* workers in a row that end before they named a source */
};

struct target {
    char path[POOL_PATH];
    int fd;
    uint64_t size;
    uint64_t token; /* the source's own */
};

/* What became of a file; texts live for the call. */
struct verdict {
    enum outcome outcome;
    uint64_t bytes;
    uint32_t matches;
    uint32_t untold;   /* matches that were not told one by one */
    struct text words; /* more than the outcome's; may be empty */
};

enum pool_next { POOL_FILE, POOL_LATER, POOL_END };

struct pool_source {
    void *context;
    int fd; /* readable when `next` is worth a call; -1: it always is */
    enum pool_next (*next)(void *context, struct target *out);
    void (*on_match)(void *context, const struct target *t, struct text sha256,
                     const struct talk_match *match);
    void (*on_verdict)(void *context, const struct target *t, struct text sha256,
                       const struct verdict *v);
    /* A rule failed on this file, which is asked again without it. `off`: for good. */
    void (*on_culprit)(void *context, const struct target *t, enum outcome outcome,
                       const struct talk_named *rule, bool off);
    void (*on_flaw)(void *context, const struct talk_flaw *flaw);
    /* Of the first worker. False: these are no rules to work with. */
    bool (*on_ready)(void *context, const struct talk_ready *ready);
    void (*on_tick)(void *context); /* every 200 ms at most, while anything is going on */
};

struct pool_options {
    int keeper;
    unsigned jobs;
    unsigned time_s; /* base time of a file */
    bool compile_only;
};

/* Works until the source has ended and all is done. INVALID: the pack is none. MISSING: on_ready()
 * said no. UNSUPPORTED: no worker can be started. */
struct status pool_run(const struct pool_options *options, const struct pool_source *source);
