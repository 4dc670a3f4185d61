#include "base/clock.h"
#include "base/count.h"
#include "base/heap.h"
#include "base/json.h"
#include "base/own.h"
#include "base/quote.h"
#include "compile/links.h"
#include "content/pack/builder.h"
#include "ctl/content/content_command.h"
#include "ctl/content/content_file.h"
#include "ctl/content/content_gate.h"
#include "ctl/content/content_indicators.h"
#include "ctl/content/content_rules.h"
#include "ctl/content/content_tests.h"
#include "ctl/content/yara_files.h"

#include <stdio.h>

static const char help[] =
    "Usage: bulkhead content build DIR|FILE... -o PACK [OPTION]...\n"
    "\n"
    "Compiles Sigma rules (*.yml and *.yaml in folders) and lists of indicators (*.ioc.txt,\n"
    "*.ioc.csv, *.ioc.json and *.stix.json in folders; *.txt, *.csv, *.json and *.stix where "
    "named)\n"
    "into a pack, and takes YARA rules (*.yar and *.yara) as they are once they have been seen to\n"
    "compile. What cannot be compiled is reported, all of it, and the pack holds the rest.\n"
    "\n"
    "  -o, --output PACK    the pack to write; what is there is replaced when all is done\n"
    "      --report FORMAT  text: what was refused and a count; json: every rule\n"
    "      --any-product    also rules of other systems than Linux, to try them on recordings\n"
    "      --tests PATH     test events of the rules' authors, a file or a folder of *.jsonl: they "
    "go\n"
    "                       into the pack, beside those that are made out of the rules\n"
    "      --proven         refuse rules of which no test event shows that every field decides; "
    "they\n"
    "                       stay with a warning otherwise, and `content verify` refuses the pack\n"
    "      --strict         the same, and write nothing if any rule is refused\n"
    "      --valid-at TIME  leave out indicators that are valid until before TIME (default: now;\n"
    "                       2026-01-31T00:00:00Z)\n"
    "      --release        write nothing that would block or kill something that healthy "
    "machines\n"
    "                       do, alerts too often on them, exceeds a budget, or leaves a rule out\n"
    "\n"
    "For a release:\n"
    "      --golden DIR               recordings of healthy machines (default: content/golden)\n"
    "      --max-alerts-per-hour N    of level medium and above (default: 1)\n"
    "      --max-event-cost STEPS     the budgets of `content verify`\n"
    "      --max-memory MIB\n"
    "      --max-size MIB\n"
    "\n"
    "Exit codes: 0 every rule is in the pack, 1 a rule was refused or the pack could not be\n"
    "written, 2 wrong usage.\n";

enum {
    PACK_MEMORY = 1 << 30,    /* bytes the builder may use: 10,000 rules need about 50 MiB */
    REPORT_LINE = 256 * 1024, /* bytes that hold one rule's entry: paths and titles are bounded */
};

struct build {
    struct sigma_options options;
    struct builder *builder;
    struct sigma_links links;
    const char *output;
    bool json;
    bool proven;
    bool strict;
    bool release;
    struct gate_limits limits;
    struct content_tests tests;
    size_t compiled;   /* rules, those of lists among them, and YARA files */
    size_t yara_taken; /* of these */
    size_t refused;
    struct content_indicators indicators;
    char *line; /* REPORT_LINE bytes */
    struct yara_files yara;
};

/* One entry of the report. `class` NULL: the rule is in the pack. */
struct entry {
    struct text id;
    struct text title;
    const char *file;
    uint32_t line; /* 0: it is about the file */
    const char *class;
    const char *reason; /* of the refusal; where it is in the pack, a remark or "" */
};

static void json_entry(struct json *j, const struct entry *e)
{
    json_open(j, '{');
    json_member_text(j, "id", e->id);
    json_member_text(j, "title", e->title);
    json_member_text(j, "file", text_of(e->file));
    if (e->line) {
        json_member_number(j, "line", e->line);
    }
    json_member_text(j, "status", e->class ? TEXT("refused") : TEXT("ok"));
    if (e->class) {
        json_member_text(j, "class", text_of(e->class));
        json_member_text(j, "reason", text_of(e->reason));
    } else if (e->reason && e->reason[0]) {
        json_member_text(j, "note", text_of(e->reason));
    }
    json_close(j, '}');
}

