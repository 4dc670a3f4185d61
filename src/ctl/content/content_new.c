#include "base/clock.h"
#include "base/heap.h"
#include "base/own.h"
#include "ctl/content/content_command.h"
#include "ctl/content/content_events.h"
#include "ctl/content/content_file.h"
#include "ctl/content/rule_skeleton.h"
#include "ctl/types.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

static const char help[] =
    "Usage: bulkhead content new [--from SEQ | --from-file FILE[:LINE] | --last TYPE] [OPTION]...\n"
    "\n"
    "Writes a Sigma rule that matches one event, to go on from: a new id, the log source, a\n"
    "selection of what is telling about the event, escaped as Sigma wants it.\n"
    "\n"
    "      --from SEQ        the event of this number (`seq` in `bulkhead tail --format json`), "
    "from\n"
    "                        the instance that runs; of an alert the event that it is about\n"
    "      --last TYPE       the last event of this type\n"
    "      --from-file FILE  the first event of a recording, or the one in FILE:LINE; - is "
    "standard\n"
    "                        input\n"
    "  -o, --output FILE     the rule's file, which must not be there yet (default: standard\n"
    "                        output). Its test events go beside it: NAME.jsonl\n"
    "      --tests FILE      where the test events go instead\n"
    "      --names NAMES     bulkhead or sigma: how the file's events name their fields\n"
    "      --home DIR        the instance (default: $BULKHEAD_HOME or /var/lib/bulkhead)\n"
    "\n"
    "Then: `bulkhead content test FILE --tests NAME.jsonl`.\n"
    "\n"
    "Exit codes: 0 written, 1 there is no such event or it could not be written, 2 wrong usage, "
    "69\n"
    "no Bulkhead answers.\n";

struct job {
    const char *home;
    const char *file;
    const char *seq;
    const char *last;
    const char *output;
    const char *tests;
    enum content_names names;

    struct event event;
    char origin[PATH_MAX + 64];
    uint8_t *record; /* EVENT_MAX bytes: the event's */
};

/* ── the event ── */

static bool keep(struct job *job, struct text record)
{
    struct writer copy = writer_over(job->record, EVENT_MAX);
    writer_bytes(&copy, record);
    return status_ok(event_open(writer_text(&copy), &job->event));
}

/* "monday.zst:123", as `content replay` and complaints name lines, unless there is a file of that
 * very name. */
static uint64_t split_line(char *path)
{
    uint64_t line = 0;
    char *colon = strrchr(path, ':');
    if (colon && access(path, F_OK) != 0 && text_to_u64(text_of(colon + 1), &line)) {
        *colon = '\0';
    }
    return line;
}

static int event_of_file(struct job *job)
{
    OWN(content_events_close) struct content_events events = {0};
    char path[PATH_MAX];
    text_copy(text_of(job->file), path, sizeof path);
    uint64_t line = split_line(path);
    if (!content_events_open(&events, path, job->names)) {
        return CTL_FAULT;
    }
    uint64_t first = 0; /* a recording's own line is before it */
    while (content_events_next(&events) == CONTENT_NEXT_EVENT) {
        first = first ? first : events.lines.line;
        if (line == 0 || events.lines.line == line) {
            snprintf(job->origin, sizeof job->origin, "%s:%" PRIu64, path, events.lines.line);
            return keep(job, (struct text){events.event.record, events.event.header.size})
                       ? CTL_OK
                       : CTL_FAULT;
        }
    }
    if (line && first && line < first) {
        ctl_error("there is no event in line %" PRIu64 " of %s: the first is in line %" PRIu64,
                  line, path, first);
    } else if (line) {
        ctl_error("there is no event in line %" PRIu64 " of %s", line, path);
    } else {
        ctl_error("there is no event in %s", path);
    }
    return CTL_FAULT;
}

/* What is looked for in the stream: a number, or the last of these types. */
struct wanted {
    uint64_t seq;
    uint64_t types;
    uint64_t oldest; /* number of the oldest event that was seen */
};

