#include "ctl/drill/drill_live.h"

#include "base/clock.h"
#include "base/own.h"
#include "ctl/content/content_file.h"
#include "ctl/ctl.h"
#include "ctl/drill/drill_packs.h"
#include "ctl/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    READY_MS = 15000, /* guard loads its programs in a second on a quiet machine */
    WATCH_MS = 2500,  /* from the first program on: an engine that crashes is started three times */
    PROGRAMS = 50,
    PAUSE_MS = 20, /* between two of them: the fault comes while events pour in */
    STOP_MS = 10000,
};

#define HOMES "/run" /* scratch homes are below it */

struct scratch {
    char home[64];
    char content[PROGRAM_PATH];
    char program[PROGRAM_PATH]; /* what is run */
    struct supervisor guard;
    struct bh_client *client;
};

/* ── the scratch home ── */

static struct status copy_program(const char *from, const char *to)
{
    OWN(fd_drop) int in = open(from, O_RDONLY | O_CLOEXEC);
    OWN(fd_drop) int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    struct stat st;
    if (in < 0 || out < 0 || fstat(in, &st) != 0) {
        FAIL_SYS(errno);
    }
    for (off_t left = st.st_size; left > 0;) {
        ssize_t put = sendfile(out, in, NULL, (size_t)left);
        if (put <= 0) {
            FAIL_SYS(put ? errno : EIO);
        }
        left -= put;
    }
    return OK;
}

static struct status make_home(struct scratch *s, const struct drill_scene *scene)
{
    char path[PROGRAM_PATH];
    text_copy(TEXT(HOMES "/bulkhead-drill-XXXXXX"), s->home, sizeof s->home);
    if (!mkdtemp(s->home)) {
        s->home[0] = 0;
        FAIL_SYS(errno);
    }
    snprintf(path, sizeof path, "%s/content", s->home);
    if (mkdir(path, 0700) != 0) {
        FAIL_SYS(errno);
    }
    snprintf(s->content, sizeof s->content, "%s/bad.pack", s->home);
    TRY(content_file_replace(s->content, scene->bad));
    snprintf(path, sizeof path, "%s/content/content.pack.previous", s->home);
    TRY(content_file_replace(path, scene->previous));
    snprintf(s->program, sizeof s->program, "%s/" DRILL_PROGRAM, s->home);
    return copy_program("/bin/true", s->program);
}

/* Guard starts the parts that lie beside it. */
static struct status other_engine(struct scratch *s, const char *engine)
{
    char path[PROGRAM_PATH];
    char courier[PROGRAM_PATH];
    snprintf(path, sizeof path, "%s/bin", s->home);
    if (mkdir(path, 0755) != 0) {
        FAIL_SYS(errno);
    }
    TRY(program_find("bulkhead-courier", "courier", courier));
    snprintf(path, sizeof path, "%s/bin/bulkhead-courier", s->home);
    TRY(copy_program(courier, path));
    snprintf(path, sizeof path, "%s/bin/bulkhead-engine", s->home);
    TRY(copy_program(engine, path));
    snprintf(path, sizeof path, "%s/bin/bulkhead-guard", s->home);
    TRY(copy_program(s->guard.program, path));
    text_copy(text_of(path), s->guard.program, sizeof s->guard.program);
    return OK;
}

static void remove_home(const char *home)
{
    char *const paths[] = {(char *)(uintptr_t)home, NULL};
    FTS *fts = home[0] ? fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL) : NULL;
    for (FTSENT *entry = fts ? fts_read(fts) : NULL; entry; entry = fts_read(fts)) {
        if (entry->fts_info == FTS_DP) {
            rmdir(entry->fts_accpath);
        } else if (entry->fts_info != FTS_D) {
            unlink(entry->fts_accpath);
        }
    }
    if (fts) {
        fts_close(fts);
    }
}

static void scratch_done(struct scratch *s)
{
    bh_client_close(s->client);
    /* It was started by us and is ended by us, whatever it thinks of that. */
    status_ignore(supervisor_stop(&s->guard, STOP_MS));
    remove_home(s->home);
}

/* ── guard ── */

/* What guard and its parts write to standard error belongs to the scratch home, not to the report.
 */
static struct status start_quietly(struct scratch *s)
{
    char path[PROGRAM_PATH];
    snprintf(path, sizeof path, "%s/log", s->home);
    OWN(fd_drop) int log = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    OWN(fd_drop) int ours = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    if (log < 0 || ours < 0 || dup2(log, STDERR_FILENO) < 0) {
        FAIL_SYS(errno);
    }
    struct status started = supervisor_start(&s->guard);
    if (dup2(ours, STDERR_FILENO) < 0) {
        FAIL_SYS(errno);
    }
    return started;
}

static uint64_t now_ms(void)
{
    return clock_boot_ns() / CLOCK_NS_PER_MS;
}

