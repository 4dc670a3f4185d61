/*
 * Reads events from JSON lines: our own, and recordings with Sigma's names. Lines come from files
 * that anybody may have written; jansson bounds the nesting, the builder bounds the record.
 */
#include "schema/event.h"

#include "base/clock.h"
#include "base/own.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

/* One line on its way into a record. */
struct reading {
    enum event_names names;
    struct event_builder builder;
    struct event_header header;
    bool cut[FIELD_COUNT];
    struct event_json_fault *fault;
};

static void json_drop(json_t **slot)
{
    json_decref(*slot);
}

/* Notes why the line is no event; what it quotes may hold control characters. */
__attribute__((format(printf, 2, 3))) static void note(struct event_json_fault *fault,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(fault->words, sizeof fault->words, format, args);
    va_end(args);
    for (char *c = fault->words; *c; c++) {
        *c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
    }
}

static struct text text_of_json(const json_t *value)
{
    return (struct text){.ptr = json_string_value(value), .len = json_string_length(value)};
}

/* A member that has to be text where it is there; empty where it is not. */
static struct status take_text(const json_t *object, const char *name, struct reading *r,
                               struct text *out)
{
    const json_t *value = json_object_get(object, name);
    if (value && !json_is_string(value)) {
        note(r->fault, "\"%s\" has to be a text", name);
        FAIL(INVALID);
    }
    *out = value ? text_of_json(value) : TEXT("");
    return OK;
}

/* Likewise a number from 0; 0 where it is not there. */
static struct status take_number(const json_t *object, const char *name, struct reading *r,
                                 uint64_t *out)
{
    const json_t *value = json_object_get(object, name);
    if (value && (!json_is_integer(value) || json_integer_value(value) < 0)) {
        note(r->fault, "\"%s\" has to be a whole number from 0", name);
        FAIL(INVALID);
    }
    *out = value ? (uint64_t)json_integer_value(value) : 0;
    return OK;
}

/* ── time ── */

/* "2024-07-19T05:09:00", then perhaps a fraction of up to nine digits, then "Z". Years end where 64
 * bits of nanoseconds do. */
static bool time_from_text(struct text t, uint64_t *out)
{
    static const char shape[] = "0000-00-00T00:00:00";

    static const struct {
        uint8_t at, len;
        uint16_t least, most;
    } parts[] = {{0, 4, 1970, 2553}, {5, 2, 1, 12},  {8, 2, 1, 31},
                 {11, 2, 0, 23},     {14, 2, 0, 59}, {17, 2, 0, 60}};

    enum { SHAPE = sizeof shape - 1, PARTS = sizeof parts / sizeof parts[0] };

    uint64_t numbers[PARTS];
    if (t.len <= SHAPE || t.ptr[t.len - 1] != 'Z') {
        return false;
    }
    for (size_t i = 0; i < SHAPE; i++) {
        if (shape[i] != '0' && shape[i] != t.ptr[i]) {
            return false;
        }
    }
    for (size_t i = 0; i < PARTS; i++) {
        if (!text_to_u64(text_part(t, parts[i].at, parts[i].len), &numbers[i]) ||
            numbers[i] < parts[i].least || numbers[i] > parts[i].most) {
            return false;
        }
    }
    uint64_t nanoseconds = 0;
    struct text fraction = text_part(t, SHAPE, t.len - SHAPE - 1);
    if (fraction.len > 0 && (fraction.ptr[0] != '.' || fraction.len > 10 ||
                             !text_to_u64(text_part(fraction, 1, 9), &nanoseconds))) {
        return false;
    }
    for (size_t i = fraction.len; i > 0 && i < 10; i++) {
        nanoseconds *= 10;
    }
    struct tm utc = {.tm_year = (int)numbers[0] - 1900,
                     .tm_mon = (int)numbers[1] - 1,
                     .tm_mday = (int)numbers[2],
                     .tm_hour = (int)numbers[3],
                     .tm_min = (int)numbers[4],
                     .tm_sec = (int)numbers[5]};
    *out = (uint64_t)timegm(&utc) * CLOCK_NS_PER_S + nanoseconds;
    return true;
}

