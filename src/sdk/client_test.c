/* What a client reads: events, filters, losses, places. channel_test.c has the conversation. */
#include "sdk/test_guard.h"

#include "base/heap.h"

#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct test_guard guard;
static struct bh_client *client;
static const struct bh_event *event;

#define PUBLISH(type) test_guard_publish(&guard, EVENT_##type, 7, "/usr/bin/id")

static void open_from(enum bh_from from, unsigned flags)
{
    struct bh_options options = BH_OPTIONS("tester");
    options.from = (int)from;
    options.flags = flags;
    assert_int_equal(test_guard_open(&guard, &options, &client), BH_OK);
    assert_int_equal(bh_client_subscribe(client, BH_ALL_TYPES), BH_OK);
}

static int start(void **state)
{
    (void)state;
    test_guard_start(&guard);
    open_from(BH_FROM_NOW, 0);
    return 0;
}

static int start_alone(void **state)
{
    (void)state;
    test_guard_start(&guard);
    client = NULL;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    bh_client_close(client);
    test_guard_stop(&guard);
    return 0;
}

static uint64_t next_seq(void)
{
    assert_int_equal(bh_client_next(client, &event), BH_OK);
    return bh_event_seq(event);
}

static void assert_none(void)
{
    assert_int_equal(bh_client_next(client, &event), BH_AGAIN);
}

static struct bh_stats stats(void)
{
    struct bh_stats s = {.size = sizeof s};
    assert_int_equal(bh_client_stats(client, &s), BH_OK);
    return s;
}

static void events_come_with_their_fields(void **state)
{
    (void)state;
    assert_none();
    PUBLISH(PROCESS_EXEC);
    assert_int_equal(next_seq(), 1);
    assert_int_equal(bh_event_type(event), BH_EVENT_PROCESS_EXEC);
    assert_int_equal(bh_event_type_seq(event), 1);
    assert_int_equal(bh_event_time(event), 1721365740000000042);
    assert_int_equal(bh_event_number(event, BH_FIELD_PROCESS_GUID), 7);
    assert_true(bh_event_bool(event, BH_FIELD_EXE_MEMFD));
    assert_true(bh_event_has(event, BH_FIELD_PATH));
    assert_false(bh_event_cut(event, BH_FIELD_PATH));
    assert_memory_equal(bh_event_text(event, BH_FIELD_PATH).ptr, "/usr/bin/id", 11);
    assert_int_equal(bh_event_text(event, BH_FIELD_PATH).len, 11);
    assert_none();
}

static void absent_and_impossible_fields_are_empty(void **state)
{
    (void)state;
    const int fields[] = {BH_FIELD_CWD, -1, BH_FIELD_COUNT, INT32_MAX, INT32_MIN};
    PUBLISH(PROCESS_EXEC);
    next_seq();
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        assert_false(bh_event_has(event, fields[i]) || bh_event_cut(event, fields[i]));
        assert_int_equal(bh_event_text(event, fields[i]).len, 0);
        assert_int_equal(bh_event_number(event, fields[i]), 0);
        assert_false(bh_event_bool(event, fields[i]));
    }
    assert_int_equal(bh_event_number(event, BH_FIELD_PATH), 0);
    assert_int_equal(bh_event_text(event, BH_FIELD_PROCESS_GUID).len, 0);
}

static void names_go_both_ways(void **state)
{
    (void)state;
    assert_string_equal(bh_type_name(BH_EVENT_PROCESS_EXEC), "process_exec");
    assert_int_equal(bh_type_by_name("process_exec"), BH_EVENT_PROCESS_EXEC);
    assert_string_equal(bh_field_name(BH_FIELD_COMMAND_LINE), "command_line");
    assert_int_equal(bh_field_by_name("command_line"), BH_FIELD_COMMAND_LINE);
    assert_null(bh_type_name(BH_EVENT_COUNT));
    assert_null(bh_field_name(-1));
    assert_int_equal(bh_type_by_name("nonsense"), -1);
    assert_int_equal(bh_field_by_name(""), -1);
    assert_string_equal(bh_version(), BULKHEAD_VERSION);
    for (int result = BH_DAMAGED; result <= BH_OK; result++) {
        assert_string_not_equal(bh_error_text(result), bh_error_text(99));
    }
}