static struct status connect_client(struct scratch *s)
{
    struct bh_options options = BH_OPTIONS("bulkhead-drill");
    uint64_t end = now_ms() + READY_MS;
    options.home = s->home;
    options.from = BH_FROM_ALL;
    int result = BH_MISSING;
    struct pollfd ended = {.fd = s->guard.pidfd, .events = POLLIN};
    while (result != BH_OK && now_ms() < end && poll(&ended, 1, PAUSE_MS) == 0) {
        result = bh_client_open(&options, &s->client);
    }
    uint64_t types =
        BH_TYPE(BH_EVENT_PROCESS_EXEC) | BH_TYPE(BH_EVENT_ALERT) | BH_TYPE(BH_EVENT_HEALTH);
    if (result != BH_OK || bh_client_subscribe(s->client, types) != BH_OK) {
        FAIL(TIMEOUT);
    }
    return OK;
}

/* ── what happens ── */

static void copy_words(struct bh_text words, char out[DRILL_SAID])
{
    text_copy((struct text){.ptr = words.ptr, .len = words.len}, out, DRILL_SAID);
    for (char *c = out; *c; c++) {
        *c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
    }
}

static struct text text_from(struct bh_text t)
{
    return (struct text){.ptr = t.ptr, .len = t.len};
}

/* Other parts may have troubles of their own: the scratch home has no scanner. */
static bool tells_of_fault(const struct bh_event *event)
{
    struct text message = text_from(bh_event_text(event, BH_FIELD_MESSAGE));
    return text_same(text_from(bh_event_text(event, BH_FIELD_COMPONENT)), TEXT("engine")) &&
           (text_find(message, TEXT("refused")) != SIZE_MAX ||
            text_find(message, TEXT("failed and is off")) != SIZE_MAX);
}

static void look_at(const struct scratch *s, const struct bh_event *event, struct drill_live *out)
{
    /* The kernel names it from the machine's root on: in a changed root, or where /run lies below
     * another folder, that begins otherwise. The scratch home's name is this drill's alone. */
    struct text path = text_from(bh_event_text(event, BH_FIELD_PATH));
    bool ours = text_ends(path, text_of(s->program + sizeof HOMES - 1));
    int type = bh_event_type(event);
    out->seen += ours && type == BH_EVENT_PROCESS_EXEC;
    out->alerts += ours && type == BH_EVENT_ALERT;
    if (type == BH_EVENT_HEALTH && !out->said[0] && tells_of_fault(event)) {
        copy_words(bh_event_text(event, BH_FIELD_MESSAGE), out->said);
    }
}

static void read_events(struct scratch *s, int wait_ms, struct drill_live *out)
{
    const struct bh_event *event;
    uint64_t end = now_ms() + (uint64_t)wait_ms;
    do {
        while (bh_client_next(s->client, &event) == BH_OK) {
            look_at(s, event, out);
        }
        int64_t left = (int64_t)(end - now_ms());
        if (left > 0) {
            bh_client_wait(s->client, (int)left);
        }
    } while (now_ms() < end);
}

static void run_program(const struct scratch *s, struct drill_live *out)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl(s->program, DRILL_PROGRAM, "channel-291", (char *)NULL);
        _exit(127);
    }
    if (pid > 0) {
        int how;
        while (waitpid(pid, &how, 0) < 0 && errno == EINTR) {
        }
        out->started += WIFEXITED(how) && WEXITSTATUS(how) == 0;
    }
}

static void ask_engine(struct scratch *s, struct drill_live *out)
{
    OWN(ctl_json_drop) json_t *answer = NULL;
    if (ctl_ask(s->client, "status", 0, &answer) != CTL_OK) {
        return;
    }
    out->guard_lived = ctl_member_number(answer, "pid") == s->guard.pid;
    const json_t *components = json_object_get(answer, "components");
    for (size_t i = 0; i < json_array_size(components); i++) {
        const json_t *c = json_array_get(components, i);
        struct text exit = ctl_member_text(c, "last_exit");
        if (text_same(ctl_member_text(c, "name"), TEXT("engine"))) {
            snprintf(out->engine, sizeof out->engine, "%.*s%s%.*s",
                     TEXT_ARGS(ctl_member_text(c, "state")), exit.len ? ", last end: " : "",
                     TEXT_ARGS(text_part(exit, 0, 100)));
        }
    }
}

struct status drill_live(const struct drill_scene *scene, struct drill_live *out)
{
    OWN(scratch_done) struct scratch s = {.guard = {.pidfd = -1}};
    struct drill_live live = {0};
    TRY(make_home(&s, scene));
    s.guard.home = s.home;
    s.guard.content = s.content;
    TRY(supervisor_find(&s.guard));
    TRY(scene->engine ? other_engine(&s, scene->engine) : OK);
    TRY(start_quietly(&s));
    TRY(connect_client(&s));
    read_events(&s, PAUSE_MS * 10, &live); /* the subscription is in force */
    for (unsigned i = 0; i < PROGRAMS; i++) {
        run_program(&s, &live);
        read_events(&s, PAUSE_MS, &live);
    }
    read_events(&s, WATCH_MS - PROGRAMS * PAUSE_MS, &live);
    ask_engine(&s, &live);
    *out = live;
    return OK;
}
