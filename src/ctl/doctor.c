#include "ctl/checks.h"
#include "ctl/ctl.h"
#include "ctl/show.h"

#include "base/log.h"
#include "base/own.h"

#include <stdio.h>

static const char help[] =
    "Usage: bulkhead doctor [--json] [--home DIR]\n"
    "\n"
    "Says what this machine lets Bulkhead see and do, what is not seen or enforced here, and what\n"
    "to do about it. Looks for itself, and asks the guard that runs what it and its parts found.\n"
    "\n"
    "  --json      one JSON object\n"
    "  --home DIR  the instance (default: $BULKHEAD_HOME or /var/lib/bulkhead)\n"
    "\n"
    "What the tier leaves out by design is marked with a dot, and no fault of the machine. What "
    "only\n"
    "root can find out is marked with a question mark, and is not counted as missing.\n"
    "\n"
    "Exit codes: 0 all that the tier can do works, 1 something of it is missing, or not known "
    "without\n"
    "root.\n";

enum {
    PAGE_MAX = 256 * 1024,
    TEXT_MAX = 400,
    NAME_WIDTH = 22, /* of the longest name but one or two, which have a line of their own */
    INDENT = NAME_WIDTH + 5,
    WIDTH = 80 - INDENT, /* the narrowest terminal that people have */
};

static char page[PAGE_MAX];

/* Words of at most WIDTH columns a line, each after the first below it; a word that is longer
 * stands alone. */
static void show_words(struct term *t, enum style style, struct text words)
{
    for (bool first = true; words.len > 0; first = false) {
        size_t end = words.len;
        if (end > WIDTH) {
            end = text_find_last(text_part(words, 0, WIDTH + 1), ' ');
            end = end == SIZE_MAX ? text_find_byte(words, ' ') : end;
        }
        term_print(t, STYLE_PLAIN, "%*s", first ? 0 : INDENT, "");
        term_quote(t, style, text_part(words, 0, end), TEXT_MAX);
        term_print(t, STYLE_PLAIN, "\n");
        words = text_trim(text_part(words, end, words.len));
    }
}

enum finding { FINDING_OK, FINDING_DESIGN, FINDING_UNKNOWN, FINDING_MISSING };

enum { FINDINGS = FINDING_MISSING + 1 };

/* What the tracepoint tier does not do, on no machine: told, since people rely on it. */
static enum finding finding_of(const json_t *check)
{
    static const char *const design[] = {"enforcement",
                                         "io_uring",
                                         "paths of rename, link, unlink, mount",
                                         "descriptors of another thread",
                                         "calls answered by seccomp",
                                         "x32 and 16-bit calls",
                                         "udp without connect",
                                         "BPF LSM",
                                         "fanotify"};
    if (json_is_true(json_object_get(check, "ok"))) {
        return FINDING_OK;
    }
    if (text_starts(ctl_member_text(check, "detail"), TEXT("not known: needs root"))) {
        return FINDING_UNKNOWN;
    }
    for (size_t i = 0; i < sizeof design / sizeof *design; i++) {
        if (text_same(ctl_member_text(check, "name"), text_of(design[i]))) {
            return FINDING_DESIGN;
        }
    }
    return FINDING_MISSING;
}

static void show_check(struct term *t, const json_t *check)
{
    static const struct {
        enum style style;
        const char *mark;
    } marks[] = {[FINDING_OK] = {STYLE_GREEN, "✓"},
                 [FINDING_DESIGN] = {STYLE_DIM, "·"},
                 [FINDING_UNKNOWN] = {STYLE_DIM, "?"},
                 [FINDING_MISSING] = {STYLE_YELLOW, "✗"}};
    struct text name = ctl_member_text(check, "name");
    struct text detail = ctl_member_text(check, "detail");
    struct text advice = ctl_member_text(check, "advice");
    enum finding finding = finding_of(check);
    term_print(t, marks[finding].style, "  %s ", marks[finding].mark);
    term_column(t, STYLE_PLAIN, name, NAME_WIDTH);
    if (name.len > NAME_WIDTH) { /* on a line of its own */
        term_print(t, STYLE_PLAIN, "\n%*s", INDENT, "");
    } else {
        term_print(t, STYLE_PLAIN, " ");
    }
    show_words(t, STYLE_DIM, detail);
    /* Of what is not known nothing can be advised but root, which the detail says. */
    if (finding == FINDING_DESIGN || finding == FINDING_MISSING) {
        term_print(t, STYLE_PLAIN, "%*s", advice.len > 0 ? INDENT : 0, "");
        show_words(t, STYLE_PLAIN, advice);
    }
}

