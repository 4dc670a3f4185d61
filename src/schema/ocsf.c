/*
 * Events in the shape of OCSF 1.3 (schema.ocsf.io). The path of a field there stands in events.def;
 * here are the class's frame, the members that OCSF demands, and what differs from class to class.
 * Class and activity numbers, attribute names and their types are OCSF's.
 */
#include "schema/json.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

enum { OCSF_PROCESS_ACTIVITY = 1007, OCSF_OS_LINUX = 200, OCSF_FILE = 1, OCSF_FOLDER = 2 };

static const char *class_name(uint16_t class_uid)
{
    switch (class_uid) {
    case 1001:
        return "File System Activity";
    case 1005:
        return "Module Activity";
    case OCSF_PROCESS_ACTIVITY:
        return "Process Activity";
    case 2004:
        return "Detection Finding";
    case 4001:
        return "Network Activity";
    case 6002:
        return "Application Lifecycle";
    default:
        return "Base Event";
    }
}

static int64_t severity_id(struct text level)
{
    unsigned rank = level_rank(level);
    return rank ? rank : 1;
}

/* The subject's paths where it acts upon something else: "actor.process.pid". */
static const char *const actor_paths[FIELD_COUNT] = {
#define FIELD(ID, name_, kind_, unit_, sigma_, ocsf_, prose_) [FIELD_##ID] = "actor." ocsf_,
#include "schema/events.def"
};

/* Fields that stand where another field stands for most types. For OCSF `process` is what was acted
 * upon, `file` what an operation began with and `file_result` what it led to. */
static const struct {
    enum event_type type;
    enum field field;
    enum field place;
} moved[] = {
    {EVENT_PROCESS_FORK, FIELD_CHILD_PID, FIELD_PID},
    {EVENT_PROCESS_FORK, FIELD_CHILD_GUID, FIELD_PROCESS_GUID},
    {EVENT_PROCESS_TRACE, FIELD_TARGET_PID, FIELD_PID},
    {EVENT_PROCESS_TRACE, FIELD_TARGET_GUID, FIELD_PROCESS_GUID},
    {EVENT_PROCESS_TRACE, FIELD_TARGET_PROCESS, FIELD_PATH},
    {EVENT_FILE_RENAME, FIELD_TARGET_PATH, FIELD_SOURCE_PATH},
    {EVENT_FILE_RENAME, FIELD_SOURCE_PATH, FIELD_TARGET_PATH},
    {EVENT_FILE_LINK, FIELD_TARGET_PATH, FIELD_SOURCE_PATH},
    {EVENT_FILE_LINK, FIELD_SOURCE_PATH, FIELD_TARGET_PATH},
};

/* Does the subject stand under `actor`? In the life of a process it is the process itself. */
static bool subject_acts(enum event_type type)
{
    return event_info(type)->ocsf_class != OCSF_PROCESS_ACTIVITY || type == EVENT_PROCESS_FORK ||
           type == EVENT_PROCESS_TRACE;
}

static struct text path_of(const struct event *event, enum field field)
{
    enum event_type type = (enum event_type)event->header.type;
    for (size_t i = 0; i < sizeof moved / sizeof moved[0]; i++) {
        if (moved[i].type == type && moved[i].field == field) {
            return text_of(field_info(moved[i].place)->ocsf);
        }
    }
    struct text path = text_of(field_info(field)->ocsf);
    bool acts = text_starts(path, TEXT("process.")) && subject_acts(type);
    return acts ? text_of(actor_paths[field]) : path;
}

/* ── members ── */

/* The first present field whose path starts with `prefix`, or FIELD_COUNT. */
static enum field first_under(const struct event *event, struct text prefix)
{
    unsigned i = 0;
    while (i < FIELD_COUNT && (event_get(event, (enum field)i).kind == VALUE_ABSENT ||
                               !text_starts(path_of(event, (enum field)i), prefix))) {
        i++;
    }
    return (enum field)i;
}

/* OCSF's ids and codes are strings, whatever they are here. */
static void write_value(struct json *j, enum field field, struct value value, struct text name)
{
    bool as_string = text_same(name, TEXT("uid")) || text_same(name, TEXT("status_code"));
    if (as_string && value.kind == VALUE_NUMBER && field_info(field)->kind == FIELD_KIND_NUMBER) {
        char digits[24];
        int len = snprintf(digits, sizeof digits, "%" PRId64, value.number);
        json_text(j, (struct text){digits, (size_t)len});
    } else {
        json_event_value(j, field, value);
    }
}

static void write_file_name(struct json *j, struct text path)
{
    size_t slash = text_find_last(path, '/');
    json_member_text(j, "name", slash == SIZE_MAX ? path : text_part(path, slash + 1, path.len));
    json_member_number(j, "type_id", text_ends(path, TEXT("/")) ? OCSF_FOLDER : OCSF_FILE);
}

