#include "ctl/content/trial.h"

#include "base/count.h"
#include "base/json.h"
#include "ctl/content/rule_trace.h"
#include "ctl/ctl.h"

#include <inttypes.h>

enum { TRACE_ROOM = 16384, TRACE_LINE = 240 };

/* Names for programs, words for people. */
static const struct {
    const char *name;
    const char *words;
} kinds[TRIAL_KINDS] = {
    [TRIAL_MISSED] = {"missed", "did not match"},
    [TRIAL_UNEXPECTED] = {"unexpected", "matched, and must not"},
    [TRIAL_FALSE] = {"false_positive", "is not silent on ordinary events"},
    [TRIAL_UNKNOWN] = {"unknown_rule", "the pack holds no rule"},
    [TRIAL_BROKEN] = {"broken", "says nothing that can be tested"},
    [TRIAL_UNPROVEN] = {"unproven", "the pack's own test events:"},
    [TRIAL_UNCOVERED] = {"uncovered", "has"},
};

void trial_report_begin(struct trial *t)
{
    if (t->json) {
        writer_print(&t->page.out, "{\"findings\":[");
    }
}

/* ── JSON ── */

static void json_finding(struct trial *t, const struct trial_finding *f)
{
    static char room[TRIAL_WORDS];
    struct json j = json_over(&t->page.out);
    writer_print(&t->page.out, t->first ? "\n" : ",\n");
    t->first = false;
    json_open(&j, '{');
    json_member_text(&j, "kind", text_of(kinds[f->kind].name));
    if (f->rule != SIZE_MAX) {
        struct pack_rule rule = pack_rule(t->pack, f->rule);
        json_member_text(&j, "rule", rule.id);
        json_member_text(&j, "title", rule.title);
    }
    if (f->line) {
        json_member_text(&j, "file", text_of(f->file));
        json_member_number(&j, "line", (int64_t)f->line);
    }
    if (f->note.len) {
        json_member_text(&j, "note", f->note);
    }
    if (f->kind == TRIAL_FALSE) {
        json_member_number(&j, "events", (int64_t)t->rules[f->rule].ordinary);
    }
    if (f->event) {
        json_member_text(&j, "event", text_of(content_event_words(f->event, room, sizeof room)));
    }
    json_close(&j, '}');
}

/* ── text ── */

static void where(struct term *t, const struct trial_finding *f)
{
    if (f->line) {
        term_quote(t, STYLE_BOLD, text_of(f->file), CONTENT_QUOTE);
        term_print(t, STYLE_BOLD, ":%" PRIu64 ": ", f->line);
    }
}

static void title(struct term *t, const struct trial *trial, size_t index)
{
    struct pack_rule rule = pack_rule(trial->pack, index);
    term_quote(t, STYLE_BOLD, rule.title, CONTENT_QUOTE);
    term_print(t, STYLE_DIM, " (");
    term_quote(t, STYLE_DIM, rule.id, CONTENT_QUOTE);
    term_print(t, STYLE_DIM, ")");
}

/* The lines of a trace are ours, but quote the rule. */
static void why(struct term *t, const struct trial *trial, const struct trial_finding *f)
{
    static char room[TRACE_ROOM];
    struct writer out = writer_over(room, sizeof room);
    rule_trace(trial->pack, f->rule, f->event, &out);
    struct text rest = writer_text(&out);
    while (rest.len) {
        size_t end = text_find_byte(rest, '\n');
        term_print(t, STYLE_DIM, "      ");
        term_quote(t, STYLE_DIM, text_part(rest, 0, end), TRACE_LINE);
        term_print(t, STYLE_PLAIN, "\n");
        rest = end == SIZE_MAX ? TEXT("") : text_part(rest, end + 1, rest.len);
    }
}

/* Of a broken line, of an unknown rule and of what is missing the note is what is wrong. */
static void what(struct term *t, const struct trial *trial, const struct trial_finding *f)
{
    if (f->rule == SIZE_MAX) {
        bool is_broken = f->kind == TRIAL_BROKEN;
        term_print(t, STYLE_PLAIN, "%s%s ", kinds[f->kind].words, is_broken ? ":" : "");
        term_quote(t, STYLE_PLAIN, f->note, CONTENT_QUOTE);
        return;
    }
    title(t, trial, f->rule);
    term_print(t, STYLE_RED, " %s", kinds[f->kind].words);
    if (f->kind == TRIAL_UNCOVERED) {
        term_print(t, STYLE_RED, " ");
        term_quote(t, STYLE_RED, f->note, CONTENT_QUOTE);
    } else if (f->kind == TRIAL_FALSE) {
        term_print(t, STYLE_RED, ": %" PRIu64 " of them", trial->rules[f->rule].ordinary);
    } else if (f->note.len) {
        term_print(t, STYLE_PLAIN, ": ");
        term_quote(t, STYLE_PLAIN, f->note, CONTENT_QUOTE);
    }
}

