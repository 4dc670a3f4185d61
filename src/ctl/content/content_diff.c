#include "base/json.h"
#include "base/own.h"
#include "content/pack/explain.h"
#include "ctl/content/content_command.h"
#include "ctl/content/content_pack.h"
#include "ctl/content/content_words.h"
#include "ctl/content/pack_diff.h"

#include <inttypes.h>

static const char help[] =
    "Usage: bulkhead content diff A B [--json]\n"
    "\n"
    "Says what makes two packs different: rules that are new, gone or changed (what they say of\n"
    "themselves, what they do, what they ask), the events they need, size and worst cost. Where "
    "the\n"
    "rules were compiled from makes no difference.\n"
    "\n"
    "Exit codes: 0 the same, 1 different, 2 wrong usage, 78 a pack was refused.\n";

enum { ASKED_SHOWN = 12, ASKED_ROOM = 4096, WORD_SHOWN = 160 };

struct job {
    struct pack_diff diff;
    const char *paths[2];
    struct content_page page;
    struct json j;
    bool json;
    uint64_t added;
    uint64_t removed;
    uint64_t changed;
    uint64_t same;
    uint64_t asked; /* of the rule at hand, told so far */
    char mark;
};

static uint64_t most(const uint64_t *by_type)
{
    uint64_t worst = 0;
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        worst = by_type[i] > worst ? by_type[i] : worst;
    }
    return worst;
}

/* ── one rule ── */

static void head(struct job *job, const struct pack_rule *rule, char mark)
{
    enum style style = mark == '+' ? STYLE_GREEN : mark == '-' ? STYLE_RED : STYLE_YELLOW;
    struct term *t = &job->page.term;
    if (job->json) {
        json_open(&job->j, '{');
        json_member_text(&job->j, "change",
                         mark == '+'   ? TEXT("added")
                         : mark == '-' ? TEXT("removed")
                                       : TEXT("changed"));
        json_member_text(&job->j, "id", rule->id);
        json_member_text(&job->j, "title", rule->title);
        json_member_text(&job->j, "level", rule->level);
        return;
    }
    term_print(t, style, "%c ", mark);
    term_column(t, show_level_style(rule->level), rule->level, sizeof "informational");
    term_quote(t, STYLE_BOLD, rule->title, CONTENT_QUOTE);
    term_print(t, STYLE_DIM, "  ");
    term_quote(t, STYLE_DIM, rule->id, CONTENT_QUOTE);
    term_print(t, STYLE_PLAIN, "\n");
}

static void word(struct job *job, const char *name, struct text a, struct text b)
{
    struct term *t = &job->page.term;
    if (text_same(a, b)) {
        return;
    }
    if (job->json) {
        json_key(&job->j, name);
        json_open(&job->j, '[');
        json_text(&job->j, a);
        json_text(&job->j, b);
        json_close(&job->j, ']');
        return;
    }
    term_print(t, STYLE_DIM, "    %-12s", name);
    term_quote(t, STYLE_RED, a.len ? a : TEXT("none"), WORD_SHOWN);
    term_print(t, STYLE_PLAIN, " → ");
    term_quote(t, STYLE_GREEN, b.len ? b : TEXT("none"), WORD_SHOWN);
    term_print(t, STYLE_PLAIN, "\n");
}

static void type_names(uint64_t types, struct writer *out)
{
    const char *between = "";
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        if (types >> i & 1) {
            writer_print(out, "%s%s", between, event_info((enum event_type)i)->name);
            between = " ";
        }
    }
}

static void types(struct job *job, uint64_t a, uint64_t b)
{
    char rooms[2][2048];
    struct writer names[] = {writer_over(rooms[0], sizeof rooms[0]),
                             writer_over(rooms[1], sizeof rooms[1])};
    type_names(a, &names[0]);
    type_names(b, &names[1]);
    word(job, "types", writer_text(&names[0]), writer_text(&names[1]));
}

static void on_asked(void *context, const struct predicate *p)
{
    struct job *job = context;
    char room[ASKED_ROOM];
    struct writer words = writer_over(room, sizeof room);
    struct term *t = &job->page.term;
    if (job->asked++ >= ASKED_SHOWN) {
        return;
    }
    explain_predicate(p, &words);
    if (job->json) {
        json_text(&job->j, writer_text(&words));
        return;
    }
    term_print(t, job->mark == '+' ? STYLE_GREEN : STYLE_RED, "    %c ", job->mark);
    term_quote(t, STYLE_PLAIN, writer_text(&words), CONTENT_QUOTE);
    term_print(t, STYLE_PLAIN, "\n");
}

