#include "base/heap.h"
#include "base/json.h"
#include "base/own.h"
#include "content/indicator/indicator.h"
#include "content/pack/explain.h"
#include "ctl/content/content_command.h"
#include "ctl/content/content_detector.h"
#include "ctl/content/content_events.h"
#include "ctl/content/content_pack.h"
#include "ctl/show.h"

#include <inttypes.h>
#include <stdio.h>

static const char help[] =
    "Usage: bulkhead content match PACK --events FILE [OPTION]...\n"
    "\n"
    "Tries a pack on recorded events: what `bulkhead record` writes, JSON lines as `bulkhead tail\n"
    "--format json` writes them, or lines in Sigma's names:\n"
    "{\"category\":\"process_creation\",\"product\":\"linux\",\"fields\":{\"Image\":…}}.\n"
    "Says which rules match which line, through the interpreter that the engine runs.\n"
    "\n"
    "  -e, --events FILE    the events; - is standard input\n"
    "      --names NAMES    bulkhead or sigma: how the events name their fields (default: each "
    "line\n"
    "                       that has \"fields\" is Sigma's)\n"
    "      --format FORMAT  text, or json: one line a match\n"
    "\n"
    "Exit codes: 0 every line was an event, 1 one was not or the pack was refused, 2 wrong "
    "usage.\n";

enum { OUTPUT_ROOM = 512 * 1024, QUOTE_MAX = 400, ID_WIDTH = 36 };

struct run {
    const char *path;
    enum content_names names;
    bool json;
    bool colour;
    uint64_t line;
    uint64_t bad_lines;
    uint64_t faults;
    const struct pack *pack;
    struct detector *detector;
    const struct event *event;
    char *room; /* OUTPUT_ROOM bytes */
};

/* A rule that matched, and what there is to say about it. */
struct match {
    struct pack_rule rule;
    const struct correlation_hit *hit; /* NULL: no correlation */
    struct text entry;                 /* that it found in a list; empty: it asks for none */
};

/* The entry that a rule found in a list; empty: it asks for none. `out` has INDICATOR_WORDS bytes.
 */
static struct text listed(const struct run *r, size_t rule, char *out)
{
    struct indicator_found found;
    struct text list;
    return indicator_matched(r->pack, rule, r->event, &list, &found)
               ? indicator_words(list, &found, out)
               : TEXT("");
}

/* Why a correlation fired: "3 events within 10s, user=root". */
static struct text words_of(const struct run *r, const struct correlation_hit *hit)
{
    static char room[EXPLAIN_HIT_MAX];
    struct writer words = writer_over(room, sizeof room);
    explain_hit(r->pack, hit, r->event, &words);
    return writer_text(&words);
}

static void json_match(const struct run *r, const struct match *match, struct writer *out)
{
    struct json j = json_over(out);
    json_open(&j, '{');
    json_member_number(&j, "line", (int64_t)r->line);
    json_member_text(&j, "rule", match->rule.id);
    json_member_text(&j, "title", match->rule.title);
    json_member_text(&j, "author", match->rule.author);
    json_member_text(&j, "level", match->rule.level);
    json_member_text(&j, "tags", match->rule.tags);
    json_member_text(&j, "event",
                     text_of(event_info((enum event_type)r->event->header.type)->name));
    if (match->entry.len) {
        json_member_text(&j, "indicator", match->entry);
    }
    if (match->hit) {
        json_member_text(&j, "correlation", words_of(r, match->hit));
    }
    json_close(&j, '}');
}

static void text_match(const struct run *r, const struct match *match, struct writer *out)
{
    struct term t = {.out = out, .colour = r->colour};
    term_print(&t, STYLE_DIM, "%6" PRIu64 "  ", r->line);
    term_column(&t, show_level_style(match->rule.level), match->rule.level, sizeof "informational");
    term_print(&t, STYLE_PLAIN, " ");
    term_column(&t, STYLE_DIM, match->rule.id, ID_WIDTH);
    term_print(&t, STYLE_PLAIN, "  ");
    term_quote(&t, STYLE_PLAIN, match->rule.title, QUOTE_MAX);
    if (match->rule.author.len) {
        term_print(&t, STYLE_DIM, " (");
        term_quote(&t, STYLE_DIM, match->rule.author, QUOTE_MAX);
        term_print(&t, STYLE_DIM, ")");
    }
    if (match->hit || match->entry.len) {
        term_print(&t, STYLE_PLAIN, ": ");
        term_quote(&t, STYLE_PLAIN, match->hit ? words_of(r, match->hit) : match->entry, QUOTE_MAX);
    }
}

