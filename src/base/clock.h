/*
 * clock: nanoseconds. The only module of the portable folders that asks the time; pure ones take it
 * as an argument.
 */
#pragma once

#include <stdint.h>

enum { CLOCK_NS_PER_MS = 1000000, CLOCK_NS_PER_S = 1000000000 };

uint64_t clock_boot_ns(void); /* since boot, sleep included: the kernel's event time */
uint64_t clock_real_ns(void); /* since 1970, UTC; may jump */

/* "2026-11-21T10:02:03.123456789Z" (RFC 3339); `out` holds at least CLOCK_TEXT bytes. */
enum { CLOCK_TEXT = 40 };

const char *clock_text(uint64_t real_ns, char *out);
