#include "schema/event.h"

#include <endian.h>

/* How a directory entry holds its value: the second byte of the entry. */
enum encoding {
    ENCODING_NULL,
    ENCODING_BOOL,     /* the entry's 32 bits: 0 or 1 */
    ENCODING_NUMBER32, /* the entry's 32 bits, signed */
    ENCODING_NUMBER64, /* 8 bytes at the offset in the entry */
    ENCODING_TEXT,     /* `length` bytes at the offset in the entry */
    ENCODING_CUT,      /* the same, and the text was longer */
    ENCODING_COUNT
};

struct entry {
    uint8_t field;
    uint8_t encoding;
    uint16_t length;
    uint32_t value; /* or offset from the start of the record */
};

_Static_assert(sizeof(struct entry) == EVENT_ENTRY, "eight bytes");
_Static_assert(sizeof(struct event_header) == EVENT_HEADER, "no holes");

static struct entry entry_read(const char *at)
{
    struct entry e;
    memcpy(&e, at, sizeof e);
    e.length = le16toh(e.length);
    e.value = le32toh(e.value);
    return e;
}

static struct event_header header_read(struct reader *r)
{
    struct event_header h = {0};
    h.size = reader_u32(r);
    h.type = reader_u16(r);
    h.entries = reader_u16(r);
    h.seq = reader_u64(r);
    h.type_seq = reader_u64(r);
    h.time_ns = reader_u64(r);
    h.origin = reader_u64(r);
    return h;
}

static void header_write(struct writer *w, const struct event_header *h)
{
    writer_u32(w, h->size);
    writer_u16(w, h->type);
    writer_u16(w, h->entries);
    writer_u64(w, h->seq);
    writer_u64(w, h->type_seq);
    writer_u64(w, h->time_ns);
    writer_u64(w, h->origin);
}

/* Values lie between header and directory. */
static bool value_in_bounds(struct entry e, size_t directory)
{
    if (e.encoding < ENCODING_NUMBER64) {
        return e.encoding != ENCODING_BOOL || e.value <= 1;
    }
    size_t length = e.encoding == ENCODING_NUMBER64 ? 8 : e.length;
    return e.value >= EVENT_HEADER && e.value <= directory && length <= directory - e.value;
}

struct status event_open(struct text bytes, struct event *out)
{
    struct reader r = reader_over(bytes.ptr, bytes.len);
    struct event event = {.record = bytes.ptr, .header = header_read(&r)};
    const struct event_header *h = &event.header;
    if (r.bad || h->size > bytes.len || h->size > EVENT_MAX || h->size % 8 != 0) {
        FAIL(BOUNDS);
    }
    if (h->type >= EVENT_COUNT || h->entries > FIELD_COUNT ||
        h->size < EVENT_HEADER + (size_t)h->entries * EVENT_ENTRY) {
        FAIL(INVALID);
    }
    size_t directory = h->size - (size_t)h->entries * EVENT_ENTRY;
    event.directory = event.record + directory;
    for (uint16_t i = 0; i < h->entries; i++) {
        struct entry e = entry_read(event.directory + (size_t)i * EVENT_ENTRY);
        if (e.field >= FIELD_COUNT || event.index[e.field] != 0 || e.encoding >= ENCODING_COUNT) {
            FAIL(INVALID);
        }
        if (!value_in_bounds(e, directory)) {
            FAIL(BOUNDS);
        }
        event.index[e.field] = (uint8_t)(i + 1);
    }
    *out = event;
    return OK;
}

