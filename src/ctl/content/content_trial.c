/*
 * `bulkhead content test`. (content_test.c is what tests this folder.)
 */
#include "base/own.h"
#include "ctl/content/content_command.h"
#include "ctl/content/content_compile.h"
#include "ctl/content/content_pack.h"
#include "ctl/content/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <unistd.h>

static const char help[] =
    "Usage: bulkhead content test PACK|DIR|FILE... [OPTION]...\n"
    "\n"
    "Holds what rules do against what they should do: a pack, or folders and files of rules, "
    "which\n"
    "are compiled for it.\n"
    "\n"
    "      --tests PATH        test events, *.jsonl in a folder: each names a rule that has to "
    "match\n"
    "                          it, or must not: "
    "{\"rule\":ID,\"expect\":true,\"note\":…,\"event\":{…}}\n"
    "      --events FILE       recorded events, for which …\n"
    "      --expect FILE       … these lines name every rule that matches: "
    "{\"line\":N,\"rules\":[ID…]},\n"
    "                          or what `bulkhead content match --format json` printed\n"
    "      --ordinary FILE     events on which rules have to be silent\n"
    "      --silent-from LEVEL from which level on (default: medium). Rules that block or kill "
    "are\n"
    "                          never tolerated\n"
    "      --rule ID           try this rule alone\n"
    "      --complete          each rule needs a test event that it matches, and one that it does "
    "not\n"
    "      --names NAMES       bulkhead or sigma: how the events name their fields\n"
    "      --any-product       compile rules of any product\n"
    "      --json              findings and totals as one JSON object\n"
    "\n"
    "All options that name files may be repeated; - is standard input.\n"
    "\n"
    "Exit codes: 0 everything is as expected, 1 something differs, was refused or could not be "
    "read,\n"
    "2 wrong usage.\n";

/* Lists of paths from the command line, which has no more arguments than this. */
enum { PATHS_MAX = 64 };

struct paths {
    const char *list[PATHS_MAX];
    size_t count;
};

struct job {
    struct trial trial;
    struct paths tests;
    struct paths events;
    struct paths expect;
    struct paths ordinary;
    const char *rule;
    bool any_product;
};

