/*
 * scan: asks files whether rules match, through bulkhead-scan. Rules are YARA files, or those of a
 * pack; without --rules, of the pack that the instance uses.
 */
#include "ctl/content/content_pack.h"
#include "ctl/content/content_rules.h"
#include "ctl/content/yara_files.h"
#include "ctl/ctl.h"
#include "ctl/scan_show.h"
#include "ctl/scanner.h"

#include "base/heap.h"
#include "base/own.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>

static const char help[] =
    "Usage: bulkhead scan PATH... [OPTION]...\n"
    "\n"
    "Asks every file below the paths whether YARA rules match, and prints matches as they come.\n"
    "Rules and files are read in a cage; one that crashes or hangs it is named, and the scan goes "
    "on.\n"
    "Links are followed only where they are named; files of the kernel (/proc, /sys) are left "
    "out.\n"
    "\n"
    "  --rules RULES      a file of YARA rules, a folder of *.yar and *.yara, or a pack; may be\n"
    "                     given several times (default: the pack that the instance uses). Of a "
    "pack the\n"
    "                     lists of SHA-256 hashes are asked too\n"
    "  --max-size MIB     leave out files that are larger (default and most: 256)\n"
    "  --time SECONDS     for a file, and a second more for each 10 MiB (default: 10)\n"
    "  --jobs N           workers at once, 1 to 16 (default: one a processor, 4 at most)\n"
    "  --one-file-system  stay on the file system of each path\n"
    "  --json             one object a line\n"
    "  --home DIR         the instance whose pack is used\n"
    "\n"
    "Exit codes: 0 nothing matched, 1 a rule matched, or a file or rule could not be used, 2 "
    "wrong\n"
    "usage, 69 no Bulkhead answers and no rules were given, 70 the scanner does not work, 78 "
    "there\n"
    "is no rule that compiles.\n";

enum {
    RULES_MAX = 64,           /* --rules */
    SCAN_ARGUMENTS = 12,      /* what goes to the scanner beside the paths */
    RULES_MEMORY = 256 << 20, /* rules twice, and the pack they make */
    SIZE_MIB = 256,           /* scan/opener.h */
};

struct scan {
    const char *home;
    bool json;
    char *rules[RULES_MAX + 1];
    unsigned rules_count;
    char *arguments[SCAN_ARGUMENTS];
    unsigned argument_count;
    char size[24];
    struct yara_files files;
    unsigned unreadable; /* rule files */
    struct text pack;    /* what is handed over */
    struct content_pack given;
};

static void argument(struct scan *s, const char *word)
{
    ENSURE(s->argument_count < SCAN_ARGUMENTS);
    s->arguments[s->argument_count++] = (char *)(uintptr_t)word;
}

/* Where the rules are from, for a message. */
static const char *rules_from(const struct scan *s, char *room, size_t room_size)
{
    if (s->rules_count == 0) {
        return "the instance's pack";
    }
    int len = snprintf(room, room_size, "%.300s", s->rules[0]);
    if (s->rules_count > 1) {
        snprintf(room + len, room_size - (size_t)len, " and %u more", s->rules_count - 1);
    }
    return room;
}

/* ── rules ── */

static bool is_pack(const char *path)
{
    char magic[8] = "";
    FILE *file = fopen(path, "re");
    bool is = file && fread(magic, 1, sizeof magic, file) == sizeof magic &&
              text_same((struct text){magic, sizeof magic}, TEXT(PACK_MAGIC));
    if (file) {
        fclose(file);
    }
    return is;
}

static struct status on_file(void *context, const char *path, const char *wrong)
{
    struct scan *s = context;
    char why[200] = "";
    struct text name = text_of(path);
    if (!wrong && (text_ends(name, TEXT(".yml")) || text_ends(name, TEXT(".yaml")) ||
                   content_is_list(name, false))) {
        return OK; /* in a folder that has all of these: the pack's business */
    }
    struct status read = wrong ? OK : yara_files_read(&s->files, path, why);
    if (wrong || read.fault == FAULT_INVALID) {
        ctl_error("cannot read the rules in %s: %s", path, wrong ? wrong : why);
        s->unreadable++;
        return OK;
    }
    return read;
}

