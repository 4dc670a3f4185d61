#include "ctl/term.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const codes[STYLE_COUNT] = {
    [STYLE_PLAIN] = "",    [STYLE_BOLD] = "1",   [STYLE_DIM] = "2",   [STYLE_RED] = "31",
    [STYLE_YELLOW] = "33", [STYLE_GREEN] = "32", [STYLE_CYAN] = "36", [STYLE_ALARM] = "1;97;41",
};

/* no-color.org: set and not empty means no, whatever else is said. */
bool term_wants_colour(FILE *file)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *kind = getenv("TERM");
    return isatty(fileno(file)) == 1 && !(no_colour && no_colour[0]) &&
           !text_same(text_of(kind), TEXT("dumb"));
}

static void begin(struct term *t, enum style style)
{
    if (t->colour && style != STYLE_PLAIN) {
        writer_print(t->out, "\x1b[%sm", codes[style]);
    }
}

static void end(struct term *t, enum style style)
{
    if (t->colour && style != STYLE_PLAIN) {
        writer_print(t->out, "\x1b[0m");
    }
}

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

/* Returns the columns it took: one a code point, which is right for most of what paths hold. */
static size_t write_quoted(struct writer *out, struct text quoted, size_t limit)
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

void term_quote(struct term *t, enum style style, struct text quoted, size_t limit)
{
    begin(t, style);
    write_quoted(t->out, quoted, limit);
    end(t, style);
}

void term_column(struct term *t, enum style style, struct text quoted, size_t width)
{
    begin(t, style);
    size_t columns = write_quoted(t->out, quoted, SIZE_MAX);
    end(t, style);
    for (; columns < width; columns++) {
        writer_u8(t->out, ' ');
    }
}

void term_print(struct term *t, enum style style, const char *format, ...)
{
    char words[400];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(words, sizeof words, format, args);
    va_end(args);
    ENSURE(len >= 0 && (size_t)len < sizeof words);
    begin(t, style);
    writer_bytes(t->out, (struct text){words, (size_t)len});
    end(t, style);
}
