/* Whose turn it is: a client in standby begins where guard says, and ends when it is asked to. */
#include "sdk/test_guard.h"

#include "base/own.h"

#include <sys/socket.h>

static struct test_guard guard;
static struct bh_client *client;
static const struct bh_event *event;

#define PUBLISH(type) test_guard_publish(&guard, EVENT_##type, 7, "/usr/bin/id")

static int start(void **state)
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

static void open_with(unsigned flags)
{
    struct bh_options options = BH_OPTIONS("engine");
    options.socket = 1;
    options.from = BH_FROM_RESUME;
    options.flags = flags;
    assert_int_equal(test_guard_open(&guard, &options, &client), BH_OK);
    assert_int_equal(bh_client_subscribe(client, BH_ALL_TYPES), BH_OK);
    assert_int_equal(test_guard_expect(&guard, WIRE_SUBSCRIBE)->number, WIRE_SUBSCRIBE);
}

static void send_begin(uint64_t position, uint64_t seq)
{
    struct wire_message m = {.number = WIRE_BEGIN, .begin = {.position = position, .seq = seq}};
    test_guard_send(&guard, &m, NULL, 0);
}

static void send_finish(void)
{
    struct wire_message m = {.number = WIRE_FINISH, .finish = {.wait_ms = 1000}};
    test_guard_send(&guard, &m, NULL, 0);
}

static const struct bh_ready ready = {
    .size = sizeof ready, .rules = 12, .digest = "0123456789abcdef"};

/* The answer waits in the socket before the question is asked. */
static int begin_at(uint64_t position, uint64_t seq)
{
    send_begin(position, seq);
    return bh_client_begin(client, &ready, 1000);
}

static void a_client_in_standby_reads_nothing(void **state)
{
    (void)state;
    PUBLISH(PROCESS_EXEC);
    open_with(BH_STANDBY);
    assert_int_equal(bh_client_next(client, &event), BH_ARGUMENT);
    assert_non_null(strstr(bh_client_error(client), "bh_client_begin()"));
    assert_int_equal(bh_client_begin(client, &ready, 1200), BH_TIMEOUT);
    const struct wire_ready *said = &test_guard_expect(&guard, WIRE_READY)->ready;
    assert_int_equal(said->rules, 12);
    assert_text(said->digest, "0123456789abcdef");
    assert_int_equal(bh_client_next(client, &event), BH_ARGUMENT);
    /* Nor does it say how far it is, which is the other client's business. */
    bh_client_close(client);
    client = NULL;
    assert_true(recv(guard.client, guard.packet, sizeof guard.packet, MSG_DONTWAIT) <= 0);
}

static void it_begins_where_guard_says(void **state)
{
    (void)state;
    open_with(BH_STANDBY);
    for (int i = 0; i < 3; i++) {
        PUBLISH(PROCESS_EXEC);
    }
    uint64_t position = guard.writer.page->head;
    PUBLISH(PROCESS_EXEC);
    assert_int_equal(begin_at(position, 3), BH_OK);
    assert_int_equal(bh_client_next(client, &event), BH_OK);
    assert_int_equal(bh_event_seq(event), 4);
    assert_int_equal(bh_client_next(client, &event), BH_AGAIN);
    struct bh_stats stats = {.size = sizeof stats};
    assert_int_equal(bh_client_stats(client, &stats), BH_OK);
    assert_int_equal(stats.lost, 0);
    assert_int_equal(bh_client_begin(client, &ready, 0), BH_ARGUMENT); /* once */
}

