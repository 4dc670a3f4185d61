#include "ctl/content/replay.h"

#include "base/clock.h"
#include "base/count.h"
#include "base/heap.h"
#include "base/json.h"
#include "base/own.h"
#include "ctl/content/content_words.h"
#include "ctl/ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SPAN_MIN_MS = 60000, /* a rate from less would be noise that looks like a figure */
    HOUR_MS = 3600000,
    COSTLIEST = 5,
    PERMILLE = 1000,
};

uint64_t replay_span_ms(const struct replay *r)
{
    uint64_t ms = 0;
    for (size_t i = 0; i < r->file_count; i++) {
        ms += (r->files[i].to_ns - r->files[i].from_ns) / CLOCK_NS_PER_MS;
    }
    return ms;
}

double replay_per_hour(const struct replay *r, uint64_t matches)
{
    uint64_t span_ms = replay_span_ms(r);
    return span_ms < SPAN_MIN_MS ? -1 : (double)matches * HOUR_MS / (double)span_ms;
}

static double share(const struct replay *r, uint64_t steps)
{
    return r->steps ? (double)steps / (double)r->steps : 0;
}

static uint64_t per_second(uint64_t count, uint64_t ns)
{
    return ns ? (uint64_t)((double)count * CLOCK_NS_PER_S / (double)ns) : 0;
}

/* ── order ── */

/* What would be done to the machine first, then by level, then what is loudest. */
static int by_weight(const void *left, const void *right, void *context)
{
    const struct replay *r = context;
    size_t a = *(const size_t *)left;
    size_t b = *(const size_t *)right;
    struct pack_rule x = pack_rule(r->pack, a);
    struct pack_rule y = pack_rule(r->pack, b);
    if (x.action != y.action) {
        return x.action < y.action ? 1 : -1;
    }
    int ranks = content_rule_rank(&y) - content_rule_rank(&x);
    if (ranks != 0) {
        return ranks;
    }
    uint64_t m = r->rules[a].matches;
    uint64_t n = r->rules[b].matches;
    return m != n ? (m < n ? 1 : -1) : (a > b) - (a < b);
}

static int by_cost(const void *left, const void *right, void *context)
{
    const struct replay *r = context;
    uint64_t a = r->rules[*(const size_t *)left].steps;
    uint64_t b = r->rules[*(const size_t *)right].steps;
    return (a < b) - (a > b);
}

static size_t *in_order(const struct replay *r,
                        int (*order)(const void *left, const void *right, void *context))
{
    size_t *list = heap_alloc(r->rule_count + 1, sizeof *list);
    for (size_t i = 0; list && i < r->rule_count; i++) {
        list[i] = i;
    }
    if (list) {
        qsort_r(list, r->rule_count, sizeof *list, order, (void *)(uintptr_t)r);
    }
    return list;
}

/* ── text ── */

static void file_line(struct term *t, const struct replay_file *f)
{
    char time[SHOW_DURATION];
    term_print(t, STYLE_PLAIN, "  ");
    term_quote(t, STYLE_BOLD, text_of(f->path), CONTENT_QUOTE);
    term_print(t, STYLE_PLAIN, "  %s", COUNTED(f->events, "event", "events"));
    if (f->from_ns) {
        term_print(t, STYLE_PLAIN, " in %s",
                   show_duration((f->to_ns - f->from_ns) / CLOCK_NS_PER_MS, time));
    }
    if (f->lost) {
        term_print(t, STYLE_YELLOW, ", %" PRIu64 " lost while recording", f->lost);
    }
    if (f->bad_lines) {
        term_print(t, STYLE_YELLOW, ", %s",
                   COUNTED(f->bad_lines, "line is no event", "lines are no events"));
    }
    if (f->broken) {
        term_print(t, STYLE_RED, ", and could not be read on");
    }
    term_print(t, STYLE_PLAIN, "\n");
}

static enum style action_style(const struct pack_rule *rule)
{
    return rule->silent ? STYLE_DIM : rule->action == ACTION_ALERT ? STYLE_PLAIN : STYLE_ALARM;
}

static void rule_lines(struct term *t, const struct replay *r, size_t index)
{
    const struct replay_rule *counts = &r->rules[index];
    struct pack_rule rule = pack_rule(r->pack, index);
    double per_hour = replay_per_hour(r, counts->matches);
    char matches[SHOW_COUNT];
    char rate[SHOW_COUNT] = "–";
    if (per_hour >= 0) {
        snprintf(rate, sizeof rate, per_hour < 10 ? "%.1f" : "%.0f", per_hour);
    }
    term_print(t, STYLE_BOLD, "  %9s", show_count((int64_t)counts->matches, matches));
    term_print(t, STYLE_PLAIN, "%*s%s", (int)(10 - (per_hour < 0 ? 1 : strlen(rate))), "", rate);
    term_print(t, STYLE_PLAIN, "%7.1f %%  ", 100 * share(r, counts->steps));
    const char *action = rule.silent ? "(none)" : action_name(rule.action);
    term_column(t, action_style(&rule), text_of(action), sizeof "quarantine");
    term_column(t, show_level_style(rule.level), rule.level, sizeof "informational");
    term_quote(t, STYLE_BOLD, rule.title, CONTENT_QUOTE);
    term_print(t, STYLE_DIM, "\n%31s", "");
    term_quote(t, STYLE_DIM, rule.id, CONTENT_QUOTE);
    if (rule.author.len) {
        term_print(t, STYLE_DIM, "  by ");
        term_quote(t, STYLE_DIM, rule.author, CONTENT_QUOTE);
    }
    term_print(t, STYLE_PLAIN, "\n");
    if (counts->first_words) {
        term_print(t, STYLE_DIM, "%31s", "");
        term_quote(t, STYLE_DIM, text_of(counts->first_file), CONTENT_QUOTE);
        term_print(t, STYLE_DIM, ":%" PRIu64 ": ", counts->first_line);
        term_quote(t, STYLE_PLAIN, text_of(counts->first_words), REPLAY_WORDS);
        term_print(t, STYLE_PLAIN, "\n");
    }
}