static int pack_of_files(struct scan *s)
{
    char words[400];
    struct status r = content_rules_each(s->rules, s, on_file);
    r = status_ok(r) ? yara_files_pack(&s->files, &s->pack) : r;
    if (!status_ok(r)) {
        ctl_error("cannot take the rules: %s", status_plain(r, words, sizeof words));
        return CTL_FAULT;
    }
    for (size_t i = 0; i < s->files.count; i++) {
        if (s->files.items[i].line) {
            ctl_error("%.*s: %.*s", TEXT_ARGS(s->files.items[i].path),
                      TEXT_ARGS(s->files.items[i].why));
            s->unreadable++;
        }
    }
    if (s->files.count == 0) {
        ctl_error("there are no YARA rules (*.yar, *.yara) in %s",
                  rules_from(s, words, sizeof words));
        return CTL_CONTENT;
    }
    return CTL_OK;
}

static int pack_at(struct scan *s, const char *path)
{
    if (!content_pack_open(path, &s->given)) {
        return CTL_CONTENT;
    }
    s->pack = content_text(&s->given.bytes);
    return CTL_OK;
}

static int pack_of_instance(struct scan *s)
{
    OWN(ctl_json_drop) json_t *answer = NULL;
    char path[4096];
    int exit_code = ctl_open_and_ask(s->home, "status", 0, &answer);
    if (exit_code != CTL_OK) {
        ctl_error("without it, say with --rules which rules to use");
        return exit_code;
    }
    text_copy(ctl_member_text(json_object_get(answer, "content"), "path"), path, sizeof path);
    if (!path[0]) {
        ctl_error("the instance uses no content; say with --rules which rules to use");
        return CTL_CONTENT;
    }
    return pack_at(s, path);
}

static int find_rules(struct scan *s)
{
    if (s->rules_count == 0) {
        return pack_of_instance(s);
    }
    return s->rules_count == 1 && is_pack(s->rules[0]) ? pack_at(s, s->rules[0]) : pack_of_files(s);
}

/* ── scanning ── */

static void on_line(void *context, const json_t *line)
{
    scan_show_line(context, line);
}

static int judge(const struct scan *s, const struct scan_show *show, int ended)
{
    if (ended == EX_CONFIG) {
        ctl_error("the scanner refused the rules");
        return CTL_CONTENT;
    }
    if (ended != EX_OK) {
        ctl_error("bulkhead-scan does not work: it ended with %d", ended);
        return CTL_INTERNAL;
    }
    if (show->finished && show->rules == 0 && show->lists == 0) {
        char room[400];
        ctl_error("there is no YARA rule that compiles and no list of hashes in %s: nothing was "
                  "looked for",
                  rules_from(s, room, sizeof room));
        return CTL_CONTENT;
    }
    bool well = show->finished && !show->matches && !show->failed && !show->rule_errors &&
                !show->rules_failed && !s->unreadable;
    return well ? CTL_OK : CTL_FAULT;
}

static int scan(struct scan *s, char *const *paths, size_t path_count)
{
    struct scan_show show = scan_show_begin(s->json);
    struct scanner_listener listener = {.context = &show, .on_line = on_line};
    char words[256];
    int ended;
    OWN(heap_drop) char **all = heap_alloc(s->argument_count + path_count + 2, sizeof *all);
    if (!all) {
        ctl_error("cannot scan: there is no memory");
        return CTL_FAULT;
    }
    for (unsigned i = 0; i < s->argument_count; i++) {
        all[i] = s->arguments[i];
    }
    static char end_of_options[] = "--";
    all[s->argument_count] = end_of_options;
    for (size_t i = 0; i < path_count; i++) {
        all[s->argument_count + 1 + i] = paths[i];
    }
    struct status r = scanner_run(s->pack, all, &listener, &ended);
    if (!status_ok(r)) {
        ctl_error("cannot run bulkhead-scan: %s", r.fault == FAULT_MISSING
                                                      ? "it is not installed"
                                                      : status_plain(r, words, sizeof words));
        return CTL_INTERNAL;
    }
    scan_show_end(&show);
    return judge(s, &show, ended);
}

