#include "compile/encode.h"

#include "base/bytes.h"

/* The next code point of well-formed UTF-8; moves *at. */
static uint32_t code_point(struct text t, size_t *at)
{
    unsigned char lead = (unsigned char)t.ptr[*at];
    size_t follow = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    uint32_t code = follow ? lead & (0x3fU >> follow) : lead;
    ENSURE(follow < t.len - *at);
    for (size_t i = 1; i <= follow; i++) {
        code = code << 6 | ((unsigned char)t.ptr[*at + i] & 0x3f);
    }
    *at += follow + 1;
    return code;
}

static void put_unit(struct writer *w, uint32_t unit, enum utf16 form)
{
    uint16_t value = (uint16_t)unit;
    writer_u16(w, form == UTF16_BIG ? (uint16_t)(value << 8 | value >> 8) : value);
}

struct status encode_utf16(struct text text, enum utf16 form, struct arena *arena, struct text *out)
{
    size_t size = 2 + text.len * 2; /* no code point grows by more than that */
    void *room = arena_alloc(arena, size, 1);
    if (!room) {
        FAIL(MEMORY);
    }
    struct writer w = writer_over(room, size);
    if (form == UTF16_MARKED) {
        put_unit(&w, 0xfeff, form);
    }
    for (size_t at = 0; at < text.len;) {
        uint32_t code = code_point(text, &at);
        if (code >= 0x10000) {
            put_unit(&w, 0xd800 + ((code - 0x10000) >> 10), form);
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        put_unit(&w, code, form);
    }
    *out = writer_text(&w);
    return OK;
}

/* Base64 of `skip` zero bytes and then `bytes`. */
static struct status base64_after(struct text bytes, size_t skip, struct arena *arena,
                                  struct text *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t total = skip + bytes.len;
    char *room = arena_alloc(arena, (total + 2) / 3, 4);
    if (!room && total) {
        FAIL(MEMORY);
    }
    size_t used = 0;
    for (size_t at = 0; at < total; at += 3) {
        uint32_t group = 0;
        for (size_t i = at; i < at + 3; i++) {
            bool given = i >= skip && i < total;
            group = group << 8 | (given ? (unsigned char)bytes.ptr[i - skip] : 0U);
        }
        for (size_t i = 0; i < 4; i++) {
            room[used++] = at + i > total ? '=' : digits[group >> (18 - 6 * i) & 63];
        }
    }
    *out = (struct text){.ptr = room, .len = used};
    return OK;
}

struct status encode_base64(struct text bytes, struct arena *arena, struct text *out)
{
    return base64_after(bytes, 0, arena, out);
}

struct status encode_base64_inner(struct text bytes, size_t offset, struct arena *arena,
                                  struct text *out)
{
    /* A character holds 6 bits: those that share one with a neighbour, or pad, are left out. */
    static const size_t front[3] = {0, 2, 3};
    static const size_t back[3] = {0, 3, 2};
    ENSURE(offset < 3);
    struct text whole;
    TRY(base64_after(bytes, offset, arena, &whole));
    size_t drop = front[offset] + back[(offset + bytes.len) % 3];
    *out = text_part(whole, front[offset], whole.len > drop ? whole.len - drop : 0);
    return OK;
}
