/*
 * siphash: SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012). For tables whose keys somebody
 * hostile chooses: who does not know the key finds no two inputs with the same hash.
 */
#pragma once

#include "base/text.h"

enum { SIPHASH_KEY = 16 };

struct siphash {
    uint64_t v[4];
    uint64_t word; /* bytes that make no whole word yet */
    uint64_t length;
};

struct hash128 {
    uint64_t low;
    uint64_t high;
};

struct siphash siphash_begin(const uint8_t key[SIPHASH_KEY]);
void siphash_bytes(struct siphash *s, struct text bytes);
struct hash128 siphash_end(struct siphash *s);