static struct status asks_more(struct job *job, char mark, struct rule_ref rule,
                               struct rule_ref other, uint64_t *out)
{
    job->asked = 0;
    job->mark = mark;
    if (job->json) {
        json_key(&job->j, mark == '+' ? "asks" : "asks_no_more");
        json_open(&job->j, '[');
    }
    TRY(rule_asks_more(rule, other, job, on_asked));
    if (job->json) {
        json_close(&job->j, ']');
        json_member_number(&job->j, mark == '+' ? "asks_count" : "asks_no_more_count",
                           (int64_t)job->asked);
    } else if (job->asked > ASKED_SHOWN) {
        term_print(&job->page.term, STYLE_DIM, "      … %" PRIu64 " more\n",
                   job->asked - ASKED_SHOWN);
    }
    *out += job->asked;
    return OK;
}

/* What a correlation counts, in words. */
static void counts(struct job *job, char mark, struct rule_ref rule)
{
    char room[ASKED_ROOM];
    struct writer words = writer_over(room, sizeof room);
    struct term *t = &job->page.term;
    explain_program(rule.pack, rule.rule, &words);
    struct text rest = writer_text(&words);
    if (job->json) {
        json_member_text(&job->j, mark == '+' ? "counts" : "counted", text_trim(rest));
        return;
    }
    while (rest.len) {
        size_t end = text_find_byte(rest, '\n');
        term_print(t, mark == '+' ? STYLE_GREEN : STYLE_RED, "    %c ", mark);
        term_quote(t, STYLE_PLAIN, text_part(rest, 0, end), CONTENT_QUOTE);
        term_print(t, STYLE_PLAIN, "\n");
        rest = end == SIZE_MAX ? TEXT("") : text_part(rest, end + 1, rest.len);
    }
}

static struct status program(struct job *job, const struct rule_pair *pair)
{
    struct rule_ref a = {job->diff.a, pair->a};
    struct rule_ref b = {job->diff.b, pair->b};
    uint64_t asked = 0;
    if (!rule_pair_programs_differ(&job->diff, pair)) {
        return OK;
    }
    if (rule_is_correlation(a) || rule_is_correlation(b)) {
        counts(job, '-', a);
        counts(job, '+', b);
        return OK;
    }
    TRY(asks_more(job, '-', a, b, &asked));
    TRY(asks_more(job, '+', b, a, &asked));
    if (job->json) {
        json_member_bool(&job->j, "condition", asked == 0);
    } else if (asked == 0) {
        term_print(&job->page.term, STYLE_DIM, "    %-12s", "condition");
        term_print(&job->page.term, STYLE_PLAIN, "asks the same, and concludes otherwise\n");
    }
    return OK;
}

static struct status changed(struct job *job, const struct rule_pair *pair)
{
    struct pack_rule a = pack_rule(job->diff.a, pair->a);
    struct pack_rule b = pack_rule(job->diff.b, pair->b);
    head(job, &b, '~');
    if (job->json) {
        json_key(&job->j, "words");
        json_open(&job->j, '{');
    }
#define WORD(name) word(job, #name, a.name, b.name);
    RULE_WORDS(WORD)
#undef WORD
    word(job, "action", text_of(action_name(a.action)), text_of(action_name(b.action)));
    word(job, "alerts", a.silent ? TEXT("no") : TEXT("yes"), b.silent ? TEXT("no") : TEXT("yes"));
    types(job, a.types, b.types);
    if (job->json) {
        json_close(&job->j, '}');
    }
    return program(job, pair);
}

static struct status one_rule(struct job *job, const struct rule_pair *pair)
{
    if (pair->a != SIZE_MAX && pair->b != SIZE_MAX) {
        if (!rule_pair_differs(&job->diff, pair)) {
            job->same++;
            return OK;
        }
        job->changed++;
        TRY(changed(job, pair));
    } else if (pair->a == SIZE_MAX) {
        struct pack_rule rule = pack_rule(job->diff.b, pair->b);
        job->added++;
        head(job, &rule, '+');
    } else {
        struct pack_rule rule = pack_rule(job->diff.a, pair->a);
        job->removed++;
        head(job, &rule, '-');
    }
    if (job->json) {
        json_close(&job->j, '}');
    }
    return OK;
}

/* ── the packs ── */

struct figures {
    const char *name;
    const char *label;
    uint64_t values[2];
};