/* Everything that guard still holds, up to now. True: found, and kept. */
static bool search(struct job *job, struct bh_client *client, struct wanted *w)
{
    const struct bh_event *event;
    bool found = false;
    while (bh_client_next(client, &event) == BH_OK) {
        uint64_t seq = bh_event_seq(event);
        bool is_it = w->seq ? seq == w->seq : (w->types >> bh_event_type(event) & 1) != 0;
        w->oldest = w->oldest ? w->oldest : seq;
        if (is_it) {
            struct bh_text record = bh_event_record(event);
            found = keep(job, (struct text){record.ptr, record.len});
        }
    }
    return found;
}

static int search_stream(struct job *job, struct wanted *w)
{
    OWN(ctl_client_drop) struct bh_client *client = NULL;
    int exit_code = ctl_open(job->home, BH_FROM_ALL, &client);
    if (exit_code != CTL_OK) {
        return exit_code;
    }
    if (bh_client_subscribe(client, BH_ALL_TYPES) != BH_OK) {
        ctl_error("cannot read the stream: %s", bh_client_error(client));
        return CTL_FAULT;
    }
    if (search(job, client, w)) {
        return CTL_OK;
    }
    if (w->seq) {
        ctl_error("event %" PRIu64
                  " is not in the stream any more, or not yet; it begins with %" PRIu64,
                  w->seq, w->oldest);
    } else {
        ctl_error("the stream holds no %s event; it begins with event %" PRIu64, job->last,
                  w->oldest);
    }
    return CTL_FAULT;
}

static int event_of_stream(struct job *job)
{
    struct wanted w = {0};
    if (job->seq && !text_to_u64(text_of(job->seq), &w.seq)) {
        return ctl_usage("content new", "%s is no number of an event", job->seq);
    }
    int exit_code = job->last ? types_add("content new", text_of(job->last), &w.types) : CTL_OK;
    exit_code = exit_code == CTL_OK ? search_stream(job, &w) : exit_code;
    if (exit_code == CTL_OK && job->event.header.type == EVENT_ALERT) {
        struct wanted about = {.seq = (uint64_t)event_number(&job->event, FIELD_EVENT_SEQ)};
        exit_code = search_stream(job, &about);
    }
    char time[CLOCK_TEXT];
    snprintf(job->origin, sizeof job->origin, "event %" PRIu64 " of %s", job->event.header.seq,
             clock_text(job->event.header.time_ns, time));
    return exit_code;
}

/* ── the files ── */

static bool write_file(const char *path, struct text bytes)
{
    OWN(fd_drop) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    const char *why = NULL;
    if (fd < 0) {
        why = errno == EEXIST ? "it is there already; name another file or remove it"
                              : strerror(errno);
    }
    while (!why && bytes.len) {
        ssize_t put = write(fd, bytes.ptr, bytes.len);
        why = put < 0 && errno != EINTR ? strerror(errno) : NULL;
        bytes = text_part(bytes, put > 0 ? (size_t)put : 0, bytes.len);
    }
    if (why) {
        ctl_error("cannot write %s: %s", path, why);
    }
    return !why;
}

/* "x.yml" has its test events in "x.jsonl". */
static const char *tests_beside(const char *rule, char *out, size_t size)
{
    struct text name = text_of(rule);
    size_t dot = text_find_last(name, '.');
    size_t slash = text_find_last(name, '/');
    bool extension = dot != SIZE_MAX && (slash == SIZE_MAX || dot > slash + 1);
    snprintf(out, size, "%.*s.jsonl", TEXT_ARGS(text_part(name, 0, extension ? dot : name.len)));
    return out;
}

static int write_all(const struct job *job, struct text rule, struct text tests)
{
    char beside[PATH_MAX];
    const char *path = job->tests    ? job->tests
                       : job->output ? tests_beside(job->output, beside, sizeof beside)
                                     : NULL;
    if (!job->output && !ctl_print(rule)) {
        return CTL_FAULT;
    }
    if (job->output && !write_file(job->output, rule)) {
        return CTL_FAULT;
    }
    if (path && !write_file(path, tests)) {
        return CTL_FAULT;
    }
    if (job->output) {
        fprintf(stderr,
                "%s: the rule; %s: its test events. Next:\n  bulkhead content test %s --tests %s\n",
                job->output, path, job->output, path);
    }
    return CTL_OK;
}

/* Today, in UTC: rules are dated for everybody. */
static const char *today(char *out)
{
    clock_text(clock_real_ns(), out);
    out[sizeof "2026-11-21" - 1] = '\0';
    return out;
}

