#include "ctl/content/content_gate.h"

#include "base/clock.h"
#include "base/count.h"
#include "base/heap.h"
#include "base/own.h"
#include "base/quote.h"
#include "content/correlate/detect.h"
#include "ctl/content/content_lines.h"
#include "ctl/content/content_proof.h"
#include "ctl/ctl.h"
#include "ctl/show.h"

#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
    TOLD_MAX = 8192,           /* bytes of a finding: titles, paths and an event */
    SHOWN_MAX = 400,           /* bytes of an event that are quoted */
    SPAN_MIN_NS = 60000000000, /* a recording counts as at least a minute: a rate needs a time */
};

/* The most that counts between two events that follow each other. Even an idle machine says
 * something every few minutes, timers above all; a longer gap is a clock that was set or a recorder
 * that was away, and one such stamp must not make years in which every rate is small. */
enum { GAP_MAX_S = 600 };

/* What one rule did on the recordings. */
struct deed {
    uint64_t count;
    uint64_t line; /* of the first event … */
    char *file;    /* … and what and where it was; "file" and "event" lie in one block */
    char *event;
};

struct gate {
    const struct gate_limits *limits;
    struct pack pack;
    struct detector *detector;
    struct deed *deeds;
    const char *path; /* the recording that is read, its line, and its event */
    uint64_t line;
    const struct event *event;
    uint64_t events;
    uint64_t undecided;
    uint64_t last_ns; /* when the event before happened; 0: there is none */
    uint64_t span_ns; /* of all recordings: the gaps between their events */
    unsigned faults;
};