/* The file's name and what a compiler quotes of it are as foreign as the rules. */
static void tell(struct build *b, const struct entry *e)
{
    struct writer out = writer_over(b->line, REPORT_LINE);
    quote_write(&out, text_of(e->file), SIZE_MAX);
    if (e->line) {
        writer_print(&out, ":%u: %s", e->line, e->class ? e->class : "warning");
    }
    writer_bytes(&out, TEXT(": "));
    quote_write(&out, text_of(e->reason), SIZE_MAX);
    fprintf(stderr, "%.*s\n", TEXT_ARGS(writer_text(&out)));
}

static void report(struct build *b, const struct entry *e)
{
    size_t before = b->compiled + b->refused;
    *(e->class ? &b->refused : &b->compiled) += 1;
    if (b->json) {
        struct writer out = writer_over(b->line, REPORT_LINE);
        struct json j = json_over(&out);
        json_entry(&j, e);
        printf("%s%.*s", before ? ",\n" : "\n", TEXT_ARGS(writer_text(&out)));

    } else if (e->class || (e->reason && e->reason[0])) {
        tell(b, e);
    }
}

/* True: the rule is in the pack. */
static bool add_outcome(struct build *b, const char *path, struct sigma_outcome *outcome)
{
    char why[160] = "";
    struct entry e = {.id = outcome->id,
                      .title = outcome->title,
                      .file = path,
                      .line = outcome->line,
                      .reason = why};
    if (!outcome->ok) {
        e.line = outcome->refusal.line;
        e.class = refusal_name(outcome->refusal.class);
        e.reason = outcome->refusal.words;
    } else {
        struct status s = content_tests_give(&b->tests, &outcome->rule);
        s = status_ok(s) ? builder_add(b->builder, &outcome->rule, why) : s;
        if (!status_ok(s)) {
            e.class = refusal_name(outcome->rule.correlation  ? REFUSAL_CORRELATION
                                   : s.fault == FAULT_INVALID ? REFUSAL_METADATA
                                                              : REFUSAL_DETECTION);
            e.reason = why[0] ? why : fault_words(s.fault);
        }
    }
    report(b, &e);
    return e.class == NULL;
}

/* Correlations come last: what they refer to may stand in any file. */
static struct status add_outcomes(struct build *b, const char *path, struct text bytes)
{
    struct sigma_file file;
    struct sigma_outcome outcome;
    struct status s = OK;
    sigma_open(&file, b->options, text_of(path), bytes);
    while (status_ok(s) && sigma_next(&file, &outcome)) {
        bool taken = !outcome.waits && add_outcome(b, path, &outcome);
        s = sigma_links_add(&b->links, &outcome, taken);
    }
    sigma_close(&file);
    return s;
}

static void add_correlations(struct build *b)
{
    struct sigma_outcome outcome;
    while (sigma_links_next(&b->links, &outcome)) {
        sigma_links_settle(&b->links, add_outcome(b, outcome.rule.file.ptr, &outcome));
    }
}

/* ── YARA ── */

static struct status on_yara_file(struct build *b, const char *path)
{
    char why[200] = "";
    struct status s = yara_files_read(&b->yara, path, why);
    if (s.fault == FAULT_INVALID) {
        report(b, &(struct entry){.file = path, .class = "file", .reason = why});
        return OK;
    }
    return s;
}

/* The whole file is taken or refused: rules of one file refer to each other. */
static void report_yara(struct build *b, const struct yara_file *file)
{
    char why[200] = "";
    struct entry e = {.title = TEXT("YARA rules"), .file = file->path.ptr, .line = file->line};
    text_copy(file->why, why, sizeof why);
    if (file->line == 0) {
        struct status s = builder_add_yara(b->builder, file->path, file->source, why);
        e.line = 1;
        if (status_ok(s)) {
            b->yara_taken++;
            report(b, &e);
            return;
        }
    }
    e.class = "yara";
    e.reason = why[0] ? why : "it cannot be compiled";
    report(b, &e);
}

