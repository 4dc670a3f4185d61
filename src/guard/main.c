#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "guard/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

/* sysexits(3), which the command line and service managers understand. */
enum { EXIT_OK = 0, EXIT_USAGE = 64, EXIT_OS = 71, EXIT_BUSY = 75, EXIT_NOT_PERMITTED = 77, EXIT_CONFIG = 78 };

enum { KEPT_MAGIC = 0x31544b48 /* "HKT1": the layout of struct kept and struct process */ };

static const char usage[] =
    "Usage: bulkhead-guard [--home DIR] [--content PACK] [--processes N]\n"
    "\n"
    "Watches this machine and runs the rest of Bulkhead. Usually started by bulkhead run\n"
    "or by the service manager; runs in the foreground.\n"
    "\n"
    "  --home DIR       where state and sockets live (default $BULKHEAD_HOME, else /var/lib/bulkhead)\n"
    "  --content PACK   the detection content; without it nothing is detected\n"
    "  --processes N    processes it can tell apart at once, 1024 to 1048576 (default 8192; 2 KiB each)\n"
    "  --version, --help\n";

static bool parse_number(const char *text, uint32_t *out)
{
    uint64_t value;
    if (!text_to_u64(text_of(text), &value) || value < 1024 || value > 1 << 20) {
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct options *out)
{
    static const struct option longs[] = {
        {"home", required_argument, NULL, 'H'},    {"content", required_argument, NULL, 'c'},
        {"processes", required_argument, NULL, 'p'}, {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},          {0},
    };
    struct options o = {.processes = PROCESSES_DEFAULT};
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'H') {
            o.home = optarg;
        } else if (c == 'c') {
            o.content = optarg;
        } else if (c == 'p' && parse_number(optarg, &o.processes)) {
            continue;
        } else if (c == 'v') {
            puts("bulkhead-guard " BULKHEAD_VERSION);
            return EXIT_OK;
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_OK : EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "bulkhead-guard: \"%s\" is no option.\n%s", argv[optind], usage);
        return EXIT_USAGE;
    }
    *out = o;
    return -1;
}

/* ── starting ── */

static int lock_home(struct guard *g)
{
    char path[HOME_PATH];
    g->lock = open(home_path(&g->home, "run/lock", path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (g->lock < 0) {
        log_error("%s cannot be opened: %s", path, strerror(errno));
        return EXIT_CONFIG;
    }
    /* A guard that was just killed holds it until the kernel has taken it apart. */
    for (int tries = 0; flock(g->lock, LOCK_EX | LOCK_NB) != 0; tries++) {
        if (errno != EWOULDBLOCK || tries == 20) {
            log_error("Another bulkhead-guard works in %s. Stop that one, or give this one a --home of "
                      "its own.", g->home.root);
            return EXIT_BUSY;
        }
        usleep(10000);
    }
    return -1;
}

static struct status open_loop(struct guard *g)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    g->poll = epoll_create1(EPOLL_CLOEXEC);
    g->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    g->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (g->poll < 0 || g->signals < 0 || g->timer < 0) {
        FAIL_SYS(errno);
    }
    int *const all[] = {&g->signals, &g->timer, &g->kernel.ring_fd};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = all[i]};
        if (epoll_ctl(g->poll, EPOLL_CTL_ADD, *all[i], &event) != 0) {
            FAIL_SYS(errno);
        }
    }
    struct itimerspec second = {.it_value = {.tv_sec = 1}, .it_interval = {.tv_sec = 1}};
    if (timerfd_settime(g->timer, 0, &second, NULL) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

/* Opens what outlived the last guard, or makes it. */
static struct status open_memory(struct guard *g)
{
    char folder[HOME_PATH];
    size_t slots = (size_t)g->options.processes * PROCESS_SLOT;
    home_path(&g->home, "run/mem", folder);
    TRY(memory_open(folder, "kept", KEPT_PAGE + slots, &g->kept_memory));
    TRY(memory_open(folder, "stream", stream_memory(STREAM_BYTES), &g->stream_memory));
    TRY(memory_share(folder, "stream", &g->stream_fd));
    g->kept = g->kept_memory.bytes;
    if (g->kept->magic != KEPT_MAGIC) {
        memset(g->kept_memory.bytes, 0, g->kept_memory.size);
        *g->kept = (struct kept){.magic = KEPT_MAGIC};
    }
    TRY(processes_open((char *)g->kept + KEPT_PAGE, g->options.processes, &g->processes));
    struct memory *m = &g->stream_memory;
    if (!status_ok(stream_resume(m->bytes, m->size, &g->stream))) {
        memset(m->bytes, 0, m->size);
        TRY(stream_make(m->bytes, STREAM_BYTES, &g->stream));
    }
    return OK;
}

/* The ring's position up to which everything was published: the last guard may have been killed
 * between publishing and giving the ring's memory back. */
static void find_position(struct guard *g)
{
    g->position = ring_position(&g->kernel.ring);
    if (g->kernel.adopted && g->stream.last_origin > g->position) {
        g->position = g->stream.last_origin;
    }
}

/* What was raised last is read from the ring itself: a guard killed between an alert and its note of
 * it would raise the alert twice. */
static void find_raised(struct guard *g)
{
    struct stream_reader r;
    struct text record;
    struct event event;
    if (!status_ok(stream_open(g->stream_memory.bytes, g->stream_memory.size, 0, &r))) {
        return;
    }
    while (status_ok(stream_next(&r, g->record, &record))) {
        if (!status_ok(event_open(record, &event)) || event.header.type != EVENT_ALERT) {
            continue;
        }
        for (unsigned i = 0; i < STREAM_CURSORS; i++) {
            struct stream_cursor *c = &g->stream.page->cursors[i];
            uint64_t seq = (uint64_t)event_number(&event, FIELD_EVENT_SEQ);
            if (text_same(text_of(c->name), event_text(&event, FIELD_CLIENT)) && seq >= c->alert_seq) {
                c->alert_nth = seq == c->alert_seq ? c->alert_nth : 0;
                c->alert_seq = seq;
            }
        }
    }
}

static struct status begin(struct guard *g, const char *folder)
{
    TRY(open_memory(g));
    g->started_ns = clock_boot_ns();
    g->real_minus_boot_ns = clock_real_ns() - clock_boot_ns();
    users_refresh(&g->users, "/etc/passwd");
    find_position(g);
    find_raised(g);
    if (!g->kernel.adopted) {
        TRY(kernel_scan(folder, publish_scanned, g));
    }
    TRY(open_loop(g));
    TRY(clients_listen(g));
    interest_changed(g);
    return OK;
}

static void announce(struct guard *g)
{
    bool restarted = g->kernel.adopted && !g->kept->clean && g->kept->starts > 0;
    g->kept->clean = 0;
    g->kept->starts++;
    if (restarted) {
        publish_health(g, "high", "guard", g->kept->starts - 1,
                       "The guard stopped unexpectedly and is back; it goes on where it was.");
    }
}

/* ── working ── */

static uint64_t dropped(const struct guard *g)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < RECORD_KIND_COUNT; i++) {
        all += kernel_dropped(&g->kernel, (enum record_kind)i);
    }
    return all;
}

