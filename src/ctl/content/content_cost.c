#include "base/count.h"
#include "base/heap.h"
#include "base/json.h"
#include "base/own.h"
#include "content/pack/explain.h"
#include "ctl/content/content_command.h"
#include "ctl/content/content_pack.h"
#include "ctl/content/content_words.h"
#include "ctl/content/live_costs.h"
#include "ctl/content/rule_cost.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "Usage: bulkhead content cost [PACK] [OPTION]...\n"
    "\n"
    "Says what rules cost. Of a pack: what each may take at worst, as it is proven, and which\n"
    "question of it takes most. Without one: what the rules that run now have taken so far.\n"
    "\n"
    "      --all       every rule of the pack (default: the 20 costliest)\n"
    "      --json      one JSON object\n"
    "      --home DIR  the instance (default: $BULKHEAD_HOME or /var/lib/bulkhead)\n"
    "\n"
    "A step is about a nanosecond. A rule runs only for events in which something that it looks "
    "for\n"
    "was found; one that is marked \"always\" looks for nothing that could be found so, and runs "
    "for\n"
    "every event of its types.\n"
    "\n"
    "Exit codes: 0 success, 1 the pack was refused, 2 wrong usage, 69 no Bulkhead answers.\n";

enum { COSTLIEST = 20, WORDS_ROOM = 4096 };

struct job {
    const struct pack *pack;
    struct rule_cost *costs; /* by rule */
    size_t *order;
    size_t count;
    size_t shown;
    struct content_page page;
};

static int by_steps(const void *left, const void *right, void *context)
{
    const struct rule_cost *costs = context;
    size_t a = *(const size_t *)left;
    size_t b = *(const size_t *)right;
    if (costs[a].steps != costs[b].steps) {
        return costs[a].steps < costs[b].steps ? 1 : -1;
    }
    return (a > b) - (a < b);
}

static struct status prepare(struct job *job)
{
    job->count = pack_count(job->pack, PACK_RULES);
    job->costs = heap_alloc(job->count + 1, sizeof *job->costs);
    job->order = heap_alloc(job->count + 1, sizeof *job->order);
    if (!job->costs || !job->order) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < job->count; i++) {
        job->order[i] = i;
        TRY(rule_cost_of(job->pack, i, &job->costs[i]));
    }
    qsort_r(job->order, job->count, sizeof *job->order, by_steps, job->costs);
    return OK;
}

/* The question that takes most, "" where the rule asks none. */
static struct text dearest(const struct job *job, size_t rule, char *room, size_t size)
{
    struct writer words = writer_over(room, size);
    if (job->costs[rule].predicate_steps) {
        struct predicate p = pack_predicate(job->pack, job->costs[rule].predicate);
        explain_predicate(&p, &words);
    }
    return writer_text(&words);
}

static void text_rule(struct job *job, size_t index)
{
    char room[WORDS_ROOM];
    char steps[SHOW_COUNT];
    struct term *t = &job->page.term;
    const struct rule_cost *cost = &job->costs[index];
    struct pack_rule rule = pack_rule(job->pack, index);
    term_print(t, STYLE_BOLD, "%14s", show_count((int64_t)cost->steps, steps));
    term_print(t, cost->always ? STYLE_YELLOW : STYLE_DIM, "  %-7s", cost->always ? "always" : "");
    term_quote(t, STYLE_BOLD, rule.title, CONTENT_QUOTE);
    term_print(t, STYLE_DIM, "  ");
    term_quote(t, STYLE_DIM, rule.id, CONTENT_QUOTE);
    term_print(t, STYLE_PLAIN, "\n");
    struct text words = dearest(job, index, room, sizeof room);
    if (words.len) {
        term_print(t, STYLE_DIM, "%14s  %-7s", show_count((int64_t)cost->predicate_steps, steps),
                   "");
        term_quote(t, STYLE_PLAIN, words, CONTENT_QUOTE);
        term_print(t, STYLE_PLAIN, "\n");
    }
}

static int report_text(struct job *job)
{
    struct term *t = &job->page.term;
    size_t always = 0;
    term_print(t, STYLE_BOLD, "%14s  %-7s%s\n", "steps at worst", "runs",
               "rule, and what takes most");
    for (size_t i = 0; i < job->shown; i++) {
        text_rule(job, job->order[i]);
        if (!content_page_tick(&job->page)) {
            return CTL_FAULT;
        }
    }
    for (size_t i = 0; i < job->count; i++) {
        always += job->costs[i].always;
    }
    term_print(t, STYLE_PLAIN, "\n  %zu of %s; %zu run always\n", job->shown,
               COUNTED(job->count, "rule", "rules"), always);
    return content_page_print(&job->page) ? CTL_OK : CTL_FAULT;
}

