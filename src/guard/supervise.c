#include "base/clock.h"
#include "base/own.h"
#include "guard/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The descriptors that each component is started with. Nothing else is inherited: each closes the
 * rest as its first act (base/cage.h), and all of ours are close-on-exec.
 */
enum { CHILD_CHANNEL = 3, CHILD_FILE = 4, CHILD_SYSLOG = 5 };

enum {
    EXIT_BAD_CONTENT = 78,   /* a part refused its pack: starting it again would not help */
    EXIT_NO_WORK = 69,       /* the pack has nothing for the scanner */
    BACKOFF_FIRST_MS = 10,   /* back in well under a second … */
    BACKOFF_LAST_MS = 10000, /* … but one that dies at once may not eat the machine */
    LONG_LIFE_MS = 200,      /* one that lived so long did not die of starting */
    STOP_MS = 2000,          /* between SIGTERM and SIGKILL */
    HUNG_UP_MS = 1000,       /* for a part without a channel to end by itself, and say how */
    CRASHES_MAX = 3,       /* in a row: it is the pack's fault, and the one before is better … */
    ANEW_MS = 2000,        /* a scanner without rules has ended long before */
    SHORT_LIFE_MS = 10000, /* … if each engine lived for less */
    HANGS_MAX = 2,         /* in a row: each is HANG_S without detection, so not a third … */
    HANG_LIFE_S = 3600,    /* … if each worked for less: a machine may stall twice in a year */
};

int syslog_open(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    OWN(fd_drop) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        return -1;
    }
    return fd_take(&fd);
}

/* What a component works on: engines and scanner a pack, the courier the spool. */
static struct status open_file(struct guard *g, enum component_id id, int *out)
{
    char path[HOME_PATH];
    int pack = id == COMPONENT_STANDBY ? g->swap.fd : g->active_fd;
    int fd = id != COMPONENT_COURIER
                 ? fcntl(pack, F_DUPFD_CLOEXEC, 0)
                 : open(home_path(&g->home, "spool", path), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        FAIL_SYS(errno);
    }
    *out = fd;
    return OK;
}

/* Beside our own binary, where it is installed; or in its own folder, where the build leaves it. */
static struct status binary_path(const char *name, char *out, size_t out_size)
{
    char self[HOME_PATH];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0) {
        FAIL_SYS(errno);
    }
    int slash = (int)text_find_last((struct text){.ptr = self, .len = (size_t)length}, '/');
    snprintf(out, out_size, "%.*s/bulkhead-%s", slash, self, name);
    if (access(out, X_OK) != 0) {
        snprintf(out, out_size, "%.*s/../%s/bulkhead-%s", slash, self, name, name);
    }
    if (access(out, X_OK) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

/* Runs in the child, which shares our memory until it execs: only calls that are safe there. A
 * descriptor that is already in its place must lose close-on-exec; the others may be in the way, so
 * all are moved up first. */
static void become(const char *path, char *const arguments[], const int fds[], unsigned fd_count)
{
    enum { ASIDE = 64 };

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (unsigned i = 0; i < fd_count; i++) {
        if (fds[i] >= 0 && dup2(fds[i], ASIDE + (int)i) < 0) {
            _exit(127);
        }
    }
    for (unsigned i = 0; i < fd_count; i++) {
        int place = CHILD_CHANNEL + (int)i;
        if (fds[i] >= 0 ? dup2(ASIDE + (int)i, place) < 0 : (close(place), 0)) {
            _exit(127);
        }
        close(ASIDE + (int)i);
    }
    static char *const environment[] = {NULL};
    execve(path, arguments, environment);
    _exit(127);
}

static struct status spawn(struct guard *g, enum component_id id, pid_t *out)
{
    char path[HOME_PATH];
    int pair[2];
    TRY(binary_path(g->components[id].name, path, sizeof path));
    OWN(fd_drop) int file = -1;
    TRY(open_file(g, id, &file));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        FAIL_SYS(errno);
    }
    OWN(fd_drop) int theirs = pair[1];
    TRY(clients_adopt(g, pair[0], id));
    OWN(fd_drop) int syslog = id == COMPONENT_COURIER ? syslog_open() : -1;
    int fds[] = {theirs, file, syslog};
    char *arguments[] = {path, NULL};
    pid_t pid = vfork();
    if (pid == 0) {
        become(path, arguments, fds, sizeof fds / sizeof *fds);
    }
    if (pid < 0) {
        FAIL_SYS(errno);
    }
    *out = pid;
    return OK;
}

