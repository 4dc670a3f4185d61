/*
 * Scans what guard tells of: programs when they first run, files where they are written in watched
 * places. One event may have two files: a script, and the program that runs it.
 */
#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/own.h"
#include "scan/cage.h"
#include "scan/opener.h"
#include "scan/reports.h"
#include "scan/waiting.h"
#include "scan/walk.h"
#include "scan/watched.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    LIVE_JOBS = 2,   /* one hangs, the other goes on */
    QUIET_MS = 1000, /* a file that was written to so lately is not finished */
    UNACKNOWLEDGED =
        8192,        /* events; then they count as dealt with, whatever still waits: if we were
                        killed now, reading on from further back would find them overwritten */
    REFUSED_S = 10,  /* between two counts of what was more than could be scanned */
    FLAWS_TOLD = 10, /* rule files that do not compile */
};

struct live {
    struct bh_client *client;
    struct waiting waiting;
    struct seen seen;
    struct reports reports;
    uint64_t unacknowledged;
    uint64_t refused_ns; /* when people were last told how many */
    unsigned flaws;
    uint32_t missing; /* of the opener's cage */
    int result;       /* of the client library */
    char path[POOL_PATH];
};

static struct text text_from(struct bh_text t)
{
    return (struct text){.ptr = t.ptr, .len = t.len};
}

/* ── what comes ── */

/* The script that was run, where the program is its interpreter; as it was named, or below the
 * folder that the process was in. */
static bool script_path(struct live *l, const struct bh_event *event)
{
    struct text path = text_from(bh_event_text(event, BH_FIELD_INVOKED_PATH));
    struct text folder = text_from(bh_event_text(event, BH_FIELD_CWD));
    bool absolute = text_starts(path, TEXT("/"));
    if (text_starts(path, TEXT("/dev/fd/"))) { /* a descriptor of who ran it: gone with them */
        return false;
    }
    if (path.len == 0 || text_same(path, text_from(waiting_path(event))) ||
        (!absolute && folder.len == 0)) {
        return false;
    }
    int len = absolute ? snprintf(l->path, sizeof l->path, "%.*s", TEXT_ARGS(path))
                       : snprintf(l->path, sizeof l->path, "%.*s/%.*s", TEXT_ARGS(folder),
                                  TEXT_ARGS(path));
    return len > 0 && (size_t)len < sizeof l->path;
}

static bool is_seen(const struct live *l, const char *path, bool follow, uint64_t inode)
{
    struct stat info;
    if (fstatat(AT_FDCWD, path, &info, (follow ? 0 : AT_SYMLINK_NOFOLLOW) | AT_NO_AUTOMOUNT) != 0) {
        return false;
    }
    struct seen_key key = seen_key(&info);
    return (inode == 0 || info.st_ino == inode) && seen_has(&l->seen, &key);
}

/* Most programs that run have run before: they need not wait for their turn to be let go. */
static bool ran_before(struct live *l, const struct bh_event *event)
{
    text_copy(text_from(waiting_path(event)), l->path, sizeof l->path);
    return is_seen(l, l->path, false, (uint64_t)bh_event_number(event, BH_FIELD_EXE_INODE)) &&
           (!script_path(l, event) || is_seen(l, l->path, true, 0));
}

static void take(struct live *l, const struct bh_event *event)
{
    int type = bh_event_type(event);
    if (bh_event_number(event, BH_FIELD_ERROR) != 0) {
        return; /* nothing ran, nothing was written */
    } else if (type == BH_EVENT_PROCESS_EXEC) {
        if (!ran_before(l, event)) {
            waiting_add(&l->waiting, event, 0);
        }
    } else if (watched_place(text_from(bh_event_text(event, BH_FIELD_TARGET_PATH)))) {
        waiting_add(&l->waiting, event,
                    clock_boot_ns() + (uint64_t)WAITING_WRITE_MS * CLOCK_NS_PER_MS);
    }
}

