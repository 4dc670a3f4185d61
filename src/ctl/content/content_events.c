#include "ctl/content/content_events.h"

#include "base/count.h"
#include "base/heap.h"
#include "base/own.h"
#include "base/quote.h"
#include "ctl/ctl.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

enum { WORDS = 256 };

bool content_names_of(const char *word, enum content_names *out)
{
    bool sigma = text_same(text_of(word), TEXT("sigma"));
    if (!sigma && !text_same(text_of(word), TEXT("bulkhead"))) {
        return false;
    }
    *out = sigma ? CONTENT_NAMES_SIGMA : CONTENT_NAMES_OURS;
    return true;
}

bool content_events_open(struct content_events *e, const char *path, enum content_names names)
{
    char words[WORDS];
    *e = (struct content_events){.path = path, .names = names};
    e->record = heap_alloc(EVENT_MAX, 1);
    struct status s = e->record ? content_lines_open(&e->lines, path)
                                : (struct status){.fault = FAULT_MEMORY, .where = STATUS_HERE};
    if (!status_ok(s)) {
        ctl_error("cannot read %s: %s", path, status_plain(s, words, sizeof words));
        content_events_close(e);
        return false;
    }
    return true;
}

void content_events_close(struct content_events *e)
{
    content_lines_close(&e->lines);
    heap_free(e->record);
    e->record = NULL;
}

void content_events_complain(struct content_events *e, const char *why)
{
    e->bad_lines++;
    if (e->bad_lines <= CONTENT_BAD_LINES_TOLD) {
        char path[PATH_MAX];
        char words[2 * WORDS];
        fprintf(stderr, "%s:%" PRIu64 ": %s\n", quote_line(path, sizeof path, text_of(e->path)),
                e->lines.line, quote_line(words, sizeof words, text_of(why)));
    }
}

static void tell_rest(const struct content_events *e)
{
    char room[WORDS];
    const char *words = content_lines_caveat(&e->lines, room, sizeof room);
    if (words) {
        ctl_error("%s: %s", e->path, words);
    }
    if (e->bad_lines > CONTENT_BAD_LINES_TOLD) {
        ctl_error("%s: and %s", e->path,
                  COUNTED(e->bad_lines - CONTENT_BAD_LINES_TOLD, "more line that is no event",
                          "more lines that are no events"));
    }
}

/* In a JSON text a quote has a backslash before it: `"fields"` can only be a name or a whole text.
 */
static enum event_names names_of(enum content_names names, struct text line)
{
    if (names != CONTENT_NAMES_BY_LINE) {
        return names == CONTENT_NAMES_SIGMA ? EVENT_NAMES_SIGMA : EVENT_NAMES_OURS;
    }
    return text_find(line, TEXT("\"fields\"")) == SIZE_MAX ? EVENT_NAMES_OURS : EVENT_NAMES_SIGMA;
}

struct status content_event_read(struct text line, enum content_names names, uint8_t *record,
                                 struct event *out, struct event_json_fault *fault)
{
    fault->words[0] = '\0';
    struct status s = event_json_read(line, names_of(names, line), record, EVENT_MAX, out, fault);
    if (!status_ok(s) && !fault->words[0]) {
        snprintf(fault->words, sizeof fault->words, "%s", fault_words(s.fault));
    }
    return s;
}

enum content_next content_events_next(struct content_events *e)
{
    struct event_json_fault fault;
    char words[WORDS];
    for (;;) {
        struct status s = content_lines_next(&e->lines, &e->line);
        if (s.fault == FAULT_CLOSED) {
            tell_rest(e);
            return CONTENT_NEXT_END;
        }
        if (s.fault == FAULT_LIMIT) {
            content_events_complain(e, "the line is longer than any event");
            continue;
        }
        if (!status_ok(s)) {
            ctl_error("cannot read %s: %s", e->path,
                      content_lines_fault(&e->lines, s, words, sizeof words));
            return CONTENT_NEXT_BROKEN;
        }
        if (text_trim(e->line).len == 0) {
            continue;
        }
        s = content_event_read(e->line, e->names, e->record, &e->event, &fault);
        if (status_ok(s)) {
            e->count++;
            return CONTENT_NEXT_EVENT;
        }
        content_events_complain(e, fault.words);
    }
}