bool supervise_launch(struct guard *g, enum component_id id)
{
    char words[256];
    struct component *c = &g->components[id];
    struct status s = spawn(g, id, &c->pid);
    c->started_ns = clock_boot_ns();
    c->end_ns = 0;
    c->hung = false;
    c->cut_off = false;
    c->lacks[0] = 0;
    if (status_ok(s)) {
        c->state = COMPONENT_RUNNING;
        return true;
    }
    publish_health(g, "critical", c->name, 1, "The %s could not be started: %s.", c->name,
                   status_text(s, words, sizeof words));
    return false;
}

static void start(struct guard *g, enum component_id id)
{
    struct component *c = &g->components[id];
    if (!supervise_launch(g, id)) {
        c->state = COMPONENT_WAITING;
        c->backoff_ms = BACKOFF_LAST_MS;
        c->restart_ns = c->started_ns + (uint64_t)c->backoff_ms * CLOCK_NS_PER_MS;
    }
}

void supervise_start(struct guard *g)
{
    g->components[COMPONENT_ENGINE].name = "engine";
    g->components[COMPONENT_STANDBY].name = "engine";
    g->components[COMPONENT_COURIER].name = "courier";
    g->components[COMPONENT_SCAN].name = "scan";
    start(g, COMPONENT_COURIER);
    packs_open(g);
    if (g->active_fd >= 0) {
        start(g, COMPONENT_ENGINE);
        start(g, COMPONENT_SCAN);
    } else {
        publish_health(g, "high", "engine", 1,
                       "No content is loaded, so nothing is detected: `bulkhead content load %s`.",
                       packs_to_load());
    }
}

static void describe_exit(struct component *c, int status)
{
    char *out = c->last_exit;
    if (c->hung) {
        snprintf(out, sizeof c->last_exit, "it hung");
    } else if (c->cut_off) {
        snprintf(out, sizeof c->last_exit, "it lived without its channel");
    } else if (WIFSIGNALED(status)) {
        snprintf(out, sizeof c->last_exit, "ended by SIG%s", sigabbrev_np(WTERMSIG(status)) ?: "?");
    } else {
        snprintf(out, sizeof c->last_exit, "exit code %d", WEXITSTATUS(status));
    }
}

void supervise_renew_scan(struct guard *g)
{
    struct component *c = &g->components[COMPONENT_SCAN];
    if (c->pid > 0) {
        c->state = COMPONENT_LEAVING;
        kill(c->pid, SIGKILL);
    } else {
        c->anew = c->state == COMPONENT_OFF;
        c->last_exit[0] = 0;
        start(g, COMPONENT_SCAN);
    }
}

/* A scanner that was off, since there was nothing to look for, begins with what happens now. That
 * is said when it has stayed: only it knows whether there is something to look for this time. */
static void tell_anew(struct guard *g, uint64_t now_ns)
{
    struct component *c = &g->components[COMPONENT_SCAN];
    if (c->anew && c->state == COMPONENT_RUNNING &&
        now_ns > c->started_ns + (uint64_t)ANEW_MS * CLOCK_NS_PER_MS) {
        c->anew = false;
        publish_health(g, "informational", c->name, 1,
                       "The scanner was off and is on: events before its start are not scanned.");
    }
}

/* What only the scanner knows, since guard reads no pack: whether there are rules for it. True: it
 * is off, and not started again. */
static bool scan_ended(struct guard *g, int status)
{
    struct component *c = &g->components[COMPONENT_SCAN];
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    if (c->state == COMPONENT_LEAVING) { /* for one with another pack */
        start(g, COMPONENT_SCAN);
        return true;
    }
    if (code == EXIT_NO_WORK) {
        c->state = COMPONENT_OFF;
        c->anew = false;
        snprintf(c->last_exit, sizeof c->last_exit, "the content has no rules for files");
        clients_forget(g, COMPONENT_SCAN);
    } else if (code == EXIT_BAD_CONTENT) {
        c->state = COMPONENT_GIVEN_UP;
        publish_health(g, "critical", c->name, c->restarts,
                       "The scanner refused its content and is off: no file is scanned until it is "
                       "given a good pack.");
    }
    return code == EXIT_NO_WORK || code == EXIT_BAD_CONTENT;
}

/* Does this end speak against the pack? That somebody killed the engine does not. A hang does, and
 * is counted by itself: it takes longer than a life that is short. */
