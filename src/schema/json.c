#include "schema/json.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

/* In quotes and in hex: JavaScript would round 64 bits, and people compare digits. */
static void write_guid(struct json *j, uint64_t guid)
{
    char digits[17];
    int len = snprintf(digits, sizeof digits, "%016" PRIx64, guid);
    json_text(j, (struct text){digits, (size_t)len});
}

void json_event_value(struct json *j, enum field field, struct value value)
{
    switch (value.kind) {
    case VALUE_TEXT:
        json_text(j, value.text);
        break;
    case VALUE_NUMBER:
        if (field_info(field)->kind == FIELD_KIND_GUID) {
            write_guid(j, (uint64_t)value.number);
        } else {
            json_number(j, value.number);
        }
        break;
    case VALUE_BOOL:
        json_bool(j, value.number != 0);
        break;
    case VALUE_ABSENT:
    case VALUE_NULL:
        json_nothing(j);
        break;
    }
}

void json_event_cut(struct json *j, const struct event *event)
{
    bool any = false;
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (event_get(event, (enum field)i).cut) {
            if (!any) {
                json_key(j, "cut");
                json_open(j, '[');
                any = true;
            }
            json_text(j, text_of(field_info((enum field)i)->name));
        }
    }
    if (any) {
        json_close(j, ']');
    }
}

void event_json_write(const struct event *event, struct writer *out)
{
    char time[CLOCK_TEXT];
    struct json j = json_over(out);
    json_open(&j, '{');
    json_member_text(&j, "type", text_of(event_info((enum event_type)event->header.type)->name));
    json_key(&j, "seq");
    json_unsigned(&j, event->header.seq);
    json_key(&j, "type_seq");
    json_unsigned(&j, event->header.type_seq);
    json_member_text(&j, "time", text_of(clock_text(event->header.time_ns, time)));
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        struct value value = event_get(event, (enum field)i);
        if (value.kind != VALUE_ABSENT) {
            json_key(&j, field_info((enum field)i)->name);
            json_event_value(&j, (enum field)i, value);
        }
    }
    json_event_cut(&j, event);
    json_close(&j, '}');
}
