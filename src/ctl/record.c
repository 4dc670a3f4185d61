/*
 * record: events into a compressed file. A client of the stream like any other; what it was too
 * slow for is written down where it is missing.
 */
#include "ctl/amount.h"
#include "ctl/recording.h"
#include "ctl/show.h"
#include "ctl/types.h"

#include "base/clock.h"
#include "base/count.h"
#include "base/own.h"
#include "schema/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char help[] =
    "Usage: bulkhead record -o FILE [OPTION]...\n"
    "\n"
    "Writes events to a compressed file, until Ctrl-C. `bulkhead content replay`, `match` and\n"
    "`test` read it, and so does zstdcat: a JSON object a line, as `bulkhead tail --format json`\n"
    "prints them.\n"
    "\n"
    "  -o, --output FILE    the file to write, which must not be there yet; - is standard output\n"
    "      --types A,B      events of these types only (default: all); may be repeated\n"
    "      --watch PATTERN  also opens of matching files for reading, as `bulkhead tail` does\n"
    "      --past           begin with the oldest event that guard still holds\n"
    "      --for DURATION   end after this time: 90s, 15m, 2h, 1d\n"
    "      --max-size SIZE  end when the file has this size: 500K, 100M, 2G\n"
    "      --home DIR       the instance (default: $BULKHEAD_HOME or /var/lib/bulkhead)\n"
    "\n"
    "Whatever ends it, all but the last second is on the disk. Command lines may hold secrets: "
    "the\n"
    "file is readable by its owner alone.\n"
    "\n"
    "Exit codes: 0 recorded as asked, 1 it could not be written, or events were lost, 2 wrong\n"
    "usage, 69 no Bulkhead answers.\n";

enum {
    WATCH_MAX = 256,   /* a pattern each; guard takes so many from a client */
    PROGRESS_MS = 250, /* between two looks of the line on the terminal */
    PROGRESS_ROOM = 256,
};

struct record {
    const char *home;
    const char *path;
    uint64_t types;
    const char *watches[WATCH_MAX];
    size_t watch_count;
    bool past;
    uint64_t for_ms;   /* 0: no end */
    uint64_t max_size; /* 0: no end */

    struct bh_client *client;
    struct recording *file;
    int fd;
    int signals;
    bool terminal; /* there is one for the line of progress */
    bool absent;   /* guard is away, and that was said */
    uint64_t started_ns;
    uint64_t shown_ns; /* progress, last */
    uint64_t events;
    uint64_t lost;
};

/* ── what people see ── */

static void show_progress(struct record *r, uint64_t now_ns)
{
    char room[PROGRESS_ROOM];
    char events[SHOW_COUNT];
    char rate[SHOW_COUNT];
    char size[SHOW_SIZE];
    char time[SHOW_DURATION];
    uint64_t passed_ms = (now_ns - r->started_ns) / CLOCK_NS_PER_MS;
    if (!r->terminal || now_ns - r->shown_ns < (uint64_t)PROGRESS_MS * CLOCK_NS_PER_MS) {
        return;
    }
    r->shown_ns = now_ns;
    show_count((int64_t)r->events, events);
    show_count((int64_t)(r->events * 1000 / (passed_ms + 1)), rate);
    int len = snprintf(room, sizeof room, "\r%s events, %s/s, %s, %s", events, rate,
                       show_size(recording_size(r->file), size), show_duration(passed_ms, time));
    if (r->lost) {
        len += snprintf(room + len, sizeof room - (size_t)len, ", %" PRIu64 " lost", r->lost);
    }
    fprintf(stderr, "%s\x1b[K", room);
}

static void end_progress(const struct record *r)
{
    if (r->terminal) {
        fprintf(stderr, "\r\x1b[K");
    }
}

/* On standard error: standard output may be the recording. */
static void show_summary(const struct record *r)
{
    char size[SHOW_SIZE];
    char raw[SHOW_SIZE];
    char time[SHOW_DURATION];
    uint64_t passed_ms = (clock_boot_ns() - r->started_ns) / CLOCK_NS_PER_MS;
    end_progress(r);
    fprintf(stderr, "%s: %s in %s, %s (%s unpacked)\n", r->path,
            COUNTED(r->events, "event", "events"), show_duration(passed_ms, time),
            show_size(recording_size(r->file), size), show_size(recording_raw_size(r->file), raw));
    if (r->lost) {
        ctl_error("%s missing in %s: the recorder was too slow for them",
                  COUNTED(r->lost, "event is", "events are"), r->path);
    }
}

/* ── into the file ── */

static struct status write_note(struct record *r, const struct writer *note)
{
    TRY(writer_end(note));
    return recording_line(r->file, writer_text(note), clock_boot_ns());
}