static void drain(struct live *l)
{
    const struct bh_event *event;
    while (l->result == BH_OK && (l->result = bh_client_next(l->client, &event)) == BH_OK) {
        l->unacknowledged++;
        take(l, event);
    }
    l->result = l->result == BH_AGAIN ? BH_OK : l->result;
    if (l->waiting.count == 0 || l->unacknowledged > UNACKNOWLEDGED) {
        bh_client_acknowledge(l->client);
        l->unacknowledged = 0;
    }
    uint64_t now = clock_boot_ns();
    if (l->waiting.refused && now - l->refused_ns > (uint64_t)REFUSED_S * CLOCK_NS_PER_S) {
        l->refused_ns = now;
        reports_say(
            &l->reports, "high",
            "%llu files that ran or were written were not scanned: more came than could be.",
            (unsigned long long)l->waiting.refused);
        l->waiting.refused = 0;
    }
    reports_tick(&l->reports);
}

/* ── which file ── */

/* The file of this stage in l->path; false: there is none. */
static bool choose_path(struct live *l, const struct waiting_file *f)
{
    if (f->stage > 0) {
        return f->stage == 1 && bh_event_type(f->event) == BH_EVENT_PROCESS_EXEC &&
               script_path(l, f->event);
    }
    text_copy(text_from(waiting_path(f->event)), l->path, sizeof l->path);
    return l->path[0] == '/';
}

/* People are told of programs that ran unseen; files that were written are gone again all the time.
 */
static void tell_left_out(struct live *l, const struct waiting_file *f, enum outcome outcome,
                          const char *why)
{
    bool ran = bh_event_type(f->event) == BH_EVENT_PROCESS_EXEC;
    bool harmless = outcome == OUTCOME_NO_FILE || outcome == OUTCOME_LINK ||
                    outcome == OUTCOME_KERNEL || (outcome == OUTCOME_GONE && !ran);
    if (!harmless) {
        reports_say(&l->reports, outcome == OUTCOME_GONE ? "low" : "medium",
                    "%.300s was %s and not scanned: %s%s%s.", l->path, ran ? "run" : "written",
                    outcome_words(outcome), why[0] ? ": " : "", why);
    }
}

/* Not a script, but the program by another name. */
static bool is_the_program(const struct waiting_file *f, const struct stat *info)
{
    return f->stage == 1 &&
           (uint64_t)bh_event_number(f->event, BH_FIELD_EXE_INODE) == (uint64_t)info->st_ino;
}

/* What ran has the inode that the kernel said. Another one lies there where the program was
 * exchanged since, or where the process sees other mounts than we do, as containers do. */
static bool is_what_ran(const struct waiting_file *f, const struct stat *info)
{
    return f->stage > 0 || bh_event_type(f->event) != BH_EVENT_PROCESS_EXEC ||
           !bh_event_has(f->event, BH_FIELD_EXE_INODE) ||
           (uint64_t)bh_event_number(f->event, BH_FIELD_EXE_INODE) == (uint64_t)info->st_ino;
}

static bool is_written_still(const struct waiting_file *f, const struct stat *info)
{
    uint64_t written = (uint64_t)info->st_mtim.tv_sec * CLOCK_NS_PER_S;
    uint64_t now = clock_real_ns();
    return f->due_ns && f->tries < WAITING_TRIES && now > written &&
           now - written < (uint64_t)QUIET_MS * CLOCK_NS_PER_MS;
}

enum ready { READY_OPEN, READY_LATER, READY_DONE };

static enum ready open_file(struct live *l, struct waiting_file *f, struct target *out)
{
    struct walk_left_out why;
    struct stat info;
    OWN(fd_drop) int fd = -1;
    uint64_t size;
    if (!choose_path(l, f)) {
        return READY_DONE;
    }
    if (walk_open(AT_FDCWD, l->path, (uint64_t)OPENER_SIZE_MIB << 20, f->stage > 0, &fd, &size,
                  &why) != WALK_FILE) {
        tell_left_out(l, f, why.outcome, why.error ? strerror(why.error) : "");
        return READY_DONE;
    }
    if (fstat(fd, &info) != 0 || !is_what_ran(f, &info)) {
        tell_left_out(l, f, OUTCOME_GONE, "another file has its place, or it is a container's");
        return READY_DONE;
    }
    f->key = seen_key(&info);
    if (is_the_program(f, &info) || seen_has(&l->seen, &f->key)) {
        return READY_DONE;
    }
    if (is_written_still(f, &info)) {
        return READY_LATER;
    }
    text_copy(text_of(l->path), out->path, sizeof out->path);
    out->size = size;
    out->fd = fd_take(&fd);
    return READY_OPEN;
}