static void count_findings(const json_t *checks, size_t *out)
{
    size_t i;
    json_t *check;
    json_array_foreach(checks, i, check)
    {
        out[finding_of(check)]++;
    }
}

/* How many of which, in a sentence or three. */
static void show_sum(struct term *t, const size_t *findings, size_t total, bool guard)
{
    size_t missing = findings[FINDING_MISSING];
    size_t unknown = findings[FINDING_UNKNOWN];
    term_print(t, STYLE_PLAIN, "\n");
    if (missing > 0) {
        term_print(t, STYLE_YELLOW, "%zu of %zu checks found something missing.\n", missing, total);
    } else if (unknown == 0 && guard) {
        term_print(t, STYLE_GREEN, "All that this tier can do works on this machine.\n");
    } else {
        term_print(t, STYLE_GREEN, "Nothing was found missing.\n");
    }
    if (unknown > 0) {
        term_print(t, STYLE_YELLOW, "%zu of %zu checks need root: try again with sudo.\n", unknown,
                   total);
    }
    if (!guard) {
        term_print(t, STYLE_PLAIN,
                   "No guard was asked: what it sees, and whether its parts are "
                   "caged, is not known.\n");
    }
}

static bool show(const json_t *answer, const size_t *findings, bool guard)
{
    struct writer out = writer_over(page, sizeof page);
    struct term t = {.out = &out, .colour = term_wants_colour(stdout)};
    const json_t *checks = json_object_get(answer, "checks");
    size_t i;
    json_t *check;
    term_print(&t, STYLE_BOLD, "Kernel ");
    term_quote(&t, STYLE_BOLD, ctl_member_text(answer, "kernel"), TEXT_MAX);
    term_print(&t, STYLE_BOLD, ", tier ");
    term_quote(&t, STYLE_BOLD, ctl_member_text(answer, "tier"), TEXT_MAX);
    term_print(&t, STYLE_PLAIN, "\n\n");
    json_array_foreach(checks, i, check)
    {
        show_check(&t, check);
    }
    show_sum(&t, findings, json_array_size(checks), guard);
    return ctl_print(writer_text(&out));
}

/* That no guard runs is no mistake here. NULL: none answers, which has been said. */
static json_t *ask_guard(const char *home)
{
    OWN(ctl_client_drop) struct bh_client *client = NULL;
    struct bh_options options = BH_OPTIONS("bulkhead");
    json_t *answer = NULL;
    options.home = ctl_home(home);
    int result = bh_client_open(&options, &client);
    if (result == BH_OK && ctl_ask(client, "doctor", 0, &answer) == CTL_OK) {
        return answer;
    }
    if (result == BH_DENIED) {
        log_info("you may not talk to the Bulkhead in %s; try again with sudo", ctl_home(home));
    } else {
        log_info("no guard answers in %s: looking at the machine without it", ctl_home(home));
    }
    return NULL;
}

/* The machine's checks and guard's, in this order, under guard's name of the tier. */
static json_t *all_checks(const json_t *guard)
{
    json_t *answer = checks_run();
    if (guard) {
        json_array_extend(json_object_get(answer, "checks"), json_object_get(guard, "checks"));
        json_object_set(answer, "tier", json_object_get(guard, "tier"));
    }
    return answer;
}

static int examine(const char *home, bool json)
{
    size_t findings[FINDINGS] = {0};
    OWN(ctl_json_drop) json_t *guard = ask_guard(home);
    OWN(ctl_json_drop) json_t *answer = all_checks(guard);
    count_findings(json_object_get(answer, "checks"), findings);
    bool printed = json ? ctl_print_json(answer) == CTL_OK : show(answer, findings, guard != NULL);
    bool works = findings[FINDING_MISSING] + findings[FINDING_UNKNOWN] == 0;
    return printed && works ? CTL_OK : CTL_FAULT;
}

int doctor_main(int argc, char **argv)
{
    struct ctl_options options = {0};
    int exit_code = ctl_options(argc, argv, help, &options);
    if (exit_code != CTL_GO_ON) {
        return exit_code;
    }
    if (optind < argc) {
        return ctl_usage("doctor", "doctor takes no argument %s", argv[optind]);
    }
    return examine(options.home, options.json);
}
