#include "ctl/content/rule_skeleton.h"

#include "base/heap.h"
#include "base/json.h"
#include "base/own.h"

#include <inttypes.h>

/* What tells an event from others of its type, the most telling first. */
static const enum field telling[] = {
    FIELD_TARGET_PATH,
    FIELD_SOURCE_PATH,
    FIELD_PATH,
    FIELD_COMMAND_LINE,
    FIELD_INVOKED_PATH,
    FIELD_PARENT_PATH,
    FIELD_EXE_MEMFD,
    FIELD_EXE_DELETED,
    FIELD_ATTRIBUTE,
    FIELD_FILE_MODE,
    FIELD_PROTOCOL,
    FIELD_INITIATED,
    FIELD_DESTINATION_ADDRESS,
    FIELD_DESTINATION_PORT,
    FIELD_DESTINATION_HOSTNAME,
    FIELD_OPERATION,
    FIELD_TARGET_PROCESS,
    FIELD_OLD_UID,
    FIELD_MODULE_NAME,
    FIELD_PROGRAM_NAME,
    FIELD_PROGRAM_TYPE,
    FIELD_FS_TYPE,
    FIELD_NAMESPACES,
    FIELD_EVENT_ID,
    FIELD_ORIGINAL_FILE_NAME,
};

enum { TELLING = sizeof telling / sizeof telling[0], TITLE_MAX = 120 };

/* ── which fields ── */

static bool is_of_process(const struct event *e)
{
    return e->header.type == EVENT_PROCESS_EXEC || e->header.type == EVENT_RECORDED;
}

static bool is_origin(enum field field)
{
    return field == FIELD_LOG_PRODUCT || field == FIELD_LOG_SERVICE ||
           field == FIELD_LOG_CATEGORY || field == FIELD_UTC_TIME ||
           field == FIELD_CREATION_UTC_TIME;
}

/* The beginning of a text that a YAML file can hold: up to the first byte that is no UTF-8. */
static struct text writable(struct text t)
{
    size_t len = t.len < SKELETON_VALUE_MAX ? t.len : SKELETON_VALUE_MAX;
    size_t at = 0;
    size_t bytes = 1;
    while (at + bytes <= len && bytes <= 4) {
        bool whole = text_is_utf8(text_part(t, at, bytes));
        at += whole ? bytes : 0;
        bytes = whole ? 1 : bytes + 1;
    }
    return text_part(t, 0, at);
}

/* Is there something of the field that a rule can ask for? 0 and false are what most events have.
 */
static bool says_something(const struct event *e, enum field field)
{
    struct value v = event_get(e, field);
    bool live = field_guarantee((enum event_type)e->header.type, field) != GUARANTEE_NONE;
    bool recorded = field_info(field)->recorded || e->header.type == EVENT_RECORDED;
    if (field_info(field)->kind == FIELD_KIND_GUID || (!live && !recorded)) {
        return false; /* the compiler refuses a field that no event of the type carries */
    }
    return v.kind == VALUE_TEXT ? writable(v.text).len > 0
                                : (v.kind == VALUE_NUMBER || v.kind == VALUE_BOOL) && v.number != 0;
}

/* Fields that are telling for some types only. */
static bool is_telling(const struct event *e, enum field field)
{
    switch ((int)field) {
    case FIELD_COMMAND_LINE:
    case FIELD_PARENT_PATH:
        return is_of_process(e);
    case FIELD_INVOKED_PATH:
        return !text_same(event_text(e, FIELD_INVOKED_PATH), event_text(e, FIELD_PATH));
    case FIELD_FILE_MODE:
        return e->header.type == EVENT_FILE_ATTRIBUTE;
    default:
        return true;
    }
}

static bool is_selected(const struct event *e, enum field field)
{
    for (size_t i = 0; i < TELLING; i++) {
        if (telling[i] == field) {
            return is_telling(e, field) && says_something(e, field);
        }
    }
    return false;
}

/* An event with nothing telling is asked for by whatever it has: a rule needs something. */
static enum field last_resort(const struct event *e)
{
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        enum field field = (enum field)i;
        if (!is_origin(field) && says_something(e, field)) {
            return field;
        }
    }
    return FIELD_COUNT;
}

