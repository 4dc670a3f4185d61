/*
 * cage: what the engine keeps. It reads two kinds of bytes that others wrote, events and a pack,
 * and needs nothing but its socket to guard while it does.
 */
#pragma once

#include "base/cage.h"

/* What guard leaves open in a new engine; and what the client library, opened next, takes for what
 * it reads: the lowest free numbers go to its epoll, its timer, the ring until it is mapped, and
 * guard's wake-up. A wrong number here is a violation at the first tick. */
enum {
    ENGINE_SOCKET = 3,
    ENGINE_PACK = 4,
    ENGINE_INHERITED = 5,
    ENGINE_TIMER = ENGINE_INHERITED + 1,
    ENGINE_WAKE = ENGINE_INHERITED + 3,
};

struct cage engine_cage(void);
