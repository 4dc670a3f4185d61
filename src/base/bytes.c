#include "base/bytes.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>

struct reader reader_over(const void *data, size_t size)
{
    return (struct reader){.at = data, .end = (const uint8_t *)data + size};
}

static const uint8_t *reader_claim(struct reader *r, size_t size)
{
    if (r->bad || size > (size_t)(r->end - r->at)) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += size;
    return at;
}

#define READ(bits)                                                                                 \
    uint##bits##_t reader_u##bits(struct reader *r)                                                \
    {                                                                                              \
        uint##bits##_t value = 0;                                                                  \
        const uint8_t *at = reader_claim(r, sizeof value);                                         \
        if (at) {                                                                                  \
            memcpy(&value, at, sizeof value);                                                      \
        }                                                                                          \
        return le##bits##toh(value);                                                               \
    }
#define le8toh(x) (x)
#define htole8(x) (x)
READ(8)
READ(16)
READ(32)
READ(64)
#undef READ

struct text reader_bytes(struct reader *r, size_t size)
{
    const uint8_t *at = reader_claim(r, size);
    return at ? (struct text){.ptr = (const char *)at, .len = size} : TEXT("");
}

static struct text reader_text(struct reader *r, size_t len, size_t max)
{
    if (len > max) {
        r->bad = true;
    }
    return reader_bytes(r, len);
}

struct text reader_text16(struct reader *r, size_t max)
{
    return reader_text(r, reader_u16(r), max);
}

struct text reader_text32(struct reader *r, size_t max)
{
    return reader_text(r, reader_u32(r), max);
}

size_t reader_left(const struct reader *r)
{
    return r->bad ? 0 : (size_t)(r->end - r->at);
}

struct status reader_end(const struct reader *r)
{
    if (r->bad) {
        FAIL(BOUNDS);
    }
    if (r->at != r->end) {
        FAIL(INVALID);
    }
    return OK;
}

struct writer writer_over(void *buffer, size_t size)
{
    return (struct writer){.start = buffer, .size = size};
}

static uint8_t *writer_claim(struct writer *w, size_t size)
{
    if (w->full || size > w->size - w->used) {
        w->full = true;
        return NULL;
    }
    uint8_t *at = w->start + w->used;
    w->used += size;
    return at;
}

#define WRITE(bits)                                                                                \
    void writer_u##bits(struct writer *w, uint##bits##_t value)                                    \
    {                                                                                              \
        uint8_t *at = writer_claim(w, sizeof value);                                               \
        value = htole##bits(value);                                                                \
        if (at) {                                                                                  \
            memcpy(at, &value, sizeof value);                                                      \
        }                                                                                          \
    }
WRITE(8)
WRITE(16)
WRITE(32)
WRITE(64)
#undef WRITE

void writer_bytes(struct writer *w, struct text bytes)
{
    uint8_t *at = writer_claim(w, bytes.len);
    if (at && bytes.len) {
        memcpy(at, bytes.ptr, bytes.len);
    }
}

void writer_text16(struct writer *w, struct text t)
{
    w->full = w->full || t.len > UINT16_MAX;
    writer_u16(w, (uint16_t)t.len);
    writer_bytes(w, t);
}

void writer_text32(struct writer *w, struct text t)
{
    w->full = w->full || t.len > UINT32_MAX;
    writer_u32(w, (uint32_t)t.len);
    writer_bytes(w, t);
}

void writer_print(struct writer *w, const char *format, ...)
{
    char small[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    /* Longer output than a line of ours is a mistake of ours: pass slices with writer_bytes(). */
    ENSURE(len >= 0 && (size_t)len < sizeof small);
    writer_bytes(w, (struct text){.ptr = small, .len = (size_t)len});
}

struct status writer_end(const struct writer *w)
{
    if (w->full) {
        FAIL(LIMIT);
    }
    return OK;
}

struct text writer_text(const struct writer *w)
{
    return (struct text){.ptr = (const char *)w->start, .len = w->used};
}
