#include "base/clock.h"
#include "base/heap.h"
#include "base/own.h"
#include "content/pack/explain.h"
#include "ctl/content/content_command.h"
#include "ctl/content/content_detector.h"
#include "ctl/content/content_pack.h"
#include "ctl/content/content_words.h"
#include "ctl/content/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char help[] =
    "Usage: bulkhead content replay PACK RECORDING... [OPTION]...\n"
    "\n"
    "Says what a pack would have done on recorded events: for each rule how many alerts, what "
    "they\n"
    "would do (alert, block, kill), the first event that raised one, and what the rule cost.\n"
    "Recordings are what `bulkhead record` writes, or JSON lines; - is standard input.\n"
    "\n"
    "      --all          also name rules that matched nothing\n"
    "      --names NAMES  bulkhead or sigma: how the events name their fields (default: each line\n"
    "                     that has \"fields\" is Sigma's)\n"
    "      --json         one JSON object\n"
    "\n"
    "Rates are told for recordings of a minute and more. Cost is a rule's share of the\n"
    "steps that all events took; finding the rules that an event concerns is shared by all.\n"
    "\n"
    "Exit codes: 0 replayed, whatever it raised, 1 a recording could not be read whole, or the "
    "pack\n"
    "was refused, 2 wrong usage.\n";

struct job {
    struct replay replay;
    struct replay_file *file;
    struct content_events events;
    enum content_names names;
    bool json;
    bool terminal; /* there is one for the line of progress */
    uint64_t shown_ns;
};

enum { PROGRESS_EVERY = 1024, PROGRESS_MS = 250 };

/* A week of events takes minutes. */
static void show_progress(struct job *job, uint64_t now_ns)
{
    char events[SHOW_COUNT];
    if (job->terminal && job->events.count % PROGRESS_EVERY == 0 &&
        now_ns - job->shown_ns >= (uint64_t)PROGRESS_MS * CLOCK_NS_PER_MS) {
        job->shown_ns = now_ns;
        fprintf(stderr, "\r%s: %s events\x1b[K", job->file->path,
                show_count((int64_t)job->events.count, events));
    }
}

static void end_progress(const struct job *job)
{
    if (job->terminal && job->shown_ns) {
        fprintf(stderr, "\r\x1b[K");
    }
}

/* Of a correlation the event is the last of those that it counted, so why it fired comes first. */
static void word_event(const struct job *job, const struct correlation_hit *hit, char *out)
{
    char room[EXPLAIN_HIT_MAX];
    char event[REPLAY_WORDS];
    struct writer why = writer_over(room, sizeof room);
    struct writer words = writer_over(out, REPLAY_WORDS - 1);
    content_event_words(&job->events.event, event, sizeof event);
    if (hit) {
        explain_hit(job->replay.pack, hit, &job->events.event, &why);
        writer_bytes(&words, text_part(writer_text(&why), 0, REPLAY_WORDS / 2));
        writer_bytes(&words, TEXT("; the last: "));
    }
    writer_bytes(&words, text_part(text_of(event), 0, words.size - words.used));
}

static void note_first(struct job *job, struct replay_rule *counts,
                       const struct correlation_hit *hit)
{
    counts->first_words = heap_alloc(REPLAY_WORDS, 1);
    counts->first_file = job->file->path;
    counts->first_line = job->events.lines.line;
    counts->first_ns = job->events.event.header.time_ns;
    if (counts->first_words) {
        word_event(job, hit, counts->first_words);
    }
}

static void on_alert(void *context, size_t index, const struct correlation_hit *hit)
{
    struct job *job = context;
    struct replay_rule *counts = &job->replay.rules[index];
    if (counts->matches++ == 0) {
        note_first(job, counts, hit);
    }
    job->replay.matches++;
}

static void on_fault(void *context, size_t index, const char *what)
{
    struct job *job = context;
    job->replay.faults++;
    content_tell_fault(job->replay.pack, index, what);
}

static void on_lossy(void *context, size_t index, uint64_t events)
{
    struct job *job = context;
    content_tell_lossy(job->replay.pack, index, events);
}

/* Lines need not be in order of time, and need not have one. */
static void note_time(struct replay_file *file, uint64_t ns)
{
    if (ns) {
        file->from_ns = file->from_ns == 0 || ns < file->from_ns ? ns : file->from_ns;
        file->to_ns = ns > file->to_ns ? ns : file->to_ns;
    }
}

