/*
 * opener: the process that finds files and opens them, and never reads one. It is told by guard
 * what runs and what is written, or by its command line where to look; what it has opened goes to
 * workers.
 */
#pragma once

/* `arguments` are those of bulkhead-scan; none: it serves guard. Gives the exit code. */
int opener_run(int argc, char **argv);

/* ── its two jobs, demand.c and live.c ── */

#include "scan/pool.h"

enum {
    OPENER_SIZE_MIB = 256, /* of a file: it is read into a worker's memory. What is larger is mostly
                              archives, disk images and data bases, which no rule is made for */
    OPENER_JOBS = 4,       /* workers: with more, 4 GiB of memory might be taken */
};

struct opener_options {
    char *const *paths;
    uint64_t max_size;
    unsigned jobs;
    unsigned time_s;
    bool one_system;
    bool check; /* compile the rules, and that is all */
};

int demand_run(const struct opener_options *options);
int live_run(void);