struct value event_get(const struct event *event, enum field field)
{
    ENSURE((unsigned)field < FIELD_COUNT);
    if (event->index[field] == 0) {
        return (struct value){.kind = VALUE_ABSENT};
    }
    struct entry e = entry_read(event->directory + (event->index[field] - 1U) * EVENT_ENTRY);
    int64_t wide;
    switch ((enum encoding)e.encoding) {
    case ENCODING_BOOL:
        return (struct value){.kind = VALUE_BOOL, .number = e.value};
    case ENCODING_NUMBER32:
        return (struct value){.kind = VALUE_NUMBER, .number = (int32_t)e.value};
    case ENCODING_NUMBER64:
        memcpy(&wide, event->record + e.value, sizeof wide);
        return (struct value){.kind = VALUE_NUMBER, .number = (int64_t)le64toh((uint64_t)wide)};
    case ENCODING_TEXT:
    case ENCODING_CUT:
        return (struct value){.kind = VALUE_TEXT,
                              .cut = e.encoding == ENCODING_CUT,
                              .text = {.ptr = event->record + e.value, .len = e.length}};
    case ENCODING_NULL:
    case ENCODING_COUNT:
        break;
    }
    return (struct value){.kind = VALUE_NULL};
}

struct text event_text(const struct event *event, enum field field)
{
    struct value v = event_get(event, field);
    return v.kind == VALUE_TEXT ? v.text : TEXT("");
}

int64_t event_number(const struct event *event, enum field field)
{
    return event_get(event, field).number;
}

void event_begin(struct event_builder *b, void *buffer, size_t size)
{
    *b = (struct event_builder){.out = writer_over(buffer, size < EVENT_MAX ? size : EVENT_MAX)};
    header_write(&b->out, &(struct event_header){0});
}

static void put(struct event_builder *b, enum field field, struct entry e)
{
    ENSURE((unsigned)field < FIELD_COUNT);
    if (b->given[field]) {
        return;
    }
    b->given[field] = true;
    e.field = (uint8_t)field;
    e.length = htole16(e.length);
    e.value = htole32(e.value);
    memcpy(b->directory + (size_t)b->entries * EVENT_ENTRY, &e, sizeof e);
    b->entries++;
}

void event_put_cut(struct event_builder *b, enum field field, struct text value, bool cut)
{
    ENSURE((unsigned)field < FIELD_COUNT);
    if (b->given[field]) {
        return;
    }
    cut = cut || value.len > EVENT_TEXT_MAX;
    value = text_part(value, 0, EVENT_TEXT_MAX);
    struct entry e = {.encoding = cut ? ENCODING_CUT : ENCODING_TEXT,
                      .length = (uint16_t)value.len,
                      .value = (uint32_t)b->out.used};
    writer_bytes(&b->out, value);
    put(b, field, e);
}

void event_put_text(struct event_builder *b, enum field field, struct text value)
{
    event_put_cut(b, field, value, false);
}

void event_put_number(struct event_builder *b, enum field field, int64_t value)
{
    if (value == (int32_t)value) {
        put(b, field, (struct entry){.encoding = ENCODING_NUMBER32, .value = (uint32_t)value});
    } else {
        struct entry e = {.encoding = ENCODING_NUMBER64, .value = (uint32_t)b->out.used};
        writer_u64(&b->out, (uint64_t)value);
        put(b, field, e);
    }
}

void event_put_bool(struct event_builder *b, enum field field, bool value)
{
    put(b, field, (struct entry){.encoding = ENCODING_BOOL, .value = value});
}

void event_put_null(struct event_builder *b, enum field field)
{
    put(b, field, (struct entry){.encoding = ENCODING_NULL});
}

struct status event_end(struct event_builder *b, struct event_header header, struct text *out)
{
    static const char zeroes[8];
    writer_bytes(&b->out, (struct text){.ptr = zeroes, .len = -b->out.used % 8});
    writer_bytes(&b->out, (struct text){.ptr = (const char *)b->directory,
                                        .len = (size_t)b->entries * EVENT_ENTRY});
    TRY(writer_end(&b->out));
    header.size = (uint32_t)b->out.used;
    header.entries = b->entries;
    struct writer front = writer_over(b->out.start, EVENT_HEADER);
    header_write(&front, &header);
    *out = writer_text(&b->out);
    return OK;
}