/* What was overwritten since the other client's last word is counted. */
static void what_is_gone_when_it_begins_is_lost(void **state)
{
    (void)state;
    open_with(BH_STANDBY);
    PUBLISH(PROCESS_EXEC);
    uint64_t position = guard.writer.page->head;
    for (int i = 0; i < 2000; i++) {
        PUBLISH(PROCESS_EXEC);
    }
    assert_int_equal(begin_at(position, 1), BH_OK);
    assert_int_equal(bh_client_next(client, &event), BH_OK);
    struct bh_stats stats = {.size = sizeof stats};
    assert_int_equal(bh_client_stats(client, &stats), BH_OK);
    assert_true(stats.lost > 0);
    assert_int_equal(bh_event_seq(event), 2 + stats.lost);
}

static void a_turn_that_nobody_asked_for_is_an_offence(void **state)
{
    (void)state;
    open_with(0);
    send_begin(0, 0);
    assert_int_equal(bh_client_wait(client, 1000), BH_CLOSED);
    assert_non_null(strstr(bh_client_error(client), "had not asked"));
}

static void asked_to_finish_it_ends_with_what_it_took(void **state)
{
    (void)state;
    open_with(BH_STANDBY);
    assert_int_equal(begin_at(0, 0), BH_OK);
    test_guard_expect(&guard, WIRE_READY);
    PUBLISH(PROCESS_EXEC);
    PUBLISH(PROCESS_EXEC);
    assert_int_equal(bh_client_next(client, &event), BH_OK);
    assert_int_equal(bh_client_next(client, &event), BH_OK);
    send_finish();
    assert_int_equal(bh_client_next(client, &event), BH_CLOSED);
    PUBLISH(PROCESS_EXEC);
    assert_int_equal(bh_client_wait(client, 1000), BH_CLOSED);
    assert_int_equal(bh_client_next(client, &event), BH_CLOSED);
    bh_client_close(client);
    client = NULL;
    const struct wire_progress *p = &test_guard_expect(&guard, WIRE_PROGRESS)->progress;
    assert_int_equal(p->seq, 2);
    assert_int_equal(p->events, 2);
}

static void it_may_be_asked_to_end_before_its_turn(void **state)
{
    (void)state;
    open_with(BH_STANDBY);
    send_finish();
    assert_int_equal(bh_client_begin(client, &ready, 1000), BH_CLOSED);
    bh_client_close(client);
    open_with(BH_STANDBY);
    fd_drop(&guard.client);
    assert_int_equal(bh_client_begin(client, &ready, 1000), BH_CLOSED);
}

static unsigned rehearse_from(uint64_t first)
{
    unsigned count = 0;
    while (bh_client_rehearse(client, &event) == BH_OK) {
        assert_int_equal(bh_event_seq(event), first + count);
        count++;
    }
    return count;
}

/* Up to where the other client was when it said so, then up to its own turn, and no further. */
static void the_past_ends_where_the_turn_begins(void **state)
{
    (void)state;
    struct bh_alert alert = {.size = sizeof alert, .id = {"rule", 4}};
    for (int i = 0; i < 3; i++) {
        PUBLISH(PROCESS_EXEC);
    }
    guard.resume_position = guard.writer.page->head;
    guard.resume_seq = 3;
    PUBLISH(PROCESS_EXEC);
    open_with(BH_STANDBY);
    PUBLISH(PROCESS_EXEC);
    uint64_t position = guard.writer.page->head;
    PUBLISH(PROCESS_EXEC);
    assert_int_equal(rehearse_from(1), 3);
    assert_int_equal(bh_client_alert(client, event, &alert), BH_ARGUMENT);
    assert_int_equal(begin_at(position, 5), BH_OK);
    assert_int_equal(rehearse_from(4), 2);
    assert_int_equal(bh_client_next(client, &event), BH_OK);
    assert_int_equal(bh_event_seq(event), 6);
    assert_int_equal(bh_client_alert(client, event, &alert), BH_OK);
    assert_int_equal(rehearse_from(0), 0);
    struct bh_stats stats = {.size = sizeof stats};
    assert_int_equal(bh_client_stats(client, &stats), BH_OK);
    assert_int_equal(stats.events, 1);
    assert_int_equal(stats.lost, 0);
}

