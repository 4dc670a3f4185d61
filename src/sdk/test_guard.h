/*
 * test_guard: as much of guard as the library's tests and examples need. The socket, the ring, the
 * eventfd and the messages are real; what is missing is the kernel behind them.
 *
 * Single-threaded: a test does guard's part by calling it. Only bh_client_open() waits for an
 * answer, so test_guard_open() greets from a thread.
 */
#pragma once

#include "base/test.h"
#include "sdk/client.h"

enum { TEST_GUARD_RING = STREAM_SIZE_MIN };

struct test_guard {
    char folder[64];
    int listener;
    int client; /* the last one that connected */
    int wake;   /* its eventfd */
    int ring;   /* memfd */
    uint8_t *memory;
    struct stream_writer writer;
    uint64_t resume_position;
    uint64_t resume_seq;
    uint16_t version; /* in the welcome */
    uint8_t packet[WIRE_MAX];
    struct wire_message message; /* the last one received; its texts lie in `packet` */
};

void test_guard_start(struct test_guard *g);
void test_guard_stop(struct test_guard *g);

/* Takes a connection and greets it; the client's hello stays in `message`. */
void test_guard_accept(struct test_guard *g);

/* Opens a client that connects (`socket` 0) or inherits one end of a pair (`socket` 1). */
int test_guard_open(struct test_guard *g, struct bh_options *options, struct bh_client **out);

/* Guard dies and a new one takes its place on the same ring; the client is not greeted yet. */
void test_guard_restart(struct test_guard *g);

/* The ring is exchanged as if the old one could not be resumed. */
void test_guard_new_ring(struct test_guard *g);

void test_guard_send(struct test_guard *g, const struct wire_message *m, const int *fds,
                     unsigned count);
void test_guard_welcome(struct test_guard *g, uint64_t ring_size, unsigned fd_count);

/* The next message, but for progress that was not asked about; fails the test where it is another.
 */
const struct wire_message *test_guard_expect(struct test_guard *g, enum wire_number number);

/* The next message if there is one, but for progress. */
bool test_guard_hears(struct test_guard *g);

/* Publishes an event of this type about process `guid`, and wakes the client. */
void test_guard_publish(struct test_guard *g, enum event_type type, uint64_t guid,
                        const char *path);