/* They are compiled where it can do no harm: in the cage of bulkhead-scan. */
static void add_yara(struct build *b)
{
    char words[256];
    struct status s = b->yara.count ? yara_files_check(&b->yara) : OK;
    for (size_t i = 0; i < b->yara.count; i++) {
        struct yara_file *file = &b->yara.items[i];
        if (!status_ok(s) && file->line == 0) {
            file->line = 1;
            file->why = TEXT("bulkhead-scan could not try it");
        }
        report_yara(b, file);
    }
    if (!status_ok(s)) {
        ctl_error("cannot compile YARA rules to see whether they are good: %s",
                  s.fault == FAULT_MISSING ? "bulkhead-scan is not installed"
                                           : status_plain(s, words, sizeof words));
    }
}

/* ── lists of indicators ── */

static void on_list_rule(void *context, const char *path, const struct rule *rule,
                         const char *class, const char *reason)
{
    report(context, &(struct entry){.id = rule->id,
                                    .title = rule->title,
                                    .file = path,
                                    .line = 1,
                                    .class = class,
                                    .reason = reason});
}

static void on_list_refusal(void *context, const char *path, const struct refusal *refusal)
{
    report(context, &(struct entry){.file = path,
                                    .line = refusal->line,
                                    .class = refusal_name(refusal->class),
                                    .reason = refusal->words});
}

static void on_list_note(void *context, const char *path, const char *words)
{
    struct build *b = context;
    fprintf(stderr, "%s: note: %s\n", quote_line(b->line, REPORT_LINE, text_of(path)), words);
}

/* ── files ── */

/* A file that cannot be read is told like a broken rule; the others go on. */
static struct status on_file(void *context, const char *path, const char *wrong)
{
    struct build *b = context;
    OWN(content_bytes_drop) struct content_bytes bytes = {0};
    if (!wrong && yara_files_named(path)) {
        return on_yara_file(b, path);
    }
    char words[200];
    if (!wrong && content_is_list(text_of(path), true)) {
        return content_indicators_add(&b->indicators, path);
    }
    if (!wrong) {
        struct status s = content_file_read(path, YAML_BYTES_MAX, &bytes);
        if (s.fault == FAULT_LIMIT) {
            snprintf(words, sizeof words, "a rule file has at most %d MiB", YAML_BYTES_MAX >> 20);
            wrong = words;
        } else if (!status_ok(s)) {
            wrong =
                s.fault == FAULT_INVALID ? "this is no file" : status_plain(s, words, sizeof words);
        }
    }
    if (wrong) {
        report(b, &(struct entry){.file = path, .class = "file", .reason = wrong});
        return OK;
    }
    return add_outcomes(b, path, content_text(&bytes));
}

/* True: the pack was written. */
static bool write_pack(const struct build *b, size_t *size)
{
    struct text pack;
    char words[256];
    if (b->compiled == 0) {
        /* Without the pack's name: it may be one that `content test` made up. */
        if (b->refused) {
            ctl_error("no pack was written: no rule could be compiled");
        }
        return false;
    }
    if (b->strict && b->refused) {
        ctl_error("%s was not written: rules were refused", b->output);
        return false;
    }
    struct status s = builder_finish(b->builder, &pack);
    if (status_ok(s) && b->release && !content_gate(&b->limits, pack)) {
        ctl_error("%s was not written: it may not be released", b->output);
        return false;
    }
    if (status_ok(s)) {
        s = content_file_replace(b->output, pack);
    }
    if (!status_ok(s)) {
        ctl_error("cannot write %s: %s", b->output,
                  s.fault == FAULT_INVALID ? "it is there, and no regular file"
                                           : status_plain(s, words, sizeof words));
        return false;
    }
    *size = pack.len;
    return true;
}