static int make(const struct job *job)
{
    OWN(heap_drop) char *rule_room = heap_alloc(SKELETON_ROOM, 1);
    OWN(heap_drop) char *tests_room = heap_alloc((size_t)4 * SKELETON_ROOM, 1);
    uint8_t random[16];
    char id[SKELETON_ID];
    char date[CLOCK_TEXT];
    char words[256];
    if (!rule_room || !tests_room || getrandom(random, sizeof random, 0) != sizeof random) {
        ctl_error("cannot make a rule: %s", fault_words(FAULT_MEMORY));
        return CTL_FAULT;
    }
    skeleton_id(random, id);
    struct skeleton skeleton = {
        .event = &job->event, .id = id, .date = today(date), .origin = text_of(job->origin)};
    struct writer rule = writer_over(rule_room, SKELETON_ROOM);
    struct writer tests = writer_over(tests_room, (size_t)4 * SKELETON_ROOM);
    struct status s = skeleton_rule(&skeleton, &rule);
    s = status_ok(s) ? skeleton_tests(&skeleton, &tests) : s;
    if (s.fault == FAULT_MISSING) {
        ctl_error("%s: no rule can ask for this %s event", job->origin,
                  event_info((enum event_type)job->event.header.type)->name);
        return CTL_FAULT;
    }
    if (!status_ok(s)) {
        ctl_error("cannot make a rule: %s", status_plain(s, words, sizeof words));
        return CTL_FAULT;
    }
    return write_all(job, writer_text(&rule), writer_text(&tests));
}

/* ── the command ── */

enum { OPTION_FROM = 256, OPTION_FROM_FILE, OPTION_LAST, OPTION_TESTS, OPTION_NAMES, OPTION_HOME };

static int on_option(struct job *job, int option)
{
    switch (option) {
    case OPTION_FROM:
        job->seq = optarg;
        return CTL_OK;
    case OPTION_FROM_FILE:
        job->file = optarg;
        return CTL_OK;
    case OPTION_LAST:
        job->last = optarg;
        return CTL_OK;
    case OPTION_TESTS:
        job->tests = optarg;
        return CTL_OK;
    case OPTION_NAMES:
        return content_names_of(optarg, &job->names)
                   ? CTL_OK
                   : ctl_usage("content new", "names are bulkhead or sigma, not %s", optarg);
    case OPTION_HOME:
        job->home = optarg;
        return CTL_OK;
    default:
        job->output = optarg;
        return CTL_OK;
    }
}

int content_new(int argc, char **argv)
{
    static const struct option options[] = {
        {"from", required_argument, NULL, OPTION_FROM},
        {"from-file", required_argument, NULL, OPTION_FROM_FILE},
        {"last", required_argument, NULL, OPTION_LAST},
        {"output", required_argument, NULL, 'o'},
        {"tests", required_argument, NULL, OPTION_TESTS},
        {"names", required_argument, NULL, OPTION_NAMES},
        {"home", required_argument, NULL, OPTION_HOME},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct job job = {0};
    for (int c; (c = getopt_long(argc, argv, ":o:h", options, NULL)) != -1;) {
        if (c == 'h') {
            return ctl_help(help);
        }
        int exit_code = c == ':' || c == '?' ? ctl_bad_option(argc, argv, c) : on_option(&job, c);
        if (exit_code != CTL_OK) {
            return exit_code;
        }
    }
    if (optind < argc) {
        return ctl_usage(argv[0], "%s takes no argument %s", argv[0], argv[optind]);
    }
    if (!job.seq + !job.file + !job.last != 2) {
        return ctl_usage(argv[0],
                         "%s: name one event: --from SEQ, --from-file FILE:LINE or --last "
                         "TYPE",
                         argv[0]);
    }
    OWN(heap_drop) uint8_t *record = heap_alloc(EVENT_MAX, 1);
    if (!record) {
        ctl_error("%s", fault_words(FAULT_MEMORY));
        return CTL_FAULT;
    }
    job.record = record;
    int exit_code = job.file ? event_of_file(&job) : event_of_stream(&job);
    return exit_code == CTL_OK ? make(&job) : exit_code;
}