/* ── values ── */

static bool guid_from_text(struct text t, int64_t *out)
{
    uint64_t guid = 0;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return false;
        }
        guid = guid << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *out = (int64_t)guid;
    return t.len == 16;
}

static void put_text(struct reading *r, enum field field, struct text text)
{
    int64_t guid;
    bool ours = r->names == EVENT_NAMES_OURS;
    if (ours && field_info(field)->kind == FIELD_KIND_GUID && guid_from_text(text, &guid)) {
        event_put_number(&r->builder, field, guid);
    } else {
        event_put_cut(&r->builder, field, text, r->cut[field]);
    }
}

/* Fractions have no kind of their own: they are kept as text, as rules compare them. */
static void put_real(struct reading *r, enum field field, double number)
{
    char digits[40];
    int len = snprintf(digits, sizeof digits, "%.15g", number);
    event_put_text(&r->builder, field, (struct text){digits, (size_t)len});
}

static struct status put_value(struct reading *r, enum field field, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        put_text(r, field, text_of_json(value));
        return OK;
    case JSON_INTEGER:
        event_put_number(&r->builder, field, json_integer_value(value));
        return OK;
    case JSON_REAL:
        put_real(r, field, json_real_value(value));
        return OK;
    case JSON_TRUE:
    case JSON_FALSE:
        event_put_bool(&r->builder, field, json_is_true(value));
        return OK;
    case JSON_NULL:
        event_put_null(&r->builder, field);
        return OK;
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
    note(r->fault, "field \"%s\" holds a list or an object; a field holds one value",
         field_info(field)->name);
    FAIL(INVALID);
}

/* ── our own names ── */

static struct status read_type(const json_t *root, struct reading *r)
{
    struct text name;
    TRY(take_text(root, "type", r, &name));
    enum event_type type = event_type_by_name(name);
    if (type == EVENT_COUNT) {
        note(r->fault, "there is no event type \"%.*s\"; docs/events.md lists them",
             TEXT_ARGS(text_part(name, 0, 64)));
        FAIL(INVALID);
    }
    r->header.type = (uint16_t)type;
    return OK;
}

static struct status read_header(const json_t *root, struct reading *r)
{
    struct text time;
    TRY(read_type(root, r));
    TRY(take_number(root, "seq", r, &r->header.seq));
    TRY(take_number(root, "type_seq", r, &r->header.type_seq));
    TRY(take_text(root, "time", r, &time));
    if (time.len > 0 && !time_from_text(time, &r->header.time_ns)) {
        note(r->fault, "\"time\" has to be UTC as in 2024-07-19T05:09:00.123456789Z");
        FAIL(INVALID);
    }
    return OK;
}

static struct status unknown_field(struct reading *r, struct text name)
{
    note(r->fault, "there is no field \"%.*s\"; docs/events.md lists them",
         TEXT_ARGS(text_part(name, 0, 64)));
    FAIL(INVALID);
}

static struct status read_cut(const json_t *root, struct reading *r)
{
    const json_t *names = json_object_get(root, "cut");
    if (names && !json_is_array(names)) {
        note(r->fault, "\"cut\" has to be a list of field names");
        FAIL(INVALID);
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        const json_t *item = json_array_get(names, i);
        struct text name = json_is_string(item) ? text_of_json(item) : TEXT("");
        enum field field = field_by_name(name);
        if (field == FIELD_COUNT) {
            return unknown_field(r, name);
        }
        r->cut[field] = true;
    }
    return OK;
}

static bool is_frame(struct text name)
{
    return text_same(name, TEXT("type")) || text_same(name, TEXT("seq")) ||
           text_same(name, TEXT("type_seq")) || text_same(name, TEXT("time")) ||
           text_same(name, TEXT("cut"));
}

static struct status read_ours(json_t *root, struct reading *r)
{
    const char *key;
    json_t *value;
    TRY(read_header(root, r));
    TRY(read_cut(root, r));
    json_object_foreach(root, key, value)
    {
        struct text name = text_of(key);
        enum field field = field_by_name(name);
        if (is_frame(name)) {
            continue;
        }
        if (field == FIELD_COUNT) {
            return unknown_field(r, name);
        }
        TRY(put_value(r, field, value));
    }
    return OK;
}