/* What it takes to find out which programs have to run, shared by all rules. */
static uint64_t shared_steps(const struct replay *r)
{
    uint64_t own = 0;
    for (size_t i = 0; i < r->rule_count; i++) {
        own += r->rules[i].steps;
    }
    return r->steps > own ? r->steps - own : 0;
}

/* Rules that match nothing may cost all the same, and nobody looks there. */
static void costliest(struct term *t, const struct replay *r, const size_t *order)
{
    char runs[SHOW_COUNT];
    char steps[SHOW_COUNT];
    if (r->steps == 0) {
        return;
    }
    term_print(t, STYLE_BOLD, "\n  %7s%13s%16s  costliest rules\n", "cost", "runs", "steps");
    for (size_t i = 0; i < r->rule_count && i < COSTLIEST; i++) {
        const struct replay_rule *counts = &r->rules[order[i]];
        struct pack_rule rule = pack_rule(r->pack, order[i]);
        if (counts->steps == 0) {
            break;
        }
        term_print(t, STYLE_PLAIN, "  %5.1f %%%13s%16s  ", 100 * share(r, counts->steps),
                   show_count((int64_t)counts->runs, runs),
                   show_count((int64_t)counts->steps, steps));
        term_quote(t, STYLE_PLAIN, rule.title, CONTENT_QUOTE);
        term_print(t, STYLE_DIM, counts->matches ? "\n" : "  (matched nothing)\n");
    }
    uint64_t shared = shared_steps(r);
    term_print(t, STYLE_DIM, "  %5.1f %%%13s%16s  finding the rules to run, shared by all\n",
               100 * share(r, shared), show_count((int64_t)r->events, runs),
               show_count((int64_t)shared, steps));
}

static void totals(struct term *t, const struct replay *r)
{
    char rate[SHOW_COUNT];
    char time[SHOW_DURATION];
    double per_hour = replay_per_hour(r, r->matches);
    uint64_t acted[ACTION_COUNT] = {0};
    size_t loud = 0;
    for (size_t i = 0; i < r->rule_count; i++) {
        struct pack_rule rule = pack_rule(r->pack, i);
        acted[rule.action] += rule.silent ? 0 : r->rules[i].matches;
        loud += r->rules[i].matches && !rule.silent;
    }
    term_print(t, r->matches ? STYLE_BOLD : STYLE_GREEN, "\n  %s",
               COUNTED(r->matches, "alert", "alerts"));
    term_print(t, STYLE_PLAIN, " of %zu of %s", loud, COUNTED(r->rule_count, "rule", "rules"));
    if (per_hour >= 0) {
        term_print(t, STYLE_PLAIN, ", %.1f an hour", per_hour);
    }
    for (unsigned i = ACTION_ALERT + 1; i < ACTION_COUNT; i++) {
        if (acted[i]) {
            term_print(t, STYLE_ALARM, "; %" PRIu64 " would %s", acted[i],
                       action_name((enum action)i));
        }
    }
    term_print(t, STYLE_PLAIN, "\n  %s in %s, %s/s; the rules took %.2f µs an event\n",
               COUNTED(r->events, "event", "events"),
               show_duration(r->total_ns / CLOCK_NS_PER_MS, time),
               show_count((int64_t)per_second(r->events, r->total_ns), rate),
               r->events ? (double)r->match_ns / 1000 / (double)r->events : 0);
    if (r->undecided) {
        term_print(t, STYLE_RED, "  %s too costly to be decided by every rule\n",
                   COUNTED(r->undecided, "event was", "events were"));
    }
    if (r->faults) {
        term_print(t, STYLE_RED, "  %s switched off, see above\n",
                   COUNTED(r->faults, "rule was", "rules were"));
    }
}

static void page_done(struct content_page *page)
{
    content_page_done(page);
}

static int no_memory(void)
{
    ctl_error("cannot report: %s", fault_words(FAULT_MEMORY));
    return CTL_FAULT;
}

