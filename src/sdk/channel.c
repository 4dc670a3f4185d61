#include "sdk/client.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    TICK_MS = 1000,
    AWAY_TICK_MS = 50,    /* while guard is away: it is back in less than a second */
    GREETING_TICKS = 100, /* of those: five seconds for an answer */
};

enum channel_event { ON_TIMER, ON_SOCKET, ON_WAKE, CHANNEL_EVENTS };

/* Descriptors that came with a packet; those that nobody took are closed. */
struct received {
    int fds[2];
    unsigned count;
};

static void received_drop(struct received *r)
{
    for (unsigned i = 0; i < r->count; i++) {
        fd_drop(&r->fds[i]);
    }
}

static int poll_add(struct bh_client *c, int fd, enum channel_event what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = what};
    if (epoll_ctl(c->channel.poll, EPOLL_CTL_ADD, fd, &event) != 0) {
        return client_fail_sys(c, "a descriptor cannot be polled");
    }
    return BH_OK;
}

static void set_tick(struct bh_client *c, unsigned ms)
{
    struct timespec period = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * CLOCK_NS_PER_MS};
    struct itimerspec timer = {.it_interval = period, .it_value = period};
    ENSURE(timerfd_settime(c->channel.timer, 0, &timer, NULL) == 0);
}

int channel_init(struct bh_client *c, int socket)
{
    struct channel *ch = &c->channel;
    ch->socket = socket;
    ch->wake = -1;
    ch->syslog = -1;
    ch->inherited = socket >= 0;
    ch->poll = epoll_create1(EPOLL_CLOEXEC);
    ch->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (ch->poll < 0 || ch->timer < 0) {
        return client_fail_sys(c, "no descriptor is left");
    }
    set_tick(c, AWAY_TICK_MS);
    int result = poll_add(c, ch->timer, ON_TIMER);
    return result == BH_OK && ch->inherited ? poll_add(c, socket, ON_SOCKET) : result;
}

void channel_done(struct bh_client *c)
{
    struct channel *ch = &c->channel;
    fd_drop(&ch->socket);
    fd_drop(&ch->wake);
    fd_drop(&ch->syslog);
    fd_drop(&ch->timer);
    fd_drop(&ch->poll);
    heap_free(ch->answer.json);
}

/* The conversation is over. In a cage neither epoll nor the timer may be changed any more: closing
 * takes a descriptor out of epoll as well. */
static void end(struct bh_client *c, int why)
{
    struct channel *ch = &c->channel;
    fd_drop(&ch->socket);
    fd_drop(&ch->wake);
    ch->phase = ch->inherited ? CHANNEL_ENDED : CHANNEL_DOWN;
    ch->ended = why;
    ch->answer.owed = 0;
    if (!ch->inherited) {
        /* Who was thrown out knocks gently; each time people hear of it. */
        set_tick(c, why == BH_CLOSED || why == BH_TIMEOUT ? AWAY_TICK_MS : TICK_MS);
    }
}

/* ── sending ── */

