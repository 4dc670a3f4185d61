#include "sdk/client.h"

#include "base/heap.h"

/* Numbers outside the schema are nobody's fault: an older library meets newer callers. */
static struct value value_of(const struct bh_event *event, int field)
{
    if (field < 0 || field >= FIELD_COUNT) {
        return (struct value){.kind = VALUE_ABSENT};
    }
    return event_get(&event->event, (enum field)field);
}

int bh_event_type(const struct bh_event *event)
{
    return event->event.header.type;
}

uint64_t bh_event_seq(const struct bh_event *event)
{
    return event->event.header.seq;
}

uint64_t bh_event_type_seq(const struct bh_event *event)
{
    return event->event.header.type_seq;
}

uint64_t bh_event_time(const struct bh_event *event)
{
    return event->event.header.time_ns;
}

bool bh_event_has(const struct bh_event *event, int field)
{
    return value_of(event, field).kind != VALUE_ABSENT;
}

struct bh_text bh_event_text(const struct bh_event *event, int field)
{
    struct value v = value_of(event, field);
    return v.kind == VALUE_TEXT ? (struct bh_text){.ptr = v.text.ptr, .len = v.text.len}
                                : (struct bh_text){.ptr = "", .len = 0};
}

int64_t bh_event_number(const struct bh_event *event, int field)
{
    struct value v = value_of(event, field);
    return v.kind == VALUE_NUMBER ? v.number : 0;
}

bool bh_event_bool(const struct bh_event *event, int field)
{
    struct value v = value_of(event, field);
    return v.kind == VALUE_BOOL && v.number != 0;
}

bool bh_event_cut(const struct bh_event *event, int field)
{
    return value_of(event, field).cut;
}

struct bh_text bh_event_record(const struct bh_event *event)
{
    return (struct bh_text){.ptr = event->event.record, .len = event->event.header.size};
}

static int write_json(const struct bh_event *event, char *buffer, size_t size, size_t *out,
                      void (*write)(const struct event *event, struct writer *out))
{
    struct writer w = writer_over(buffer, size);
    write(&event->event, &w);
    writer_u8(&w, 0);
    if (!status_ok(writer_end(&w))) {
        return BH_LIMIT;
    }
    if (out) {
        *out = w.used - 1;
    }
    return BH_OK;
}

int bh_event_json(const struct bh_event *event, char *buffer, size_t size, size_t *out)
{
    return write_json(event, buffer, size, out, event_json_write);
}

int bh_event_ocsf(const struct bh_event *event, char *buffer, size_t size, size_t *out)
{
    return write_json(event, buffer, size, out, event_ocsf_write);
}

/* The copy's record lies behind it, in the same block. */
int bh_event_copy(const struct bh_event *event, struct bh_event **out)
{
    struct bh_text record = bh_event_record(event);
    struct bh_event *copy = heap_alloc(1, sizeof *copy + record.len);
    if (!copy) {
        return BH_MEMORY;
    }
    struct writer w = writer_over(copy + 1, record.len);
    writer_bytes(&w, (struct text){.ptr = record.ptr, .len = record.len});
    struct status s = event_open(writer_text(&w), &copy->event);
    ENSURE(status_ok(s)); /* it was checked before it became an event */
    *out = copy;
    return BH_OK;
}

void bh_event_free(struct bh_event *event)
{
    heap_free(event);
}

const char *bh_type_name(int type)
{
    return type >= 0 && type < EVENT_COUNT ? event_info((enum event_type)type)->name : NULL;
}

const char *bh_field_name(int field)
{
    return field >= 0 && field < FIELD_COUNT ? field_info((enum field)field)->name : NULL;
}

int bh_type_by_name(const char *name)
{
    enum event_type type = event_type_by_name(text_of(name));
    return type == EVENT_COUNT ? -1 : (int)type;
}

int bh_field_by_name(const char *name)
{
    enum field field = field_by_name(text_of(name));
    return field == FIELD_COUNT ? -1 : (int)field;
}
