#include "base/quote.h"

/* Bytes of the well-formed UTF-8 sequence at the start of `t` and its code point; 0: there is none.
 */
static size_t decode(struct text t, uint32_t *point)
{
    size_t len = 1;
    while (len <= 4 && len <= t.len && !text_is_utf8(text_part(t, 0, len))) {
        len++;
    }
    if (t.len == 0 || len > 4 || len > t.len) {
        return 0;
    }
    uint32_t value = (uint8_t)t.ptr[0] & (len == 1 ? 0x7fU : 0xffU >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        value = value << 6 | ((uint8_t)t.ptr[i] & 0x3fU);
    }
    *point = value;
    return len;
}

/* C0 and C1 controls, zero-width and direction marks (Unicode's Cf that terminals obey or hide),
 * line and paragraph separators, tags. */
static bool can_draw(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xad || point == 0x61c ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
           (point >= 0xe0000 && point <= 0xe007f);
}

static size_t write_escape(struct writer *out, uint32_t point)
{
    size_t before = out->used;
    if (point == '\n' || point == '\t') {
        writer_bytes(out, point == '\n' ? TEXT("\\n") : TEXT("\\t"));
    } else {
        writer_print(out, point <= 0xff ? "\\x%02x" : "\\u{%x}", (unsigned)point);
    }
    return out->used - before;
}

size_t quote_write(struct writer *out, struct text quoted, size_t limit)
{
    size_t columns = 0;
    size_t at = 0;
    while (at < quoted.len && at < limit) {
        uint32_t point;
        size_t len = decode(text_part(quoted, at, 4), &point);
        if (len == 0) {
            columns += write_escape(out, (uint8_t)quoted.ptr[at]);
            len = 1;
        } else if (can_draw(point)) {
            columns += write_escape(out, point);
        } else {
            writer_bytes(out, text_part(quoted, at, len));
            columns++;
        }
        at += len;
    }
    if (at < quoted.len) {
        writer_bytes(out, TEXT("…"));
        columns++;
    }
    return columns;
}

char *quote_line(char *out, size_t size, struct text quoted)
{
    struct writer w = writer_over(out, size - 1);
    quote_write(&w, quoted, SIZE_MAX);
    out[w.used] = '\0';
    return out;
}

size_t quote_cut(struct text t, size_t most)
{
    size_t len = t.len < most ? t.len : most;
    /* What is not UTF-8 anyway is cut where it is. */
    for (size_t back = 0; len < t.len && back < 4 && back < len; back++) {
        if (((uint8_t)t.ptr[len - back] & 0xc0U) != 0x80) {
            return len - back;
        }
    }
    return len;
}
