/*
 * event: one self-contained record, as it lies in the stream, in recordings and in packs' vectors.
 *
 * docs/formats/event.md gives the bytes: a header, the values, and at the end a directory of 8-byte
 * entries. Only fields that are present have an entry. event_open() checks everything once; after
 * it every access is in bounds. A builder writes the same bytes into memory of the caller.
 */
#pragma once

#include "base/bytes.h"
#include "schema/schema.h"

enum {
    EVENT_MAX = 64 * 1024,  /* bytes of a record: the longest texts below, and room */
    EVENT_TEXT_MAX = 32768, /* bytes of one text; what is longer is cut, and marked as cut */
    EVENT_ENTRY = 8,        /* bytes of a directory entry */
    EVENT_HEADER = 40,      /* bytes of the header */
    EVENT_JSON_MAX = 8 * EVENT_MAX, /* any event as JSON: a byte becomes six at most, and names */
};

struct event_header {
    uint32_t size;     /* of the whole record, a multiple of 8 */
    uint16_t type;     /* enum event_type */
    uint16_t entries;  /* in the directory */
    uint64_t seq;      /* of all events on this boot, from 1 */
    uint64_t type_seq; /* of the events of this type, from 1 */
    uint64_t time_ns;  /* since 1970, UTC; taken from the kernel's clock when it happened */
    uint64_t origin;   /* end of its record in the kernel's ring; 0 for what guard says itself */
};

enum value_kind {
    VALUE_ABSENT, /* the event does not carry the field */
    VALUE_NULL,   /* present, and null: only recorded events */
    VALUE_TEXT,
    VALUE_NUMBER, /* bools and guids too */
    VALUE_BOOL,
};

struct value {
    enum value_kind kind;
    bool cut;         /* a text that was longer */
    int64_t number;   /* VALUE_NUMBER, VALUE_BOOL (0 or 1) */
    struct text text; /* VALUE_TEXT; lives as long as the record */
};

/* A checked record. `index` maps a field to its entry + 1, or 0. */
struct event {
    const char *record;
    const char *directory;
    struct event_header header;
    uint8_t index[FIELD_COUNT];
};

/* Checks the record at the start of `bytes` (which may be longer) and opens it. INVALID or BOUNDS
 * where it is not one; an unknown field or type is INVALID as well: skip by header.size first where
 * newer writers are expected. `bytes` must stay as long as `out` is used, 8-byte alignment is not
 * needed. */
struct status event_open(struct text bytes, struct event *out);

/* The value of a field; kind VALUE_ABSENT where the event does not carry it. */
struct value event_get(const struct event *event, enum field field);

/* The usual ones, with a default for absence: "", 0. */
struct text event_text(const struct event *event, enum field field);
int64_t event_number(const struct event *event, enum field field);

struct event_builder {
    struct writer out;
    uint8_t directory[FIELD_COUNT * EVENT_ENTRY];
    uint16_t entries;
    bool given[FIELD_COUNT];
};

/* Begins a record in `buffer`, whose header is filled in by event_end(). Fields come in any order;
 * one that was put already is left as it was first put. */
void event_begin(struct event_builder *b, void *buffer, size_t size);
void event_put_text(struct event_builder *b, enum field field, struct text value);
void event_put_cut(struct event_builder *b, enum field field, struct text value, bool cut);
void event_put_number(struct event_builder *b, enum field field, int64_t value);
void event_put_bool(struct event_builder *b, enum field field, bool value);
void event_put_null(struct event_builder *b, enum field field);

/* Finishes it: `header` gives type, numbers and time, the rest is worked out. LIMIT where it did
 * not fit. `out` is the record's bytes, in `buffer`. */
struct status event_end(struct event_builder *b, struct event_header header, struct text *out);

/* One JSON object, no newline: {"type":"process_exec","seq":1,"type_seq":1,"time":"…Z", then the
 * fields by name, "cut":["command_line"] where texts were cut}. GUIDs are 16 quoted hex digits. */
void event_json_write(const struct event *event, struct writer *out);

/* The same object, OCSF 1.3 shaped: nested, with class_uid, activity_id, time in ms, metadata, and
 * what has no place there under "unmapped". */
void event_ocsf_write(const struct event *event, struct writer *out);

enum event_names {
    EVENT_NAMES_OURS, /* what event_json_write() writes */
    EVENT_NAMES_SIGMA, /* {"category":…,"product":…,"service":…,"fields":{…},"time_ms":…} */
};

/* Why a line is no event. */
struct event_json_fault {
    char words[160];
};

/* Reads one such line into a record in `buffer`. Unknown fields are INVALID, and named in `fault`.
 * Texts in number fields (and numbers in text fields) are taken as they stand. */
struct status event_json_read(struct text line, enum event_names names, void *buffer, size_t size,
                              struct event *out, struct event_json_fault *fault);
