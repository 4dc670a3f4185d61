#include "ctl/content/trial.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/prove/prove.h"
#include "ctl/content/content_detector.h"
#include "ctl/ctl.h"

#include <inttypes.h>
#include <stdio.h>

struct status trial_init(struct trial *t, const struct pack *pack)
{
    t->pack = pack;
    t->rule_count = pack_count(pack, PACK_RULES);
    t->only = SIZE_MAX;
    t->first = true;
    t->loudest = (int)level_rank(TEXT("medium"));
    t->rules = heap_alloc(t->rule_count + 1, sizeof *t->rules);
    if (!t->rules) {
        FAIL(MEMORY);
    }
    TRY(content_page_init(&t->page, !t->json));
    return matcher_new(pack, &t->matcher);
}

void trial_done(struct trial *t)
{
    for (size_t i = 0; t->rules && i < t->rule_count; i++) {
        heap_free(t->rules[i].ordinary_words);
    }
    heap_free(t->rules);
    matcher_drop(&t->matcher);
    detector_drop(&t->detector);
    content_page_done(&t->page);
    t->rules = NULL;
}

/* ── one event ── */

static void on_match(void *context, size_t index)
{
    struct trial *t = context;
    t->rules[index].stamp = t->stamp;
}

static void on_fault(void *context, size_t index, const char *what)
{
    struct trial *t = context;
    t->unreadable = true;
    content_tell_fault(t->pack, index, what);
}

static void on_alert(void *context, size_t index, const struct correlation_hit *hit)
{
    (void)hit;
    on_match(context, index);
}

static void on_lossy(void *context, size_t index, uint64_t events)
{
    struct trial *t = context;
    t->unreadable = true;
    content_tell_lossy(t->pack, index, events);
}

static void next_stamp(struct trial *t)
{
    if (++t->stamp == 0) { /* a stamp of four billion events ago is none of now */
        for (size_t i = 0; i < t->rule_count; i++) {
            t->rules[i].stamp = 0;
        }
        t->stamp = 1;
    }
}

/* What was not decided looks like no match, and must not pass for one. */
static void check_decided(struct trial *t, size_t undecided)
{
    if (undecided) {
        t->unreadable = true;
        ctl_error(
            "%zu rules were not decided: an event holds too much of what they look for, or comes "
            "too late",
            undecided);
    }
}

/* One event alone, rules that raise no alert themselves included. */
static void match(struct trial *t, const struct event *event)
{
    struct matcher_sink sink = {.context = t, .on_match = on_match, .on_fault = on_fault};
    next_stamp(t);
    matcher_run(t->matcher, event, &sink);
    check_decided(t, matcher_undecided(t->matcher));
}

/* The next event of a file, or of a sequence: alerts, those of correlations included. */
static void detect(struct trial *t, const struct event *event)
{
    struct detector_sink sink = {
        .context = t, .on_alert = on_alert, .on_fault = on_fault, .on_lossy = on_lossy};
    next_stamp(t);
    detector_run(t->detector, event, &sink);
    check_decided(t, detector_undecided(t->detector));
}

/* Another file, or sequence: what correlations counted is forgotten. */
static bool begin_again(struct trial *t)
{
    char words[200];
    detector_drop(&t->detector);
    struct status s = content_detector_new(t->pack, &t->detector);
    if (!status_ok(s)) {
        ctl_error("cannot run the correlations: %s", status_plain(s, words, sizeof words));
        t->unreadable = true;
    }
    return status_ok(s);
}

static bool matched(const struct trial *t, size_t rule)
{
    return t->rules[rule].stamp == t->stamp;
}

static bool is_tried(const struct trial *t, size_t rule)
{
    return t->only == SIZE_MAX || t->only == rule;
}

/* ── the pack's own vectors ── */

void trial_vectors(struct trial *t)
{
    struct pack_fault fault;
    char words[TRIAL_WORDS];
    if (t->only != SIZE_MAX) {
        return; /* they are the whole pack's */
    }
    t->vectors = pack_count(t->pack, PACK_VECTORS);
    if (!status_ok(pack_prove(t->pack, &fault))) {
        trial_report(t, &(struct trial_finding){
                            .kind = TRIAL_UNPROVEN,
                            .rule = SIZE_MAX,
                            .note = text_of(pack_fault_text(&fault, words, sizeof words))});
    }
}

/* ── test events ── */

