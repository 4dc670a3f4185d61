#include "ctl/content/content_tests.h"

#include "base/count.h"
#include "base/own.h"
#include "ctl/content/content_events.h"
#include "ctl/ctl.h"
#include "schema/event.h"

#include <errno.h>
#include <fts.h>

enum { TESTS_MEMORY = 1 << 30 }; /* bytes: as much as the builder has */

struct content_test {
    struct text rule;
    struct text event;
    bool expect;
};

static struct status keep(struct content_tests *tests, const json_t *root,
                          const struct event *event)
{
    tests->items = arena_push(&tests->arena, tests->items, tests->count, &tests->capacity,
                              sizeof *tests->items);
    if (!tests->items) {
        FAIL(MEMORY);
    }
    struct content_test *test = &tests->items[tests->count];
    struct text record = {.ptr = event->record, .len = event->header.size};
    test->expect = json_is_true(json_object_get(root, "expect"));
    TRY(arena_text(&tests->arena, text_of(json_string_value(json_object_get(root, "rule"))),
                   &test->rule));
    TRY(arena_text(&tests->arena, record, &test->event));
    tests->count++;
    return OK;
}

/* NULL: the line is one, and kept. Otherwise what is wrong with it. */
static const char *read_line(struct content_tests *tests, struct text line,
                             struct event_json_fault *fault)
{
    static char room[CONTENT_LINE_MAX];
    static uint8_t record[EVENT_MAX];
    OWN(ctl_json_drop) json_t *root = json_loadb(line.ptr, line.len, JSON_ALLOW_NUL, NULL);
    const json_t *inner = json_object_get(root, "event");
    struct event event;
    if (!json_is_string(json_object_get(root, "rule")) ||
        !json_is_boolean(json_object_get(root, "expect")) || !json_is_object(inner)) {
        return "a test event is {\"rule\":ID,\"expect\":true,\"event\":{…}}";
    }
    size_t len = json_dumpb(inner, room, sizeof room, JSON_COMPACT);
    bool sigma = json_object_get(inner, "fields");
    if (len == 0 || len > sizeof room ||
        !status_ok(event_json_read((struct text){room, len},
                                   sigma ? EVENT_NAMES_SIGMA : EVENT_NAMES_OURS, record,
                                   sizeof record, &event, fault))) {
        return fault->words[0] ? fault->words : "the event is too large";
    }
    return status_ok(keep(tests, root, &event)) ? NULL : "there is no memory for it";
}

static struct status read_file(struct content_tests *tests, const char *path, bool *good)
{
    OWN(content_lines_close) struct content_lines lines = {0};
    char words[256];
    size_t bad = 0;
    TRY(content_lines_open(&lines, path));
    for (unsigned number = 1;; number++) {
        struct event_json_fault fault = {0};
        struct text line;
        struct status s = content_lines_next(&lines, &line);
        if (s.fault == FAULT_CLOSED) {
            break;
        }
        if (!status_ok(s)) {
            ctl_error("cannot read %s: %s", path,
                      content_lines_fault(&lines, s, words, sizeof words));
            *good = false;
            break;
        }
        const char *wrong = text_trim(line).len ? read_line(tests, line, &fault) : NULL;
        if (wrong && bad++ < CONTENT_BAD_LINES_TOLD) {
            ctl_error("%s:%u: %s", path, number, wrong);
        }
    }
    if (bad > CONTENT_BAD_LINES_TOLD) {
        ctl_error("%s: and %s", path,
                  COUNTED(bad - CONTENT_BAD_LINES_TOLD, "more line that is none",
                          "more lines that are none"));
    }
    *good = *good && bad == 0;
    return OK;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void fts_drop(FTS **fts)
{
    if (*fts) {
        fts_close(*fts);
    }
}

static bool is_tests(const FTSENT *entry)
{
    return entry->fts_info == FTS_F && (entry->fts_level == FTS_ROOTLEVEL ||
                                        text_ends(text_of(entry->fts_name), TEXT(".jsonl")));
}

bool content_tests_read(struct content_tests *tests, const char *path)
{
    char *const paths[] = {(char *)(uintptr_t)path, NULL};
    char words[256];
    bool good = true;
    if (!tests->arena.limit) {
        arena_init(&tests->arena, TESTS_MEMORY);
    }
    OWN(fts_drop) FTS *fts = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    for (FTSENT *entry = fts ? fts_read(fts) : NULL; entry; entry = fts_read(fts)) {
        struct status s = OK;
        if (is_tests(entry)) {
            s = read_file(tests, entry->fts_path, &good);
        } else if (entry->fts_errno) {
            s = (struct status){FAULT_SYSTEM, entry->fts_errno, STATUS_HERE};
        }
        if (!status_ok(s)) {
            ctl_error("cannot read %s: %s", entry->fts_path, status_plain(s, words, sizeof words));
            good = false;
        }
    }
    return fts && good;
}

struct status content_tests_give(struct content_tests *tests, struct rule *rule)
{
    size_t count = 0;
    if (tests->count == 0) {
        return OK;
    }
    if (!tests->vectors) {
        tests->vectors = arena_alloc(&tests->arena, tests->count, sizeof *tests->vectors);
    }
    if (!tests->vectors) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < tests->count; i++) {
        const struct content_test *test = &tests->items[i];
        if (text_same(test->rule, rule->id)) {
            tests->vectors[count++] =
                (struct vector){.event = test->event, .matches = test->expect};
        }
    }
    rule->vectors = tests->vectors;
    rule->vector_count = count;
    return OK;
}

void content_tests_done(struct content_tests *tests)
{
    arena_done(&tests->arena);
}