static void finish_report(const struct build *b, bool written, size_t size)
{
    if (b->json) {
        struct writer out = writer_over(b->line, REPORT_LINE);
        struct json j = json_over(&out);
        json_member_number(&j, "compiled", (int64_t)b->compiled);
        json_member_number(&j, "refused", (int64_t)b->refused);
        json_member_number(&j, "yara_files", (int64_t)b->yara_taken);
        json_member_number(&j, "lists", (int64_t)b->indicators.lists);
        json_member_number(&j, "indicators", (int64_t)b->indicators.entries);
        json_member_bool(&j, "written", written);
        json_member_text(&j, "pack", text_of(b->output));
        json_member_number(&j, "bytes", (int64_t)size);
        printf("\n],%.*s}\n", TEXT_ARGS(writer_text(&out)));
    } else if (written) {
        printf("%s: %s, %s in %s, %s; %s bytes; %zu refused\n", b->output,
               COUNTED(b->compiled - b->yara_taken, "rule", "rules"),
               COUNTED(b->indicators.entries, "indicator", "indicators"),
               COUNTED(b->indicators.lists, "list", "lists"),
               COUNTED(b->yara_taken, "YARA file", "YARA files"), COUNT(size), b->refused);
    }
}

/* Neither a rule nor a refusal: nothing had a name that rules have. */
static void tell_empty(char *const *paths)
{
    for (size_t i = 0; paths[i]; i++) {
        ctl_error("%s holds no *.yml, *.yaml, *.ioc.* or *.yar", paths[i]);
    }
}

static int run(struct build *b, char *const *paths)
{
    OWN(heap_drop) char *line = heap_alloc(REPORT_LINE, 1);
    struct arena arena;
    size_t size = 0;
    bool written = false;
    char words[256];
    arena_init(&arena, PACK_MEMORY);
    b->line = line;
    b->yara.arena = &arena;
    struct status s = line ? builder_new(&arena, &b->builder)
                           : (struct status){.fault = FAULT_MEMORY, .where = STATUS_HERE};
    b->indicators.arena = &arena;
    b->indicators.builder = b->builder;
    if (status_ok(s) && b->proven) {
        builder_proof(b->builder, BUILDER_PROOF_WANTED);
    }
    sigma_links_init(&b->links, b->options, &arena);
    if (status_ok(s)) {
        printf("%s", b->json ? "{\"rules\":[" : "");
        s = content_rules_each(paths, b, on_file);
        add_correlations(b);
        if (status_ok(s)) {
            add_yara(b);
        }
        if (status_ok(s) && b->compiled + b->refused == 0) {
            tell_empty(paths);
        }
        written = status_ok(s) && write_pack(b, &size);
        finish_report(b, written, size);
    }
    if (!status_ok(s)) {
        ctl_error("cannot build: %s", status_plain(s, words, sizeof words));
    }
    sigma_links_done(&b->links);
    arena_done(&arena);
    return written && b->refused == 0 && ctl_print(TEXT("")) ? CTL_OK : CTL_FAULT;
}

/* Of RFC 3339, as far as it is compared: to the second, in UTC. */
static bool is_time(struct text t)
{
    static const char shape[] = "0000-00-00T00:00:00";
    bool right = t.len >= sizeof shape && t.ptr[t.len - 1] == 'Z';
    for (size_t i = 0; right && i < sizeof shape - 1; i++) {
        right = shape[i] == '0' ? t.ptr[i] >= '0' && t.ptr[i] <= '9' : t.ptr[i] == shape[i];
    }
    return right;
}

static void build_done(struct build *b)
{
    content_tests_done(&b->tests);
}

enum {
    OPTION_REPORT = 256,
    OPTION_ANY_PRODUCT,
    OPTION_PROVEN,
    OPTION_STRICT,
    OPTION_RELEASE,
    OPTION_VALID_AT,
    OPTION_TESTS,
    OPTION_GOLDEN,
    OPTION_ALERTS,
    OPTION_COST,
    OPTION_MEMORY,
    OPTION_SIZE
};

