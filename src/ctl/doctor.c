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
    "to do about it. Asks the guard that runs; looks for itself where none does.\n"
    "\n"
    "  --json      one JSON object\n"
    "  --home DIR  the instance (default: $BULKHEAD_HOME or /var/lib/bulkhead)\n"
    "\n"
    "What the tier leaves out by design is marked with a dot, and no fault of the machine.\n"
    "\n"
    "Exit codes: 0 all that the tier can do works, 1 something of it is missing.\n";

enum {
    PAGE_MAX = 256 * 1024,
    TEXT_MAX = 400,
    NAME_WIDTH = 16,
    INDENT = NAME_WIDTH + 5,
    WIDTH = 76
};

static char page[PAGE_MAX];

/* Words of at most WIDTH columns a line; a word that is longer stands alone. */
static void show_advice(struct term *t, struct text advice)
{
    while (advice.len > 0) {
        size_t end = advice.len;
        if (end > WIDTH) {
            end = text_find_last(text_part(advice, 0, WIDTH + 1), ' ');
            end = end == SIZE_MAX ? text_find_byte(advice, ' ') : end;
        }
        term_print(t, STYLE_PLAIN, "%*s", INDENT, "");
        term_quote(t, STYLE_PLAIN, text_part(advice, 0, end), TEXT_MAX);
        term_print(t, STYLE_PLAIN, "\n");
        advice = text_trim(text_part(advice, end, advice.len));
    }
}

enum finding { FINDING_OK, FINDING_DESIGN, FINDING_MISSING };

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
                 [FINDING_MISSING] = {STYLE_YELLOW, "✗"}};
    enum finding finding = finding_of(check);
    term_print(t, marks[finding].style, "  %s ", marks[finding].mark);
    term_column(t, STYLE_PLAIN, ctl_member_text(check, "name"), NAME_WIDTH);
    term_print(t, STYLE_PLAIN, " ");
    term_quote(t, STYLE_DIM, ctl_member_text(check, "detail"), TEXT_MAX);
    term_print(t, STYLE_PLAIN, "\n");
    if (finding != FINDING_OK) {
        show_advice(t, ctl_member_text(check, "advice"));
    }
}

static size_t count_missing(const json_t *checks)
{
    size_t missing = 0;
    size_t i;
    json_t *check;
    json_array_foreach(checks, i, check)
    {
        missing += finding_of(check) == FINDING_MISSING;
    }
    return missing;
}

static bool show(const json_t *answer, size_t missing)
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
    if (missing > 0) {
        term_print(&t, STYLE_YELLOW, "\n%zu of %zu checks found something missing.\n", missing,
                   json_array_size(checks));
    } else {
        term_print(&t, STYLE_GREEN, "\nAll that this tier can do works on this machine.\n");
    }
    return ctl_print(writer_text(&out));
}

/* That no guard runs is no mistake here. */
static json_t *ask_guard(const char *home)
{
    OWN(ctl_client_drop) struct bh_client *client = NULL;
    struct bh_options options = BH_OPTIONS("bulkhead");
    json_t *answer = NULL;
    options.home = ctl_home(home);
    if (bh_client_open(&options, &client) != BH_OK ||
        ctl_ask(client, "doctor", 0, &answer) != CTL_OK) {
        return NULL;
    }
    return answer;
}

static int examine(const char *home, bool json)
{
    OWN(ctl_json_drop) json_t *answer = ask_guard(home);
    if (!answer) {
        log_info("no guard answers in %s: looking at the machine without it", ctl_home(home));
        answer = checks_run();
    }
    size_t missing = count_missing(json_object_get(answer, "checks"));
    bool printed = json ? ctl_print_json(answer) == CTL_OK : show(answer, missing);
    return printed && missing == 0 ? CTL_OK : CTL_FAULT;
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
