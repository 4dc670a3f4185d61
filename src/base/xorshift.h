/*
 * xorshift: numbers that look random and are the same everywhere, for tests and benchmarks alone
 * (Marsaglia, Xorshift RNGs, Journal of Statistical Software 8(14), 2003).
 */
#pragma once

#include <stdint.h>

/* `state` is not 0. */
static inline uint64_t xorshift(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}