static void a_past_that_is_gone_is_no_loss(void **state)
{
    (void)state;
    PUBLISH(PROCESS_EXEC);
    guard.resume_position = guard.writer.page->head;
    guard.resume_seq = 1;
    open_with(BH_STANDBY);
    for (int i = 0; i < 2000; i++) {
        PUBLISH(PROCESS_EXEC);
    }
    assert_int_equal(bh_client_rehearse(client, &event), BH_AGAIN);
    uint64_t position = guard.writer.page->head;
    assert_int_equal(begin_at(position, 2001), BH_OK);
    assert_int_equal(bh_client_rehearse(client, &event), BH_OK);
    uint64_t first = bh_event_seq(event);
    assert_int_equal(first + rehearse_from(first + 1), 2001);
    struct bh_stats stats = {.size = sizeof stats};
    assert_int_equal(bh_client_stats(client, &stats), BH_OK);
    assert_int_equal(stats.lost, 0);
}

static void who_never_was_has_no_past(void **state)
{
    (void)state;
    PUBLISH(PROCESS_EXEC);
    open_with(BH_STANDBY);
    assert_int_equal(bh_client_rehearse(client, &event), BH_AGAIN);
}

static void what_came_of_a_load_is_told(void **state)
{
    (void)state;
    struct wire_message m = {.number = WIRE_LOADED,
                             .loaded = {.ok = 1,
                                        .rules = 3,
                                        .old_events = 4,
                                        .last_seq = 5,
                                        .took_ms = 6,
                                        .gap_us = 7,
                                        .digest = TEXT("00ff"),
                                        .why = TEXT("")}};
    struct bh_loaded loaded = {.size = sizeof loaded};
    open_with(0);
    assert_int_equal(bh_client_load(client, BH_LOAD_NEXT, 50, &loaded), BH_TIMEOUT);
    assert_int_equal(test_guard_expect(&guard, WIRE_LOAD)->load.what, 0);
    assert_false(loaded.ok);
    test_guard_send(&guard, &m, NULL, 0);
    assert_int_equal(bh_client_wait(client, 50), BH_TIMEOUT); /* too late: for nobody */
    test_guard_send(&guard, &m, NULL, 0);
    assert_int_equal(bh_client_load(client, BH_LOAD_PREVIOUS, 1000, &loaded), BH_OK);
    assert_int_equal(test_guard_expect(&guard, WIRE_LOAD)->load.what, 1);
    assert_true(loaded.ok && loaded.rules == 3 && loaded.old_events == 4);
    assert_true(loaded.last_seq == 5 && loaded.took_ms == 6 && loaded.gap_us == 7);
    assert_string_equal(loaded.digest, "00ff");
    assert_string_equal(loaded.why, "");
    fd_drop(&guard.client);
    assert_int_equal(bh_client_load(client, BH_LOAD_NEXT, 1000, &loaded), BH_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_client_in_standby_reads_nothing, start, stop),
        cmocka_unit_test_setup_teardown(it_begins_where_guard_says, start, stop),
        cmocka_unit_test_setup_teardown(what_is_gone_when_it_begins_is_lost, start, stop),
        cmocka_unit_test_setup_teardown(a_turn_that_nobody_asked_for_is_an_offence, start, stop),
        cmocka_unit_test_setup_teardown(asked_to_finish_it_ends_with_what_it_took, start, stop),
        cmocka_unit_test_setup_teardown(it_may_be_asked_to_end_before_its_turn, start, stop),
        cmocka_unit_test_setup_teardown(the_past_ends_where_the_turn_begins, start, stop),
        cmocka_unit_test_setup_teardown(a_past_that_is_gone_is_no_loss, start, stop),
        cmocka_unit_test_setup_teardown(who_never_was_has_no_past, start, stop),
        cmocka_unit_test_setup_teardown(what_came_of_a_load_is_told, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
