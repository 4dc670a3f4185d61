/*
 * cage: what the courier keeps: its socket to guard, one folder, one socket to the system log.
 */
#pragma once

#include "base/cage.h"

/* What guard leaves open in a new courier, of which the last may be closed; what the client library
 * reads, see engine/cage.h; and the one file that is written to. */
enum {
    COURIER_SOCKET = 3,
    COURIER_SPOOL = 4,
    COURIER_SYSLOG = 5,
    COURIER_INHERITED = 6,
    COURIER_TIMER = COURIER_INHERITED + 1,
    COURIER_WAKE = COURIER_INHERITED + 3,
    COURIER_FILE = 15,
};

struct cage courier_cage(void);
