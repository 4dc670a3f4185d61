#include "cage_guard.h"

#include "base/clock.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct status small_guard_boot(struct small_guard *g)
{
    if (g->memory) {
        munmap(g->memory, stream_memory(GUARD_RING));
        fd_drop(&g->ring);
    }
    g->position = 0;
    g->seq = 0;
    g->ring = memfd_create("ring", MFD_CLOEXEC);
    if (g->ring < 0 || ftruncate(g->ring, (off_t)stream_memory(GUARD_RING)) != 0) {
        FAIL_SYS(errno);
    }
    g->memory =
        mmap(NULL, stream_memory(GUARD_RING), PROT_READ | PROT_WRITE, MAP_SHARED, g->ring, 0);
    if (g->memory == MAP_FAILED) {
        FAIL_SYS(errno);
    }
    return stream_make(g->memory, GUARD_RING, &g->writer);
}

struct status small_guard_open(struct small_guard *g)
{
    *g = (struct small_guard){.ring = -1, .wake = -1, .socket = -1, .syslog = -1};
    return small_guard_boot(g);
}

void small_guard_close(struct small_guard *g)
{
    munmap(g->memory, stream_memory(GUARD_RING));
    fd_drop(&g->ring);
    fd_drop(&g->wake);
    fd_drop(&g->socket);
    fd_drop(&g->syslog);
}

/* ── the worker's life ── */

static void become_worker(const char *binary, int channel, int file, int log)
{
    int fds[] = {channel, file, log};
    char *arguments[] = {(char *)(uintptr_t)binary, NULL};
    char *environment[] = {NULL};
    for (int i = 0; i < 3; i++) {
        fds[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
    }
    for (int i = 0; i < 3; i++) {
        if (fds[i] < 0) {
            close(3 + i);
        } else if (dup2(fds[i], 3 + i) < 0) {
            _exit(126);
        }
    }
    execve(binary, arguments, environment);
    _exit(127);
}

struct status small_guard_start(struct small_guard *g, const char *binary, int file, int log)
{
    int pair[2];
    fd_drop(&g->socket);
    fd_drop(&g->wake);
    g->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (g->wake < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        FAIL_SYS(errno);
    }
    g->socket = pair[0];
    g->types = 0;
    g->ready = false;
    g->worker = fork();
    if (g->worker == 0) {
        become_worker(binary, pair[1], file, log);
    }
    close(pair[1]);
    return OK;
}

/* ── what it says ── */

static void reply(const struct small_guard *g, const struct wire_message *m, const int *fds,
                  size_t count)
{
    char packet[WIRE_MAX];

    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control = {.room = {0}};
    struct writer w = writer_over(packet, sizeof packet);
    ENSURE(status_ok(wire_write(m, &w)));
    struct iovec bytes = {.iov_base = packet, .iov_len = w.used};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(count * sizeof(int)),
                                          .cmsg_level = SOL_SOCKET,
                                          .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
    }
    sendmsg(g->socket, &message, MSG_NOSIGNAL);
}

static void welcome(const struct small_guard *g)
{
    int fds[] = {g->ring, g->wake};
    struct wire_message m = {.number = WIRE_WELCOME,
                             .welcome = {.version = WIRE_VERSION,
                                         .schema_hash = schema_hash(),
                                         .ring_size = GUARD_RING,
                                         .resume_position = g->position,
                                         .client_id = 1,
                                         .resume_seq = g->seq}};
    reply(g, &m, fds, 2);
}

void small_guard_begin(const struct small_guard *g)
{
    struct wire_message m = {.number = WIRE_BEGIN,
                             .begin = {.position = g->position, .seq = g->seq}};
    reply(g, &m, NULL, 0);
}

void small_guard_finish(const struct small_guard *g)
{
    struct wire_message m = {.number = WIRE_FINISH, .finish = {.wait_ms = 1000}};
    reply(g, &m, NULL, 0);
}

static void keep_alert(struct small_guard *g, const struct wire_alert *alert)
{
    unsigned i = g->alert_count++;
    ENSURE(i < GUARD_ALERTS);
    g->alerts[i].event_seq = alert->event_seq;
    g->alerts[i].nth = alert->nth;
    text_copy(alert->rule_id, g->alerts[i].rule, sizeof g->alerts[i].rule);
}

/* What sanitizer builds say at every start is no news. */
static void keep_report(struct small_guard *g, struct text message)
{
    if (!text_ends(message, TEXT("cage lacks: a limit on its memory."))) {
        g->reports++;
        text_copy(message, g->report, sizeof g->report);
    }
}

static void hand_out_syslog(struct small_guard *g)
{
    struct wire_message m = {.number = WIRE_SYSLOG, .syslog = {.there = g->syslog >= 0}};
    g->syslog_asked++;
    reply(g, &m, &g->syslog, g->syslog >= 0);
}

static void handle(struct small_guard *g, const struct wire_message *m)
{
    if (m->number == WIRE_HELLO) {
        welcome(g);
    } else if (m->number == WIRE_READY) {
        g->ready = true;
        g->rules = m->ready.rules;
        if (!g->hold) {
            small_guard_begin(g);
        }
    } else if (m->number == WIRE_SUBSCRIBE) {
        g->types = m->subscribe.types;
    } else if (m->number == WIRE_PROGRESS) {
        g->position = m->progress.position;
        g->seq = m->progress.seq;
    } else if (m->number == WIRE_ALERT) {
        keep_alert(g, &m->alert);
    } else if (m->number == WIRE_REPORT) {
        keep_report(g, m->report.message);
    } else if (m->number == WIRE_WANT_SYSLOG) {
        hand_out_syslog(g);
    }
}

bool small_guard_serve(struct small_guard *g, int wait_ms)
{
    uint64_t end = clock_boot_ns() + (uint64_t)wait_ms * CLOCK_NS_PER_MS;
    for (uint64_t now = clock_boot_ns(); now < end; now = clock_boot_ns()) {
        static char packet[WIRE_MAX];
        struct wire_message m;
        struct pollfd one = {.fd = g->socket, .events = POLLIN};
        if (poll(&one, 1, (int)((end - now) / CLOCK_NS_PER_MS) + 1) <= 0) {
            continue;
        }
        ssize_t len = recv(g->socket, packet, sizeof packet, MSG_DONTWAIT);
        if (len <= 0) {
            return false;
        }
        struct text bytes = {.ptr = packet, .len = (size_t)len};
        ENSURE(status_ok(wire_read(bytes, WIRE_SENDER_CLIENT, &m)));
        handle(g, &m);
    }
    return true;
}

uint64_t small_guard_publish(struct small_guard *g, enum event_type type, enum field field,
                             struct text value)
{
    static char room[EVENT_MAX];
    struct event_builder b;
    struct text record;
    event_begin(&b, room, sizeof room);
    event_put_text(&b, FIELD_LEVEL, TEXT("high"));
    event_put_text(&b, field, value);
    struct event_header header = {.type = (uint16_t)type, .time_ns = clock_real_ns()};
    ENSURE(status_ok(event_end(&b, header, &record)));
    uint64_t seq = stream_publish(&g->writer, record);
    if (g->wake >= 0) {
        eventfd_write(g->wake, 1);
    }
    return seq;
}

int small_guard_end(struct small_guard *g, int signal)
{
    int status = -1;
    if (signal) {
        kill(g->worker, signal);
    }
    while (waitpid(g->worker, &status, 0) < 0 && errno == EINTR) {
    }
    small_guard_serve(g, 1000); /* what it said last; ends at once where nothing is left */
    return status;
}