static bool is_crash(const struct component *c, int status)
{
    if (c->hung || c->cut_off) {
        return c->cut_off;
    }
    return WIFSIGNALED(status) ? WTERMSIG(status) != SIGKILL && WTERMSIG(status) != SIGTERM
                               : WEXITSTATUS(status) != 0;
}

/* Whether the engine was given back the content before this one, and works at once. */
static bool fell_back(struct guard *g, const char *because)
{
    struct component *c = &g->components[COMPONENT_ENGINE];
    if (!packs_fall_back(g)) {
        return false;
    }
    c->restarts++;
    c->crashes = 0;
    c->hangs = 0;
    c->backoff_ms = 0;
    publish_health(g, "critical", c->name, c->restarts,
                   "The engine %s: the previous content is active again. Look at the new one with "
                   "`bulkhead content verify`.",
                   because);
    start(g, COMPONENT_ENGINE);
    supervise_renew_scan(g);
    return true;
}

/* True: dealt with. */
static bool engine_ended(struct guard *g, int status)
{
    struct component *c = &g->components[COMPONENT_ENGINE];
    uint64_t lived_ns = clock_boot_ns() - c->started_ns;
    bool again = lived_ns < (uint64_t)SHORT_LIFE_MS * CLOCK_NS_PER_MS;
    bool hung_again = lived_ns < (uint64_t)HANG_LIFE_S * CLOCK_NS_PER_S;
    c->crashes = !is_crash(c, status) ? c->crashes : again ? c->crashes + 1 : 1;
    c->hangs = !c->hung ? c->hangs : hung_again ? c->hangs + 1 : 1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_BAD_CONTENT) {
        if (!fell_back(g, "refused its content")) {
            c->state = COMPONENT_GIVEN_UP;
            publish_health(g, "critical", c->name, c->restarts,
                           "The engine refused its content and is off: nothing is detected until "
                           "it is given a good pack. `bulkhead content verify` says what is wrong "
                           "with it.");
        }
        return true;
    }
    if (c->hangs >= HANGS_MAX) {
        return fell_back(g, "hung again and again");
    }
    return c->crashes >= CRASHES_MAX && fell_back(g, "crashed again and again");
}

static void ended(struct guard *g, enum component_id id, int status)
{
    struct component *c = &g->components[id];
    uint64_t now = clock_boot_ns();
    describe_exit(c, status);
    c->pid = 0;
    c->end_ns = 0;
    if (id == COMPONENT_SCAN && scan_ended(g, status)) {
        return;
    }
    if (id == COMPONENT_STANDBY) {
        c->state = COMPONENT_OFF;
        swap_on_end(g, c->last_exit);
        return;
    }
    if (id == COMPONENT_ENGINE && engine_ended(g, status)) {
        return;
    }
    bool lived_long = now - c->started_ns > (uint64_t)LONG_LIFE_MS * CLOCK_NS_PER_MS;
    c->backoff_ms = lived_long || !c->backoff_ms ? BACKOFF_FIRST_MS : c->backoff_ms * 2;
    c->backoff_ms = c->backoff_ms < BACKOFF_LAST_MS ? c->backoff_ms : BACKOFF_LAST_MS;
    c->state = COMPONENT_WAITING;
    c->restart_ns = now + (uint64_t)c->backoff_ms * CLOCK_NS_PER_MS;
    c->restarts++;
    publish_health(g, "high", c->name, c->restarts,
                   "The %s stopped (%s) and is started again in %u ms.", c->name, c->last_exit,
                   c->backoff_ms);
}

/* COMPONENT_COUNT: it is none of ours. */
static enum component_id component_of(const struct guard *g, pid_t pid)
{
    unsigned id = 0;
    while (id < COMPONENT_COUNT && g->components[id].pid != pid) {
        id++;
    }
    return (enum component_id)id;
}

/* It has ended, but what it said last may wait in its socket: how far it was, or why it refused.
 * The end of that comes for sure. */
static void hear_last_words(struct guard *g, enum component_id id)
{
    enum { PACKETS_MAX = 65536 }; /* more than a socket holds */

    struct client *c = clients_of(g, id);
    uint32_t number = c ? c->id : 0;
    for (unsigned i = 0; c && c->phase != CLIENT_FREE && c->id == number && i < PACKETS_MAX; i++) {
        routes_serve(g, c);
    }
}