/* ── Sigma's names ── */

/* A category with several types of ours becomes the first: file_event a file_create. Where that
 * type has other categories too (a file_change would also be a file_event), the name is kept. One
 * that is none of ours, or is not named, makes a recorded event, which only rules of that log
 * source are asked for. */
static void put_category(struct reading *r, struct text category)
{
    enum sigma_category known = sigma_category_by_name(category);
    enum event_type type = EVENT_RECORDED;
    if (known != SIGMA_CATEGORY_COUNT) {
        type = (enum event_type)__builtin_ctzll(event_types_of(known));
    }
    r->header.type = (uint16_t)type;
    if (category.len > 0 && event_info(type)->sigma_categories != 1U << known) {
        event_put_text(&r->builder, FIELD_LOG_CATEGORY, category);
    }
}

/* An event without a product is Linux's, as live ones are. */
static struct status read_log_source(const json_t *root, struct reading *r)
{
    struct text category;
    struct text product;
    struct text service;
    TRY(take_text(root, "category", r, &category));
    TRY(take_text(root, "product", r, &product));
    TRY(take_text(root, "service", r, &service));
    put_category(r, category);
    if (product.len > 0 && !text_same(product, TEXT("linux"))) {
        event_put_text(&r->builder, FIELD_LOG_PRODUCT, product);
    }
    if (service.len > 0) {
        event_put_text(&r->builder, FIELD_LOG_SERVICE, service);
    }
    return OK;
}

/* Fields that the schema has not are left out: no rule that compiles can ask for them. */
static struct status read_sigma(json_t *root, struct reading *r)
{
    const char *key;
    json_t *value;
    json_t *fields = json_object_get(root, "fields");
    uint64_t time_ms;
    if (!json_is_object(fields)) {
        note(r->fault, "an event in Sigma's names needs an object \"fields\"");
        FAIL(INVALID);
    }
    TRY(read_log_source(root, r));
    TRY(take_number(root, "time_ms", r, &time_ms));
    if (__builtin_mul_overflow(time_ms, (uint64_t)CLOCK_NS_PER_MS, &r->header.time_ns)) {
        note(r->fault, "\"time_ms\" is beyond the year 2554");
        FAIL(INVALID);
    }
    json_object_foreach(fields, key, value)
    {
        struct text name = text_of(key);
        enum field field = field_by_sigma(name);
        field = field == FIELD_COUNT ? field_by_name(name) : field;
        if (field != FIELD_COUNT) {
            TRY(put_value(r, field, value));
        }
    }
    return OK;
}

/* ── a line ── */

static struct status parse(struct text line, struct event_json_fault *fault, json_t **out)
{
    json_error_t error;
    json_t *root = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!root && json_error_code(&error) == json_error_out_of_memory) {
        FAIL(MEMORY);
    }
    if (!root) {
        note(fault, "not JSON at byte %d: %s", error.position, error.text);
        FAIL(INVALID);
    }
    if (!json_is_object(root)) {
        json_decref(root);
        note(fault, "an event is a JSON object, {\"type\":…}");
        FAIL(INVALID);
    }
    *out = root;
    return OK;
}

struct status event_json_read(struct text line, enum event_names names, void *buffer, size_t size,
                              struct event *out, struct event_json_fault *fault)
{
    struct reading r = {.names = names, .fault = fault};
    OWN(json_drop) json_t *root = NULL;
    struct text record;
    note(fault, "%s", "");
    TRY(parse(line, fault, &root));
    event_begin(&r.builder, buffer, size);
    TRY(names == EVENT_NAMES_OURS ? read_ours(root, &r) : read_sigma(root, &r));
    struct status ended = event_end(&r.builder, r.header, &record);
    if (!status_ok(ended)) {
        note(fault, "the event is larger than a record may be (%d bytes)", EVENT_MAX);
        return ended;
    }
    return event_open(record, out);
}
