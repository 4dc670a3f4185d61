#include "ctl/scan_show.h"

#include "base/count.h"
#include "ctl/ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_ROOM = 128 * 1024, /* a path of 16 KiB, escaped */
    PATH_SHOWN = 8192,
    NOW_SHOWN = 48,   /* bytes of the path that is at work: the line has to fit a terminal */
    FLAWS_SHOWN = 20, /* of rule files; the sum counts all */
};

static char room[LINE_ROOM];

struct scan_show scan_show_begin(bool json)
{
    return (struct scan_show){.json = json,
                              .colour = term_wants_colour(stdout),
                              .terminal = !json && isatty(STDERR_FILENO) == 1};
}

static void clear(struct scan_show *s)
{
    if (s->shown) {
        fputs("\r\x1b[K", stderr);
        fflush(stderr);
        s->shown = false;
    }
}

/* "1.2 GiB" */
static void print_bytes(struct term *t, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    double value = (double)bytes;
    while (value >= 1024 && unit < 4) {
        value /= 1024;
        unit++;
    }
    term_print(t, STYLE_PLAIN, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* ── lines ── */

static void show_match(struct term *t, const json_t *line)
{
    struct text level = ctl_member_text(line, "level");
    bool loud = text_same(level, TEXT("high")) || text_same(level, TEXT("critical"));
    term_quote(t, loud ? STYLE_RED : STYLE_YELLOW, ctl_member_text(line, "rule"), 256);
    term_print(t, STYLE_PLAIN, "  ");
    term_quote(t, STYLE_BOLD, ctl_member_text(line, "path"), PATH_SHOWN);
    term_print(t, STYLE_PLAIN, "\n    ");
    term_quote(t, STYLE_PLAIN, level, 16);

    static const struct {
        const char *name;
        const char *before;
    } more[] = {{"tags", ", tags "},
                {"description", ": "},
                {"author", ", by "},
                {"file", "\n    rules "},
                {"sha256", ", sha256 "}};

    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        struct text value = ctl_member_text(line, more[i].name);
        if (value.len) {
            term_print(t, STYLE_DIM, "%s", more[i].before);
            term_quote(t, STYLE_DIM, value, 1024);
        }
    }
    term_print(t, STYLE_PLAIN, "\n");
}

static void show_left_out(struct term *t, const json_t *line)
{
    struct text detail = ctl_member_text(line, "detail");
    term_print(t, STYLE_YELLOW, "not scanned");
    term_print(t, STYLE_PLAIN, "  ");
    term_quote(t, STYLE_BOLD, ctl_member_text(line, "path"), PATH_SHOWN);
    term_print(t, STYLE_PLAIN, ": ");
    term_quote(t, STYLE_PLAIN, ctl_member_text(line, "words"), 256);
    if (detail.len) {
        term_print(t, STYLE_PLAIN, " (");
        term_quote(t, STYLE_PLAIN, detail, 256);
        term_print(t, STYLE_PLAIN, ")");
    }
    term_print(t, STYLE_PLAIN, "\n");
}

/* Without a name it is one of several in its file. */
static void show_rule_failed(struct term *t, const json_t *line)
{
    struct text reason = ctl_member_text(line, "reason");
    struct text rule = ctl_member_text(line, "rule");
    const char *how = text_same(reason, TEXT("timed_out")) ? "takes too long on "
                      : text_same(reason, TEXT("memory"))  ? "takes too much memory on "
                                                           : "breaks the scanner on ";
    term_print(t, STYLE_YELLOW, "rule failed");
    term_print(t, STYLE_PLAIN, "  ");
    term_quote(t, STYLE_BOLD, rule.len ? rule : TEXT("a rule"), 256);
    term_print(t, STYLE_PLAIN, " of ");
    term_quote(t, STYLE_PLAIN, ctl_member_text(line, "file"), 1024);
    term_print(t, STYLE_PLAIN, " %s", how);
    term_quote(t, STYLE_PLAIN, ctl_member_text(line, "path"), PATH_SHOWN);
    term_print(t, STYLE_PLAIN,
               json_is_true(json_object_get(line, "off"))
                   ? ": it failed too often and is off for the rest of this scan\n"
                   : ": that file is scanned without it\n");
}

/* FILE:LINE: words, as compilers say it. */
static void show_flaw(struct term *t, const json_t *line, bool error)
{
    term_quote(t, STYLE_BOLD, ctl_member_text(line, "file"), 1024);
    term_print(t, STYLE_PLAIN, ":%" PRIu64 ": ", (uint64_t)ctl_member_number(line, "line"));
    term_print(t, error ? STYLE_RED : STYLE_YELLOW, error ? "error: " : "warning: ");
    term_quote(t, STYLE_PLAIN, ctl_member_text(line, "words"), 512);
    term_print(t, STYLE_PLAIN, "\n");
}

static uint64_t rate(const json_t *line)
{
    uint64_t ms = (uint64_t)ctl_member_number(line, "ms");
    return ms ? (uint64_t)ctl_member_number(line, "bytes") * 1000 / ms : 0;
}

/* The end of a path says more than its beginning. */
static void show_progress(struct scan_show *s, const json_t *line)
{
    struct writer w = writer_over(room, sizeof room);
    struct term t = {.out = &w, .colour = s->colour};
    struct text path = ctl_member_text(line, "path");
    size_t cut = path.len > NOW_SHOWN ? path.len - NOW_SHOWN : 0;
    term_print(&t, STYLE_PLAIN, "\r\x1b[K%s, ",
               COUNTED((uint64_t)ctl_member_number(line, "files"), "file", "files"));
    print_bytes(&t, rate(line));
    term_print(&t, STYLE_PLAIN, "/s, %s  %s",
               COUNTED((uint64_t)ctl_member_number(line, "matches"), "match", "matches"),
               cut ? "…" : "");
    term_quote(&t, STYLE_DIM, text_part(path, cut, NOW_SHOWN), NOW_SHOWN);
    fwrite(w.start, 1, w.used, stderr);
    fflush(stderr);
    s->shown = true;
}

/* ── the sum ── */

static uint64_t sum(const json_t *reasons)
{
    const char *name;
    json_t *value;
    uint64_t all = 0;
    json_object_foreach((json_t *)(uintptr_t)reasons, name, value)
    {
        all += (uint64_t)json_integer_value(value);
    }
    return all;
}

/* bulkhead-scan's names of what became of a file, where they come in a sum. */
static const char *reason_words(const char *name)
{
    static const struct {
        const char *name, *words;
    } rows[] = {{"no_file", "no regular file"},
                {"link", "symbolic link"},
                {"kernel", "the kernel's"},
                {"other_file_system", "on another file system"},
                {"too_large", "larger than --max-size"},
                {"too_deep", "too deep, or with too long a path"},
                {"denied", "may not be read"},
                {"gone", "not there any more"},
                {"unreadable", "cannot be read"},
                {"changed", "became shorter while it was read"},
                {"timed_out", "took too long"},
                {"crashed", "crashed the scanner"},
                {"memory", "took too much memory"},
                {"fault", "given up on"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return rows[i].words;
        }
    }
    return name;
}

static void show_reasons(struct term *t, const json_t *reasons, const char *words)
{
    const char *name;
    json_t *value;
    uint64_t all = sum(reasons);
    if (all == 0) {
        return;
    }
    const char *before = ":";
    term_print(t, STYLE_PLAIN, "%" PRIu64 " %s", all, words);
    json_object_foreach((json_t *)(uintptr_t)reasons, name, value)
    {
        term_print(t, STYLE_PLAIN, "%s %s (%" PRIu64 ")", before, reason_words(name),
                   (uint64_t)json_integer_value(value));
        before = ",";
    }
    term_print(t, STYLE_PLAIN, "\n");
}

static void take_summary(struct scan_show *s, const json_t *line)
{
    s->finished = true;
    s->files = (uint64_t)ctl_member_number(line, "files");
    s->matches = (uint64_t)ctl_member_number(line, "matches");
    s->failed = sum(json_object_get(line, "failed"));
    s->rules = (uint64_t)ctl_member_number(line, "rules");
    s->lists = (uint64_t)ctl_member_number(line, "hash_lists");
    s->rule_errors = (uint64_t)ctl_member_number(line, "rule_errors");
    s->rules_failed = (uint64_t)ctl_member_number(line, "rules_failed");
}

static void show_summary(struct scan_show *s, struct term *t, const json_t *line)
{
    uint64_t ms = (uint64_t)ctl_member_number(line, "ms");
    if (s->rules == 0 && s->lists == 0) {
        return; /* nothing was looked for: "0 matches" would sound as if */
    }
    term_print(t, STYLE_BOLD, "%s in %s", COUNTED(s->files, "file", "files"),
               COUNTED((uint64_t)ctl_member_number(line, "folders"), "folder", "folders"));
    term_print(t, STYLE_PLAIN, ", ");
    print_bytes(t, (uint64_t)ctl_member_number(line, "bytes"));
    term_print(t, STYLE_PLAIN, ", in %" PRIu64 ".%" PRIu64 " s (", ms / 1000, ms % 1000 / 100);
    print_bytes(t, rate(line));
    term_print(t, STYLE_PLAIN, "/s), %s, %s of hashes\n", COUNTED(s->rules, "rule", "rules"),
               COUNTED(s->lists, "list", "lists"));
    term_print(t, s->matches ? STYLE_RED : STYLE_GREEN, "%s\n",
               COUNTED(s->matches, "match", "matches"));
    show_reasons(t, json_object_get(line, "skipped"), "left out");
    show_reasons(t, json_object_get(line, "failed"), "not scanned");
    if (s->rule_errors) {
        term_print(t, STYLE_YELLOW, "%" PRIu64 " errors in rules, whose files were left out\n",
                   s->rule_errors);
    }
}

static void show_text(struct scan_show *s, struct term *t, const json_t *line)
{
    struct text type = ctl_member_text(line, "type");
    bool error = text_same(type, TEXT("error"));
    if (text_same(type, TEXT("match"))) {
        show_match(t, line);
    } else if (text_same(type, TEXT("failed")) || text_same(type, TEXT("skipped"))) {
        show_left_out(t, line);
    } else if (text_same(type, TEXT("rule_failed"))) {
        show_rule_failed(t, line);
    } else if (error || text_same(type, TEXT("warning"))) {
        if (error || s->errors_shown++ < FLAWS_SHOWN) {
            show_flaw(t, line, error);
        }
    } else if (text_same(type, TEXT("summary"))) {
        show_summary(s, t, line);
    }
}

void scan_show_line(struct scan_show *s, const json_t *line)
{
    struct text type = ctl_member_text(line, "type");
    struct writer w = writer_over(room, sizeof room);
    struct term t = {.out = &w, .colour = s->colour};
    if (text_same(type, TEXT("summary"))) {
        take_summary(s, line);
    }
    if (text_same(type, TEXT("progress"))) {
        if (s->terminal) {
            show_progress(s, line);
        }
        return;
    }
    clear(s);
    if (s->json) {
        json_dumpf(line, stdout, JSON_COMPACT);
        ctl_print(TEXT("\n"));
        return;
    }
    show_text(s, &t, line);
    ctl_print(writer_text(&w));
}

void scan_show_end(struct scan_show *s)
{
    clear(s);
    if (!s->finished) {
        ctl_error("the scan was ended early: what was found so far is above");
    }
}
