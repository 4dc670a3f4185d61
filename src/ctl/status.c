#include "ctl/content/live_costs.h"
#include "ctl/ctl.h"
#include "ctl/show.h"

#include "base/clock.h"
#include "base/count.h"
#include "base/own.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static const char help[] =
    "Usage: bulkhead status [--json] [--home DIR]\n"
    "\n"
    "Says how Bulkhead is doing: tier, content, parts, clients, events and whether any were lost.\n"
    "Events that are `filtered` were seen and not published, and are no loss: nobody asked for "
    "that\n"
    "type or that file, or a call changed nothing.\n"
    "\n"
    "  --json      guard's answer as it is\n"
    "  --home DIR  the instance (default: $BULKHEAD_HOME or /var/lib/bulkhead)\n"
    "\n"
    "Exit codes: 0 nothing is lost and every part runs, 1 events were lost or a part does not "
    "run,\n"
    "69 no Bulkhead answers.\n";

enum { PAGE_MAX = 256 * 1024, NAME_WIDTH = 20, LABEL_WIDTH = 11, TEXT_MAX = 200, COSTS_SHOWN = 3 };

#define SHIPPED_PACK BULKHEAD_DATA "/content.pack" /* where it was installed */

static char page[PAGE_MAX];

/* Resident memory of a process in bytes; 0 where it is gone. Guard leaves this to us: the answer
 * costs it a file to read for each part. */