static void an_event_is_json(void **state)
{
    (void)state;
    static char json[BH_JSON_MAX];
    size_t len = 0;
    PUBLISH(PROCESS_EXEC);
    next_seq();
    assert_int_equal(bh_event_json(event, json, sizeof json, &len), BH_OK);
    assert_int_equal(strlen(json), len);
    assert_non_null(strstr(json, "\"path\":\"/usr/bin/id\""));
    assert_int_equal(bh_event_json(event, json, len, NULL), BH_LIMIT);
    assert_int_equal(bh_event_json(event, json, len + 1, NULL), BH_OK);
    assert_int_equal(bh_event_ocsf(event, json, sizeof json, &len), BH_OK);
    assert_non_null(strstr(json, "\"class_uid\":1007"));
}

static void a_copy_outlives_its_client(void **state)
{
    (void)state;
    struct bh_event *copy = NULL;
    PUBLISH(PROCESS_EXEC);
    next_seq();
    struct bh_text record = bh_event_record(event);
    assert_int_equal(record.len % 8, 0);
    assert_int_equal(bh_event_copy(event, &copy), BH_OK);
    assert_memory_equal(bh_event_record(copy).ptr, record.ptr, record.len);
    bh_client_close(client);
    client = NULL;
    assert_int_equal(bh_event_seq(copy), 1);
    assert_memory_equal(bh_event_text(copy, BH_FIELD_PATH).ptr, "/usr/bin/id", 11);
    bh_event_free(copy);
    bh_event_free(NULL);
}

static void only_subscribed_types_are_seen(void **state)
{
    (void)state;
    assert_int_equal(bh_client_subscribe(client, BH_TYPE(BH_EVENT_PROCESS_EXIT)), BH_OK);
    PUBLISH(PROCESS_EXEC);
    PUBLISH(PROCESS_EXIT);
    PUBLISH(PROCESS_EXEC);
    assert_int_equal(next_seq(), 2);
    assert_none();
    assert_int_equal(stats().events, 1);
    assert_int_equal(stats().muted, 0);
}

static void muted_processes_and_paths_are_left_out(void **state)
{
    (void)state;
    assert_int_equal(bh_client_mute_process(client, 8), BH_OK);
    assert_int_equal(bh_client_mute_process(client, 5), BH_OK);
    assert_int_equal(bh_client_mute_process(client, 5), BH_OK);
    assert_int_equal(bh_client_mute_path(client, "/usr/lib/"), BH_OK);
    test_guard_publish(&guard, EVENT_PROCESS_EXEC, 5, "/bin/a");
    test_guard_publish(&guard, EVENT_PROCESS_EXEC, 6, "/usr/lib/b");
    test_guard_publish(&guard, EVENT_PROCESS_EXEC, 7, "/usr/lib");
    test_guard_publish(&guard, EVENT_PROCESS_EXEC, 8, "/bin/c");
    test_guard_publish(&guard, EVENT_ALERT, 8, "/usr/lib/d");
    assert_int_equal(next_seq(), 3);
    assert_int_equal(next_seq(), 5); /* alerts are never left out */
    assert_none();
    assert_int_equal(stats().muted, 3);
    assert_int_equal(bh_client_mute_target(client, "/etc/"), BH_OK);
    PUBLISH(FILE_OPEN);
    assert_none();
}

static void mutes_are_bounded(void **state)
{
    (void)state;
    char longest[4097 + 1];
    memset(longest, 'x', sizeof longest);
    longest[4097] = 0;
    assert_int_equal(bh_client_mute_path(client, longest), BH_LIMIT);
    assert_string_not_equal(bh_client_error(client), "");
    longest[4096] = 0;
    assert_int_equal(bh_client_mute_path(client, longest), BH_OK);
    assert_int_equal(bh_client_mute_path(client, ""), BH_ARGUMENT);
    char path[16];
    for (int i = 1; i < 256; i++) {
        snprintf(path, sizeof path, "/x%d", i);
        assert_int_equal(bh_client_mute_path(client, path), BH_OK);
        assert_int_equal(bh_client_mute_path(client, path), BH_OK); /* takes no second place */
    }
    assert_int_equal(bh_client_mute_path(client, "/x"), BH_LIMIT);
    for (uint64_t i = 4096; i > 0; i--) {
        assert_int_equal(bh_client_mute_process(client, i * 3), BH_OK);
    }
    assert_int_equal(bh_client_mute_process(client, 1), BH_LIMIT);
    test_guard_publish(&guard, EVENT_PROCESS_EXEC, 3 * 2048, "/y");
    test_guard_publish(&guard, EVENT_PROCESS_EXEC, 3 * 2048 + 1, "/y");
    assert_int_equal(next_seq(), 2);
}