static void on_alert(void *context, size_t index, const struct correlation_hit *hit)
{
    struct run *r = context;
    char words[INDICATOR_WORDS];
    struct match match = {
        .rule = pack_rule(r->pack, index), .hit = hit, .entry = listed(r, index, words)};
    struct writer out = writer_over(r->room, OUTPUT_ROOM);
    if (r->json) {
        json_match(r, &match, &out);
    } else {
        text_match(r, &match, &out);
    }
    printf("%.*s\n", TEXT_ARGS(writer_text(&out)));
}

static void on_lossy(void *context, size_t index, uint64_t events)
{
    struct run *r = context;
    content_tell_lossy(r->pack, index, events);
}

static void on_fault(void *context, size_t index, const char *what)
{
    struct run *r = context;
    r->faults++;
    content_tell_fault(r->pack, index, what);
}

static void tell_undecided(struct run *r, struct content_events *events)
{
    char words[128];
    size_t undecided = detector_undecided(r->detector);
    if (undecided) {
        snprintf(words, sizeof words,
                 "%zu rules were not decided: this event holds too much of what they look for, or "
                 "comes too late",
                 undecided);
        content_events_complain(events, words);
    }
}

/* False: it could not be read to its end. */
static bool run_file(struct run *r)
{
    OWN(content_events_close) struct content_events events;
    struct detector_sink sink = {
        .context = r, .on_alert = on_alert, .on_fault = on_fault, .on_lossy = on_lossy};
    if (!content_events_open(&events, r->path, r->names)) {
        return false;
    }
    enum content_next next;
    while ((next = content_events_next(&events)) == CONTENT_NEXT_EVENT) {
        r->line = events.lines.line;
        r->event = &events.event;
        detector_run(r->detector, r->event, &sink);
        tell_undecided(r, &events);
    }
    r->bad_lines = events.bad_lines;
    return next == CONTENT_NEXT_END;
}

static int run(struct run *r, const char *pack_path)
{
    OWN(content_pack_drop) struct content_pack pack = {0};
    OWN(heap_drop) char *room = heap_alloc(OUTPUT_ROOM, 1);
    OWN(detector_drop) struct detector *detector = NULL;
    char words[256];
    if (!content_pack_open(pack_path, &pack)) {
        return CTL_FAULT;
    }
    struct status s = room ? content_detector_new(&pack.pack, &detector)
                           : (struct status){.fault = FAULT_MEMORY, .where = STATUS_HERE};
    r->pack = &pack.pack;
    r->detector = detector;
    r->room = room;
    r->colour = term_wants_colour(stdout);
    if (!status_ok(s)) {
        ctl_error("cannot run %s: %s", pack_path, status_plain(s, words, sizeof words));
        return CTL_FAULT;
    }
    return run_file(r) && ctl_print(TEXT("")) && r->bad_lines + r->faults == 0 ? CTL_OK : CTL_FAULT;
}

static bool choose(const char *given, const char *first, const char *second, bool *is_second)
{
    *is_second = strcmp(given, second) == 0;
    return *is_second || strcmp(given, first) == 0;
}

enum { OPTION_NAMES = 256, OPTION_FORMAT };

int content_match(int argc, char **argv)
{
    static const struct option options[] = {
        {"events", required_argument, NULL, 'e'},
        {"names", required_argument, NULL, OPTION_NAMES},
        {"format", required_argument, NULL, OPTION_FORMAT},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct run r = {0};
    bool sigma;
    for (int c; (c = getopt_long(argc, argv, ":e:h", options, NULL)) != -1;) {
        switch (c) {
        case 'e':
            r.path = optarg;
            break;
        case OPTION_NAMES:
            if (!choose(optarg, "bulkhead", "sigma", &sigma)) {
                return ctl_usage(argv[0], "%s: names are bulkhead or sigma, not %s", argv[0],
                                 optarg);
            }
            r.names = sigma ? CONTENT_NAMES_SIGMA : CONTENT_NAMES_OURS;
            break;
        case OPTION_FORMAT:
            if (!choose(optarg, "text", "json", &r.json)) {
                return ctl_usage(argv[0], "%s: a format is text or json, not %s", argv[0], optarg);
            }
            break;
        case 'h':
            return ctl_help(help);
        default:
            return ctl_bad_option(argc, argv, c);
        }
    }
    if (optind != argc - 1) {
        return ctl_usage(argv[0], "%s: name one pack", argv[0]);
    }
    if (!r.path) {
        return ctl_usage(argv[0], "%s: name the events with --events FILE", argv[0]);
    }
    return run(&r, argv[optind]);
}