static struct status write_header(struct record *r)
{
    char room[512];
    struct utsname machine = {0};
    struct writer note = writer_over(room, sizeof room);
    if (uname(&machine) != 0) {
        FAIL_SYS(errno);
    }
    recording_write_header(&(struct recording_header){.kernel = text_of(machine.release),
                                                      .version = text_of(BULKHEAD_VERSION),
                                                      .schema = schema_hash(),
                                                      .started_ns = clock_real_ns()},
                           &note);
    TRY(write_note(r, &note));
    return recording_close_frame(r->file); /* an error of the disk shows at once */
}

static struct status note_lost(struct record *r)
{
    char room[64];
    struct writer note = writer_over(room, sizeof room);
    struct bh_stats stats = {.size = sizeof stats};
    if (bh_client_stats(r->client, &stats) != BH_OK || stats.lost == r->lost) {
        return OK;
    }
    recording_write_lost(stats.lost - r->lost, &note);
    r->lost = stats.lost;
    return write_note(r, &note);
}

static struct status write_event(struct record *r, const struct bh_event *event, uint64_t now_ns)
{
    static char room[BH_JSON_MAX];
    size_t len = 0;
    TRY(note_lost(r));
    if (bh_event_json(event, room, sizeof room, &len) != BH_OK) {
        FAIL(LIMIT);
    }
    TRY(recording_line(r->file, (struct text){room, len}, now_ns));
    r->events++;
    return OK;
}

static struct status finish(struct record *r)
{
    char room[96];
    struct writer note = writer_over(room, sizeof room);
    recording_write_end(r->events, r->lost, &note);
    TRY(write_note(r, &note));
    TRY(recording_close_frame(r->file));
    /* A pipe has no disk below it. */
    if (fsync(r->fd) != 0 && errno != EINVAL && errno != EROFS) {
        FAIL_SYS(errno);
    }
    return OK;
}

/* ── the loop ── */

static bool is_full(const struct record *r, uint64_t now_ns)
{
    return (r->max_size && recording_size(r->file) >= r->max_size) ||
           (r->for_ms && now_ns - r->started_ns >= r->for_ms * CLOCK_NS_PER_MS);
}

/* Reads what waits, but looks up between batches: under a storm something always waits. */
static struct status drain(struct record *r, int *result)
{
    enum { BATCH = 1024 };

    const struct bh_event *event;
    uint64_t now_ns = clock_boot_ns();
    for (int i = 0; i < BATCH && (*result = bh_client_next(r->client, &event)) == BH_OK; i++) {
        TRY(write_event(r, event, now_ns));
    }
    TRY(note_lost(r));
    return recording_tick(r->file, now_ns);
}

/* Says it once each time guard goes away; the library reconnects by itself. */
static void notice_absence(struct record *r)
{
    struct bh_stats stats = {.size = sizeof stats};
    bool away = bh_client_stats(r->client, &stats) == BH_OK && !stats.connected;
    if (away && !r->absent) {
        end_progress(r);
        ctl_error("guard is gone; waiting until it is back");
    }
    r->absent = away;
}

/* The client's descriptor wakes once a second at least, so that a frame never gets old. False: a
 * signal came. */
static bool wait_for_more(const struct record *r, uint64_t now_ns)
{
    uint64_t wait_ms = r->terminal ? PROGRESS_MS : RECORDING_FRAME_MS;
    uint64_t passed_ms = (now_ns - r->started_ns) / CLOCK_NS_PER_MS;
    if (r->for_ms && r->for_ms > passed_ms && r->for_ms - passed_ms < wait_ms) {
        wait_ms = r->for_ms - passed_ms;
    }
    struct pollfd polled[] = {{.fd = r->signals, .events = POLLIN},
                              {.fd = bh_client_fd(r->client), .events = POLLIN}};
    return poll(polled, 2, (int)wait_ms) <= 0 || !polled[0].revents;
}

static bool signal_waits(const struct record *r)
{
    struct pollfd polled = {.fd = r->signals, .events = POLLIN};
    return poll(&polled, 1, 0) > 0;
}

/* Until it is full, somebody ends it or something fails. */
static struct status follow(struct record *r)
{
    int result = BH_AGAIN;
    for (bool go_on = true; go_on;) {
        uint64_t now_ns = clock_boot_ns();
        TRY(drain(r, &result));
        if (result != BH_OK && result != BH_AGAIN) {
            end_progress(r);
            ctl_error("the stream ends: %s", bh_client_error(r->client)[0]
                                                 ? bh_client_error(r->client)
                                                 : bh_error_text(result));
            FAIL(CLOSED);
        }
        notice_absence(r);
        show_progress(r, now_ns);
        go_on = !is_full(r, now_ns) &&
                (result == BH_AGAIN ? wait_for_more(r, now_ns) : !signal_waits(r));
    }
    return drain(r, &result); /* what came with the signal; under a storm there is no last event */
}

/* A limit on the file's size is an error of write(), not an end. */
static struct status take_signals(int *out)
{
    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR) {
        FAIL_SYS(errno);
    }
    return ctl_take_signals(0, out);
}

static struct status record(struct record *r)
{
    TRY(write_header(r));
    struct status followed = follow(r);
    /* What came before a failure is kept; a failure to write it is the same failure again. */
    struct status finished = finish(r);
    return status_ok(followed) ? finished : followed;
}

