/*
 * quote: what others wrote, made harmless for a terminal.
 *
 * Control characters (C0 and C1), invisible and direction-changing ones and bytes that are not
 * UTF-8 become escapes (\x1b, \u{202e}). The result is UTF-8, and quoting it again changes nothing.
 */
#pragma once

#include "base/bytes.h"

/* Writes at most `limit` bytes of `quoted`, then "…". Returns the columns it took: one a code
 * point, which is right for most of what paths hold. */
size_t quote_write(struct writer *out, struct text quoted, size_t limit);

/* The same into `size` bytes; terminates, cuts what does not fit. Returns `out`. */
char *quote_line(char *out, size_t size, struct text quoted);

/* How much of `t` is at most `most` bytes and does not end inside a character. */
size_t quote_cut(struct text t, size_t most);