/* The fields of the selection, in order; returns how many. */
static size_t select_fields(const struct event *e, enum field *out)
{
    size_t count = 0;
    for (size_t i = 0; i < TELLING; i++) {
        if (is_selected(e, telling[i])) {
            out[count++] = telling[i];
        }
    }
    if (count == 0 && last_resort(e) != FIELD_COUNT) {
        out[count++] = last_resort(e);
    }
    return count;
}

/* ── values ── */

/* What YAML lets stand as it is, in one line. */
static bool is_plain(uint32_t point)
{
    return (point >= 0x20 && point < 0x7f) ||
           (point >= 0xa0 && point < 0xd800 && point != 0x2028 && point != 0x2029) ||
           (point >= 0xe000 && point < 0xfffe && point != 0xfeff) || point >= 0x10000;
}

/* The code point at the start of well-formed UTF-8, and its bytes. */
static uint32_t decode(struct text t, size_t *len)
{
    uint8_t lead = (uint8_t)t.ptr[0];
    *len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t point = *len == 1 ? lead : lead & (0xffU >> (*len + 1));
    for (size_t i = 1; i < *len; i++) {
        point = point << 6 | ((uint8_t)t.ptr[i] & 0x3fU);
    }
    return point;
}

static void write_escape(uint32_t point, struct writer *out)
{
    writer_print(out,
                 point <= 0xff     ? "\\x%02" PRIx32
                 : point <= 0xffff ? "\\u%04" PRIx32
                                   : "\\U%08" PRIx32,
                 point);
}

/* In Sigma's values \ * and ? have a meaning, which a \ before them takes away; in double quotes
 * YAML's \ has to be written twice. */
static void write_quoted(struct text t, bool sigma, struct writer *out)
{
    size_t len;
    bool doubles = false;
    for (size_t at = 0; at < t.len; at += len) {
        doubles = doubles || !is_plain(decode(text_part(t, at, t.len), &len));
    }
    writer_u8(out, doubles ? '"' : '\'');
    for (size_t at = 0; at < t.len; at += len) {
        uint32_t point = decode(text_part(t, at, t.len), &len);
        if (sigma && (point == '\\' || point == '*' || point == '?')) {
            writer_bytes(out, doubles ? TEXT("\\\\") : TEXT("\\"));
        }
        if (doubles && !is_plain(point)) {
            write_escape(point, out);
        } else if (point == (doubles ? '"' : '\'') || (doubles && point == '\\')) {
            writer_u8(out, doubles ? '\\' : '\'');
            writer_u8(out, (uint8_t)point);
        } else {
            writer_bytes(out, text_part(t, at, len));
        }
    }
    writer_u8(out, doubles ? '"' : '\'');
}

static void write_item(const struct event *e, enum field field, struct writer *out)
{
    const struct field_info *info = field_info(field);
    struct value v = event_get(e, field);
    struct text part = writable(v.text);
    bool whole = v.kind != VALUE_TEXT || part.len == v.text.len;
    writer_print(out, "%s%s: ", info->sigma[0] ? info->sigma : info->name,
                 whole ? "" : "|startswith");
    if (v.kind == VALUE_TEXT) {
        write_quoted(part, true, out);
    } else if (v.kind == VALUE_BOOL) {
        writer_print(out, "%s", v.number ? "true" : "false");
    } else {
        writer_print(out, "%" PRId64, v.number);
    }
    writer_u8(out, '\n');
}

/* ── the rule ── */

/* Sigma's category where the type has one; our own name for the type otherwise. */
static const char *category_of(const struct event *e)
{
    const struct event_info *info = event_info((enum event_type)e->header.type);
    for (unsigned i = 0; i < SIGMA_CATEGORY_COUNT; i++) {
        if (info->sigma_categories >> i & 1) {
            return sigma_category_name((enum sigma_category)i);
        }
    }
    return info->name;
}

static bool is_word(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        if (!(t.ptr[i] >= 'a' && t.ptr[i] <= 'z') && t.ptr[i] != '_') {
            return false;
        }
    }
    return t.len > 0;
}