static void text_finding(struct trial *trial, const struct trial_finding *f)
{
    static char room[TRIAL_WORDS];
    struct term *t = &trial->page.term;
    term_print(t, STYLE_RED, "✗ ");
    where(t, f);
    what(t, trial, f);
    term_print(t, STYLE_PLAIN, "\n");
    const char *event = f->event                 ? content_event_words(f->event, room, sizeof room)
                        : f->kind == TRIAL_FALSE ? trial->rules[f->rule].ordinary_words
                                                 : NULL;
    if (event) {
        term_print(t, STYLE_PLAIN, "    ");
        term_quote(t, STYLE_PLAIN, text_of(event), CONTENT_QUOTE);
        term_print(t, STYLE_PLAIN, "\n");
    }
    if (f->event) {
        why(t, trial, f);
    }
}

void trial_report(struct trial *t, const struct trial_finding *f)
{
    t->found[f->kind]++;
    if (t->json) {
        json_finding(t, f);
    } else if (f->kind != TRIAL_BROKEN || t->found[f->kind] <= CONTENT_BAD_LINES_TOLD) {
        text_finding(t, f);
    }
    t->unreadable = !content_page_tick(&t->page) || t->unreadable;
}

/* ── totals ── */

static uint64_t all_found(const struct trial *t)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < TRIAL_KINDS; i++) {
        sum += t->found[i];
    }
    return sum;
}

static void json_totals(struct trial *t, bool passed)
{
    writer_print(&t->page.out, t->first ? "],\"found\":{" : "\n],\"found\":{");
    struct json j = json_over(&t->page.out);
    for (unsigned i = 0; i < TRIAL_KINDS; i++) {
        json_member_number(&j, kinds[i].name, (int64_t)t->found[i]);
    }
    json_close(&j, '}');
    json_member_number(&j, "rules", (int64_t)t->rule_count);
    json_member_number(&j, "vectors", (int64_t)t->vectors);
    json_member_number(&j, "test_events", (int64_t)t->cases);
    json_member_number(&j, "expected_events", (int64_t)t->expected);
    json_member_number(&j, "expected_matches", (int64_t)t->expected_hits);
    json_member_number(&j, "ordinary_events", (int64_t)t->ordinary);
    json_member_number(&j, "ordinary_tolerated", (int64_t)t->tolerated);
    json_member_number(&j, "refused", (int64_t)t->refused);
    json_member_bool(&j, "passed", passed);
    json_close(&j, '}');
    writer_u8(&t->page.out, '\n');
}

static void covered(struct term *t, const struct trial *trial)
{
    size_t whole = 0;
    for (size_t i = 0; i < trial->rule_count; i++) {
        whole += trial->rules[i].cases[true] && trial->rules[i].cases[false];
    }
    term_print(t, STYLE_DIM, "; %s of %s both an attack and a near miss\n", COUNT(whole),
               COUNTED(trial->rule_count, "rule has", "rules have"));
}

static void text_totals(struct trial *trial, bool passed)
{
    struct term *t = &trial->page.term;
    uint64_t found = all_found(trial);
    if (trial->found[TRIAL_BROKEN] > CONTENT_BAD_LINES_TOLD) {
        term_print(t, STYLE_RED, "✗ and %s that say nothing\n",
                   COUNTED(trial->found[TRIAL_BROKEN] - CONTENT_BAD_LINES_TOLD, "more line",
                           "more lines"));
    }
    term_print(t, STYLE_PLAIN, found ? "\n" : "");
    if (trial->vectors) {
        term_print(t, STYLE_PLAIN, "  %s of the pack\n",
                   COUNTED(trial->vectors, "vector", "vectors"));
    }
    if (trial->case_files) {
        term_print(t, STYLE_PLAIN, "  %s in %s", COUNTED(trial->cases, "test event", "test events"),
                   COUNTED(trial->case_files, "file", "files"));
        covered(t, trial);
    }
    if (trial->expected) {
        term_print(t, STYLE_PLAIN, "  %s, of which %s expected\n",
                   COUNTED(trial->expected, "recorded event", "recorded events"),
                   COUNTED(trial->expected_hits, "match was", "matches were"));
    }
    if (trial->ordinary) {
        term_print(t, STYLE_PLAIN, "  %s",
                   COUNTED(trial->ordinary, "ordinary event", "ordinary events"));
        term_print(t, STYLE_DIM, "; %s of rules that may speak there\n",
                   COUNTED(trial->tolerated, "match", "matches"));
    }
    if (trial->refused) {
        term_print(t, STYLE_RED, "✗ %s refused, as said above\n",
                   COUNTED(trial->refused, "rule or list entry was", "rules or list entries were"));
    }
    if (passed) {
        term_print(t, STYLE_GREEN, "✓ everything is as expected\n");
    } else if (found) {
        term_print(t, STYLE_RED, "✗ %s%s\n", COUNTED(found, "finding", "findings"),
                   trial->unreadable ? ", and not everything could be read" : "");
    } else if (trial->unreadable) {
        term_print(t, STYLE_RED, "✗ not everything could be read and tested\n");
    }
}

bool trial_report_end(struct trial *t)
{
    bool passed = all_found(t) + t->refused == 0 && !t->unreadable;
    if (t->json) {
        json_totals(t, passed);
    } else {
        text_totals(t, passed);
    }
    return content_page_print(&t->page) && passed;
}
