/*
 * utf8: what counts as one character of a value.
 *
 * Events carry what processes wrote, which need not be UTF-8. A character is a well-formed sequence
 * (RFC 3629), or one byte that begins none. Wildcards and regular expressions both count this way.
 */
#pragma once

#include "base/text.h"

enum { UTF8_INVALID = 0x110000 }; /* the code of a byte that begins no sequence */

/* Length in bytes of the character at the start of `t`, which is not empty, and its code point. */
size_t utf8_next(struct text t, uint32_t *out);
