#include "base/clock.h"
#include "base/own.h"
#include "guard/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The kernel may keep so much of what we sent: a client that leaves more unread is cut off. */
enum { SEND_BUFFER = 1 << 20 };

static struct status poll_add(struct guard *g, int fd, void *context)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = context};
    if (epoll_ctl(g->poll, EPOLL_CTL_ADD, fd, &event) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

struct status clients_listen(struct guard *g)
{
    struct sockaddr_un address;
    TRY(home_socket(&g->home, &address));
    OWN(fd_drop) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        FAIL_SYS(errno);
    }
    unlink(address.sun_path); /* left by a guard that was killed: the lock says that none lives */
    mode_t mask = umask(0177);
    int refused = bind(fd, (struct sockaddr *)&address, sizeof address);
    umask(mask);
    if (refused || listen(fd, CLIENTS_MAX) != 0) {
        FAIL_SYS(errno);
    }
    TRY(poll_add(g, fd, &g->listener));
    g->listener = fd_take(&fd);
    return OK;
}

static struct client *free_client(struct guard *g)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (g->clients[i].phase == CLIENT_FREE) {
            return &g->clients[i];
        }
    }
    return NULL;
}

static bool is_needed(const struct guard *g, const struct stream_cursor *cursor)
{
    bool needed = false;
    for (unsigned i = 0; i < COMPONENT_COUNT; i++) { /* they come back */
        needed = needed || text_same(text_of(cursor->name), text_of(g->components[i].name));
    }
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        const struct client *c = &g->clients[i];
        needed = needed || (c->phase != CLIENT_FREE && c->cursor == cursor);
    }
    return needed;
}

/* All are taken: who has been away longest, by what it last dealt with, gives way. */
static struct stream_cursor *make_room(struct guard *g, struct text name)
{
    struct stream_cursor *all = g->stream.page->cursors;
    struct stream_cursor *oldest = NULL;
    for (unsigned i = 0; i < STREAM_CURSORS; i++) {
        if ((!oldest || all[i].position < oldest->position) && !is_needed(g, &all[i])) {
            oldest = &all[i];
        }
    }
    if (oldest) {
        publish_health(g, "medium", oldest->name, 1,
                       "%s has been away longest and cannot go on where it was: %d names can, and "
                       "%.*s is another.",
                       oldest->name, STREAM_CURSORS, TEXT_ARGS(name));
    } else {
        publish_health(g, "medium", "guard", 1,
                       "%.*s cannot go on where it was, should it come back: %d others can.",
                       TEXT_ARGS(name), STREAM_CURSORS);
    }
    return oldest;
}

/* The cursor of a name. A new one begins now: should it die before it first says how far it is,
 * nothing from here on is lost. NULL: as many as there can be are at work. */
static struct stream_cursor *find_cursor(struct guard *g, struct text name)
{
    struct stream_cursor *all = g->stream.page->cursors;
    struct stream_cursor *empty = NULL;
    for (unsigned i = 0; i < STREAM_CURSORS; i++) {
        all[i].name[STREAM_NAME - 1] = 0;
        if (text_same(text_of(all[i].name), name)) {
            return &all[i];
        }
        empty = !empty && all[i].name[0] == 0 ? &all[i] : empty;
    }
    empty = empty ? empty : make_room(g, name);
    if (empty) {
        *empty =
            (struct stream_cursor){.position = g->stream.page->head, .seq = g->stream.page->seq};
        text_copy(name, empty->name, sizeof empty->name);
    }
    return empty;
}

struct client *clients_of(struct guard *g, enum component_id component)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &g->clients[i];
        if (c->phase != CLIENT_FREE && c->ours && c->component == component) {
            return c;
        }
    }
    return NULL;
}

void clients_forget(struct guard *g, enum component_id component)
{
    struct stream_cursor *all = g->stream.page->cursors;
    struct client *c = clients_of(g, component);
    if (c) {
        c->cursor = NULL; /* its last words may still come */
    }
    for (unsigned i = 0; i < STREAM_CURSORS; i++) {
        if (text_same(text_of(all[i].name), text_of(g->components[component].name))) {
            all[i] = (struct stream_cursor){0};
        }
    }
}

/* A component that was taken over may have left a position where no record begins: then its
 * successor reads all that is there, and doubled alerts are left out as ever. */
static void mend_cursor(struct guard *g, struct stream_cursor *cursor)
{
    struct stream_reader r;
    struct text record;
    const struct memory *m = &g->stream_memory;
    if (!cursor || !status_ok(stream_open(m->bytes, m->size, cursor->position, &r))) {
        return;
    }
    struct status s = stream_next(&r, g->record, &record);
    if (!status_ok(s) && s.fault != FAULT_AGAIN) {
        cursor->position = g->stream.page->tail;
        cursor->seq = 0;
        publish_health(
            g, "critical", cursor->name, 1,
            "The %s had left a false position in the stream; it begins with the oldest event.",
            cursor->name);
    }
}

/* Takes over the connected socket, whatever comes of it. */
struct status clients_adopt(struct guard *g, int socket, enum component_id component)
{
    int size = SEND_BUFFER;
    OWN(fd_drop) int fd = socket;
    int wake_pair[2] = {-1, -1};
    if (pipe2(wake_pair, O_CLOEXEC | O_NONBLOCK) != 0) {
        FAIL_SYS(errno);
    }
    OWN(fd_drop) int wake_theirs = wake_pair[0];
    OWN(fd_drop) int wake = wake_pair[1];
    struct client *c = free_client(g);
    if (!c) {
        FAIL(LIMIT);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) != 0) {
        FAIL_SYS(errno);
    }
    TRY(poll_add(g, fd, c));
    *c = (struct client){.phase = CLIENT_GREETING,
                         .socket = fd_take(&fd),
                         .wake = fd_take(&wake),
                         .wake_theirs = fd_take(&wake_theirs),
                         .id = (uint32_t)++g->kept->clients};
    c->heard_ns = clock_boot_ns();
    c->ours = component != COMPONENT_COUNT;
    if (c->ours) { /* from here on nothing passes it by, even before it says hello */
        c->component = component;
        snprintf(c->name, sizeof c->name, "%s", g->components[component].name);
        c->cursor = find_cursor(g, text_of(c->name));
        if (!is_engine(component)) { /* an engine's is looked at when it begins */
            mend_cursor(g, c->cursor);
        }
    }
    return OK;
}

