/*
 * text: a slice of bytes that somebody else owns. Not terminated; may hold any byte.
 *
 * Folding covers ASCII letters only, as docs/formats/pack.md says; nothing here knows a locale.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    const char *ptr;
    size_t len;
};

/* A slice of a literal, and a slice of a terminated string (NULL gives the empty slice). */
#define TEXT(literal) ((struct text){.ptr = "" literal, .len = sizeof(literal) - 1})

static inline struct text text_of(const char *string)
{
    return (struct text){.ptr = string ? string : "", .len = string ? strlen(string) : 0};
}

/* printf("%.*s", TEXT_ARGS(t)) */
#define TEXT_ARGS(t) (int)(t).len, (t).ptr

static inline char text_fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Eight bytes at once: the high bit of each byte of `upper` says that it is a capital letter. */
static inline uint64_t text_fold_word(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101ULL;
    uint64_t ascii = ~word & (ones << 7);
    uint64_t low = word & ~(ones << 7);
    uint64_t from_a = low + ones * (0x80 - 'A');
    uint64_t beyond_z = low + ones * (0x80 - 'Z' - 1);
    uint64_t upper = from_a & ~beyond_z & ascii;
    return word | upper >> 2;
}

static inline bool text_same(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* The part from `from` of at most `len` bytes; both are clamped to the slice. */
static inline struct text text_part(struct text t, size_t from, size_t len)
{
    from = from < t.len ? from : t.len;
    len = len < t.len - from ? len : t.len - from;
    return (struct text){.ptr = from ? t.ptr + from : t.ptr, .len = len}; /* NULL + 0 is not C */
}

/* Does folding change nothing? */
bool text_is_folded(struct text t);

/* Equality with ASCII folding. */
bool text_same_folded(struct text a, struct text b);

bool text_starts(struct text t, struct text prefix);
bool text_ends(struct text t, struct text suffix);

/* Offset of the first `needle` in `t`, or SIZE_MAX. The empty needle is found at 0. */
size_t text_find(struct text t, struct text needle);

/* Offset of the first / last byte `c`, or SIZE_MAX. */
size_t text_find_byte(struct text t, char c);
size_t text_find_last(struct text t, char c);

/* Without the ASCII white space at both ends. */
struct text text_trim(struct text t);

/* The whole slice as a decimal number, sign allowed for the signed one. False: not one, or too
 * large. */
bool text_to_u64(struct text t, uint64_t *out);
bool text_to_i64(struct text t, int64_t *out);

/* Well-formed UTF-8 (RFC 3629: no surrogates, nothing over U+10FFFF, shortest forms only)? */
bool text_is_utf8(struct text t);

/* Copies and terminates into `out` of `out_size` bytes; cuts what does not fit. */
void text_copy(struct text t, char *out, size_t out_size);