/* The usual words stand without quotes, as people write them. */
static void write_member(const char *name, struct text value, struct writer *out)
{
    if (value.len == 0) {
        return;
    }
    writer_print(out, "    %s: ", name);
    if (is_word(value)) {
        writer_bytes(out, value);
    } else {
        write_quoted(writable(value), false, out);
    }
    writer_u8(out, '\n');
}

/* Would a rule of this category be asked about the event? As the compiler has it: Sigma's
 * categories, then the names of our types; what is neither is kept by recorded events alone. */
static bool has_category(const struct event *e, struct text category)
{
    enum sigma_category sigma = sigma_category_by_name(category);
    enum event_type type = event_type_by_name(category);
    if (sigma != SIGMA_CATEGORY_COUNT) {
        return event_types_of(sigma) >> e->header.type & 1;
    }
    return type == (enum event_type)e->header.type ||
           (type == EVENT_COUNT && e->header.type == EVENT_RECORDED);
}

/* A recorded event is of the category that it names. Where that says nothing, a rule without
 * category is asked about every event of the product. */
static void write_source(const struct event *e, struct writer *out)
{
    struct text product = event_text(e, FIELD_LOG_PRODUCT);
    struct text category = event_text(e, FIELD_LOG_CATEGORY);
    bool unnamed = event_get(e, FIELD_LOG_CATEGORY).kind == VALUE_ABSENT;
    if (unnamed && e->header.type != EVENT_RECORDED) {
        category = text_of(category_of(e));
    }
    writer_bytes(out, TEXT("logsource:\n"));
    write_member("category", has_category(e, category) ? category : TEXT(""), out);
    write_member("product", product.len ? product : TEXT("linux"), out);
    write_member("service", event_text(e, FIELD_LOG_SERVICE), out);
}

static void write_selection(const struct event *e, const enum field *fields, size_t count,
                            struct writer *out)
{
    writer_bytes(out, TEXT("detection:\n    selection:\n"));
    for (size_t i = 0; i < count; i++) {
        writer_bytes(out, TEXT("        "));
        write_item(e, fields[i], out);
    }
    bool titled = false;
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        enum field field = (enum field)i;
        bool chosen = false;
        for (size_t k = 0; k < count; k++) {
            chosen = chosen || fields[k] == field;
        }
        bool text = event_get(e, field).kind == VALUE_TEXT || field == FIELD_ERROR;
        if (chosen || is_origin(field) || !text || !says_something(e, field)) {
            continue;
        }
        if (!titled) {
            writer_bytes(out, TEXT("        # The event also has, and a rule may ask for:\n"));
            titled = true;
        }
        writer_bytes(out, TEXT("        # "));
        write_item(e, field, out);
    }
    writer_bytes(out, TEXT("    condition: selection\n"));
}

static void write_title(const struct event *e, struct writer *out)
{
    char room[TITLE_MAX];
    struct text about = event_text(e, FIELD_TARGET_PATH);
    about = writable(about.len ? about : event_text(e, FIELD_PATH));
    struct writer title = writer_over(room, sizeof room);
    writer_print(&title, "Draft: %s", event_info((enum event_type)e->header.type)->name);
    if (about.len && about.len < TITLE_MAX / 2) {
        writer_print(&title, " of %.*s", TEXT_ARGS(about));
    }
    writer_bytes(out, TEXT("title: "));
    write_quoted(writer_text(&title), false, out);
    writer_u8(out, '\n');
}

