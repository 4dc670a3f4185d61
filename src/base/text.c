#include "base/text.h"

bool text_same_folded(struct text a, struct text b)
{
    if (a.len != b.len || text_same(a, b)) {
        return a.len == b.len;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (text_fold(a.ptr[i]) != text_fold(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

/* The last eight bytes overlap those before them. */
bool text_is_folded(struct text t)
{
    uint64_t changed = 0;
    uint64_t word;
    if (t.len < sizeof word) {
        for (size_t i = 0; i < t.len; i++) {
            changed |= t.ptr[i] != text_fold(t.ptr[i]);
        }
        return changed == 0;
    }
    for (size_t i = 0; i + sizeof word < t.len; i += sizeof word) {
        memcpy(&word, t.ptr + i, sizeof word);
        changed |= word ^ text_fold_word(word);
    }
    memcpy(&word, t.ptr + t.len - sizeof word, sizeof word);
    return (changed | (word ^ text_fold_word(word))) == 0;
}

bool text_starts(struct text t, struct text prefix)
{
    return prefix.len <= t.len && text_same(text_part(t, 0, prefix.len), prefix);
}

bool text_ends(struct text t, struct text suffix)
{
    return suffix.len <= t.len && text_same(text_part(t, t.len - suffix.len, suffix.len), suffix);
}

size_t text_find(struct text t, struct text needle)
{
    if (needle.len == 0) {
        return 0;
    }
    const char *at = t.len ? memmem(t.ptr, t.len, needle.ptr, needle.len) : NULL;
    return at ? (size_t)(at - t.ptr) : SIZE_MAX;
}

size_t text_find_byte(struct text t, char c)
{
    const char *at = t.len ? memchr(t.ptr, c, t.len) : NULL;
    return at ? (size_t)(at - t.ptr) : SIZE_MAX;
}

size_t text_find_last(struct text t, char c)
{
    const char *at = t.len ? memrchr(t.ptr, c, t.len) : NULL;
    return at ? (size_t)(at - t.ptr) : SIZE_MAX;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct text text_trim(struct text t)
{
    while (t.len && is_space(t.ptr[0])) {
        t = text_part(t, 1, t.len);
    }
    while (t.len && is_space(t.ptr[t.len - 1])) {
        t.len--;
    }
    return t;
}

bool text_to_u64(struct text t, uint64_t *out)
{
    uint64_t value = 0;
    if (t.len == 0) {
        return false;
    }
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i] < '0' || t.ptr[i] > '9' || __builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(t.ptr[i] - '0'), &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

bool text_to_i64(struct text t, int64_t *out)
{
    bool negative = t.len && t.ptr[0] == '-';
    uint64_t magnitude;
    if (!text_to_u64(text_part(t, negative, t.len), &magnitude) ||
        magnitude > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

/* Bytes that follow `lead` in a well-formed sequence, and the bounds of the first of them (RFC
 * 3629, section 4); -1 where `lead` begins none. */
static int utf8_follow(unsigned char lead, unsigned char *low, unsigned char *high)
{
    *low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    *high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead < 0x80) {
        return 0;
    }
    if (lead < 0xc2 || lead > 0xf4) {
        return -1;
    }
    return lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
}

/* Bytes at `i` that are ASCII, by eights: most texts are nothing else. */
static size_t ascii_run(struct text t, size_t i)
{
    size_t from = i;
    for (uint64_t word; i + 8 <= t.len; i += 8) {
        memcpy(&word, t.ptr + i, 8);
        if (word & 0x8080808080808080ULL) {
            break;
        }
    }
    return i - from;
}

bool text_is_utf8(struct text t)
{
    for (size_t i = ascii_run(t, 0); i < t.len; i++) {
        unsigned char low;
        unsigned char high;
        int follow = utf8_follow((unsigned char)t.ptr[i], &low, &high);
        if (follow < 0 || (size_t)follow > t.len - i - 1) {
            return false;
        }
        for (; follow > 0; follow--, low = 0x80, high = 0xbf) {
            unsigned char c = (unsigned char)t.ptr[++i];
            if (c < low || c > high) {
                return false;
            }
        }
        i += ascii_run(t, i + 1);
    }
    return true;
}

void text_copy(struct text t, char *out, size_t out_size)
{
    size_t len = t.len < out_size - 1 ? t.len : out_size - 1;
    memcpy(out, t.ptr, len);
    out[len] = 0;
}