void supervise_reap(struct guard *g)
{
    int status;
    siginfo_t info = {0};
    /* Looked at first: until it is reaped its number is no other process's, and what its last words
     * lead to may signal it. A pid of ours is forgotten where it is reaped. */
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid > 0) {
        pid_t pid = info.si_pid;
        enum component_id id = component_of(g, pid);
        bool scan = id == COMPONENT_SCAN; /* whose last words are those of a process below it */
        if (id < COMPONENT_COUNT && !scan && !g->stopping) {
            hear_last_words(g, id);
        }
        bool reaped = waitpid(pid, &status, WNOHANG) == pid;
        id = component_of(g, pid); /* the next engine may have its place by now */
        if (reaped && pid == g->choice_pid) {
            packs_on_end(g, status);
        } else if (reaped && id < COMPONENT_COUNT && !g->stopping) {
            ended(g, id, status);
        } else if (id < COMPONENT_COUNT) {
            g->components[id].pid = 0;
        }
        info.si_pid = 0;
    }
}

/* One that breaks the rules is cut off, and one that ends hangs up: mostly it has ended before this
 * moment comes, and its exit code counts. */
void supervise_hung_up(struct guard *g, enum component_id id)
{
    struct component *c = &g->components[id];
    if (c->state == COMPONENT_RUNNING && c->pid > 0 && !g->stopping) {
        c->end_ns = clock_boot_ns() + (uint64_t)HUNG_UP_MS * CLOCK_NS_PER_MS;
    }
}

void supervise_tick(struct guard *g, uint64_t now_ns)
{
    for (unsigned i = 0; i < COMPONENT_COUNT; i++) {
        struct component *c = &g->components[i];
        if (c->state == COMPONENT_WAITING && now_ns >= c->restart_ns) {
            start(g, (enum component_id)i);
        } else if (c->end_ns && now_ns >= c->end_ns && c->pid > 0) {
            c->end_ns = 0;
            c->cut_off = true;
            kill(c->pid, SIGKILL);
        }
    }
}

/* A component speaks once a second. One that is silent hangs: it is ended, and comes back as after
 * any other end. Not after a suspend, when nobody could speak. */
void supervise_watch(struct guard *g, uint64_t now_ns)
{
    uint64_t since_last = now_ns - g->watched_ns;
    g->watched_ns = now_ns;
    tell_anew(g, now_ns);
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &g->clients[i];
        if (c->phase == CLIENT_FREE || !c->ours) {
            continue;
        }
        if (since_last > 3ULL * CLOCK_NS_PER_S) {
            c->heard_ns = now_ns;
        }
        bool hangs = now_ns - c->heard_ns > (uint64_t)HANG_S * CLOCK_NS_PER_S;
        if (hangs && g->components[c->component].pid > 0) {
            publish_health(g, "critical", c->name, 1,
                           "The %s has said nothing for %d s: it is ended.", c->name, HANG_S);
            g->components[c->component].hung = true;
            kill(g->components[c->component].pid, SIGKILL);
            c->heard_ns = now_ns;
        }
    }
}

int64_t supervise_next_ms(const struct guard *g, uint64_t now_ns)
{
    int64_t next = -1;
    uint64_t swap_ns = swap_deadline_ns(g);
    if (swap_ns) {
        next = swap_ns > now_ns ? (int64_t)((swap_ns - now_ns) / CLOCK_NS_PER_MS) + 1 : 0;
    }
    for (unsigned i = 0; i < COMPONENT_COUNT; i++) {
        const struct component *c = &g->components[i];
        uint64_t then_ns = c->state == COMPONENT_WAITING ? c->restart_ns : c->end_ns;
        if (then_ns) {
            int64_t left = (int64_t)(then_ns - now_ns) / CLOCK_NS_PER_MS + 1;
            left = left > 0 ? left : 0;
            next = next < 0 || left < next ? left : next;
        }
    }
    return next;
}

static bool any_left(const struct guard *g)
{
    bool left = g->choice_pid > 0;
    for (unsigned i = 0; i < COMPONENT_COUNT; i++) {
        left = left || g->components[i].pid > 0;
    }
    return left;
}

static void signal_all(struct guard *g, int number)
{
    for (unsigned i = 0; i < COMPONENT_COUNT; i++) {
        if (g->components[i].pid > 0) {
            kill(g->components[i].pid, number);
        }
    }
}

void supervise_stop(struct guard *g)
{
    g->stopping = true;
    signal_all(g, SIGTERM);
    for (int waited_ms = 0; waited_ms < STOP_MS && any_left(g); waited_ms += 10) {
        usleep(10000);
        supervise_reap(g);
    }
    signal_all(g, SIGKILL);
    usleep(10000);
    supervise_reap(g);
}
