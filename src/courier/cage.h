/*
 * cage: what the courier keeps: its socket to guard, one folder, one socket to the system log.
 */
#pragma once

#include "base/cage.h"

/* What guard leaves open in a new courier; the last one may be closed. */
enum { COURIER_SOCKET = 3, COURIER_SPOOL = 4, COURIER_SYSLOG = 5, COURIER_INHERITED = 6 };

struct cage courier_cage(void);
