/*
 * hash: FNV-1a, 64 bits (Fowler, Noll, Vo; offset basis and prime as published). For tables and for
 * the schema's fingerprint. It proves nothing against an attacker; trust/ does that.
 */
#pragma once

#include "base/text.h"

#define HASH_START 0xcbf29ce484222325ULL

static inline uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
    }
    return hash;
}

static inline uint64_t hash_text(struct text t)
{
    return hash_bytes(HASH_START, t.ptr, t.len);
}