/* One line of a file of them, taken apart. */
struct trial_case {
    struct text rule;
    struct text note;
    bool expect;
    const json_t *event;  /* one, … */
    const json_t *events; /* … or several */
};

static const char *take_case(const json_t *line, struct trial_case *out)
{
    const json_t *expect = json_object_get(line, "expect");
    *out = (struct trial_case){.rule = ctl_member_text(line, "rule"),
                               .note = ctl_member_text(line, "note"),
                               .expect = json_is_true(expect),
                               .event = json_object_get(line, "event"),
                               .events = json_object_get(line, "events")};
    if (out->rule.len == 0) {
        return "\"rule\" has to name the rule that is tested";
    }
    if (!json_is_boolean(expect)) {
        return "\"expect\" has to be true or false";
    }
    if (out->events) {
        return json_array_size(out->events) && !out->event
                   ? NULL
                   : "\"events\" has to be a list of events";
    }
    return json_is_object(out->event) ? NULL : "\"event\" has to be an event";
}

static void broken(struct trial *t, const char *file, uint64_t line, const char *why)
{
    trial_report(t, &(struct trial_finding){.kind = TRIAL_BROKEN,
                                            .rule = SIZE_MAX,
                                            .file = file,
                                            .line = line,
                                            .note = text_of(why)});
}

static void unknown(struct trial *t, const char *file, uint64_t line, struct text rule)
{
    trial_report(
        t, &(struct trial_finding){
               .kind = TRIAL_UNKNOWN, .rule = SIZE_MAX, .file = file, .line = line, .note = rule});
}

static void json_text_drop(char **text)
{
    heap_free(*text);
}

/* The event is a line of its own again, so that it is read by what reads every event. */
static bool read_case_event(struct trial *t, const json_t *json, uint8_t *record, struct event *out,
                            struct event_json_fault *fault)
{
    enum { LINE = CONTENT_LINE_MAX };

    OWN(json_text_drop) char *line = heap_alloc(LINE, 1);
    size_t len = line ? json_dumpb(json, line, LINE, JSON_COMPACT) : 0;
    if (len == 0 || len > LINE) {
        snprintf(fault->words, sizeof fault->words, "the event is longer than any");
        return false;
    }
    return status_ok(content_event_read((struct text){line, len}, t->names, record, out, fault));
}

/* All but the last, which the caller looks at. False, after a finding: one is no event, or raised
 * the alert too early. */
static bool run_sequence(struct trial *t, const struct trial_case *c, size_t rule,
                         const struct trial_finding *where, struct event *out)
{
    static uint8_t record[EVENT_MAX];
    struct event_json_fault fault = {0};
    size_t i;
    json_t *json;
    if (!begin_again(t)) {
        return false;
    }
    json_array_foreach(c->events, i, json)
    {
        if (!read_case_event(t, json, record, out, &fault)) {
            broken(t, where->file, where->line, fault.words);
            return false;
        }
        detect(t, out);
        if (matched(t, rule) && i + 1 < json_array_size(c->events)) {
            struct trial_finding finding = *where;
            finding.kind = TRIAL_UNEXPECTED;
            finding.rule = rule;
            finding.note = TEXT("before the last of its events");
            finding.event = out;
            trial_report(t, &finding);
            return false;
        }
    }
    return true;
}

static void run_case(struct trial *t, const struct trial_case *c, size_t rule,
                     const struct trial_finding *where)
{
    static uint8_t record[EVENT_MAX];
    struct event event;
    struct event_json_fault fault = {0};
    struct trial_finding finding = *where;
    t->cases++;
    t->rules[rule].cases[c->expect]++;
    if (c->events) {
        if (!run_sequence(t, c, rule, where, &event)) {
            return;
        }
    } else if (read_case_event(t, c->event, record, &event, &fault)) {
        match(t, &event);
    } else {
        broken(t, where->file, where->line, fault.words);
        return;
    }
    if (matched(t, rule) != c->expect) {
        finding.kind = c->expect ? TRIAL_MISSED : TRIAL_UNEXPECTED;
        finding.rule = rule;
        finding.note = c->note;
        finding.event = &event;
        trial_report(t, &finding);
    }
}

