/*
 * cage: what the engine keeps. It reads two kinds of bytes that others wrote, events and a pack,
 * and needs nothing but its socket to guard while it does.
 */
#pragma once

#include "base/cage.h"

/* What guard leaves open in a new engine. */
enum { ENGINE_SOCKET = 3, ENGINE_PACK = 4, ENGINE_INHERITED = 5 };

struct cage engine_cage(void);