static uint64_t memory_of(int64_t pid)
{
    char path[64];
    uint64_t pages = 0;
    snprintf(path, sizeof path, "/proc/%" PRId64 "/statm", pid);
    FILE *file = fopen(path, "re");
    if (file) {
        if (fscanf(file, "%*u %" SCNu64, &pages) != 1) {
            pages = 0;
        }
        fclose(file);
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void label(struct term *t, const char *words)
{
    term_print(t, STYLE_DIM, "  %-*s", LABEL_WIDTH, words);
}

/* Restarts cost nothing but say that something happened; losses do cost. */
enum health { HEALTH_WELL, HEALTH_RESTARTED, HEALTH_UNWELL };

static void head(struct term *t, const json_t *answer, enum health health)
{
    static const struct {
        enum style style;
        const char *mark;
        const char *words;
    } heads[] = {
        [HEALTH_WELL] = {STYLE_GREEN, "●", "and all is well"},
        [HEALTH_RESTARTED] = {STYLE_YELLOW, "▲", "but parts of it had to be started again"},
        [HEALTH_UNWELL] = {STYLE_RED, "▲", "but look at what is marked below"},
    };

    char up[SHOW_DURATION];
    struct text tier = ctl_member_text(answer, "tier");
    struct text version = ctl_member_text(answer, "version");
    term_print(t, heads[health].style, "%s ", heads[health].mark);
    term_print(t, STYLE_BOLD, "Bulkhead ");
    term_quote(t, STYLE_BOLD, version, TEXT_MAX);
    term_print(t, STYLE_PLAIN, " runs, %s\n", heads[health].words);
    label(t, "tier");
    term_quote(t, STYLE_PLAIN, tier, TEXT_MAX);
    term_print(t, STYLE_DIM, "  (bulkhead doctor says what it means)\n");
    label(t, "up");
    term_print(t, STYLE_PLAIN, "%s\n",
               show_duration((uint64_t)ctl_member_number(answer, "uptime_ms"), up));
}

static void content(struct term *t, const json_t *answer)
{
    const json_t *active = json_object_get(answer, "content");
    const json_t *previous = json_object_get(active, "previous");
    struct text path = ctl_member_text(active, "path");
    bool digest_known = ctl_member_text(previous, "digest").len > 0;
    int64_t since_ms = ctl_member_number(active, "since_ms");
    int64_t now_ms = (int64_t)(clock_real_ns() / CLOCK_NS_PER_MS);
    char since[SHOW_DURATION];
    label(t, "content");
    if (!json_object_get(active, "path")) {
        term_print(t, STYLE_YELLOW, "none: nothing can be detected; `bulkhead content load %s`\n",
                   access(SHIPPED_PACK, R_OK) == 0 ? SHIPPED_PACK : "PACK");
        return;
    }
    term_quote(t, STYLE_PLAIN, path, TEXT_MAX);
    term_print(t, STYLE_DIM, "  ");
    term_quote(t, STYLE_DIM, text_part(ctl_member_text(active, "digest"), 0, 16), TEXT_MAX);
    term_print(t, STYLE_PLAIN, "\n");
    label(t, "");
    term_print(t, STYLE_PLAIN, "%s",
               COUNTED((uint64_t)ctl_member_number(active, "rules"), "rule", "rules"));
    if (since_ms > 0 && now_ms >= since_ms) {
        term_print(t, STYLE_DIM, ", active for %s",
                   show_duration((uint64_t)(now_ms - since_ms), since));
    }
    if (json_is_true(json_object_get(active, "loading"))) {
        term_print(t, STYLE_YELLOW, ", another pack is being proven");
    }
    if (previous) {
        term_print(t, STYLE_DIM, "; before: ");
        term_quote(t, STYLE_DIM, text_part(ctl_member_text(previous, "digest"), 0, 16), TEXT_MAX);
        term_print(t, STYLE_DIM, "%s", digest_known ? "" : "not known yet");
    }
    term_print(t, STYLE_PLAIN, "\n");
}

/* Counts that are 0 on a machine that is well. */
static void unless_none(struct term *t, const json_t *answer, const char *name, const char *words)
{
    char number[SHOW_COUNT];
    int64_t count = ctl_member_number(answer, name);
    if (count > 0) {
        term_print(t, STYLE_PLAIN, ", ");
        term_print(t, STYLE_ALARM, "%s %s", show_count(count, number), words);
    }
}

static void counts(struct term *t, const json_t *answer)
{
    char number[SHOW_COUNT];
    char used[SHOW_SIZE];
    char size[SHOW_SIZE];
    const json_t *ring = json_object_get(answer, "ring");
    int64_t dropped = ctl_member_number(answer, "dropped_kernel");
    int64_t held = ctl_member_number(ring, "head") - ctl_member_number(ring, "tail");
    label(t, "events");
    term_print(t, STYLE_PLAIN, "%s published, ",
               show_count(ctl_member_number(answer, "published"), number));
    term_print(t, dropped > 0 ? STYLE_ALARM : STYLE_PLAIN, "%s lost in the kernel",
               show_count(dropped, number));
    term_print(t, STYLE_PLAIN, ", %s filtered",
               show_count(ctl_member_number(answer, "filtered"), number));
    unless_none(t, answer, "malformed", "malformed");
    term_print(t, STYLE_PLAIN, "\n");
    label(t, "alerts");
    term_print(t, STYLE_PLAIN, "%s\n", show_count(ctl_member_number(answer, "alerts"), number));
    label(t, "processes");
    term_print(t, STYLE_PLAIN, "%s known",
               show_count(ctl_member_number(answer, "processes"), number));
    unless_none(t, answer, "processes_refused", "without a slot");
    term_print(t, STYLE_PLAIN, "\n");
    label(t, "ring");
    term_print(t, STYLE_PLAIN, "%s of %s\n", show_size((uint64_t)held, used),
               show_size((uint64_t)ctl_member_number(ring, "size"), size));
}

static void types(struct term *t, const json_t *answer)
{
    char number[SHOW_COUNT];
    const char *name;
    json_t *count;
    json_object_foreach(json_object_get(answer, "events"), name, count)
    {
        if (json_integer_value(count) > 0) {
            term_print(t, STYLE_PLAIN, "  %*s", LABEL_WIDTH, "");
            term_column(t, STYLE_PLAIN, text_of(name), NAME_WIDTH);
            term_print(t, STYLE_PLAIN, "%14s\n", show_count(json_integer_value(count), number));
        }
    }
}

/* A part that is off is off on purpose: an engine without content. */
static enum style part_style(struct text state)
{
    return text_same(state, TEXT("running")) ? STYLE_GREEN
           : text_same(state, TEXT("off"))   ? STYLE_DIM
                                             : STYLE_RED;
}

static void memory(struct term *t, int64_t pid)
{
    char size[SHOW_SIZE];
    uint64_t bytes = pid > 0 ? memory_of(pid) : 0;
    term_print(t, STYLE_PLAIN, "%12s", bytes ? show_size(bytes, size) : "");
}

static void part(struct term *t, const json_t *item)
{
    struct text last_exit = ctl_member_text(item, "last_exit");
    int64_t restarts = ctl_member_number(item, "restarts");
    int64_t pid = ctl_member_number(item, "pid");
    term_print(t, STYLE_PLAIN, "  ");
    term_column(t, STYLE_PLAIN, ctl_member_text(item, "name"), NAME_WIDTH);
    term_print(t, STYLE_DIM, "%8" PRId64 "  ", pid);
    struct text state = ctl_member_text(item, "state");
    if (text_same(state, TEXT("off")) && last_exit.len > 0) { /* on purpose: here is why */
        term_print(t, STYLE_DIM, "off: ");
        term_quote(t, STYLE_DIM, last_exit, TEXT_MAX);
        term_print(t, STYLE_PLAIN, "\n");
        return;
    }
    term_column(t, part_style(state), state, 12);
    memory(t, pid);
    if (restarts > 0) {
        term_print(t, STYLE_ALARM, "  %" PRId64 " restart%s", restarts, restarts == 1 ? "" : "s");
    }
    if (last_exit.len > 0) {
        term_print(t, STYLE_DIM, "  last end: ");
        term_quote(t, STYLE_DIM, last_exit, TEXT_MAX);
    }
    term_print(t, STYLE_PLAIN, "\n");
}

static void parts(struct term *t, const json_t *answer)
{
    size_t i;
    json_t *item;
    term_print(t, STYLE_BOLD, "\n  %-*s%8s  %-12s%12s\n", NAME_WIDTH, "part", "pid", "state",
               "memory");
    term_print(t, STYLE_PLAIN, "  ");
    term_column(t, STYLE_PLAIN, TEXT("bulkhead-guard"), NAME_WIDTH);
    term_print(t, STYLE_DIM, "%8" PRId64 "  ", ctl_member_number(answer, "pid"));
    term_column(t, STYLE_GREEN, TEXT("running"), 12);
    memory(t, ctl_member_number(answer, "pid"));
    term_print(t, STYLE_PLAIN, "\n");
    json_array_foreach(json_object_get(answer, "components"), i, item)
    {
        part(t, item);
    }
}

static void clients(struct term *t, const json_t *answer)
{
    char events[SHOW_COUNT];
    char lost_text[SHOW_COUNT];
    char lag[SHOW_SIZE];
    size_t i;
    json_t *item;
    term_print(t, STYLE_BOLD, "\n  %-*s%14s%12s%12s\n", NAME_WIDTH, "client", "events", "behind",
               "lost");
    json_array_foreach(json_object_get(answer, "clients"), i, item)
    {
        int64_t lost = ctl_member_number(item, "lost");
        term_print(t, STYLE_PLAIN, "  ");
        term_column(t, STYLE_PLAIN, ctl_member_text(item, "name"), NAME_WIDTH);
        term_print(t, STYLE_PLAIN, "%14s%12s",
                   show_count(ctl_member_number(item, "events"), events),
                   show_size((uint64_t)ctl_member_number(item, "lag_bytes"), lag));
        term_print(t, lost > 0 ? STYLE_ALARM : STYLE_PLAIN, "%12s", show_count(lost, lost_text));
        term_print(t, STYLE_PLAIN, "\n");
    }
}

static void costs(struct term *t, const json_t *answer)
{
    if (json_array_size(json_object_get(answer, "rules"))) {
        term_print(t, STYLE_PLAIN, "\n");
        live_costs_show(t, answer, COSTS_SHOWN);
    }
}

/* What a part of Bulkhead lost was not looked at, or not delivered. A slow client of others is that
 * client's affair and does not make the machine unwell. */
static bool part_lost_events(const json_t *answer, struct text name)
{
    size_t i;
    json_t *client;
    json_array_foreach(json_object_get(answer, "clients"), i, client)
    {
        if (text_same(ctl_member_text(client, "name"), name) &&
            ctl_member_number(client, "lost") > 0) {
            return true;
        }
    }
    return false;
}

static enum health health_of(const json_t *answer)
{
    size_t i;
    json_t *item;
    bool restarted = false;
    bool well = ctl_member_number(answer, "dropped_kernel") == 0 &&
                ctl_member_number(answer, "malformed") == 0 &&
                ctl_member_number(answer, "processes_refused") == 0;
    json_array_foreach(json_object_get(answer, "components"), i, item)
    {
        well = well && part_style(ctl_member_text(item, "state")) != STYLE_RED &&
               !part_lost_events(answer, ctl_member_text(item, "name"));
        restarted = restarted || ctl_member_number(item, "restarts") > 0;
    }
    return !well ? HEALTH_UNWELL : restarted ? HEALTH_RESTARTED : HEALTH_WELL;
}

static int show(const json_t *answer, enum health health)
{
    struct writer out = writer_over(page, sizeof page);
    struct term t = {.out = &out, .colour = term_wants_colour(stdout)};
    head(&t, answer, health);
    content(&t, answer);
    counts(&t, answer);
    types(&t, answer);
    parts(&t, answer);
    clients(&t, answer);
    costs(&t, answer);
    return ctl_print(writer_text(&out)) ? CTL_OK : CTL_FAULT;
}

int status_main(int argc, char **argv)
{
    struct ctl_options options = {0};
    int exit_code = ctl_options(argc, argv, help, &options);
    if (exit_code != CTL_GO_ON) {
        return exit_code;
    }
    if (optind < argc) {
        return ctl_usage("status", "status takes no argument %s", argv[optind]);
    }
    OWN(ctl_json_drop) json_t *answer = NULL;
    exit_code = ctl_open_and_ask(options.home, "status", 0, &answer);
    if (exit_code != CTL_OK) {
        return exit_code;
    }
    enum health health = health_of(answer);
    exit_code = options.json ? ctl_print_json(answer) : show(answer, health);
    return health == HEALTH_UNWELL ? CTL_FAULT : exit_code;
}