static void case_line(struct trial *t, const char *path, uint64_t number, struct text text)
{
    json_error_t error;
    struct trial_case c;
    OWN(ctl_json_drop)
    json_t *line = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    const char *wrong = line ? take_case(line, &c) : error.text;
    if (wrong) {
        broken(t, path, number, wrong);
        return;
    }
    size_t rule = pack_find(t->pack, c.rule);
    if (rule == SIZE_MAX) {
        if (t->only == SIZE_MAX) {
            unknown(t, path, number, c.rule);
        }
    } else if (is_tried(t, rule)) {
        run_case(t, &c, rule, &(struct trial_finding){.file = path, .line = number});
    }
}

static bool open_lines(struct trial *t, const char *path, struct content_lines *lines)
{
    char words[256];
    struct status s = content_lines_open(lines, path);
    if (!status_ok(s)) {
        ctl_error("cannot read %s: %s", path, status_plain(s, words, sizeof words));
        t->unreadable = true;
    }
    return status_ok(s);
}

/* The next line that is not empty; false: there is none, or it cannot be read, which was told. */
static bool next_line(struct trial *t, const char *path, struct content_lines *lines,
                      struct text *out)
{
    char words[256];
    for (;;) {
        struct status s = content_lines_next(lines, out);
        if (s.fault == FAULT_LIMIT) {
            broken(t, path, lines->line, "the line is longer than any event");
        } else if (s.fault == FAULT_CLOSED) {
            return false;
        } else if (!status_ok(s)) {
            ctl_error("cannot read %s: %s", path,
                      content_lines_fault(lines, s, words, sizeof words));
            t->unreadable = true;
            return false;
        } else if (text_trim(*out).len) {
            return true;
        }
    }
}

void trial_cases(struct trial *t, const char *path)
{
    OWN(content_lines_close) struct content_lines lines = {0};
    struct text line;
    if (!open_lines(t, path, &lines)) {
        return;
    }
    t->case_files++;
    while (next_line(t, path, &lines, &line)) {
        case_line(t, path, lines.line, line);
    }
}

/* ── recorded events with expectations ── */

/* The file of expectations on its way: the next line of it, taken apart. */
struct expectations {
    const char *path;
    struct content_lines lines;
    json_t *line;
    uint64_t number; /* of the event that it is about; UINT64_MAX: there is none any more */
};

static void expectations_drop(struct expectations *e)
{
    content_lines_close(&e->lines);
    json_decref(e->line);
}

static void next_expectation(struct trial *t, struct expectations *e)
{
    struct text text;
    json_error_t error;
    uint64_t before = e->number;
    while (next_line(t, e->path, &e->lines, &text)) {
        json_decref(e->line);
        e->line = json_loadb(text.ptr, text.len, 0, &error);
        int64_t number = ctl_member_number(e->line, "line");
        bool named = json_is_array(json_object_get(e->line, "rules")) ||
                     json_is_string(json_object_get(e->line, "rule"));
        if (!e->line || number <= 0 || !named) {
            broken(t, e->path, e->lines.line,
                   e->line ? "{\"line\":N,\"rules\":[ID…]} or \"rule\":ID is wanted" : error.text);
        } else if ((uint64_t)number < before) {
            broken(t, e->path, e->lines.line, "expectations have to be in the order of lines");
        } else {
            e->number = (uint64_t)number;
            return;
        }
    }
    e->number = UINT64_MAX;
}

static void expect_rule(struct trial *t, struct expectations *e, struct text id, bool *wanted)
{
    size_t rule = pack_find(t->pack, id);
    if (rule == SIZE_MAX) {
        unknown(t, e->path, e->lines.line, id);
    } else {
        t->expected_hits += is_tried(t, rule) && !wanted[rule];
        wanted[rule] = true;
    }
}

/* Everything that is expected of the event in this line; other lines are `unheard` ones before. */
static void gather(struct trial *t, struct expectations *e, uint64_t line, bool *wanted)
{
    while (e->number <= line) {
        size_t i;
        json_t *id;
        if (e->number < line) {
            broken(t, e->path, e->lines.line, "it is about a line that holds no event");
        } else {
            struct text one = ctl_member_text(e->line, "rule");
            if (one.len) {
                expect_rule(t, e, one, wanted);
            }
            json_array_foreach(json_object_get(e->line, "rules"), i, id)
            {
                expect_rule(t, e, text_of(json_string_value(id)), wanted);
            }
        }
        next_expectation(t, e);
    }
}

