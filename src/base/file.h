/*
 * file: a file's bytes, as many as were asked for.
 */
#pragma once

#include "base/status.h"

#include <stddef.h>

/* Reads the first `size` bytes of `file`, wherever its own position is. INVALID: it has fewer, as
 * one that became shorter since it was measured. */
struct status file_read(int file, void *bytes, size_t size);