/* False: it could not be read to its end, or not every line of it. */
static bool replay_file(struct job *job)
{
    struct detector_sink sink = {
        .context = job, .on_alert = on_alert, .on_fault = on_fault, .on_lossy = on_lossy};
    struct replay *r = &job->replay;
    if (!content_events_open(&job->events, job->file->path, job->names)) {
        return false;
    }
    enum content_next next;
    while ((next = content_events_next(&job->events)) == CONTENT_NEXT_EVENT) {
        uint64_t before_ns = clock_boot_ns();
        detector_run(r->detector, &job->events.event, &sink);
        uint64_t after_ns = clock_boot_ns();
        r->match_ns += after_ns - before_ns;
        r->steps += detector_steps(r->detector);
        r->undecided += detector_undecided(r->detector) > 0;
        note_time(job->file, job->events.event.header.time_ns);
        show_progress(job, after_ns);
    }
    end_progress(job);
    job->file->events = job->events.count;
    job->file->bad_lines = job->events.bad_lines;
    job->file->lost = job->events.lines.lost;
    job->file->broken = next != CONTENT_NEXT_END;
    r->events += job->events.count;
    content_events_close(&job->events);
    return next == CONTENT_NEXT_END && job->file->bad_lines == 0;
}

/* A recording of which nothing could be read has no place in the report: there it would look like
 * one in which nothing happened. False: not all of them could be read whole. */
static bool replay_files(struct job *job, char *const *paths)
{
    struct replay *r = &job->replay;
    size_t given = r->file_count;
    bool whole = true;
    r->file_count = 0;
    for (size_t i = 0; i < given; i++) {
        job->file = &r->files[r->file_count];
        *job->file = (struct replay_file){.path = paths[i]};
        bool good = replay_file(job);
        whole = good && whole;
        r->file_count += good || job->file->events > 0;
    }
    return whole;
}

static void job_drop(struct job *job)
{
    struct replay *r = &job->replay;
    for (size_t i = 0; r->rules && i < r->rule_count; i++) {
        heap_free(r->rules[i].first_words);
    }
    detector_drop(&r->detector);
    heap_free(r->rules);
    heap_free(r->files);
}

static struct status prepare(struct replay *r)
{
    r->rule_count = pack_count(r->pack, PACK_RULES);
    r->rules = heap_alloc(r->rule_count + 1, sizeof *r->rules);
    r->files = heap_alloc(r->file_count, sizeof *r->files);
    if (!r->rules || !r->files) {
        FAIL(MEMORY);
    }
    return content_detector_new(r->pack, &r->detector);
}

static void take_tallies(struct replay *r)
{
    for (size_t i = 0; i < r->rule_count; i++) {
        struct matcher_tally tally = matcher_tally(detector_matcher(r->detector), i);
        r->rules[i].runs = tally.runs;
        r->rules[i].steps = tally.steps;
        if (pack_rule_silent(r->pack, i)) {
            r->rules[i].matches = tally.matches; /* which raised no alert themselves */
        }
    }
}

static int run(struct job *job, char *const *paths)
{
    OWN(content_pack_drop) struct content_pack pack = {0};
    struct replay *r = &job->replay;
    char words[256];
    if (!content_pack_open(r->pack_path, &pack)) {
        return CTL_FAULT;
    }
    r->pack = &pack.pack;
    struct status s = prepare(r);
    if (!status_ok(s)) {
        ctl_error("cannot replay: %s", status_plain(s, words, sizeof words));
        job_drop(job);
        return CTL_FAULT;
    }
    uint64_t started_ns = clock_boot_ns();
    job->terminal = isatty(STDERR_FILENO) && !text_same(text_of(getenv("TERM")), TEXT("dumb"));
    bool whole = replay_files(job, paths);
    r->total_ns = clock_boot_ns() - started_ns;
    take_tallies(r);
    int exit_code = r->file_count == 0 ? CTL_FAULT
                    : job->json        ? replay_report_json(r)
                                       : replay_report_text(r);
    job_drop(job);
    return exit_code == CTL_OK && whole && r->faults + r->undecided == 0 ? CTL_OK : CTL_FAULT;
}

enum { OPTION_NAMES = 256, OPTION_ALL };

int content_replay(int argc, char **argv)
{
    static const struct option options[] = {
        {"all", no_argument, NULL, OPTION_ALL},
        {"names", required_argument, NULL, OPTION_NAMES},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct job job = {0};
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        switch (c) {
        case OPTION_ALL:
            job.replay.all = true;
            break;
        case OPTION_NAMES:
            if (!content_names_of(optarg, &job.names)) {
                return ctl_usage(argv[0], "%s: names are bulkhead or sigma, not %s", argv[0],
                                 optarg);
            }
            break;
        case 'j':
            job.json = true;
            break;
        case 'h':
            return ctl_help(help);
        default:
            return ctl_bad_option(argc, argv, c);
        }
    }
    if (optind + 2 > argc) {
        return ctl_usage(argv[0], "%s: name a pack, then the recordings", argv[0]);
    }
    job.replay.pack_path = argv[optind];
    job.replay.file_count = (size_t)(argc - optind - 1);
    return run(&job, argv + optind + 1);
}
