/*
 * cage: what opener and workers of bulkhead-scan keep; which descriptors each finds where.
 *
 * The opener sees every file and reads none: it holds what an attacker would like to have, so it
 * looks at no byte that others chose but names. A worker looks at everything and holds nothing.
 */
#pragma once

#include "base/cage.h"

/* What whoever starts bulkhead-scan leaves open. */
enum {
    SCAN_OUT = 3,  /* guard's channel, or where the lines go */
    SCAN_PACK = 4, /* for workers alone */
    SCAN_INHERITED = 5,
};

/* The opener's. What the client library takes: see engine/cage.h. */
enum {
    OPENER_KEEPER = 4,
    OPENER_INHERITED = 5,
    OPENER_TIMER = OPENER_INHERITED + 1,
    OPENER_WAKE = OPENER_INHERITED + 3,
};

/* A worker's. A file that it is handed takes the lowest free number. */
enum {
    WORKER_OPENER = 3,
    WORKER_PACK = 4,
    WORKER_INHERITED = 5,
    WORKER_FILE = WORKER_INHERITED,
};

struct cage opener_cage(void); /* that serves guard */
struct cage demand_cage(void); /* that writes lines */
struct cage worker_cage(void);

/* Before the cage: limits that no other process has. */
struct status worker_limits(void);