static bool is_pack(const char *path)
{
    char magic[sizeof PACK_MAGIC - 1];
    OWN(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return fd >= 0 && read(fd, magic, sizeof magic) == (ssize_t)sizeof magic &&
           text_same((struct text){magic, sizeof magic}, TEXT(PACK_MAGIC));
}

/* ── test events in folders ── */

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void fts_drop(FTS **fts)
{
    if (*fts) {
        fts_close(*fts);
    }
}

static void run_tests(struct trial *t, const char *path)
{
    char *const paths[] = {(char *)(uintptr_t)path, NULL};
    if (text_same(text_of(path), TEXT("-"))) {
        trial_cases(t, path);
        return;
    }
    OWN(fts_drop) FTS *fts = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    for (FTSENT *entry = fts ? fts_read(fts) : NULL; entry; entry = fts_read(fts)) {
        struct text name = text_of(entry->fts_name);
        bool named = entry->fts_level == FTS_ROOTLEVEL;
        bool is_file = entry->fts_info == FTS_F || entry->fts_info == FTS_DEFAULT;
        bool is_wrong = entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
                        entry->fts_info == FTS_NS || entry->fts_info == FTS_SLNONE;
        if (is_wrong) {
            ctl_error("cannot read %s: %s", entry->fts_path, strerror(entry->fts_errno));
            t->unreadable = true;
        } else if (is_file &&
                   (named || text_ends(name, TEXT(".jsonl")) || text_ends(name, TEXT(".zst")))) {
            trial_cases(t, entry->fts_path);
        }
    }
}

/* ── running ── */

static int run_trial(struct job *job, const struct content_pack *pack)
{
    struct trial *t = &job->trial;
    trial_report_begin(t);
    trial_vectors(t);
    for (size_t i = 0; i < job->tests.count; i++) {
        run_tests(t, job->tests.list[i]);
    }
    for (size_t i = 0; i < job->events.count; i++) {
        trial_expect(t, job->events.list[i], job->expect.list[i]);
    }
    for (size_t i = 0; i < job->ordinary.count; i++) {
        trial_ordinary(t, job->ordinary.list[i]);
    }
    trial_end(t);
    /* A report of nothing would look like success. */
    if (t->vectors + t->cases + t->expected + t->ordinary == 0 && !t->unreadable) {
        t->unreadable = true;
        ctl_error("nothing was tested: there is no test event%s",
                  job->rule ? " for this rule" : "");
    }
    (void)pack;
    bool passed = trial_report_end(t);
    return passed ? CTL_OK : CTL_FAULT;
}

static int try_pack(struct job *job, const char *path)
{
    OWN(content_pack_drop) struct content_pack pack = {0};
    char words[256];
    if (!content_pack_open(path, &pack)) {
        return CTL_FAULT;
    }
    struct trial *t = &job->trial;
    int exit_code = CTL_FAULT;
    int loudest = t->loudest;
    struct status s = trial_init(t, &pack.pack);
    t->loudest = loudest ? loudest : t->loudest;
    t->only = job->rule ? pack_find(&pack.pack, text_of(job->rule)) : SIZE_MAX;
    if (!status_ok(s)) {
        ctl_error("cannot test: %s", status_plain(s, words, sizeof words));
    } else if (job->rule && t->only == SIZE_MAX) {
        ctl_error("there is no rule %s", job->rule);
    } else {
        exit_code = run_trial(job, &pack);
    }
    trial_done(t);
    return exit_code;
}

static int try_rules(struct job *job, char *const *paths)
{
    OWN(content_compiled_drop) struct content_compiled compiled = {0};
    char words[256];
    struct status s = content_compile(paths, job->any_product, &compiled);
    if (s.fault == FAULT_MISSING) {
        return CTL_FAULT; /* the builder said why */
    }
    if (!status_ok(s)) {
        ctl_error("cannot compile: %s", status_plain(s, words, sizeof words));
        return CTL_FAULT;
    }
    job->trial.refused = compiled.refused;
    return try_pack(job, compiled.pack);
}

/* ── the command ── */

enum {
    OPTION_TESTS = 256,
    OPTION_EVENTS,
    OPTION_EXPECT,
    OPTION_ORDINARY,
    OPTION_SILENT_FROM,
    OPTION_RULE,
    OPTION_COMPLETE,
    OPTION_NAMES,
    OPTION_ANY_PRODUCT,
    OPTION_JSON,
};

static int add_path(struct paths *paths, const char *path)
{
    if (paths->count == PATHS_MAX) {
        return ctl_usage("content test", "content test: more than %d files of a kind", PATHS_MAX);
    }
    paths->list[paths->count++] = path;
    return CTL_OK;
}

static int on_option(struct job *job, int option)
{
    switch (option) {
    case OPTION_TESTS:
        return add_path(&job->tests, optarg);
    case OPTION_EVENTS:
        return add_path(&job->events, optarg);
    case OPTION_EXPECT:
        return add_path(&job->expect, optarg);
    case OPTION_ORDINARY:
        return add_path(&job->ordinary, optarg);
    case OPTION_SILENT_FROM:
        job->trial.loudest = (int)level_rank(text_of(optarg));
        return job->trial.loudest ? CTL_OK
                                  : ctl_usage("content test",
                                              "there is no level %s: informational, "
                                              "low, medium, high or critical",
                                              optarg);
    case OPTION_RULE:
        job->rule = optarg;
        return CTL_OK;
    case OPTION_NAMES:
        return content_names_of(optarg, &job->trial.names)
                   ? CTL_OK
                   : ctl_usage("content test", "names are bulkhead or sigma, not %s", optarg);
    default:
        *(option == OPTION_COMPLETE      ? &job->trial.covered
          : option == OPTION_ANY_PRODUCT ? &job->any_product
                                         : &job->trial.json) = true;
        return CTL_OK;
    }
}

static int check_usage(const struct job *job, int left)
{
    if (left == 0) {
        return ctl_usage("content test", "content test: name a pack, or folders of rules");
    }
    if (job->events.count != job->expect.count) {
        return ctl_usage("content test",
                         "content test: --events and --expect belong together, one for one");
    }
    return CTL_OK;
}

int content_trial(int argc, char **argv)
{
    static const struct option options[] = {
        {"tests", required_argument, NULL, OPTION_TESTS},
        {"events", required_argument, NULL, OPTION_EVENTS},
        {"expect", required_argument, NULL, OPTION_EXPECT},
        {"ordinary", required_argument, NULL, OPTION_ORDINARY},
        {"silent-from", required_argument, NULL, OPTION_SILENT_FROM},
        {"rule", required_argument, NULL, OPTION_RULE},
        {"complete", no_argument, NULL, OPTION_COMPLETE},
        {"names", required_argument, NULL, OPTION_NAMES},
        {"any-product", no_argument, NULL, OPTION_ANY_PRODUCT},
        {"json", no_argument, NULL, OPTION_JSON},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    static struct job job;
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (c == 'h') {
            return ctl_help(help);
        }
        int exit_code = c == ':' || c == '?' ? ctl_bad_option(argc, argv, c) : on_option(&job, c);
        if (exit_code != CTL_OK) {
            return exit_code;
        }
    }
    int exit_code = check_usage(&job, argc - optind);
    if (exit_code != CTL_OK) {
        return exit_code;
    }
    bool pack = is_pack(argv[optind]);
    if (pack && argc - optind > 1) {
        return ctl_usage("content test", "content test: one pack, or rules, not both");
    }
    return pack ? try_pack(&job, argv[optind]) : try_rules(&job, argv + optind);
}
