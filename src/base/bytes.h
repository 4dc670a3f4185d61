/*
 * bytes: the one bounded reader and writer through which every untrusted byte passes.
 *
 * Little-endian. Both are sticky: once out of bounds, a reader yields zeroes and empty slices and a
 * writer writes nothing more; reader_end() and writer_end() tell, so that code reads like a schema.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

#include <stdint.h>

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

struct reader reader_over(const void *data, size_t size);

uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);

/* `size` bytes in place; the empty slice where there are fewer. */
struct text reader_bytes(struct reader *r, size_t size);

/* A u16 (u32) length and as many bytes; bad where the length exceeds `max`. */
struct text reader_text16(struct reader *r, size_t max);
struct text reader_text32(struct reader *r, size_t max);

size_t reader_left(const struct reader *r);

/* BOUNDS where any read went outside, INVALID where bytes are left over. */
struct status reader_end(const struct reader *r);

struct writer {
    uint8_t *start;
    size_t size;
    size_t used;
    bool full;
};

struct writer writer_over(void *buffer, size_t size);

void writer_u8(struct writer *w, uint8_t value);
void writer_u16(struct writer *w, uint16_t value);
void writer_u32(struct writer *w, uint32_t value);
void writer_u64(struct writer *w, uint64_t value);
void writer_bytes(struct writer *w, struct text bytes);

/* A u16 (u32) length and the bytes. A text too long for its length field makes the writer full. */
void writer_text16(struct writer *w, struct text t);
void writer_text32(struct writer *w, struct text t);

/* printf into the writer, without the terminating zero. */
void writer_print(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* LIMIT where something did not fit. */
struct status writer_end(const struct writer *w);
struct text writer_text(const struct writer *w);
