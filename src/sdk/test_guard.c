#include "sdk/test_guard.h"

#include "base/own.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MEMORY = STREAM_PAGE + TEST_GUARD_RING };

static void listen_in(struct test_guard *g)
{
    struct home home;
    struct sockaddr_un address;
    assert_ok(home_open(g->folder, &home));
    assert_ok(home_socket(&home, &address));
    unlink(address.sun_path);
    g->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(g->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(g->listener, 8), 0);
}

static void unmap(struct test_guard *g)
{
    munmap(g->memory, MEMORY);
    fd_drop(&g->ring);
}

static void map_new(struct test_guard *g)
{
    g->ring = memfd_create("ring", MFD_CLOEXEC);
    assert_int_equal(ftruncate(g->ring, MEMORY), 0);
    g->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, g->ring, 0);
    assert_ok(stream_make(g->memory, TEST_GUARD_RING, &g->writer));
}

void test_guard_start(struct test_guard *g)
{
    char run[128];
    *g = (struct test_guard){.client = -1, .wake = -1, .version = WIRE_VERSION};
    g->resume_position = STREAM_FROM_NOW;
    snprintf(g->folder, sizeof g->folder, "/tmp/test_guard_XXXXXX");
    assert_non_null(mkdtemp(g->folder));
    snprintf(run, sizeof run, "%s/run", g->folder);
    assert_int_equal(mkdir(run, 0755), 0);
    listen_in(g);
    map_new(g);
}

static void hang_up(struct test_guard *g)
{
    fd_drop(&g->client);
    fd_drop(&g->wake);
    fd_drop(&g->listener);
}

void test_guard_stop(struct test_guard *g)
{
    char command[128];
    hang_up(g);
    unmap(g);
    snprintf(command, sizeof command, "rm -rf %s", g->folder);
    assert_int_equal(system(command), 0);
}

void test_guard_restart(struct test_guard *g)
{
    hang_up(g);
    assert_ok(stream_resume(g->memory, MEMORY, &g->writer));
    listen_in(g);
}

void test_guard_new_ring(struct test_guard *g)
{
    unmap(g);
    map_new(g);
}

void test_guard_send(struct test_guard *g, const struct wire_message *m, const int *fds,
                     unsigned count)
{
    uint8_t packet[WIRE_MAX];
    struct writer w = writer_over(packet, sizeof packet);
    assert_ok(wire_write(m, &w));

    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = packet, .iov_len = w.used};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
    }
    assert_int_equal(sendmsg(g->client, &message, MSG_NOSIGNAL), w.used);
}

void test_guard_welcome(struct test_guard *g, uint64_t ring_size, unsigned fd_count)
{
    fd_drop(&g->wake);
    g->wake = eventfd(0, EFD_CLOEXEC);
    int fds[3] = {g->ring, g->wake, g->wake};
    struct wire_message m = {
        .number = WIRE_WELCOME,
        .welcome = {.version = g->version,
                    .schema_hash = schema_hash(),
                    .ring_size = ring_size,
                    .resume_position = g->resume_position,
                    .client_id = 1,
                    .resume_seq = g->resume_seq},
    };
    test_guard_send(g, &m, fds, fd_count);
}

void test_guard_accept(struct test_guard *g)
{
    fd_drop(&g->client);
    g->client = accept4(g->listener, NULL, NULL, SOCK_CLOEXEC);
    test_guard_expect(g, WIRE_HELLO);
    test_guard_welcome(g, TEST_GUARD_RING, 2);
}

static void *accept_in_thread(void *argument)
{
    test_guard_accept(argument);
    return NULL;
}

/* The welcome waits in the inherited socket before the client has said a word. */
static int open_inherited(struct test_guard *g, struct bh_options *options, struct bh_client **out)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    fd_drop(&g->client);
    g->client = pair[0];
    options->socket = pair[1];
    test_guard_welcome(g, TEST_GUARD_RING, 2);
    int result = bh_client_open(options, out);
    test_guard_expect(g, WIRE_HELLO);
    return result;
}

int test_guard_open(struct test_guard *g, struct bh_options *options, struct bh_client **out)
{
    pthread_t thread;
    if (options->socket) {
        return open_inherited(g, options, out);
    }
    options->home = g->folder;
    assert_int_equal(pthread_create(&thread, NULL, accept_in_thread, g), 0);
    int result = bh_client_open(options, out);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return result;
}

const struct wire_message *test_guard_expect(struct test_guard *g, enum wire_number number)
{
    do { /* a second may be over at any time */
        ssize_t got = recv(g->client, g->packet, sizeof g->packet, 0);
        assert_true(got > 0);
        struct text packet = {.ptr = (const char *)g->packet, .len = (size_t)got};
        assert_ok(wire_read(packet, WIRE_SENDER_CLIENT, &g->message));
    } while (g->message.number == WIRE_PROGRESS && number != WIRE_PROGRESS);
    assert_string_equal(wire_name(g->message.number), wire_name(number));
    return &g->message;
}

bool test_guard_hears(struct test_guard *g)
{
    ssize_t got;
    do {
        got = recv(g->client, g->packet, sizeof g->packet, MSG_DONTWAIT);
        if (got <= 0) {
            return false;
        }
        struct text packet = {.ptr = (const char *)g->packet, .len = (size_t)got};
        assert_ok(wire_read(packet, WIRE_SENDER_CLIENT, &g->message));
    } while (g->message.number == WIRE_PROGRESS);
    return true;
}

void test_guard_publish(struct test_guard *g, enum event_type type, uint64_t guid, const char *path)
{
    static uint8_t room[EVENT_MAX];
    struct event_builder b;
    struct text record;
    event_begin(&b, room, sizeof room);
    event_put_number(&b, FIELD_PROCESS_GUID, (int64_t)guid);
    event_put_text(&b, FIELD_PATH, text_of(path));
    event_put_text(&b, FIELD_TARGET_PATH, TEXT("/etc/shadow"));
    event_put_bool(&b, FIELD_EXE_MEMFD, true);
    struct event_header header = {.type = (uint16_t)type, .time_ns = 1721365740000000042};
    assert_ok(event_end(&b, header, &record));
    stream_publish(&g->writer, record);
    if (g->wake >= 0) {
        assert_int_equal(eventfd_write(g->wake, 1), 0);
    }
}
