#include "base/count.h"
#include "base/own.h"
#include "content/indicator/indicator.h"
#include "content/pack/explain.h"
#include "ctl/content/content_command.h"
#include "ctl/content/content_pack.h"
#include "ctl/show.h"

#include <stdio.h>

static const char help[] =
    "Usage: bulkhead content explain PACK [RULE]\n"
    "\n"
    "Says what a rule of a pack asks, step by step, as the engine does. RULE is its id; without "
    "one\n"
    "the rules, lists of indicators and YARA files of the pack are listed.\n"
    "\n"
    "Exit codes: 0 success, 1 there is no such rule or the pack was refused, 2 wrong usage.\n";

enum {
    LINE_ROOM = 16384,      /* bytes: a quote whose every byte is escaped, and words of ours */
    QUOTE_MAX = 2000,       /* bytes of a text that are shown */
    PROGRAM_MAX = 16 << 20, /* bytes of a program in words: 16,384 nodes of a KiB */
};

/* One line, what it quotes made harmless for terminals. */
struct line {
    char room[LINE_ROOM];
    struct writer out;
    struct term term;
};

static struct term *line_begin(struct line *line)
{
    line->out = writer_over(line->room, sizeof line->room);
    line->term = (struct term){.out = &line->out, .colour = term_wants_colour(stdout)};
    return &line->term;
}

static void line_end(struct line *line)
{
    printf("%.*s\n", TEXT_ARGS(writer_text(&line->out)));
}

static void put_text(struct line *line, const char *name, struct text text)
{
    if (text.len) {
        struct term *t = line_begin(line);
        term_print(t, STYLE_DIM, "%-12s", name);
        term_quote(t, STYLE_PLAIN, text, QUOTE_MAX);
        line_end(line);
    }
}

static void put_types(struct line *line, uint64_t types)
{
    struct term *t = line_begin(line);
    term_print(t, STYLE_DIM, "%-12s", "asked for");
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        if (types >> i & 1) {
            term_print(t, STYLE_PLAIN, "%s ", event_info((enum event_type)i)->name);
        }
    }
    line_end(line);
}

static void explain(const struct pack *pack, size_t index, struct line *line)
{
    static char room[PROGRAM_MAX];
    struct pack_rule rule = pack_rule(pack, index);
    struct term *t = line_begin(line);
    term_quote(t, STYLE_BOLD, rule.title, QUOTE_MAX);
    line_end(line);
    put_text(line, "id", rule.id);
    put_text(line, "level", rule.level);
    put_text(line, "status", rule.status);
    put_text(line, "author", rule.author);
    put_text(line, "tags", rule.tags);
    put_text(line, "file", rule.file);
    if (rule.types) {
        put_types(line, rule.types);
    }
    put_text(line, "alerts", rule.silent ? TEXT("none: a correlation refers to it") : TEXT(""));
    put_text(line, "product", rule.product);
    put_text(line, "service", rule.service);
    put_text(line, "category", rule.category);
    put_text(line, "about", text_trim(rule.description));
    struct writer program = writer_over(room, sizeof room);
    explain_program(pack, index, &program);
    printf("%.*s%s", TEXT_ARGS(writer_text(&program)),
           program.full ? "… and more than fits here\n" : "");
}

static void list(const struct pack *pack, struct line *line)
{
    for (size_t i = 0; i < pack_count(pack, PACK_RULES); i++) {
        struct pack_rule rule = pack_rule(pack, i);
        struct term *t = line_begin(line);
        term_quote(t, STYLE_DIM, rule.id, QUOTE_MAX);
        term_print(t, STYLE_PLAIN, "  ");
        term_column(t, show_level_style(rule.level), rule.level, sizeof "informational");
        term_print(t, STYLE_PLAIN, " ");
        term_quote(t, STYLE_PLAIN, rule.title, QUOTE_MAX);
        line_end(line);
    }
}

static void list_indicators(const struct pack *pack, struct line *line)
{
    for (uint32_t i = 0; i < pack_count(pack, PACK_INDICATOR_ENDS); i++) {
        struct text l = pack_list(pack, i);
        struct term *t = line_begin(line);
        term_print(t, STYLE_DIM, "list ");
        term_quote(t, STYLE_BOLD, indicator_name(l), QUOTE_MAX);
        term_print(t, STYLE_PLAIN, ": %s, %s, %s, %s", indicator_kind_name(indicator_kind(l)),
                   COUNTED(indicator_count(l), "entry", "entries"),
                   COUNTED(indicator_tables(l), "table", "tables"),
                   COUNTED(l.len, "byte", "bytes"));
        line_end(line);
    }
}

static void list_yara(const struct pack *pack, struct line *line)
{
    for (size_t i = 0; i < pack_count(pack, PACK_YARA); i++) {
        struct pack_yara file = pack_yara(pack, i);
        struct term *t = line_begin(line);
        term_print(t, STYLE_DIM, "YARA ");
        term_quote(t, STYLE_BOLD, file.file, QUOTE_MAX);
        term_print(t, STYLE_PLAIN, ": %s", COUNTED(file.source.len, "byte", "bytes"));
        line_end(line);
    }
}

int content_explain(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    static struct line line;
    OWN(content_pack_drop) struct content_pack pack = {0};
    int c = getopt_long(argc, argv, ":h", options, NULL);
    if (c == 'h') {
        return ctl_help(help);
    }
    if (c != -1) {
        return ctl_bad_option(argc, argv, c);
    }
    if (optind == argc || optind + 2 < argc) {
        return ctl_usage(argv[0], "%s: name a pack, and perhaps a rule", argv[0]);
    }
    if (!content_pack_open(argv[optind], &pack)) {
        return CTL_FAULT;
    }
    if (optind + 1 == argc) {
        list(&pack.pack, &line);
        list_indicators(&pack.pack, &line);
        list_yara(&pack.pack, &line);
        return ctl_print(TEXT("")) ? CTL_OK : CTL_FAULT;
    }
    size_t index = pack_find(&pack.pack, text_of(argv[optind + 1]));
    if (index == SIZE_MAX) {
        ctl_error("%s holds no rule %s; `bulkhead content explain %s` lists them", argv[optind],
                  argv[optind + 1], argv[optind]);
        return CTL_FAULT;
    }
    explain(&pack.pack, index, &line);
    return ctl_print(TEXT("")) ? CTL_OK : CTL_FAULT;
}
