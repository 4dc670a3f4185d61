/*
 * content: the pack the engine was started with, proven and ready to run.
 *
 * Guard opens the file, and somebody may write to it later: the engine reads it once into memory of
 * its own, and proves that.
 */
#pragma once

#include "base/status.h"
#include "content/correlate/detect.h"

struct content {
    char *bytes;
    struct pack pack;
    struct detector *detector;
};

enum { CONTENT_WHY = 256, CONTENT_DIGEST = 20 };

/* The size of the pack's file, which cannot be asked inside the cage. */
struct status content_size(int file, size_t *out);

/* Reads `size` bytes, proves them and runs their test events. INVALID, BOUNDS, LIMIT, VERSION: the
 * pack is bad, `why` of CONTENT_WHY bytes says what about it. The detector points into `out`, which
 * has to stay where it is. Does not close `file`. */
struct status content_open(int file, size_t size, char *why, struct content *out);
void content_close(struct content *content);

/* The pack's checksum in hexadecimal, which tells people one pack from another. Returns `out` of
 * CONTENT_DIGEST bytes. */
const char *content_digest(const struct content *content, char *out);