/* What OCSF demands of the object at `prefix` and no field of ours says. */
static void write_required(struct json *j, const struct event *event, struct text prefix)
{
    if (text_ends(prefix, TEXT("file.")) || text_same(prefix, TEXT("file_result."))) {
        write_file_name(j, event_text(event, first_under(event, prefix)));
    } else if (text_same(prefix, TEXT("connection_info."))) {
        struct value out = event_get(event, FIELD_INITIATED);
        json_member_number(j, "direction_id", out.kind == VALUE_BOOL ? (out.number ? 2 : 1) : 0);
    } else if (text_same(prefix, TEXT("finding_info."))) {
        char uid[48];
        int len = snprintf(uid, sizeof uid, "%016" PRIx64 "-%" PRIu64, event->header.time_ns,
                           event->header.seq);
        json_member_text(j, "uid", (struct text){uid, (size_t)len});
    }
}

/* The members under `prefix` ("" or "process.file."), deeper ones by calling itself: paths
 * are at most five names deep. Each object is written where its first field stands. */
static void write_members(struct json *j, const struct event *event, struct text prefix)
{
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        enum field field = (enum field)i;
        struct value value = event_get(event, field);
        struct text path = path_of(event, field);
        if (value.kind == VALUE_ABSENT || path.len == 0 || !text_starts(path, prefix)) {
            continue;
        }
        struct text rest = text_part(path, prefix.len, path.len);
        struct text name = text_part(rest, 0, text_find_byte(rest, '.'));
        char key[32];
        text_copy(name, key, sizeof key);
        if (name.len == rest.len) {
            json_key(j, key);
            write_value(j, field, value, name);
            continue;
        }
        struct text deeper = text_part(path, 0, prefix.len + name.len + 1);
        if (first_under(event, deeper) == field) {
            json_key(j, key);
            json_open(j, '{');
            write_required(j, event, deeper);
            write_members(j, event, deeper);
            json_close(j, '}');
        }
    }
}

/* ── the frame ── */

static void write_metadata(struct json *j, const struct event *event)
{
    json_key(j, "metadata");
    json_open(j, '{');
    json_member_text(j, "version", TEXT("1.3.0"));
    json_member_text(j, "event_code",
                     text_of(event_info((enum event_type)event->header.type)->name));
    json_key(j, "sequence");
    json_unsigned(j, event->header.seq);
    json_key(j, "product");
    json_open(j, '{');
    json_member_text(j, "name", TEXT("Bulkhead"));
    json_member_text(j, "vendor_name", TEXT("Bulkhead"));
    json_member_text(j, "version", TEXT(BULKHEAD_VERSION));
    json_close(j, '}');
    json_close(j, '}');
}

static void write_class(struct json *j, const struct event *event)
{
    const struct event_info *info = event_info((enum event_type)event->header.type);
    struct value error = event_get(event, FIELD_ERROR);
    json_member_number(j, "class_uid", info->ocsf_class);
    json_member_text(j, "class_name", text_of(class_name(info->ocsf_class)));
    json_member_number(j, "category_uid", info->ocsf_class / 1000);
    json_member_number(j, "activity_id", info->ocsf_activity);
    json_member_number(j, "type_uid", info->ocsf_class * 100 + info->ocsf_activity);
    json_member_number(j, "time", (int64_t)(event->header.time_ns / CLOCK_NS_PER_MS));
    json_member_number(j, "severity_id", severity_id(event_text(event, FIELD_LEVEL)));
    if (error.kind == VALUE_NUMBER) {
        json_member_number(j, "status_id", error.number == 0 ? 1 : 2);
    }
}

/* Which machine it was is for the collector to say: events do not carry it. */
static void write_device(struct json *j)
{
    json_key(j, "device");
    json_open(j, '{');
    json_member_number(j, "type_id", 0);
    json_key(j, "os");
    json_open(j, '{');
    json_member_text(j, "name", TEXT("Linux"));
    json_member_number(j, "type_id", OCSF_OS_LINUX);
    json_close(j, '}');
    json_close(j, '}');
}

static void write_unmapped(struct json *j, const struct event *event)
{
    json_key(j, "unmapped");
    json_open(j, '{');
    json_key(j, "type_seq");
    json_unsigned(j, event->header.type_seq);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        struct value value = event_get(event, (enum field)i);
        if (value.kind != VALUE_ABSENT && path_of(event, (enum field)i).len == 0) {
            json_key(j, field_info((enum field)i)->name);
            json_event_value(j, (enum field)i, value);
        }
    }
    json_event_cut(j, event);
    json_close(j, '}');
}

void event_ocsf_write(const struct event *event, struct writer *out)
{
    struct json j = json_over(out);
    json_open(&j, '{');
    write_class(&j, event);
    write_metadata(&j, event);
    if (event->header.type != EVENT_RECORDED) {
        write_device(&j);
    }
    write_members(&j, event, TEXT(""));
    write_unmapped(&j, event);
    json_close(&j, '}');
}