static ssize_t send_packet(struct bh_client *c, struct text packet)
{
    return send(c->channel.socket, packet.ptr, packet.len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void receive(struct bh_client *c);

/* Guard has closed its side; its last words may be waiting. */
static int hear_last_words(struct bh_client *c)
{
    struct channel *ch = &c->channel;
    for (int i = 0; i < 100 && ch->phase == CHANNEL_OPEN; i++) {
        receive(c);
    }
    if (ch->phase == CHANNEL_OPEN) {
        end(c, client_fail(c, BH_CLOSED, "guard closed the connection"));
    }
    return ch->inherited ? ch->ended : BH_AGAIN;
}

int channel_send(struct bh_client *c, const struct wire_message *message)
{
    struct channel *ch = &c->channel;
    struct writer w = writer_over(ch->packet, sizeof ch->packet);
    if (!status_ok(wire_write(message, &w))) {
        return client_fail(c, BH_LIMIT, "a text is longer than bulkhead.h permits");
    }
    if (ch->phase != CHANNEL_OPEN) {
        return ch->phase == CHANNEL_ENDED ? ch->ended : BH_AGAIN;
    }
    if (send_packet(c, writer_text(&w)) >= 0) {
        return BH_OK;
    }
    bool full = errno == EAGAIN || errno == ENOBUFS || errno == EINTR;
    return full ? BH_AGAIN : hear_last_words(c);
}

int channel_send_until(struct bh_client *c, const struct wire_message *message,
                       uint64_t deadline_ns)
{
    while (true) {
        int result = channel_send(c, message);
        int left_ms = wait_left_ms(deadline_ns);
        if (result != BH_AGAIN || left_ms == 0) {
            return result;
        }
        if (c->channel.phase == CHANNEL_OPEN) {
            struct pollfd room = {.fd = c->channel.socket, .events = POLLOUT};
            bool failed = poll(&room, 1, left_ms) < 0 && errno != EINTR;
            result = failed ? client_fail_sys(c, "cannot wait") : BH_OK;
        } else {
            result = channel_pump(c, left_ms);
        }
        if (result == BH_SYSTEM) {
            return result;
        }
    }
}

void channel_progress(struct bh_client *c)
{
    struct wire_message m = {
        .number = WIRE_PROGRESS,
        .progress = {.position = c->done_position,
                     .events = c->stats.events,
                     .lost = c->reader.lost - c->lost_before,
                     .seq = c->done_seq},
    };
    if (c->turn >= TURN_MINE && channel_send(c, &m) == BH_OK) {
        c->said = m.progress;
    }
}

/* ── greeting ── */

static int connect_socket(struct bh_client *c)
{
    struct sockaddr_un address;
    OWN(fd_drop) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || !status_ok(home_socket(&c->home, &address))) {
        return client_fail_sys(c, "no socket can be made");
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        switch (errno) {
        case ENOENT:
        case ECONNREFUSED:
        case EAGAIN:
            return client_fail(c, BH_MISSING, "no guard answers at %s: is bulkhead-guard running?",
                               address.sun_path);
        case EACCES:
        case EPERM:
            return client_fail(c, BH_DENIED, "%s: only its owner may connect, try as root",
                               address.sun_path);
        default:
            return client_fail_sys(c, address.sun_path);
        }
    }
    int result = poll_add(c, fd, ON_SOCKET);
    if (result == BH_OK) {
        c->channel.socket = fd_take(&fd);
    }
    return result;
}

int channel_begin(struct bh_client *c)
{
    struct channel *ch = &c->channel;
    int result = ch->inherited ? BH_OK : connect_socket(c);
    if (result != BH_OK) {
        return result;
    }
    struct writer w = writer_over(ch->packet, sizeof ch->packet);
    struct wire_message hello = {
        .number = WIRE_HELLO,
        .hello = {.version_min = WIRE_VERSION,
                  .version_max = WIRE_VERSION,
                  .schema_hash = schema_hash(),
                  .name = text_of(c->name),
                  .token = text_of(c->token)},
    };
    struct status s = wire_write(&hello, &w);
    ENSURE(status_ok(s)); /* bh_client_open() looked at name and token */
    if (send_packet(c, writer_text(&w)) < 0) {
        end(c, client_fail(c, BH_CLOSED, "guard closed the connection before a word was said"));
        return ch->ended;
    }
    ch->phase = CHANNEL_GREETING;
    ch->greeting_ticks = 0;
    return BH_OK;
}

static int take_wake(struct bh_client *c, struct received *r)
{
    int flags = fcntl(r->fds[1], F_GETFL);
    /* A descriptor that blocks would let guard stop us. */
    if (flags < 0 || fcntl(r->fds[1], F_SETFL, flags | O_NONBLOCK) != 0) {
        return client_fail_sys(c, "guard sent no wake-up descriptor");
    }
    int result = poll_add(c, r->fds[1], ON_WAKE);
    if (result == BH_OK) {
        c->channel.wake = fd_take(&r->fds[1]);
    }
    return result;
}

static int on_welcome(struct bh_client *c, const struct wire_welcome *welcome, struct received *r)
{
    struct channel *ch = &c->channel;
    if (ch->phase != CHANNEL_GREETING || r->count != 2) {
        return client_fail(c, BH_DAMAGED, "guard sent a welcome that is none");
    }
    if (welcome->version != WIRE_VERSION) {
        return client_fail(c, BH_VERSION, "guard speaks version %u, this library %d",
                           (unsigned)welcome->version, WIRE_VERSION);
    }
    int result = client_map(c, r->fds[0], welcome);
    result = result == BH_OK ? take_wake(c, r) : result;
    if (result != BH_OK) {
        return result;
    }
    ch->phase = CHANNEL_OPEN;
    c->types_said = c->types == 0;
    c->watches_said = 0;
    c->said = (struct wire_progress){0};
    c->lost_before = c->reader.lost;
    set_tick(c, TICK_MS);
    return BH_OK;
}

/* ── receiving ── */

static int on_refused(struct bh_client *c, const struct wire_refused *refused)
{
    int result = refused->fault == FAULT_VERSION ? BH_VERSION : BH_REFUSED;
    return client_fail(c, result, "guard refuses this client: %.*s", TEXT_ARGS(refused->reason));
}

/* BH_OK: go on. Anything else ends the conversation. */
static int on_message(struct bh_client *c, const struct wire_message *m, struct received *r)
{
    bool open = c->channel.phase == CHANNEL_OPEN;
    if (m->number == WIRE_WELCOME) {
        return on_welcome(c, &m->welcome, r);
    }
    if (m->number == WIRE_REFUSED) {
        return on_refused(c, &m->refused);
    }
    if (m->number == WIRE_ANSWER && open && r->count == 0) {
        struct status s = speak_on_answer(c, &m->answer);
        return status_ok(s) ? BH_OK : client_fail_status(c, "guard's answer is not usable", s);
    }
    if (m->number == WIRE_SYSLOG && open && r->count == m->syslog.there) {
        speak_on_syslog(c, r->count ? fd_take(&r->fds[0]) : -1);
        return BH_OK;
    }
    if (m->number == WIRE_BEGIN && open && r->count == 0) {
        return turn_on_begin(c, &m->begin);
    }
    if (m->number == WIRE_FINISH && open && r->count == 0) {
        turn_on_finish(c);
        return BH_OK;
    }
    if (m->number == WIRE_LOADED && open && r->count == 0) {
        turn_on_loaded(c, &m->loaded);
        return BH_OK;
    }
    return client_fail(c, BH_DAMAGED, "guard sent \"%s\", which has no place here",
                       wire_name(m->number));
}

/* The descriptors are ours from the moment recvmsg() returns, whatever the packet says. */
static void take_descriptors(struct msghdr *message, struct received *out)
{
    struct cmsghdr *head = CMSG_FIRSTHDR(message);
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
        out->count = (unsigned)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        ENSURE(out->count <= 2); /* the kernel had room for two */
        memcpy(out->fds, CMSG_DATA(head), out->count * sizeof(int));
    }
}

