/*
 * file: a file's bytes, as many as were asked for.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

#include <stddef.h>

/* Reads the first `size` bytes of `file`, wherever its own position is. INVALID: it has fewer, as
 * one that became shorter since it was measured. */
struct status file_read(int file, void *bytes, size_t size);

/* Writes all of them, on from the file's position. */
struct status file_write(int file, struct text bytes);