/* Up to BATCH_MAX records; true: there may be more. */
static bool drain(struct guard *g)
{
    struct text record;
    uint64_t end;
    unsigned taken = 0;
    while (taken < BATCH_MAX && status_ok(ring_next(&g->kernel.ring, &g->position, &record, &end))) {
        publish_record(g, record, end);
        taken++;
    }
    ring_release(&g->kernel.ring, g->position);
    clients_wake(g);
    return taken == BATCH_MAX;
}

static void each_second(struct guard *g)
{
    uint64_t expirations;
    if (read(g->timer, &expirations, sizeof expirations) < 0) {
        return;
    }
    g->real_minus_boot_ns = clock_real_ns() - clock_boot_ns();
    users_refresh(&g->users, "/etc/passwd");
    interest_changed(g);
    uint64_t now_dropped = dropped(g);
    if (now_dropped > g->dropped) {
        publish_health(g, "critical", "guard", now_dropped - g->dropped,
                       "%llu records found the kernel's ring full and are lost.",
                       (unsigned long long)(now_dropped - g->dropped));
        g->dropped = now_dropped;
    }
}

static void on_signal(struct guard *g)
{
    struct signalfd_siginfo info;
    while (read(g->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD) {
            supervise_reap(g);
        } else {
            g->stopping = true;
        }
    }
}

static void dispatch(struct guard *g, void *context)
{
    if (context == &g->signals) {
        on_signal(g);
    } else if (context == &g->timer) {
        each_second(g);
    } else if (context == &g->listener) {
        clients_accept(g);
    } else if (context != &g->kernel.ring_fd) {
        struct client *c = context;
        if (c->phase != CLIENT_FREE) { /* it may have been dropped for another reason in this round */
            clients_serve(g, c);
        }
    }
}

/*
 * How long to wait. Records do not wake a guard that is at work: it looks by itself. Only when it is
 * about to sleep does it ask to be woken; a record that was written while it asked is found by the
 * second look, LOOK_AGAIN_MS later.
 */