__attribute__((format(printf, 2, 3))) static void tell(struct gate *g, const char *format, ...)
{
    static char words[TOLD_MAX];
    static char quoted[2 * TOLD_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    fprintf(stderr, "release: %s\n", quote_line(quoted, sizeof quoted, text_of(words)));
    g->faults++;
}

/* ── the proof ── */

static void hand_on(const char **options, size_t *count, const char *name, const char *value)
{
    if (value) {
        options[(*count)++] = name;
        options[(*count)++] = value;
    }
}

static bool is_proven(struct gate *g, struct text pack)
{
    const char *options[CONTENT_PROOF_OPTIONS + 1] = {NULL};
    size_t count = 0;
    struct content_proof proof;
    int exit_code;
    hand_on(options, &count, "--max-event-cost", g->limits->max_event_cost);
    hand_on(options, &count, "--max-memory", g->limits->max_memory);
    hand_on(options, &count, "--max-size", g->limits->max_size);
    if (!content_proof_bytes(pack, options, &proof, &exit_code)) {
        g->faults++;
        return false;
    }
    if (!proof.accepted) {
        tell(g, "%s", proof.line);
    }
    return proof.accepted;
}

/* A rule without a way to a match has no test events: what does nothing is not released. */
static void check_rules(struct gate *g)
{
    for (size_t i = 0; i < pack_count(&g->pack, PACK_RULES); i++) {
        struct pack_rule rule = pack_rule(&g->pack, i);
        bool can = rule.node_count == 0; /* correlations, too */
        for (uint32_t k = 0; k < rule.node_count && !can; k++) {
            struct pack_node node = pack_node(&g->pack, rule.first_node + k);
            can = node.on_true == NODE_MATCH || node.on_false == NODE_MATCH;
        }
        if (!can) {
            tell(g, "rule %.*s (%.*s) can never match", TEXT_ARGS(rule.title), TEXT_ARGS(rule.id));
        }
    }
}

/* ── recordings ── */

/* Times that go back add nothing. */
static void count_time(struct gate *g, uint64_t time_ns)
{
    uint64_t gap = g->last_ns && time_ns > g->last_ns ? time_ns - g->last_ns : 0;
    uint64_t most = (uint64_t)GAP_MAX_S * CLOCK_NS_PER_S;
    g->span_ns += gap < most ? gap : most;
    g->last_ns = time_ns;
}

static void note_first(struct gate *g, struct deed *deed)
{
    static char json[EVENT_JSON_MAX];
    static char room[4 * SHOWN_MAX + 64];
    struct writer whole = writer_over(json, sizeof json);
    struct writer shown = writer_over(room, sizeof room);
    struct term term = {.out = &shown};
    event_json_write(g->event, &whole);
    term_quote(&term, STYLE_PLAIN, writer_text(&whole), SHOWN_MAX);
    size_t path = strlen(g->path) + 1;
    deed->line = g->line;
    deed->file = heap_alloc(path + shown.used + 1, 1);
    if (deed->file) {
        deed->event = deed->file + path;
        text_copy(text_of(g->path), deed->file, path);
        text_copy(writer_text(&shown), deed->event, shown.used + 1);
    }
}

static void on_alert(void *context, size_t rule, const struct correlation_hit *hit)
{
    struct gate *g = context;
    struct deed *deed = &g->deeds[rule];
    (void)hit;
    if (deed->count++ == 0) {
        note_first(g, deed);
    }
}

static void on_lossy(void *context, size_t rule, uint64_t events)
{
    struct gate *g = context;
    tell(g, "rule %.*s: its window is full on a healthy machine: %s dropped",
         TEXT_ARGS(pack_rule(&g->pack, rule).id), COUNTED(events, "event was", "events were"));
}

static void on_fault(void *context, size_t rule, const char *what)
{
    struct gate *g = context;
    tell(g, "rule %.*s: %s", TEXT_ARGS(pack_rule(&g->pack, rule).id), what);
}

static void run_line(struct gate *g, struct text line)
{
    static uint8_t record[EVENT_MAX];
    struct detector_sink sink = {
        .context = g, .on_alert = on_alert, .on_fault = on_fault, .on_lossy = on_lossy};
    struct event_json_fault fault = {0};
    struct event event;
    struct status s =
        event_json_read(line, EVENT_NAMES_OURS, record, sizeof record, &event, &fault);
    if (text_trim(line).len == 0) {
        return;
    }
    if (!status_ok(s)) {
        tell(g, "%s:%" PRIu64 ": %s", g->path, g->line,
             fault.words[0] ? fault.words : fault_words(s.fault));
        return;
    }
    g->event = &event;
    g->events++;
    count_time(g, event.header.time_ns);
    detector_run(g->detector, &event, &sink);
    g->undecided += detector_undecided(g->detector) > 0;
}

/* A key that is no secret: who releases a pack has chosen the recordings. Another recording is
 * another machine: what correlations counted on the last one is forgotten. */
static struct status begin_again(struct gate *g)
{
    detector_drop(&g->detector);
    return detector_new(&g->pack, (struct correlate_settings){.memory = PACK_WINDOW_MEMORY},
                        &g->detector);
}

static struct status run_file(struct gate *g)
{
    OWN(content_lines_close) struct content_lines lines = {0};
    char words[256];
    TRY(begin_again(g));
    TRY(content_lines_open(&lines, g->path));
    g->line = 0;
    g->last_ns = 0;
    for (;;) {
        struct text line;
        struct status s = content_lines_next(&lines, &line);
        g->line++;
        if (s.fault == FAULT_CLOSED) {
            break;
        }
        TRY(s);
        run_line(g, line);
    }
    const char *caveat = content_lines_caveat(&lines, words, sizeof words);
    if (caveat) {
        tell(g, "%s does not show all of what happened: %s", g->path, caveat);
    }
    return OK;
}

static bool is_recording(struct gate *g, const FTSENT *entry)
{
    if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
        tell(g, "cannot read %s: %s", entry->fts_path, strerror(entry->fts_errno));
    }
    struct text name = text_of(entry->fts_name);
    return entry->fts_info == FTS_F &&
           (text_ends(name, TEXT(".jsonl")) || text_ends(name, TEXT(".jsonl.zst")));
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

static void run_all(struct gate *g)
{
    char *const paths[] = {(char *)(uintptr_t)g->limits->golden, NULL};
    char words[256];
    OWN(fts_drop) FTS *fts = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    for (FTSENT *entry = fts ? fts_read(fts) : NULL; entry; entry = fts_read(fts)) {
        if (!is_recording(g, entry)) {
            continue;
        }
        g->path = entry->fts_path;
        struct status s = run_file(g);
        if (!status_ok(s)) {
            tell(g, "cannot read %s: %s", g->path, status_plain(s, words, sizeof words));
        }
    }
    if (g->events == 0) {
        bool there = access(g->limits->golden, R_OK) == 0;
        tell(g,
             "%s%s: %s: nothing shows what the pack does to a healthy machine. Name a folder of "
             "recordings with --golden DIR",
             there ? "" : "cannot read ", g->limits->golden,
             there ? "it holds no recorded event (*.jsonl, *.jsonl.zst)" : strerror(errno));
    }
}

/* ── the verdict ── */

static bool is_loud(struct text level)
{
    return text_same(level, TEXT("medium")) || text_same(level, TEXT("high")) ||
           text_same(level, TEXT("critical"));
}

static void tell_deed(struct gate *g, size_t index, const char *what)
{
    const struct deed *deed = &g->deeds[index];
    struct pack_rule rule = pack_rule(&g->pack, index);
    tell(g, "rule %.*s (%.*s) %s: %s; first %s:%" PRIu64 ": %s", TEXT_ARGS(rule.title),
         TEXT_ARGS(rule.id), what, COUNTED(deed->count, "time", "times"),
         deed->file ? deed->file : "?", deed->line, deed->event ? deed->event : "?");
}

/* What stops something on a healthy machine is one too many. */
static void check_actions(struct gate *g)
{
    for (size_t i = 0; i < pack_count(&g->pack, PACK_RULES); i++) {
        enum action action = pack_rule(&g->pack, i).action;
        char what[64];
        snprintf(what, sizeof what, "would %s on a healthy machine", action_name(action));
        if (action != ACTION_ALERT && g->deeds[i].count > 0) {
            tell_deed(g, i, what);
        }
    }
}

static void check_rate(struct gate *g)
{
    uint64_t alerts = 0;
    uint64_t span = g->span_ns > SPAN_MIN_NS ? g->span_ns : SPAN_MIN_NS;
    for (size_t i = 0; i < pack_count(&g->pack, PACK_RULES); i++) {
        alerts += is_loud(pack_rule(&g->pack, i).level) ? g->deeds[i].count : 0;
    }
    double hours = (double)span / CLOCK_NS_PER_S / 3600;
    if ((double)alerts / hours <= (double)g->limits->alerts_per_hour) {
        return;
    }
    tell(g,
         "%s of level medium or above in %.2f hours of healthy machines: more "
         "than %" PRIu64 " an hour (--max-alerts-per-hour)",
         COUNTED(alerts, "alert", "alerts"), hours, g->limits->alerts_per_hour);
    for (size_t i = 0; i < pack_count(&g->pack, PACK_RULES); i++) {
        if (is_loud(pack_rule(&g->pack, i).level) && g->deeds[i].count > 0) {
            tell_deed(g, i, "alerts");
        }
    }
}

static struct status look(struct gate *g, struct text pack)
{
    struct pack_fault fault;
    TRY(pack_open(pack, &g->pack, &fault));
    g->deeds = heap_alloc(pack_count(&g->pack, PACK_RULES), sizeof *g->deeds);
    if (!g->deeds) {
        FAIL(MEMORY);
    }
    check_rules(g);
    run_all(g);
    check_actions(g);
    check_rate(g);
    if (g->undecided) {
        tell(g, "%s more than the budget: not all rules were decided",
             COUNTED(g->undecided, "recorded event costs", "recorded events cost"));
    }
    return OK;
}

static void gate_done(struct gate *g)
{
    for (size_t i = 0; g->deeds && i < pack_count(&g->pack, PACK_RULES); i++) {
        heap_free(g->deeds[i].file);
    }
    heap_free(g->deeds);
    detector_free(g->detector);
}

bool content_gate(const struct gate_limits *limits, struct text pack)
{
    OWN(gate_done) struct gate g = {.limits = limits};
    char words[256];
    if (!is_proven(&g, pack)) {
        return false;
    }
    struct status s = look(&g, pack);
    if (!status_ok(s)) {
        tell(&g, "cannot try the pack: %s", status_plain(s, words, sizeof words));
    }
    return g.faults == 0;
}