void clients_accept(struct guard *g)
{
    int fd = accept4(g->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return; /* it went away again, or we are out of descriptors: it will try again */
    }
    unsigned others = 0;
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        others += g->clients[i].phase != CLIENT_FREE && !g->clients[i].ours;
    }
    if (others >= OTHERS_MAX) {
        close(fd);
        publish_health(g, "medium", "guard", 1, "A client was turned away: %d are connected.",
                       OTHERS_MAX);
    } else if (!status_ok(clients_adopt(g, fd, COMPONENT_COUNT))) {
        publish_health(g, "medium", "guard", 1, "A client could not be taken in.");
    }
}

struct status client_send(struct client *c, const struct wire_message *m, const int *fds,
                          unsigned fd_count)
{
    static uint8_t packet[WIRE_MAX];

    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    struct writer w = writer_over(packet, sizeof packet);
    TRY(wire_write(m, &w));
    struct iovec part = {.iov_base = packet, .iov_len = w.used};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > 0) {
        ENSURE(fd_count <= 2);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(&control.head), fds, fd_count * sizeof(int));
    }
    if (sendmsg(c->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

void clients_drop(struct guard *g, struct client *c, enum fault fault, const char *why)
{
    if (why) {
        struct wire_message m = {
            .number = WIRE_REFUSED,
            .refused = {.fault = (uint16_t)fault, .reason = text_of(why)},
        };
        /* It may be gone already; nothing depends on it. */
        status_ignore(client_send(c, &m, NULL, 0));
        publish_health(g, "medium", "guard", 1, "The client \"%s\" was cut off: %s", c->name, why);
    }
    close(c->socket);
    close(c->wake);
    fd_drop(&c->wake_theirs);
    struct client gone = *c;
    *c = (struct client){.phase = CLIENT_FREE};
    if (gone.ours && gone.component != COMPONENT_STANDBY) { /* its successor will want the same */
        grace_begin(g);
        watch_orphan(&g->kept->watch, gone.id);
    } else {
        watch_forget(&g->kept->watch, gone.id);
    }
    if (gone.ours) {
        supervise_hung_up(g, gone.component);
        swap_on_gone(g, &gone);
    }
    interest_changed(g);
}

/* Once a second: who connects and says nothing takes up a place. */
void clients_expire(struct guard *g, uint64_t now_ns)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &g->clients[i];
        if (c->phase == CLIENT_GREETING && !c->ours &&
            now_ns - c->heard_ns > (uint64_t)GREETING_S * CLOCK_NS_PER_S) {
            clients_drop(g, c, FAULT_TIMEOUT, "it did not say hello in time");
        }
    }
}

/* Once a batch, not once an event. */
void clients_wake(struct guard *g)
{
    if (!g->news) {
        return;
    }
    g->news = false;
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (g->clients[i].phase == CLIENT_OPEN) {
            /* A pipe of its own, not an eventfd: what a client does to its end cannot make ours
             * block. Full: it has been told often enough. */
            if (write(g->clients[i].wake, "", 1) < 0) {
                continue;
            }
        }
    }
}

struct status client_greet(struct guard *g, struct client *c, const struct wire_hello *hello)
{
    int fds[2] = {g->stream_fd, c->wake_theirs};
    if (hello->version_min > WIRE_VERSION || hello->version_max < WIRE_VERSION) {
        FAIL(VERSION);
    }
    if (hello->name.len == 0) {
        FAIL(INVALID);
    }
    /* Who we started ourselves has its name from us: nobody else can take its place in the stream.
     */
    if (!c->ours) {
        text_copy(hello->name, c->name, sizeof c->name);
        for (unsigned i = 0; i < COMPONENT_COUNT; i++) {
            if (text_same(hello->name, text_of(g->components[i].name))) {
                FAIL(DENIED);
            }
        }
    }
    c->cursor = c->cursor ? c->cursor : find_cursor(g, text_of(c->name));
    struct wire_message m = {
        .number = WIRE_WELCOME,
        .welcome = {.version = WIRE_VERSION,
                    .schema_hash = schema_hash(),
                    .ring_size = STREAM_BYTES,
                    .resume_position = c->cursor ? c->cursor->position : STREAM_FROM_NOW,
                    .client_id = c->id,
                    .resume_seq = c->cursor ? c->cursor->seq : 0},
    };
    TRY(client_send(c, &m, fds, 2));
    fd_drop(&c->wake_theirs);
    c->phase = c->ours && is_engine(c->component) ? CLIENT_PROVING : CLIENT_OPEN;
    return OK;
}

struct status client_begin(struct guard *g, struct client *c)
{
    mend_cursor(g, c->cursor);
    struct wire_message m = {
        .number = WIRE_BEGIN,
        .begin = {.position = c->cursor ? c->cursor->position : STREAM_FROM_NOW,
                  .seq = c->cursor ? c->cursor->seq : 0},
    };
    TRY(client_send(c, &m, NULL, 0));
    c->phase = CLIENT_OPEN;
    return OK;
}
