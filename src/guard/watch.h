/*
 * watch: which opens of files clients want to see.
 *
 * A pattern is a whole path ("/etc/shadow"), a folder ("/root/.ssh/"), or either with a leading '*'
 * for any folder ("*" "/.aws/credentials"). Upper and lower case are alike, as in rules. The kernel
 * part looks only at the names of a file and of the WATCH_LEVELS - 1 folders above it
 * (watch_bit()); this is the exact test behind that sieve.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"
#include "bpf/records.h"

enum {
    WATCH_PATTERNS = 1024, /* of all clients together */
    WATCH_PATTERN = 256,   /* bytes of one, terminated */
};

/* Lies in memory that outlives guard: what clients asked of the last guard is watched until they
 * had the time to come back. */
struct watch {
    uint32_t stale; /* clients below this number were those of the last guard */
    unsigned count;

    struct {
        uint32_t client; /* who wants it */
        char text[WATCH_PATTERN];
    } patterns[WATCH_PATTERNS];
};

/* Takes over what lies there, garbage or not; clients from `first` on are this guard's. */
void watch_adopt(struct watch *w, uint32_t first);

/* Forgets what no client of this guard asked for. */
void watch_settle(struct watch *w);

/* INVALID: no pattern (see above); LIMIT: too long, or too many. One that was the last guard's
 * changes hands. */
struct status watch_add(struct watch *w, uint32_t client, struct text pattern);
void watch_forget(struct watch *w, uint32_t client);

/* The client is gone and will be back: its patterns are nobody's until watch_settle(). */
void watch_orphan(struct watch *w, uint32_t client);

bool watch_matches(const struct watch *w, struct text path);

/* The sieve for settings.watch: WATCH_WORDS words. */
void watch_sieve(const struct watch *w, __u64 *words);