static void json_rule(struct json *j, const struct job *job, size_t index)
{
    char room[WORDS_ROOM];
    const struct rule_cost *cost = &job->costs[index];
    struct pack_rule rule = pack_rule(job->pack, index);
    json_open(j, '{');
    json_member_text(j, "id", rule.id);
    json_member_text(j, "title", rule.title);
    json_member_number(j, "worst_steps", (int64_t)cost->steps);
    json_member_bool(j, "always", cost->always);
    json_member_text(j, "dearest", dearest(job, index, room, sizeof room));
    json_member_number(j, "dearest_steps", (int64_t)cost->predicate_steps);
    json_close(j, '}');
}

static int report_json(struct job *job)
{
    struct json j = json_over(&job->page.out);
    json_open(&j, '{');
    json_member_number(&j, "count", (int64_t)job->count);
    json_key(&j, "rules");
    json_open(&j, '[');
    for (size_t i = 0; i < job->shown; i++) {
        json_rule(&j, job, job->order[i]);
        if (!content_page_tick(&job->page)) {
            return CTL_FAULT;
        }
    }
    json_close(&j, ']');
    json_close(&j, '}');
    writer_u8(&job->page.out, '\n');
    return content_page_print(&job->page) ? CTL_OK : CTL_FAULT;
}

static int cost_of_pack(const char *path, bool all, bool json)
{
    OWN(content_pack_drop) struct content_pack pack = {0};
    struct job job = {.pack = &pack.pack};
    char words[256];
    int exit_code = CTL_FAULT;
    if (!content_pack_open(path, &pack)) {
        return CTL_FAULT;
    }
    struct status s = prepare(&job);
    s = status_ok(s) ? content_page_init(&job.page, !json) : s;
    if (status_ok(s)) {
        job.shown = all || job.count < COSTLIEST ? job.count : COSTLIEST;
        exit_code = json ? report_json(&job) : report_text(&job);
    } else {
        ctl_error("cannot count: %s", status_plain(s, words, sizeof words));
    }
    content_page_done(&job.page);
    heap_free(job.costs);
    heap_free(job.order);
    return exit_code;
}

/* ── what runs now ── */

static int print_live(const json_t *answer)
{
    struct content_page page = {0};
    if (!status_ok(content_page_init(&page, true))) {
        ctl_error("cannot report: %s", fault_words(FAULT_MEMORY));
        return CTL_FAULT;
    }
    if (json_array_size(json_object_get(answer, "rules")) == 0) {
        term_print(&page.term, STYLE_DIM,
                   "  no rule has run yet; what rules cost is told every ten seconds\n");
    } else {
        live_costs_show(&page.term, answer, SIZE_MAX);
    }
    bool printed = content_page_print(&page);
    content_page_done(&page);
    return printed ? CTL_OK : CTL_FAULT;
}

static int cost_of_engine(const char *home, bool json)
{
    OWN(ctl_json_drop) json_t *answer = NULL;
    int exit_code = ctl_open_and_ask(home, "status", 0, &answer);
    if (exit_code != CTL_OK) {
        return exit_code;
    }
    if (!json) {
        return print_live(answer);
    }
    OWN(ctl_json_drop)
    json_t *costs = json_pack("{s:O?, s:O?}", "matching", json_object_get(answer, "matching"),
                              "rules", json_object_get(answer, "rules"));
    return costs ? ctl_print_json(costs) : CTL_FAULT;
}

enum { OPTION_ALL = 256, OPTION_JSON, OPTION_HOME };

int content_cost(int argc, char **argv)
{
    static const struct option options[] = {{"all", no_argument, NULL, OPTION_ALL},
                                            {"json", no_argument, NULL, OPTION_JSON},
                                            {"home", required_argument, NULL, OPTION_HOME},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *home = NULL;
    bool all = false;
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        switch (c) {
        case OPTION_ALL:
            all = true;
            break;
        case OPTION_JSON:
            json = true;
            break;
        case OPTION_HOME:
            home = optarg;
            break;
        case 'h':
            return ctl_help(help);
        default:
            return ctl_bad_option(argc, argv, c);
        }
    }
    if (argc - optind > 1) {
        return ctl_usage(argv[0], "%s: name one pack, or none for what runs now", argv[0]);
    }
    return optind < argc ? cost_of_pack(argv[optind], all, json) : cost_of_engine(home, json);
}
