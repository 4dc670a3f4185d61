/*
 * serve: stands in for guard where the examples are tested: prints its home, greets one client
 * after the other and publishes made-up programs until it is told to stop.
 */
#include "sdk/test_guard.h"

#include "base/own.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>

static struct test_guard guard;
static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static void publish_exec(int64_t pid)
{
    static uint8_t room[EVENT_MAX];
    struct event_builder b;
    struct text record;
    event_begin(&b, room, sizeof room);
    event_put_number(&b, FIELD_PID, pid);
    event_put_text(&b, FIELD_USER, TEXT("mallory"));
    event_put_text(&b, FIELD_COMMAND_LINE, TEXT("/usr/bin/id --really"));
    assert_ok(event_end(&b, (struct event_header){.type = EVENT_PROCESS_EXEC}, &record));
    stream_publish(&guard.writer, record);
}

/* Until the client hangs up. */
static void serve_client(void)
{
    int64_t pid = 4000;
    struct pollfd client = {.fd = guard.client, .events = POLLRDHUP};
    while (!stopped && poll(&client, 1, 20) == 0) {
        publish_exec(++pid);
        test_guard_publish(&guard, EVENT_PROCESS_EXIT, 1, "/not/asked/for"); /* and wakes it */
    }
}

int main(void)
{
    signal(SIGTERM, on_signal);
    test_guard_start(&guard);
    puts(guard.folder);
    fflush(stdout);
    struct pollfd door = {.fd = guard.listener, .events = POLLIN};
    while (!stopped) {
        if (poll(&door, 1, 1000) > 0) {
            test_guard_accept(&guard);
            serve_client();
        }
    }
    test_guard_stop(&guard);
    return 0;
}
