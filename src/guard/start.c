#include "base/clock.h"
#include "base/log.h"
#include "guard/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { KEPT_MAGIC = 0x32544b48 /* "HKT2": the layout of struct kept and struct process */ };

enum exit_code start_lock(struct guard *g)
{
    char path[HOME_PATH];
    g->lock = open(home_path(&g->home, "run/lock", path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                   0600);
    if (g->lock < 0) {
        log_error("%s cannot be opened: %s", path, strerror(errno));
        return EXIT_CONFIG;
    }
    /* A guard that was just killed holds it until the kernel has taken it apart. */
    for (int tries = 0; flock(g->lock, LOCK_EX | LOCK_NB) != 0; tries++) {
        if (errno != EWOULDBLOCK || tries == 20) {
            log_error(
                "Another bulkhead-guard works in %s. Stop that one, or give this one a --home of "
                "its own.",
                g->home.root);
            return EXIT_BUSY;
        }
        usleep(10000);
    }
    return EXIT_OK;
}

static struct status open_loop(struct guard *g)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP,
           SIG_IGN); /* for the parts, which inherit it; blocked, it reaches us all the same */
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
    TRY(memory_open(folder, "kept", KEPT_BYTES + slots, &g->kept_memory));
    TRY(memory_open(folder, "stream", stream_memory(STREAM_BYTES), &g->stream_memory));
    TRY(memory_share(folder, "stream", &g->stream_fd));
    g->kept = g->kept_memory.bytes;
    if (g->kept->magic != KEPT_MAGIC) {
        memset(g->kept_memory.bytes, 0, g->kept_memory.size);
        g->kept->magic = KEPT_MAGIC;
        g->kept->subscribed = UINT64_MAX; /* until the first clients had the time to say */
    }
    watch_adopt(&g->kept->watch, (uint32_t)g->kept->clients + 1);
    TRY(processes_open((char *)g->kept + KEPT_BYTES, g->options.processes, &g->processes));
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
    /* An origin beyond the ring's end is of another ring, before a kernel part was replaced. */
    if (g->kernel.adopted && g->stream.last_origin > g->position &&
        g->stream.last_origin <= ring_end(&g->kernel.ring)) {
        g->position = g->stream.last_origin;
    }
}

/* Where each event lies, and which alerts were raised, is read from the ring itself: a guard killed
 * between an alert and its note of it would raise the alert twice. */
static struct status find_raised(struct guard *g)
{
    struct stream_reader r;
    struct text record;
    struct event event;
    uint8_t secret[SIPHASH_KEY];
    if (getrandom(secret, sizeof secret, 0) != sizeof secret) {
        FAIL_SYS(errno);
    }
    raised_init(&g->raised, secret);
    if (!status_ok(stream_open(g->stream_memory.bytes, g->stream_memory.size, 0, &r))) {
        return OK;
    }
    while (status_ok(stream_next(&r, g->record, &record))) {
        if (!status_ok(event_open(record, &event))) {
            continue;
        }
        g->places[event.header.seq % PLACES] = r.position - record.len;
        struct raised_about about = {
            .client = event_text(&event, FIELD_CLIENT),
            .rule = event_text(&event, FIELD_RULE_ID),
            .event = (uint64_t)event_number(&event, FIELD_EVENT_SEQ),
        };
        if (event.header.type == EVENT_ALERT) {
            raised_found(&g->raised, &about, r.position);
        }
    }
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

struct status start_all(struct guard *g)
{
    char folder[HOME_PATH];
    TRY(open_memory(g));
    g->started_ns = clock_boot_ns();
    grace_begin(g);
    g->real_minus_boot_ns = clock_real_ns() - clock_boot_ns();
    g->dropped = kernel_dropped_all(&g->kernel); /* the last guard told of these */
    users_refresh(&g->users, "/etc/passwd");
    find_position(g);
    TRY(find_raised(g));
    if (!g->kernel.adopted || !g->kept->scanned) {
        TRY(kernel_scan(home_path(&g->home, "run/bpf", folder), publish_scanned, g));
        g->kept->scanned = 1;
    }
    TRY(open_loop(g));
    TRY(clients_listen(g));
    interest_changed(g);
    announce(g);
    return OK;
}