/* One packet, if there is one. */
static void receive(struct bh_client *c)
{
    struct channel *ch = &c->channel;
    OWN(received_drop) struct received received = {.fds = {-1, -1}};

    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = ch->packet, .iov_len = sizeof ch->packet};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t got = recvmsg(ch->socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        end(c, client_fail(c, BH_CLOSED, "guard closed the connection"));
        return;
    }
    take_descriptors(&message, &received);
    struct wire_message m;
    struct text packet = {.ptr = (const char *)ch->packet, .len = (size_t)got};
    bool cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
    if (cut || !status_ok(wire_read(packet, WIRE_SENDER_GUARD, &m))) {
        end(c, client_fail(c, BH_DAMAGED, "guard sent a packet that breaks the protocol"));
        return;
    }
    int result = on_message(c, &m, &received);
    if (result != BH_OK) {
        end(c, result);
    }
}

/* ── what happens ── */

/* What is read says nothing: that it could be read is the news. A timer's number, or a byte for
 * each batch of events. */
static void empty(int fd)
{
    char times[4096];
    if (fd >= 0 && read(fd, times, sizeof times) < 0) {
        return; /* somebody was faster, and there is nothing in it */
    }
}

static void on_tick(struct bh_client *c)
{
    struct channel *ch = &c->channel;
    if (ch->phase == CHANNEL_DOWN) {
        channel_begin(c);
    } else if (ch->phase == CHANNEL_GREETING && ++ch->greeting_ticks > GREETING_TICKS) {
        end(c, client_fail(c, BH_TIMEOUT, "guard does not answer"));
    }
}

int channel_pump(struct bh_client *c, int timeout_ms)
{
    struct channel *ch = &c->channel;
    struct epoll_event ready[CHANNEL_EVENTS];
    int count = epoll_wait(ch->poll, ready, CHANNEL_EVENTS, timeout_ms);
    if (count < 0 && errno == EINTR) {
        return BH_AGAIN; /* a handler ran, or the process was stopped and goes on */
    }
    if (count < 0) {
        return client_fail_sys(c, "cannot wait");
    }
    bool tick = false;
    for (int i = 0; i < count; i++) {
        if (ready[i].data.u32 == ON_TIMER) {
            empty(ch->timer);
            tick = true;
        } else if (ready[i].data.u32 == ON_WAKE) {
            empty(ch->wake);
        } else if (ch->socket >= 0) {
            receive(c);
        }
    }
    if (tick) {
        on_tick(c);
    }
    if (ch->phase == CHANNEL_OPEN) {
        speak_interest(c);
    }
    if (ch->phase == CHANNEL_OPEN && (tick || c->reader.lost - c->lost_before != c->said.lost)) {
        channel_progress(c);
    }
    return count == 0 ? BH_TIMEOUT : BH_OK;
}