static void lost_events_are_counted_and_told(void **state)
{
    (void)state;
    test_guard_hears(&guard);
    PUBLISH(PROCESS_EXEC);
    next_seq();
    for (int i = 0; i < 5000; i++) {
        PUBLISH(PROCESS_EXEC);
    }
    uint64_t first = next_seq();
    assert_true(first > 2);
    assert_int_equal(stats().lost, first - 2);
    assert_int_equal(bh_client_wait(client, 0), BH_OK);
    while (bh_client_next(client, &event) == BH_OK) {
        continue;
    }
    assert_int_equal(stats().events + stats().lost, 5001);
    /* Within the same call that found nothing more, not a second later. */
    assert_int_equal(test_guard_expect(&guard, WIRE_PROGRESS)->progress.lost, first - 2);
}

/* A newer guard's events: the client is told how many it could not understand. */
static void unknown_types_are_counted(void **state)
{
    (void)state;
    PUBLISH(PROCESS_EXEC);
    uint16_t type = EVENT_COUNT;
    memcpy(guard.memory + STREAM_PAGE + 4, &type, sizeof type);
    PUBLISH(PROCESS_EXEC);
    assert_int_equal(next_seq(), 2);
    assert_int_equal(stats().unknown, 1);
}

static void a_damaged_ring_is_an_error(void **state)
{
    (void)state;
    PUBLISH(PROCESS_EXEC);
    memset(guard.memory + STREAM_PAGE, 0, 4);
    assert_int_equal(bh_client_next(client, &event), BH_DAMAGED);
    assert_string_not_equal(bh_client_error(client), "");
}

static void waiting_ends_with_an_event(void **state)
{
    (void)state;
    struct pollfd polled = {.fd = bh_client_fd(client), .events = POLLIN};
    assert_int_equal(bh_client_wait(client, 10), BH_TIMEOUT);
    while (poll(&polled, 1, 0) > 0) {
        assert_none(); /* a tick */
    }
    PUBLISH(PROCESS_EXEC);
    assert_int_equal(poll(&polled, 1, 0), 1); /* at once: not with the next tick */
    assert_int_equal(bh_client_wait(client, -1), BH_OK);
    assert_int_equal(next_seq(), 1);
    assert_none();
    assert_int_equal(bh_client_wait(client, 10), BH_TIMEOUT);
}

/* In the strictest cage there is anything but read, write and exit is a fatal signal. */
static void reading_makes_no_system_call(void **state)
{
    (void)state;

    /* After 64 the clock is looked at: no call either, but strict mode takes the counter away. */
    enum { COUNT = 60 };

    for (int i = 0; i < COUNT; i++) {
        PUBLISH(PROCESS_EXEC);
    }
    pid_t pid = fork();
    if (pid == 0) {
        int read = 0;
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
        while (read < COUNT && bh_client_next(client, &event) == BH_OK) {
            read++;
        }
        syscall(SYS_exit, read == COUNT ? 0 : 1);
    }
    int how;
    waitpid(pid, &how, 0);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

/* ── where a client begins and how far it is ── */

static void a_client_begins_where_it_asked(void **state)
{
    (void)state;
    PUBLISH(PROCESS_EXEC);
    PUBLISH(PROCESS_EXEC);
    open_from(BH_FROM_ALL, 0);
    assert_int_equal(next_seq(), 1);
    bh_client_close(client);
    open_from(BH_FROM_NOW, 0);
    assert_none();
    bh_client_close(client);
    open_from(BH_FROM_RESUME, 0); /* nothing is known of it: from now */
    assert_none();
}

static const struct wire_progress *progress_at_close(void)
{
    while (test_guard_hears(&guard)) {
        continue;
    }
    bh_client_close(client);
    client = NULL;
    return &test_guard_expect(&guard, WIRE_PROGRESS)->progress;
}

static void a_client_resumes_after_what_it_dealt_with(void **state)
{
    (void)state;
    open_from(BH_FROM_NOW, 0);
    for (int i = 0; i < 5; i++) {
        PUBLISH(PROCESS_EXEC);
    }
    next_seq();
    next_seq();
    assert_int_equal(next_seq(), 3); /* given out; nobody knows that it is dealt with */
    const struct wire_progress *p = progress_at_close();
    assert_int_equal(p->seq, 2);
    assert_int_equal(p->events, 3);
    guard.resume_position = p->position;
    guard.resume_seq = p->seq;
    open_from(BH_FROM_RESUME, 0);
    assert_int_equal(next_seq(), 3);
    assert_int_equal(stats().lost, 0);
}

static void a_client_that_comes_back_too_late_knows_its_loss(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++) {
        PUBLISH(PROCESS_EXEC);
    }
    guard.resume_position = 0;
    guard.resume_seq = 0; /* it had a place, and had read nothing */
    open_from(BH_FROM_RESUME, 0);
    uint64_t first = next_seq();
    assert_int_equal(stats().lost, first - 1);
}