static int open_output(const char *path)
{
    if (text_same(text_of(path), TEXT("-"))) {
        if (isatty(STDOUT_FILENO)) {
            ctl_error("a recording is no text for a terminal; send it to a file or a pipe");
            return -1;
        }
        return dup(STDOUT_FILENO);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        ctl_error("cannot make %s: %s", path,
                  errno == EEXIST ? "it is there already; name another file or remove it"
                                  : strerror(errno));
    }
    return fd;
}

static int subscribe(const struct record *r)
{
    int result = bh_client_subscribe(r->client, r->types ? r->types : BH_ALL_TYPES);
    for (size_t i = 0; i < r->watch_count && result == BH_OK; i++) {
        result = bh_client_watch(r->client, r->watches[i]);
    }
    return result;
}

/* Everything is open: record, and say how it went. */
static int run_open(struct record *r)
{
    OWN(recording_drop) struct recording *file = NULL;
    char words[256];
    struct status s = recording_new(r->fd, &file);
    if (!status_ok(s)) {
        ctl_error("cannot record: %s", status_plain(s, words, sizeof words));
        return CTL_FAULT;
    }
    r->file = file;
    r->started_ns = clock_boot_ns();
    r->terminal = isatty(STDERR_FILENO) && !text_same(text_of(getenv("TERM")), TEXT("dumb"));
    s = record(r);
    show_summary(r);
    if (!status_ok(s) && s.fault != FAULT_CLOSED) {
        ctl_error("cannot write %s: %s", r->path, status_plain(s, words, sizeof words));
    }
    return status_ok(s) && r->lost == 0 ? CTL_OK : CTL_FAULT;
}

static int run(struct record *r)
{
    OWN(ctl_client_drop) struct bh_client *client = NULL;
    OWN(fd_drop) int signals = -1;
    OWN(fd_drop) int fd = -1;
    int exit_code = ctl_open(r->home, r->past ? BH_FROM_ALL : BH_FROM_NOW, &client);
    if (exit_code != CTL_OK) {
        return exit_code; /* and no empty file is left */
    }
    r->client = client;
    fd = open_output(r->path);
    if (fd < 0) {
        return CTL_FAULT;
    }
    r->fd = fd;
    struct status s = take_signals(&signals);
    r->signals = signals;
    int result = subscribe(r);
    if (!status_ok(s) || result != BH_OK) {
        ctl_error("cannot record: %s",
                  bh_client_error(client)[0] ? bh_client_error(client) : bh_error_text(result));
        return CTL_FAULT;
    }
    return run_open(r);
}

/* ── the command ── */

enum { OPTION_TYPES = 256, OPTION_FOR, OPTION_MAX_SIZE, OPTION_WATCH, OPTION_PAST, OPTION_HOME };

static int on_option(struct record *r, int option)
{
    switch (option) {
    case 'o':
        r->path = optarg;
        return CTL_OK;
    case OPTION_TYPES:
        return types_add("record", text_of(optarg), &r->types);
    case OPTION_FOR:
        return amount_duration_ms(text_of(optarg), &r->for_ms)
                   ? CTL_OK
                   : ctl_usage("record", "%s is no duration; write 90s, 15m, 2h or 1d", optarg);
    case OPTION_MAX_SIZE:
        return amount_size(text_of(optarg), &r->max_size)
                   ? CTL_OK
                   : ctl_usage("record", "%s is no size; write 500K, 100M or 2G", optarg);
    case OPTION_WATCH:
        if (r->watch_count == WATCH_MAX) {
            return ctl_usage("record", "more than %d patterns to watch", WATCH_MAX);
        }
        r->watches[r->watch_count++] = optarg;
        return CTL_OK;
    case OPTION_PAST:
        r->past = true;
        return CTL_OK;
    default:
        r->home = optarg;
        return CTL_OK;
    }
}

int record_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"types", required_argument, NULL, OPTION_TYPES},
        {"for", required_argument, NULL, OPTION_FOR},
        {"max-size", required_argument, NULL, OPTION_MAX_SIZE},
        {"watch", required_argument, NULL, OPTION_WATCH},
        {"past", no_argument, NULL, OPTION_PAST},
        {"home", required_argument, NULL, OPTION_HOME},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct record r = {0};
    for (int c; (c = getopt_long(argc, argv, "+:o:h", options, NULL)) != -1;) {
        if (c == 'h') {
            return ctl_help(help);
        }
        int exit_code = c == ':' || c == '?' ? ctl_bad_option(argc, argv, c) : on_option(&r, c);
        if (exit_code != CTL_OK) {
            return exit_code;
        }
    }
    if (optind < argc) {
        return ctl_usage("record", "record takes no argument %s; name the file with -o",
                         argv[optind]);
    }
    if (!r.path) {
        return ctl_usage("record", "record: name the file to write with -o FILE");
    }
    return run(&r);
}