/* ── for the pool ── */

static void next_stage(struct live *l, struct waiting_file *f)
{
    f->busy = false;
    if (++f->stage > 1) {
        waiting_remove(&l->waiting, f);
    }
}

static enum pool_next next(void *context, struct target *out)
{
    struct live *l = context;
    struct waiting_file *f;
    drain(l);
    if (l->result != BH_OK) {
        return POOL_END;
    }
    while ((f = waiting_next(&l->waiting, clock_boot_ns()))) {
        switch (open_file(l, f, out)) {
        case READY_OPEN:
            f->busy = true;
            out->token = (uint64_t)(f - l->waiting.files);
            return POOL_FILE;
        case READY_LATER:
            f->tries++;
            f->due_ns = clock_boot_ns() + (uint64_t)WAITING_WRITE_MS * CLOCK_NS_PER_MS;
            break;
        case READY_DONE:
            next_stage(l, f);
            break;
        }
    }
    return POOL_LATER;
}

static struct bh_text cut(struct text t, size_t max)
{
    t = text_part(t, 0, max);
    return (struct bh_text){.ptr = t.ptr, .len = t.len};
}

static void on_match(void *context, const struct target *t, struct text sha256,
                     const struct talk_match *match)
{
    struct live *l = context;
    struct waiting_file *f = &l->waiting.files[t->token];
    bool ran = bh_event_type(f->event) == BH_EVENT_PROCESS_EXEC;
    char message[1024], id[64 + 1];
    int id_len = snprintf(id, sizeof id, "%s:%.*s", match->indicator ? "listed" : "yara",
                          TEXT_ARGS(text_part(match->name, 0, 57)));
    int len =
        snprintf(message, sizeof message,
                 "%.400s, which was %s, matches %s %.*s%s%.*s%s%.*s; "
                 "SHA-256 %.*s",
                 t->path, ran ? "run" : "written", match->indicator ? "the list" : "the YARA rule",
                 TEXT_ARGS(text_part(match->name, 0, 128)), match->file.len ? " of " : "",
                 TEXT_ARGS(text_part(match->file, 0, 128)), match->description.len ? ": " : "",
                 TEXT_ARGS(text_part(match->description, 0, 200)), TEXT_ARGS(sha256));
    struct bh_alert alert = {
        .size = sizeof alert,
        .nth = f->nth++,
        .id = {.ptr = id, .len = (size_t)id_len},
        .title = cut(match->name, 256),
        .author = cut(match->author, 256),
        .level = cut(match->level, 16),
        .tags = cut(match->tags, 512),
        .message = {.ptr = message,
                    .len = (size_t)len < sizeof message ? (size_t)len : sizeof message - 1},
    };
    int result;
    do { /* guard is behind: it has to take it */
        result = bh_client_alert(l->client, f->event, &alert);
    } while (result == BH_AGAIN);
    l->result = result == BH_OK ? l->result : result;
}

/* A file that matched is asked again when it runs again: each time is worth an alert. One that
 * could not be scanned is not: it has cost its time. */
static void on_verdict(void *context, const struct target *t, struct text sha256,
                       const struct verdict *v)
{
    struct live *l = context;
    struct waiting_file *f = &l->waiting.files[t->token];
    (void)sha256;
    if (v->outcome != OUTCOME_SCANNED) {
        char why[64];
        text_copy(v->words, why, sizeof why);
        text_copy(text_of(t->path), l->path, sizeof l->path);
        tell_left_out(l, f, v->outcome, why);
    }
    if (v->matches == 0) {
        seen_add(&l->seen, &f->key);
    }
    next_stage(l, f);
}