static void compare(struct trial *t, const struct content_events *events, const bool *wanted)
{
    for (size_t i = 0; i < t->rule_count; i++) {
        if (wanted[i] != matched(t, i) && is_tried(t, i)) {
            trial_report(
                t, &(struct trial_finding){.kind = wanted[i] ? TRIAL_MISSED : TRIAL_UNEXPECTED,
                                           .rule = i,
                                           .file = events->path,
                                           .line = events->lines.line,
                                           .event = &events->event});
        }
    }
}

void trial_expect(struct trial *t, const char *events_path, const char *expect_path)
{
    OWN(content_events_close) struct content_events events = {0};
    OWN(expectations_drop) struct expectations e = {.path = expect_path};
    OWN(heap_drop) bool *wanted = heap_alloc(t->rule_count + 1, sizeof *wanted);
    if (!wanted || !begin_again(t) || !open_lines(t, expect_path, &e.lines) ||
        !content_events_open(&events, events_path, t->names)) {
        t->unreadable = true;
        return;
    }
    enum content_next next;
    next_expectation(t, &e);
    while ((next = content_events_next(&events)) == CONTENT_NEXT_EVENT) {
        gather(t, &e, events.lines.line, wanted);
        detect(t, &events.event);
        compare(t, &events, wanted);
        t->expected++;
        for (size_t i = 0; i < t->rule_count; i++) {
            wanted[i] = false;
        }
    }
    gather(t, &e, UINT64_MAX - 1, wanted); /* what is about lines beyond the last */
    t->unreadable = t->unreadable || next != CONTENT_NEXT_END || events.bad_lines;
}

/* ── ordinary recordings ── */

/* An alert that people only look at now and then may come; what acts on the machine may not. */
static bool must_be_silent(const struct trial *t, const struct pack_rule *rule)
{
    return !rule->silent && (rule->action != ACTION_ALERT || content_rule_rank(rule) >= t->loudest);
}

static void note_ordinary(struct trial *t, const struct content_events *events)
{
    for (size_t i = 0; i < t->rule_count; i++) {
        struct trial_rule *seen = &t->rules[i];
        if (!matched(t, i) || !is_tried(t, i)) {
            continue;
        }
        if (seen->ordinary++ == 0) {
            seen->ordinary_line = events->lines.line;
            seen->ordinary_file = events->path;
            seen->ordinary_words = heap_alloc(TRIAL_WORDS, 1);
            if (seen->ordinary_words) {
                content_event_words(&events->event, seen->ordinary_words, TRIAL_WORDS);
            }
        }
    }
}

void trial_ordinary(struct trial *t, const char *path)
{
    OWN(content_events_close) struct content_events events = {0};
    if (!begin_again(t) || !content_events_open(&events, path, t->names)) {
        t->unreadable = true;
        return;
    }
    enum content_next next;
    while ((next = content_events_next(&events)) == CONTENT_NEXT_EVENT) {
        detect(t, &events.event);
        note_ordinary(t, &events);
    }
    t->ordinary += events.count;
    t->unreadable = t->unreadable || next != CONTENT_NEXT_END || events.bad_lines;
}

/* A rule that is loud on an hour of events would be a finding for each: it is told once. */
static void tell_ordinary(struct trial *t)
{
    for (size_t i = 0; i < t->rule_count; i++) {
        struct pack_rule rule = pack_rule(t->pack, i);
        const struct trial_rule *seen = &t->rules[i];
        if (seen->ordinary && must_be_silent(t, &rule)) {
            trial_report(t, &(struct trial_finding){.kind = TRIAL_FALSE,
                                                    .rule = i,
                                                    .file = seen->ordinary_file,
                                                    .line = seen->ordinary_line,
                                                    .note = text_of(seen->ordinary_words)});
        } else {
            t->tolerated += seen->ordinary;
        }
    }
}

static void tell_uncovered(struct trial *t)
{
    for (size_t i = 0; i < t->rule_count; i++) {
        const struct trial_rule *seen = &t->rules[i];
        bool lacks = seen->cases[true] == 0 || seen->cases[false] == 0;
        if (lacks && is_tried(t, i) && !pack_rule_silent(t->pack, i)) {
            const char *words = seen->cases[true]    ? "no event that it must not match"
                                : seen->cases[false] ? "no event that it must match"
                                                     : "no test event";
            trial_report(t, &(struct trial_finding){
                                .kind = TRIAL_UNCOVERED, .rule = i, .note = text_of(words)});
        }
    }
}

void trial_end(struct trial *t)
{
    tell_ordinary(t);
    if (t->covered) {
        tell_uncovered(t);
    }
}