/* ── the command ── */

static int bad_number(const char *name, uint64_t most)
{
    return ctl_usage("scan", "scan: --%s takes a number from 1 to %llu, not %s", name,
                     (unsigned long long)most, optarg);
}

/* A number that goes on to the scanner as it is; CTL_GO_ON where it is one. */
static int pass_number(struct scan *s, const char *option, uint64_t most)
{
    uint64_t value;
    if (!text_to_u64(text_of(optarg), &value) || value == 0 || value > most) {
        return bad_number(option + 2, most);
    }
    argument(s, option);
    argument(s, optarg);
    return CTL_GO_ON;
}

static int take_size(struct scan *s)
{
    uint64_t mib;
    if (!text_to_u64(text_of(optarg), &mib) || mib == 0 || mib > SIZE_MIB) {
        return bad_number("max-size", SIZE_MIB);
    }
    snprintf(s->size, sizeof s->size, "%llu", (unsigned long long)mib << 20);
    argument(s, "--max-size");
    argument(s, s->size);
    return CTL_GO_ON;
}

static int take_rules(struct scan *s)
{
    struct stat info;
    if (s->rules_count == RULES_MAX) {
        return ctl_usage("scan", "scan: --rules may be given %d times", RULES_MAX);
    }
    if (stat(optarg, &info) != 0) {
        return ctl_usage("scan", "scan: there are no rules in %s: %s", optarg, strerror(errno));
    }
    s->rules[s->rules_count++] = optarg;
    return CTL_GO_ON;
}

enum { OPTION_SIZE = 256, OPTION_TIME, OPTION_JOBS, OPTION_SYSTEM };

static int take_option(struct scan *s, int argc, char **argv, int option)
{
    switch (option) {
    case 'r':
        return take_rules(s);
    case OPTION_SIZE:
        return take_size(s);
    case OPTION_TIME:
        return pass_number(s, "--time", 3600);
    case OPTION_JOBS:
        return pass_number(s, "--jobs", 16);
    case OPTION_SYSTEM:
        argument(s, "--one-file-system");
        return CTL_GO_ON;
    case 'j':
        s->json = true;
        return CTL_GO_ON;
    case 'H':
        s->home = optarg;
        return CTL_GO_ON;
    case 'h':
        return ctl_help(help);
    default:
        return ctl_bad_option(argc, argv, option);
    }
}

int scan_main(int argc, char **argv)
{
    static const struct option options[] = {{"rules", required_argument, NULL, 'r'},
                                            {"max-size", required_argument, NULL, OPTION_SIZE},
                                            {"time", required_argument, NULL, OPTION_TIME},
                                            {"jobs", required_argument, NULL, OPTION_JOBS},
                                            {"one-file-system", no_argument, NULL, OPTION_SYSTEM},
                                            {"json", no_argument, NULL, 'j'},
                                            {"home", required_argument, NULL, 'H'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static struct scan s;
    struct arena arena;
    for (int c; (c = getopt_long(argc, argv, ":r:h", options, NULL)) != -1;) {
        int exit_code = take_option(&s, argc, argv, c);
        if (exit_code != CTL_GO_ON) {
            return exit_code;
        }
    }
    if (optind == argc) {
        return ctl_usage("scan", "scan: say which files or folders to scan");
    }
    arena_init(&arena, RULES_MEMORY);
    s.files.arena = &arena;
    int exit_code = find_rules(&s);
    if (exit_code == CTL_OK) {
        exit_code = scan(&s, argv + optind, (size_t)(argc - optind));
    }
    content_pack_drop(&s.given);
    arena_done(&arena);
    return exit_code;
}