struct status skeleton_rule(const struct skeleton *s, struct writer *out)
{
    const struct event *e = s->event;
    enum field fields[TELLING];
    size_t count = select_fields(e, fields);
    bool ours = e->header.type == EVENT_ALERT || e->header.type == EVENT_HEALTH;
    if (count == 0 || ours) {
        FAIL(MISSING);
    }
    writer_bytes(out, TEXT("# Made by `bulkhead content new` from "));
    write_quoted(writable(s->origin), false, out);
    writer_bytes(out, TEXT(".\n# It matches that event and few others: keep what makes the attack "
                           "one, widen the rest.\n"));
    write_title(e, out);
    writer_print(out, "id: %s\nstatus: experimental\n", s->id);
    writer_bytes(out, TEXT("description: >-\n    What happened, why it matters, and where to look "
                           "next. People read it at night.\nauthor: your name\n"));
    writer_print(out, "date: %s\n", s->date);
    writer_bytes(out, TEXT("tags:\n    - attack.execution # the tactic and technique that it shows "
                           "best\n"));
    write_source(e, out);
    write_selection(e, fields, count, out);
    writer_bytes(out, TEXT("falsepositives:\n    - Unknown\nlevel: medium\n"));
    return writer_end(out);
}

/* ── its test events ── */

static void copy_value(const struct event *e, enum field field, struct event_builder *b)
{
    struct value v = event_get(e, field);
    switch (v.kind) {
    case VALUE_ABSENT:
        break;
    case VALUE_NULL:
        event_put_null(b, field);
        break;
    case VALUE_TEXT:
        event_put_cut(b, field, v.text, v.cut);
        break;
    case VALUE_NUMBER:
        event_put_number(b, field, v.number);
        break;
    case VALUE_BOOL:
        event_put_bool(b, field, v.number != 0);
        break;
    }
}

/* A value that the rule does not ask for. In front of a text, since of long ones the rule asks for
 * the beginning: "/near-miss/dev/shm/x". */
static void put_other(const struct event *e, enum field field, struct event_builder *b)
{
    char room[SKELETON_VALUE_MAX];
    struct value v = event_get(e, field);
    struct writer other = writer_over(room, sizeof room);
    if (v.kind == VALUE_TEXT) {
        writer_bytes(&other, TEXT("/near-miss"));
        writer_bytes(&other, text_part(v.text, 0, SKELETON_VALUE_MAX / 2));
        event_put_text(b, field, writer_text(&other));
    } else if (v.kind == VALUE_BOOL) {
        event_put_bool(b, field, v.number == 0);
    } else {
        event_put_number(b, field, v.number + 1);
    }
}

static struct status make_near_miss(const struct event *e, void *room, struct event *out)
{
    enum field fields[TELLING];
    struct event_builder b;
    struct text record;
    size_t count = select_fields(e, fields);
    if (count == 0) {
        FAIL(MISSING);
    }
    event_begin(&b, room, EVENT_MAX);
    put_other(e, fields[0], &b);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        copy_value(e, (enum field)i, &b); /* what was put already stays */
    }
    TRY(event_end(&b, e->header, &record));
    return event_open(record, out);
}

static void write_test(const struct skeleton *s, bool expect, const struct event *e,
                       struct writer *out)
{
    struct json j = json_over(out);
    json_open(&j, '{');
    json_member_text(&j, "rule", text_of(s->id));
    json_member_bool(&j, "expect", expect);
    json_member_text(&j, "note",
                     expect ? TEXT("the event that the rule was made from")
                            : TEXT("a near miss: differs in what makes the attack one"));
    json_key(&j, "event");
    event_json_write(e, out);
    j.comma = true;
    json_close(&j, '}');
    writer_u8(out, '\n');
}

struct status skeleton_tests(const struct skeleton *s, struct writer *out)
{
    OWN(heap_drop) void *room = heap_alloc(EVENT_MAX, 1);
    struct event other;
    if (!room) {
        FAIL(MEMORY);
    }
    TRY(make_near_miss(s->event, room, &other));
    write_test(s, true, s->event, out);
    write_test(s, false, &other, out);
    return writer_end(out);
}

void skeleton_id(const uint8_t random[16], char *out)
{
    struct writer w = writer_over(out, SKELETON_ID - 1);
    for (size_t i = 0; i < 16; i++) {
        uint8_t byte = random[i];
        byte = i == 6 ? (uint8_t)(0x40 | (byte & 0x0f)) : byte; /* version 4 … */
        byte = i == 8 ? (uint8_t)(0x80 | (byte & 0x3f)) : byte; /* … of RFC 9562's variant */
        writer_print(&w, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", byte);
    }
    out[SKELETON_ID - 1] = '\0';
}