static void figure(struct job *job, const struct figures *f)
{
    struct term *t = &job->page.term;
    char a[SHOW_COUNT];
    char b[SHOW_COUNT];
    if (job->json) {
        json_key(&job->j, f->name);
        json_open(&job->j, '[');
        json_unsigned(&job->j, f->values[0]);
        json_unsigned(&job->j, f->values[1]);
        json_close(&job->j, ']');
        return;
    }
    term_print(t, STYLE_DIM, "  %-12s", f->label);
    term_print(t, STYLE_PLAIN, "%s", show_count((int64_t)f->values[0], a));
    if (f->values[0] != f->values[1]) {
        term_print(t, STYLE_BOLD, " → %s", show_count((int64_t)f->values[1], b));
    }
    term_print(t, STYLE_PLAIN, "\n");
}

static void totals(struct job *job)
{
    const struct pack *a = job->diff.a;
    const struct pack *b = job->diff.b;
    const struct figures all[] = {
        {"rules", "rules", {pack_count(a, PACK_RULES), pack_count(b, PACK_RULES)}},
        {"bytes", "bytes", {a->bytes.len, b->bytes.len}},
        {"worst_cost", "worst cost", {most(a->cost), most(b->cost)}},
        {"worst_demand", "uncapped", {most(a->demand), most(b->demand)}},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        figure(job, &all[i]);
    }
    if (job->json) {
        types(job, a->types, b->types);
        json_member_number(&job->j, "added", (int64_t)job->added);
        json_member_number(&job->j, "removed", (int64_t)job->removed);
        json_member_number(&job->j, "changed", (int64_t)job->changed);
        json_member_number(&job->j, "same", (int64_t)job->same);
        return;
    }
    struct term *t = &job->page.term;
    const uint64_t sets[] = {b->types & ~a->types, a->types & ~b->types};
    for (size_t i = 0; i < 2; i++) {
        char room[2048];
        struct writer names = writer_over(room, sizeof room);
        type_names(sets[i], &names);
        if (sets[i]) {
            term_print(t, STYLE_DIM, "  %-13s", i == 0 ? "asks now for" : "no more for");
            term_quote(t, i == 0 ? STYLE_GREEN : STYLE_RED, writer_text(&names), sizeof room);
            term_print(t, STYLE_PLAIN, "\n");
        }
    }
    term_print(t, STYLE_BOLD,
               "  %" PRIu64 " new, %" PRIu64 " gone, %" PRIu64 " changed, %" PRIu64 " the same\n",
               job->added, job->removed, job->changed, job->same);
}

static bool rules(struct job *job)
{
    struct rule_pair pair;
    char words[256];
    while (pack_diff_next(&job->diff, &pair)) {
        struct status s = one_rule(job, &pair);
        if (!status_ok(s)) {
            ctl_error("cannot compare: %s", status_plain(s, words, sizeof words));
            return false;
        }
        if (!content_page_tick(&job->page)) {
            return false;
        }
    }
    return true;
}

static int compare(struct job *job)
{
    if (job->json) {
        job->j = json_over(&job->page.out);
        json_open(&job->j, '{');
        json_member_text(&job->j, "a", text_of(job->paths[0]));
        json_member_text(&job->j, "b", text_of(job->paths[1]));
        json_key(&job->j, "changes");
        json_open(&job->j, '[');
    }
    if (!rules(job)) {
        return CTL_FAULT;
    }
    bool same = job->added + job->removed + job->changed == 0;
    if (job->json) {
        json_close(&job->j, ']');
        totals(job);
        json_member_bool(&job->j, "identical", same);
        json_close(&job->j, '}');
        writer_u8(&job->page.out, '\n');
    } else {
        term_print(&job->page.term, STYLE_PLAIN, same ? "" : "\n");
        totals(job);
    }
    return content_page_print(&job->page) && same ? CTL_OK : CTL_FAULT;
}

int content_diff(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    OWN(content_pack_drop) struct content_pack a = {0};
    OWN(content_pack_drop) struct content_pack b = {0};
    struct job job = {0};
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (c == 'h') {
            return ctl_help(help);
        }
        if (c != 'j') {
            return ctl_bad_option(argc, argv, c);
        }
        job.json = true;
    }
    if (argc - optind != 2) {
        return ctl_usage(argv[0], "%s: name two packs", argv[0]);
    }
    job.paths[0] = argv[optind];
    job.paths[1] = argv[optind + 1];
    if (!content_pack_open(job.paths[0], &a) || !content_pack_open(job.paths[1], &b)) {
        return CTL_CONTENT;
    }
    job.diff = (struct pack_diff){.a = &a.pack, .b = &b.pack};
    if (!status_ok(content_page_init(&job.page, !job.json))) {
        ctl_error("cannot compare: %s", fault_words(FAULT_MEMORY));
        return CTL_FAULT;
    }
    int exit_code = compare(&job);
    content_page_done(&job.page);
    return exit_code;
}