static const struct option options[] = {
    {"output", required_argument, NULL, 'o'},
    {"report", required_argument, NULL, OPTION_REPORT},
    {"any-product", no_argument, NULL, OPTION_ANY_PRODUCT},
    {"proven", no_argument, NULL, OPTION_PROVEN},
    {"strict", no_argument, NULL, OPTION_STRICT},
    {"tests", required_argument, NULL, OPTION_TESTS},
    {"valid-at", required_argument, NULL, OPTION_VALID_AT},
    {"release", no_argument, NULL, OPTION_RELEASE},
    {"golden", required_argument, NULL, OPTION_GOLDEN},
    {"max-alerts-per-hour", required_argument, NULL, OPTION_ALERTS},
    {"max-event-cost", required_argument, NULL, OPTION_COST},
    {"max-memory", required_argument, NULL, OPTION_MEMORY},
    {"max-size", required_argument, NULL, OPTION_SIZE},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* Those of the release; false: the number is none. */
static bool take_limit(struct gate_limits *limits, int option)
{
    uint64_t number;
    const char **texts[] = {&limits->max_event_cost, &limits->max_memory, &limits->max_size};
    if (option == OPTION_GOLDEN) {
        limits->golden = optarg;
        return true;
    }
    if (!text_to_u64(text_of(optarg), &number)) {
        return false;
    }
    if (option == OPTION_ALERTS) {
        limits->alerts_per_hour = number;
    } else {
        *texts[option - OPTION_COST] = optarg;
    }
    return true;
}

int content_build(int argc, char **argv)
{
    OWN(build_done)
    struct build b = {
        .limits = {.golden = "content/golden", .alerts_per_hour = GATE_ALERTS_PER_HOUR},
        .indicators = {
            .on_rule = on_list_rule, .on_refusal = on_list_refusal, .on_note = on_list_note}};
    char now[CLOCK_TEXT];
    b.indicators.context = &b;
    b.indicators.now = text_of(clock_text(clock_real_ns(), now));
    /* Options may follow the paths: without the "+" that the other commands have. */
    for (int c; (c = getopt_long(argc, argv, ":o:h", options, NULL)) != -1;) {
        switch (c) {
        case 'o':
            b.output = optarg;
            break;
        case OPTION_REPORT:
            b.json = strcmp(optarg, "json") == 0;
            if (!b.json && strcmp(optarg, "text") != 0) {
                return ctl_usage(argv[0], "%s: a report is text or json, not %s", argv[0], optarg);
            }
            break;
        case OPTION_ANY_PRODUCT:
            b.options.any_product = true;
            break;
        case OPTION_PROVEN:
        case OPTION_STRICT:
        case OPTION_RELEASE:
            b.proven = true;
            b.strict = b.strict || c != OPTION_PROVEN;
            b.release = b.release || c == OPTION_RELEASE;
            break;
        case OPTION_TESTS:
            if (!content_tests_read(&b.tests, optarg)) {
                return CTL_FAULT;
            }
            break;
        case OPTION_GOLDEN:
        case OPTION_ALERTS:
        case OPTION_COST:
        case OPTION_MEMORY:
        case OPTION_SIZE:
            if (!take_limit(&b.limits, c)) {
                return ctl_usage(argv[0], "%s: a limit is a number, not %s", argv[0], optarg);
            }
            break;
        case OPTION_VALID_AT:
            b.indicators.now = text_of(optarg);
            if (!is_time(b.indicators.now)) {
                return ctl_usage(argv[0], "%s: a time is 2026-01-31T00:00:00Z, not %s", argv[0],
                                 optarg);
            }
            break;
        case 'h':
            return ctl_help(help);
        default:
            return ctl_bad_option(argc, argv, c);
        }
    }
    if (optind == argc) {
        return ctl_usage(argv[0], "%s: name the folders and files that hold rules", argv[0]);
    }
    if (!b.output) {
        return ctl_usage(argv[0], "%s: name the pack to write with -o PACK", argv[0]);
    }
    return run(&b, argv + optind);
}
