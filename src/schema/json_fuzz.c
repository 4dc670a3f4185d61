/* Whatever the reader takes comes back: written, read and written again it is the same line. */
#include "schema/event.h"

#include "base/own.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t room[EVENT_MAX];
static char first[EVENT_JSON_MAX];
static char second[EVENT_JSON_MAX];

static struct text as_json(const struct event *event, char *out)
{
    struct writer w = writer_over(out, EVENT_JSON_MAX);
    event_json_write(event, &w);
    ENSURE(status_ok(writer_end(&w)));
    return writer_text(&w);
}

static void check_ocsf(const struct event *event)
{
    struct writer w = writer_over(second, sizeof second);
    event_ocsf_write(event, &w);
    ENSURE(status_ok(writer_end(&w)));
    json_t *root = json_loadb(second, w.used, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    ENSURE(root);
    json_decref(root);
}

/* A cut text may end within a character, which JSON cannot hold. */
static bool any_cut(const struct event *event)
{
    bool cut = false;
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        cut = cut || event_get(event, (enum field)i).cut;
    }
    return cut;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text line = {(const char *)data, size};
    struct event_json_fault fault;
    struct event event;
    for (enum event_names names = EVENT_NAMES_OURS; names <= EVENT_NAMES_SIGMA; names++) {
        if (!status_ok(event_json_read(line, names, room, sizeof room, &event, &fault))) {
            continue;
        }
        check_ocsf(&event);
        bool cut = any_cut(&event);
        struct text before = as_json(&event, first);
        struct status again =
            event_json_read(before, EVENT_NAMES_OURS, room, sizeof room, &event, &fault);
        ENSURE(cut || status_ok(again));
        ENSURE(cut || text_same(before, as_json(&event, second)));
    }
    return 0;
}