static void on_culprit(void *context, const struct target *t, enum outcome outcome,
                       const struct talk_named *rule, bool off)
{
    struct live *l = context;
    struct text name = rule->name.len ? rule->name : TEXT("(one of several)");
    const char *how = outcome == OUTCOME_TIMED_OUT ? "takes too long"
                      : outcome == OUTCOME_MEMORY  ? "takes too much memory"
                                                   : "breaks the scanner";
    reports_say(&l->reports, "high", "The YARA rule %.*s of %.*s %s on %.200s%s.",
                TEXT_ARGS(text_part(name, 0, 100)), TEXT_ARGS(text_part(rule->file, 0, 80)), how,
                t->path,
                off ? ": it failed too often and is off" : ", which was scanned without it");
}

static void on_flaw(void *context, const struct talk_flaw *flaw)
{
    struct live *l = context;
    if (!flaw->warning && ++l->flaws <= FLAWS_TOLD) {
        reports_say(&l->reports, "high", "YARA rules are left out: %.*s:%u: %.*s.",
                    TEXT_ARGS(text_part(flaw->file, 0, 200)), flaw->line,
                    TEXT_ARGS(text_part(flaw->words, 0, 200)));
    }
}

static bool on_ready(void *context, const struct talk_ready *ready)
{
    struct live *l = context;
    char words[160];
    uint32_t missing = l->missing | ready->missing;
    if (ready->rules == 0 && ready->lists == 0) {
        return false;
    }
    if (missing) {
        reports_say(&l->reports, "medium", "The scanner's cages lack: %s.",
                    cage_missing(missing, words, sizeof words));
    }
    return true;
}

static void on_tick(void *context)
{
    drain(context);
}

/* ── its life ── */

static struct status open_live(struct live *l)
{
    struct cage cage = opener_cage();
    char why[256] = "";
    struct bh_options options = BH_OPTIONS("scan");
    options.socket = SCAN_OUT;
    options.from = BH_FROM_RESUME;
    options.flags = BH_MANUAL_ACKNOWLEDGE;
    options.error = why;
    options.error_size = sizeof why;
    if (bh_client_open(&options, &l->client) != BH_OK) {
        log_error("cannot speak to guard: %s", why);
        FAIL(CLOSED);
    }
    l->reports.client = l->client;
    /* Before the rules are compiled: what happens meanwhile waits. Without rules we are gone soon.
     */
    bh_client_subscribe(l->client, BH_TYPE(BH_EVENT_PROCESS_EXEC) | BH_TYPE(BH_EVENT_FILE_CREATE) |
                                       BH_TYPE(BH_EVENT_FILE_MODIFY) |
                                       BH_TYPE(BH_EVENT_FILE_RENAME));
    TRY(seen_init(&l->seen));
    return cage_enter(&cage, &l->missing);
}

int live_run(void)
{
    static struct live l;
    struct pool_options options = {
        .keeper = OPENER_KEEPER, .jobs = LIVE_JOBS, .time_s = POOL_TIME_S};
    struct status s = open_live(&l);
    if (!status_ok(s)) {
        log_status("cannot start", s);
        return EX_OSERR;
    }
    struct pool_source source = {.context = &l,
                                 .fd = bh_client_fd(l.client),
                                 .next = next,
                                 .on_match = on_match,
                                 .on_verdict = on_verdict,
                                 .on_culprit = on_culprit,
                                 .on_flaw = on_flaw,
                                 .on_ready = on_ready,
                                 .on_tick = on_tick};
    s = pool_run(&options, &source);
    waiting_done(&l.waiting);
    seen_done(&l.seen);
    bh_client_close(l.client);
    if (s.fault == FAULT_MISSING) {
        return EX_UNAVAILABLE; /* the pack has no rules for us: guard leaves us off */
    }
    if (s.fault == FAULT_CLOSED) {
        return EX_OK; /* the keeper is gone, and guard knows */
    }
    if (!status_ok(s)) {
        log_status("cannot scan", s);
        return s.fault == FAULT_INVALID ? EX_CONFIG : EX_SOFTWARE;
    }
    return l.result == BH_CLOSED ? EX_OK : EX_SOFTWARE;
}
