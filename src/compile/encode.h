/*
 * encode: the encodings that Sigma's modifiers ask for: UTF-16 and base64 (RFC 4648).
 */
#pragma once

#include "base/arena.h"

enum utf16 { UTF16_LITTLE, UTF16_BIG, UTF16_MARKED /* little, after the byte order mark FF FE */ };

/* `text` is UTF-8. */
struct status encode_utf16(struct text text, enum utf16 form, struct arena *arena,
                           struct text *out);

/* With padding. */
struct status encode_base64(struct text bytes, struct arena *arena, struct text *out);

/* The characters that `bytes`, `offset` (0 … 2) bytes into a group of three, give whatever stands
 * before and after them. May be empty. */
struct status encode_base64_inner(struct text bytes, size_t offset, struct arena *arena,
                                  struct text *out);
