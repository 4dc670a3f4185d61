/*
 * load: little-endian numbers out of bytes that were already proven to be there.
 *
 * Only for what pack_open() has checked; everything before that goes through reader. Byte by byte,
 * so that neither the alignment nor the byte order of the machine matters: compilers make one load
 * of it.
 */
#pragma once

#include <stdint.h>

static inline uint16_t load_u16(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t load_u32(const char *at)
{
    return load_u16(at) | (uint32_t)load_u16(at + 2) << 16;
}

static inline uint64_t load_u64(const char *at)
{
    return load_u32(at) | (uint64_t)load_u32(at + 4) << 32;
}