int replay_report_text(const struct replay *r)
{
    OWN(heap_drop) size_t *order = in_order(r, by_weight);
    OWN(heap_drop) size_t *costs = in_order(r, by_cost);
    OWN(page_done) struct content_page page = {0};
    if (!order || !costs || !status_ok(content_page_init(&page, true))) {
        return no_memory();
    }
    struct term *t = &page.term;
    for (size_t i = 0; i < r->file_count; i++) {
        file_line(t, &r->files[i]);
    }
    bool titled = false;
    for (size_t i = 0; i < r->rule_count; i++) {
        if (r->rules[order[i]].matches == 0 && !r->all) {
            continue;
        }
        if (!titled) {
            term_print(t, STYLE_BOLD, "\n  %9s%10s%9s  %-11s%-14s%s\n", "alerts", "an hour", "cost",
                       "action", "level", "rule");
            titled = true;
        }
        rule_lines(t, r, order[i]);
        if (!content_page_tick(&page)) {
            return CTL_FAULT;
        }
    }
    costliest(t, r, costs);
    totals(t, r);
    return content_page_print(&page) ? CTL_OK : CTL_FAULT;
}

/* ── JSON ── */

static void json_time(struct json *j, const char *name, uint64_t ns)
{
    char room[CLOCK_TEXT];
    if (ns) {
        json_member_text(j, name, text_of(clock_text(ns, room)));
    }
}

/* The JSON writer knows whole numbers; shares and rates are told in three digits. */
static void json_fraction(struct json *j, const char *name, double value)
{
    json_key(j, name);
    writer_print(j->out, "%.3f", value);
    j->comma = true;
}

static void json_files(struct json *j, const struct replay *r)
{
    json_key(j, "recordings");
    json_open(j, '[');
    for (size_t i = 0; i < r->file_count; i++) {
        const struct replay_file *f = &r->files[i];
        json_open(j, '{');
        json_member_text(j, "file", text_of(f->path));
        json_member_number(j, "events", (int64_t)f->events);
        json_member_number(j, "bad_lines", (int64_t)f->bad_lines);
        json_member_number(j, "lost", (int64_t)f->lost);
        json_member_bool(j, "whole", !f->broken);
        json_time(j, "from", f->from_ns);
        json_time(j, "to", f->to_ns);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void json_first(struct json *j, const struct replay_rule *counts)
{
    json_key(j, "first");
    json_open(j, '{');
    json_member_text(j, "file", text_of(counts->first_file));
    json_member_number(j, "line", (int64_t)counts->first_line);
    json_time(j, "time", counts->first_ns);
    json_member_text(j, "event", text_of(counts->first_words));
    json_close(j, '}');
}

static void json_rule(struct json *j, const struct replay *r, size_t index)
{
    const struct replay_rule *counts = &r->rules[index];
    struct pack_rule rule = pack_rule(r->pack, index);
    double per_hour = replay_per_hour(r, counts->matches);
    json_open(j, '{');
    json_member_text(j, "id", rule.id);
    json_member_text(j, "title", rule.title);
    json_member_text(j, "author", rule.author);
    json_member_text(j, "level", rule.level);
    json_member_text(j, "action", text_of(action_name(rule.action)));
    json_member_bool(j, "silent", rule.silent);
    json_member_number(j, "matches", (int64_t)counts->matches);
    if (per_hour >= 0) {
        json_fraction(j, "per_hour", per_hour);
    }
    json_member_number(j, "runs", (int64_t)counts->runs);
    json_member_number(j, "steps", (int64_t)counts->steps);
    json_fraction(j, "share", share(r, counts->steps));
    if (counts->first_words) {
        json_first(j, counts);
    }
    json_close(j, '}');
}

int replay_report_json(const struct replay *r)
{
    OWN(heap_drop) size_t *order = in_order(r, by_weight);
    OWN(page_done) struct content_page page = {0};
    if (!order || !status_ok(content_page_init(&page, false))) {
        return no_memory();
    }
    struct json j = json_over(&page.out);
    json_open(&j, '{');
    json_member_text(&j, "pack", text_of(r->pack_path));
    json_files(&j, r);
    json_member_number(&j, "events", (int64_t)r->events);
    json_member_number(&j, "span_ms", (int64_t)replay_span_ms(r));
    json_member_number(&j, "alerts", (int64_t)r->matches);
    json_member_number(&j, "events_per_second", (int64_t)per_second(r->events, r->total_ns));
    json_fraction(&j, "match_us_per_event",
                  r->events ? (double)r->match_ns / 1000 / (double)r->events : 0);
    json_member_number(&j, "steps", (int64_t)r->steps);
    json_member_number(&j, "shared_steps", (int64_t)shared_steps(r));
    json_member_number(&j, "undecided_events", (int64_t)r->undecided);
    json_member_number(&j, "switched_off", (int64_t)r->faults);
    json_key(&j, "rules");
    json_open(&j, '[');
    for (size_t i = 0; i < r->rule_count; i++) {
        if (r->rules[order[i]].matches || r->all) {
            json_rule(&j, r, order[i]);
            if (!content_page_tick(&page)) {
                return CTL_FAULT;
            }
        }
    }
    json_close(&j, ']');
    json_close(&j, '}');
    writer_u8(&page.out, '\n');
    return content_page_print(&page) ? CTL_OK : CTL_FAULT;
}