static int wait_ms(struct guard *g, bool more, bool *asked)
{
    uint32_t *asleep = &g->kernel.settings->asleep;
    uint64_t now = clock_boot_ns();
    if (more) {
        *asked = false;
        return 0;
    }
    int wait = *asked ? -1 : LOOK_AGAIN_MS;
    __atomic_store_n(asleep, 1, __ATOMIC_SEQ_CST);
    *asked = true;
    if (!ring_empty(&g->kernel.ring, g->position)) {
        return 1; /* being written right now */
    }
    for (unsigned i = 0; i < COMPONENT_COUNT; i++) {
        const struct component *c = &g->components[i];
        if (c->state == COMPONENT_WAITING) {
            int64_t left = (int64_t)(c->restart_ns - now) / CLOCK_NS_PER_MS + 1;
            left = left > 0 ? left : 0;
            wait = wait < 0 || left < wait ? (int)left : wait;
        }
    }
    return wait;
}

static void work(struct guard *g)
{
    struct epoll_event events[32];
    bool asked = false;
    bool more = true;
    while (!g->stopping) {
        int ready = epoll_wait(g->poll, events, 32, wait_ms(g, more, &asked));
        bool woken = ready > 0;
        __atomic_store_n(&g->kernel.settings->asleep, 0, __ATOMIC_RELAXED);
        asked = asked && !woken;
        more = drain(g);
        for (int i = 0; i < ready; i++) {
            dispatch(g, events[i].data.ptr);
        }
        supervise_tick(g, clock_boot_ns());
        clients_wake(g);
    }
}

/* ── ending ── */

static void leave(struct guard *g, const char *folder)
{
    char memory[HOME_PATH];
    char words[256];
    struct sockaddr_un address;
    supervise_stop(g);
    drain(g);
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (g->clients[i].phase != CLIENT_FREE) {
            clients_drop(g, &g->clients[i], NULL);
        }
    }
    g->kept->clean = 1;
    stream_leave(&g->stream);
    processes_done(&g->processes);
    if (status_ok(home_socket(&g->home, &address))) {
        unlink(address.sun_path);
    }
    struct status s = kernel_remove(&g->kernel, folder);
    if (!status_ok(s)) {
        log_warning("%s could not be unmounted: %s", folder, status_text(s, words, sizeof words));
    }
    memory_close(&g->stream_memory);
    memory_close(&g->kept_memory);
    fd_drop(&g->stream_fd);
    s = memory_remove(home_path(&g->home, "run/mem", memory));
    if (!status_ok(s)) {
        log_warning("%s could not be unmounted: %s", memory, status_text(s, words, sizeof words));
    }
}

static int explain_kernel(const struct guard *g, struct status s)
{
    char words[256];
    log_error("The kernel part could not be loaded: %s.%s%s", status_text(s, words, sizeof words),
              g->kernel.why[0] ? " The kernel said: " : "", g->kernel.why);
    log_error("It needs Linux 6.1 or newer with BTF (/sys/kernel/btf/vmlinux) and root's CAP_BPF, "
              "CAP_PERFMON and CAP_SYS_ADMIN. `bulkhead doctor` looks at each of these.");
    return EXIT_OS;
}

static int run(struct guard *g)
{
    char folder[HOME_PATH];
    char words[256];
    struct status s = home_open(g->options.home, &g->home);
    if (status_ok(s)) {
        s = home_make(&g->home);
    }
    if (!status_ok(s)) {
        log_error("The home %s cannot be used: %s", g->home.root, status_text(s, words, sizeof words));
        return EXIT_CONFIG;
    }
    int refused = lock_home(g);
    if (refused >= 0) {
        return refused;
    }
    home_path(&g->home, "run/bpf", folder);
    s = kernel_open((struct kernel_options){.folder = folder,
                                            .interest = 1ULL << RECORD_EXEC | 1ULL << RECORD_FORK | 1ULL << RECORD_EXIT},
                    &g->kernel);
    if (!status_ok(s)) {
        return explain_kernel(g, s);
    }
    s = begin(g, folder);
    if (!status_ok(s)) {
        log_status("The guard could not start", s);
        return EXIT_OS;
    }
    announce(g);
    supervise_start(g);
    work(g);
    leave(g, folder);
    return EXIT_OK;
}

int main(int argc, char **argv)
{
    static struct guard guard = {.listener = -1, .poll = -1, .signals = -1, .timer = -1, .lock = -1,
                                  .stream_fd = -1};
    log_open("bulkhead-guard", LOG_LEVEL_INFO);
    int done = parse(argc, argv, &guard.options);
    if (done >= 0) {
        return done;
    }
    if (geteuid() != 0) {
        log_error("It needs root: it loads programs into the kernel and starts the other parts. Try sudo.");
        return EXIT_NOT_PERMITTED;
    }
    umask(0077);
    return run(&guard);
}