static void only_what_was_acknowledged_is_dealt_with(void **state)
{
    (void)state;
    open_from(BH_FROM_NOW, BH_MANUAL_ACKNOWLEDGE);
    for (int i = 0; i < 5; i++) {
        PUBLISH(PROCESS_EXEC);
    }
    next_seq();
    next_seq();
    assert_int_equal(bh_client_acknowledge(client), BH_OK);
    next_seq();
    next_seq();
    assert_int_equal(progress_at_close()->seq, 2);
}

/* What is filtered away needs no acknowledgement, or a client that sees nothing would never
 * advance. */
static void what_is_not_seen_is_dealt_with(void **state)
{
    (void)state;
    open_from(BH_FROM_NOW, BH_MANUAL_ACKNOWLEDGE);
    assert_int_equal(bh_client_subscribe(client, BH_TYPE(BH_EVENT_ALERT)), BH_OK);
    for (int i = 0; i < 5; i++) {
        PUBLISH(PROCESS_EXEC);
    }
    assert_none();
    assert_int_equal(progress_at_close()->seq, 5);
}

static void acknowledging_needs_its_flag(void **state)
{
    (void)state;
    assert_int_equal(bh_client_acknowledge(client), BH_ARGUMENT);
}

static void an_older_caller_gets_the_part_it_knows(void **state)
{
    (void)state;
    struct bh_stats s = {.size = offsetof(struct bh_stats, muted), .muted = 77};
    PUBLISH(PROCESS_EXEC);
    next_seq();
    assert_int_equal(bh_client_stats(client, &s), BH_OK);
    assert_int_equal(s.events, 1);
    assert_int_equal(s.muted, 77);
    s.size = 3;
    assert_int_equal(bh_client_stats(client, &s), BH_ARGUMENT);
}

/* Refuses each allocation in turn until none is left to refuse. */
static void opening_survives_any_refused_allocation(void **state)
{
    (void)state;
    struct bh_options options = BH_OPTIONS("tester");
    char words[128] = "";
    options.home = guard.folder;
    options.error = words;
    options.error_size = sizeof words;
    heap_fail_at(1);
    assert_int_equal(bh_client_open(&options, &client), BH_MEMORY);
    assert_string_equal(words, bh_error_text(BH_MEMORY));
    assert_null(client);
    open_from(BH_FROM_NOW, 0);
    heap_fail_at(1);
    assert_int_equal(bh_client_watch(client, "/etc/"), BH_MEMORY);
    PUBLISH(PROCESS_EXEC);
    next_seq();
    heap_fail_at(1);
    struct bh_event *copy;
    assert_int_equal(bh_event_copy(event, &copy), BH_MEMORY);
    heap_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(events_come_with_their_fields, start, stop),
        cmocka_unit_test_setup_teardown(absent_and_impossible_fields_are_empty, start, stop),
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test_setup_teardown(an_event_is_json, start, stop),
        cmocka_unit_test_setup_teardown(a_copy_outlives_its_client, start, stop),
        cmocka_unit_test_setup_teardown(only_subscribed_types_are_seen, start, stop),
        cmocka_unit_test_setup_teardown(muted_processes_and_paths_are_left_out, start, stop),
        cmocka_unit_test_setup_teardown(mutes_are_bounded, start, stop),
        cmocka_unit_test_setup_teardown(lost_events_are_counted_and_told, start, stop),
        cmocka_unit_test_setup_teardown(unknown_types_are_counted, start, stop),
        cmocka_unit_test_setup_teardown(a_damaged_ring_is_an_error, start, stop),
        cmocka_unit_test_setup_teardown(waiting_ends_with_an_event, start, stop),
        cmocka_unit_test_setup_teardown(reading_makes_no_system_call, start, stop),
        cmocka_unit_test_setup_teardown(a_client_begins_where_it_asked, start_alone, stop),
        cmocka_unit_test_setup_teardown(a_client_resumes_after_what_it_dealt_with, start_alone,
                                        stop),
        cmocka_unit_test_setup_teardown(a_client_that_comes_back_too_late_knows_its_loss,
                                        start_alone, stop),
        cmocka_unit_test_setup_teardown(only_what_was_acknowledged_is_dealt_with, start_alone,
                                        stop),
        cmocka_unit_test_setup_teardown(what_is_not_seen_is_dealt_with, start_alone, stop),
        cmocka_unit_test_setup_teardown(acknowledging_needs_its_flag, start, stop),
        cmocka_unit_test_setup_teardown(an_older_caller_gets_the_part_it_knows, start, stop),
        cmocka_unit_test_setup_teardown(opening_survives_any_refused_allocation, start_alone, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
