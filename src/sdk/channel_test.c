/* The conversation with guard: greeting, speaking, parting and coming back. */
#include "sdk/test_guard.h"

#include "base/clock.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct test_guard guard;
static struct bh_client *client;
static const struct bh_event *event;
static char words[256];

#define PUBLISH(type) test_guard_publish(&guard, EVENT_##type, 7, "/usr/bin/id")

static int start(void **state)
{
    (void)state;
    test_guard_start(&guard);
    client = NULL;
    words[0] = 0;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    bh_client_close(client);
    test_guard_stop(&guard);
    return 0;
}

static struct bh_options options_for(const char *name)
{
    struct bh_options options = BH_OPTIONS(name);
    options.error = words;
    options.error_size = sizeof words;
    return options;
}

static void open_connected(void)
{
    struct bh_options options = options_for("tester");
    assert_int_equal(test_guard_open(&guard, &options, &client), BH_OK);
    assert_int_equal(bh_client_subscribe(client, BH_TYPE(BH_EVENT_PROCESS_EXEC)), BH_OK);
    test_guard_expect(&guard, WIRE_SUBSCRIBE);
}

static void open_inherited(void)
{
    struct bh_options options = options_for("caged");
    options.socket = 1;
    assert_int_equal(test_guard_open(&guard, &options, &client), BH_OK);
    assert_int_equal(bh_client_subscribe(client, BH_ALL_TYPES), BH_OK);
    test_guard_expect(&guard, WIRE_SUBSCRIBE);
}

static struct bh_stats stats(void)
{
    struct bh_stats s = {.size = sizeof s};
    assert_int_equal(bh_client_stats(client, &s), BH_OK);
    return s;
}

static uint64_t next_seq(void)
{
    assert_int_equal(bh_client_next(client, &event), BH_OK);
    return bh_event_seq(event);
}

/* ── greeting ── */

static void hello_says_who_we_are(void **state)
{
    (void)state;
    struct bh_options options = options_for("tester");
    options.token = "open sesame";
    assert_int_equal(test_guard_open(&guard, &options, &client), BH_OK);
    const struct wire_hello *hello = &guard.message.hello;
    assert_int_equal(hello->version_min, 1);
    assert_int_equal(hello->version_max, 1);
    assert_int_equal(hello->schema_hash, BH_SCHEMA_HASH);
    assert_text(hello->name, "tester");
    assert_text(hello->token, "open sesame");
    assert_true(stats().connected);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    const char *const names[] = {NULL, "", "with space", "0123456789012345678901234", "a/b"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct bh_options options = options_for(names[i]);
        assert_int_equal(bh_client_open(&options, &client), BH_ARGUMENT);
        assert_non_null(strstr(words, "name"));
    }
    struct bh_options options = options_for("x");
    options.from = 3;
    assert_int_equal(bh_client_open(&options, &client), BH_ARGUMENT);
    options = options_for("x");
    options.flags = 4;
    assert_int_equal(bh_client_open(&options, &client), BH_ARGUMENT);
    assert_null(client);
}

/* A caller built against a later header may set only what this library knows. */
static void options_may_be_longer_if_they_say_nothing_more(void **state)
{
    (void)state;

    struct {
        struct bh_options known;
        uint64_t unknown;
    } later = {.known = options_for("later")};

    later.known.size = sizeof later;
    later.known.home = "/nonexistent";
    assert_int_equal(bh_client_open(&later.known, &client), BH_MISSING);
    later.unknown = 1;
    assert_int_equal(bh_client_open(&later.known, &client), BH_ARGUMENT);
}

static void the_socket_is_taken_over_whatever_happens(void **state)
{
    (void)state;

    struct {
        struct bh_options known;
        uint64_t unknown;
    } later = {.known = options_for("later"), .unknown = 1};

    later.known.size = sizeof later;
    later.known.socket = dup(guard.listener);
    assert_int_equal(bh_client_open(&later.known, &client), BH_ARGUMENT);
    assert_int_equal(fcntl(later.known.socket, F_GETFD), -1);
    struct bh_options options = options_for("a/b");
    options.socket = dup(guard.listener);
    assert_int_equal(bh_client_open(&options, &client), BH_ARGUMENT);
    assert_int_equal(fcntl(options.socket, F_GETFD), -1);
}

static void only_patterns_are_watched(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "etc/", "*", "*etc", "**/x", "./x"};
    static const char *const good[] = {"/", "/etc/", "/etc/shadow", "*/.ssh/", "*/id_rsa"};
    open_connected();
    assert_int_equal(bh_client_watch(client, NULL), BH_ARGUMENT);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(bh_client_watch(client, bad[i]), BH_ARGUMENT);
        assert_non_null(strstr(bh_client_error(client), "watched"));
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(bh_client_watch(client, good[i]), BH_OK);
        struct text said = test_guard_expect(&guard, WIRE_WATCH)->watch.pattern;
        assert_true(text_same(said, text_of(good[i])));
    }
}

/* A path that a hundred rules name takes one place of the 256. */
static void a_path_is_watched_once(void **state)
{
    (void)state;
    char path[32];
    open_connected();
    for (unsigned i = 0; i < 2 * CLIENT_PATHS; i++) {
        snprintf(path, sizeof path, "/etc/%u", i / 2);
        assert_int_equal(bh_client_watch(client, path), BH_OK);
    }
    assert_int_equal(bh_client_watch(client, "/etc/one-too-many"), BH_LIMIT);
}

static void no_guard_is_said_with_its_place(void **state)
{
    (void)state;
    struct bh_options options = options_for("tester");
    options.home = "/nonexistent";
    assert_int_equal(bh_client_open(&options, &client), BH_MISSING);
    assert_non_null(strstr(words, "/nonexistent/run/guard.sock"));
    options.home = guard.folder;
    fd_drop(&guard.listener); /* the socket's name is there, and nobody behind it */
    assert_int_equal(bh_client_open(&options, &client), BH_MISSING);
    assert_null(client);
}

/* What guard says in answer to hello, through an inherited socket where it can wait for the reader.
 */
static int open_after(void (*answer)(void))
{
    int pair[2];
    struct bh_options options = options_for("caged");
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    fd_drop(&guard.client);
    guard.client = pair[0];
    options.socket = pair[1];
    answer();
    int result = bh_client_open(&options, &client);
    assert_int_equal(fcntl(pair[1], F_GETFD), -1); /* taken over even on failure */
    return result;
}

static void refuse(void)
{
    struct wire_message m = {.number = WIRE_REFUSED,
                             .refused = {.fault = FAULT_DENIED, .reason = TEXT("not today")}};
    test_guard_send(&guard, &m, NULL, 0);
}

static void speak_another_version(void)
{
    guard.version = 2;
    test_guard_welcome(&guard, TEST_GUARD_RING, 2);
}

static void send_one_descriptor(void)
{
    guard.version = WIRE_VERSION;
    test_guard_welcome(&guard, TEST_GUARD_RING, 1);
}

static void send_three_descriptors(void)
{
    test_guard_welcome(&guard, TEST_GUARD_RING, 3);
}

static void claim_a_longer_ring(void)
{
    test_guard_welcome(&guard, TEST_GUARD_RING * 2, 2);
}

static void claim_an_odd_ring(void)
{
    test_guard_welcome(&guard, TEST_GUARD_RING - 8, 2);
}

static void claim_an_endless_ring(void)
{
    test_guard_welcome(&guard, UINT64_MAX, 2);
}

static void send_garbage(void)
{
    assert_int_equal(send(guard.client, "\x02\x00garbage", 9, 0), 9);
}

static void answer_unasked(void)
{
    struct wire_message m = {.number = WIRE_ANSWER, .answer = {.json = TEXT("{}")}};
    test_guard_send(&guard, &m, NULL, 0);
}

static void hang_up(void)
{
    fd_drop(&guard.client);
}

static void a_bad_welcome_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(open_after(refuse), BH_REFUSED);
    assert_non_null(strstr(words, "not today"));
    assert_int_equal(open_after(speak_another_version), BH_VERSION);
    assert_int_equal(open_after(send_one_descriptor), BH_DAMAGED);
    assert_int_equal(open_after(send_three_descriptors), BH_DAMAGED);
    assert_int_equal(open_after(claim_a_longer_ring), BH_DAMAGED);
    assert_int_equal(open_after(claim_an_odd_ring), BH_DAMAGED);
    assert_int_equal(open_after(claim_an_endless_ring), BH_DAMAGED);
    assert_int_equal(open_after(send_garbage), BH_DAMAGED);
    assert_int_equal(open_after(answer_unasked), BH_DAMAGED);
    assert_int_equal(open_after(hang_up), BH_CLOSED);
    assert_null(client);
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static void nothing_is_left_open(void **state)
{
    (void)state;
    open_after(send_three_descriptors);
    fd_drop(&guard.client);
    fd_drop(&guard.wake);
    unsigned before = open_descriptors();
    for (int i = 0; i < 10; i++) {
        open_after(send_three_descriptors);
        open_after(claim_a_longer_ring);
        fd_drop(&guard.client);
        fd_drop(&guard.wake);
        open_connected();
        bh_client_close(client);
        client = NULL;
        fd_drop(&guard.client);
        fd_drop(&guard.wake);
    }
    assert_int_equal(open_descriptors(), before);
}

/* ── speaking ── */

static void an_alert_carries_its_event(void **state)
{
    (void)state;
    open_connected();
    PUBLISH(PROCESS_EXEC);
    next_seq();
    struct bh_alert alert = {.size = sizeof alert,
                             .nth = 3,
                             .id = {"rule-1", 6},
                             .title = {"Title", 5},
                             .level = {"high", 4},
                             .message = {"what happened", 13}};
    assert_int_equal(bh_client_alert(client, event, &alert), BH_OK);
    const struct wire_alert *said = &test_guard_expect(&guard, WIRE_ALERT)->alert;
    assert_int_equal(said->event_seq, 1);
    assert_int_equal(said->event_time, 1721365740000000042);
    assert_int_equal(said->event_type, EVENT_PROCESS_EXEC);
    assert_int_equal(said->process_guid, 7);
    assert_int_equal(said->nth, 3);
    assert_text(said->rule_id, "rule-1");
    assert_text(said->rule_title, "Title");
    assert_text(said->rule_author, "");
    assert_text(said->message, "what happened");
    alert.size = 8;
    assert_int_equal(bh_client_alert(client, event, &alert), BH_ARGUMENT);
    alert = (struct bh_alert){.size = sizeof alert};
    assert_int_equal(bh_client_alert(client, event, &alert), BH_ARGUMENT);
    char longer[1025];
    memset(longer, 'x', sizeof longer);
    alert.id = (struct bh_text){"rule-1", 6};
    alert.message = (struct bh_text){longer, sizeof longer};
    assert_int_equal(bh_client_alert(client, event, &alert), BH_LIMIT);
    assert_true(stats().connected);
}

static void a_report_is_said(void **state)
{
    (void)state;
    open_connected();
    assert_int_equal(bh_client_report(client, "low", "I am fine"), BH_OK);
    const struct wire_report *said = &test_guard_expect(&guard, WIRE_REPORT)->report;
    assert_text(said->level, "low");
    assert_text(said->message, "I am fine");
}

/* Guard reads nothing: the library says so after a second and does not hang. */
static void a_full_socket_is_again(void **state)
{
    (void)state;
    char message[1024];
    int result = BH_OK;
    memset(message, 'x', sizeof message);
    message[sizeof message - 1] = 0;
    open_connected();
    uint64_t start_ns = clock_boot_ns();
    for (int i = 0; i < 10000 && result == BH_OK; i++) {
        start_ns = clock_boot_ns();
        result = bh_client_report(client, "low", message);
    }
    assert_int_equal(result, BH_AGAIN);
    assert_in_range((clock_boot_ns() - start_ns) / CLOCK_NS_PER_MS, 900, 3000);
}

static void answer(const char *json, bool more)
{
    struct wire_message m = {.number = WIRE_ANSWER,
                             .answer = {.more = more, .json = text_of(json)}};
    test_guard_send(&guard, &m, NULL, 0);
}

static void an_answer_comes_in_parts(void **state)
{
    (void)state;
    char *json = NULL;
    open_inherited();
    answer("{\"a\":", true);
    answer("", true);
    answer("1}", false);
    assert_int_equal(bh_client_ask(client, "status", 5, 1000, &json), BH_OK);
    assert_string_equal(json, "{\"a\":1}");
    bh_free(json);
    const struct wire_ask *asked = &test_guard_expect(&guard, WIRE_ASK)->ask;
    assert_text(asked->topic, "status");
    assert_int_equal(asked->argument, 5);
}

/* The answer to a question that nobody waits for any more is not taken for the next one's. */
static void a_late_answer_is_let_pass(void **state)
{
    (void)state;
    char *json = NULL;
    open_inherited();
    assert_int_equal(bh_client_ask(client, "doctor", 0, 20, &json), BH_TIMEOUT);
    answer("late, ", true);
    answer("late", false);
    answer("in time", false);
    assert_int_equal(bh_client_ask(client, "status", 0, 1000, &json), BH_OK);
    assert_string_equal(json, "in time");
    bh_free(json);
}

static void a_client_hears_of_guards_end_while_it_asks(void **state)
{
    (void)state;
    char *json = NULL;
    open_inherited();
    fd_drop(&guard.client);
    assert_int_equal(bh_client_ask(client, "status", 0, 5000, &json), BH_CLOSED);
    assert_null(json);
}

static void say_syslog(int fd)
{
    struct wire_message m = {.number = WIRE_SYSLOG, .syslog = {.there = fd >= 0}};
    test_guard_send(&guard, &m, &fd, fd >= 0);
}

static void the_system_log_is_handed_over(void **state)
{
    (void)state;
    OWN(fd_drop) int log = open("/dev/null", O_WRONLY | O_CLOEXEC);
    OWN(fd_drop) int got = -1;
    open_inherited();
    assert_int_equal(bh_client_syslog(client, 20, &got), BH_TIMEOUT);
    assert_int_equal(got, -1);
    say_syslog(log);
    assert_int_equal(bh_client_syslog(client, 1000, &got), BH_OK);
    assert_int_equal(write(got, "x", 1), 1);
    say_syslog(-1);
    assert_int_equal(bh_client_syslog(client, 1000, &got), BH_MISSING);
}

static void what_rules_cost_is_told(void **state)
{
    (void)state;
    struct bh_rule_cost cost = {.size = sizeof cost,
                                .nth = 1,
                                .count = 2,
                                .id = {"id", 2},
                                .title = {"title", 5},
                                .runs = 3,
                                .matches = 4,
                                .steps = 5,
                                .all_events = 6,
                                .all_steps = 7};
    open_inherited();
    assert_int_equal(bh_client_rule_cost(client, &cost), BH_OK);
    const struct wire_rule_cost *m = &test_guard_expect(&guard, WIRE_RULE_COST)->rule_cost;
    assert_int_equal(m->nth, 1);
    assert_int_equal(m->steps, 5);
    assert_int_equal(m->all_steps, 7);
    assert_text(m->rule_title, "title");
    cost.nth = 2;
    assert_int_equal(bh_client_rule_cost(client, &cost), BH_ARGUMENT);
}

/* ── signals ── */

static void on_alarm(int number)
{
    (void)number;
}

static void alarm_every_ms(int ms)
{
    const struct sigaction handler = {.sa_handler = on_alarm}; /* no SA_RESTART */
    struct itimerval timer = {.it_interval.tv_usec = ms * 1000, .it_value.tv_usec = ms * 1000};
    assert_int_equal(sigaction(SIGALRM, &handler, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* Its caller may look at what the handler set. */
static void a_signal_ends_a_wait_without_harm(void **state)
{
    (void)state;
    open_connected();
    alarm_every_ms(20);
    int result = bh_client_wait(client, 5000);
    alarm_every_ms(0);
    assert_int_equal(result, BH_OK);
    assert_int_equal(bh_client_next(client, &event), BH_AGAIN);
    assert_true(stats().connected);
}

static void a_signal_does_not_end_a_question(void **state)
{
    (void)state;
    char *json = NULL;
    open_connected();
    alarm_every_ms(20);
    int result = bh_client_ask(client, "status", 0, 200, &json);
    alarm_every_ms(0);
    assert_int_equal(result, BH_TIMEOUT);
}

static void a_signal_does_not_end_an_alert_that_waits(void **state)
{
    (void)state;
    int result = BH_OK;
    open_connected();
    alarm_every_ms(20);
    for (int i = 0; i < 10000 && result == BH_OK; i++) {
        result = bh_client_report(client, "low", "x");
    }
    alarm_every_ms(0);
    assert_int_equal(result, BH_AGAIN);
}

/* ── parting and coming back ── */

static void an_inherited_client_reads_to_the_end(void **state)
{
    (void)state;
    open_inherited();
    PUBLISH(PROCESS_EXEC);
    PUBLISH(PROCESS_EXEC);
    fd_drop(&guard.client);
    assert_int_equal(next_seq(), 1);
    assert_int_equal(next_seq(), 2);
    assert_int_equal(bh_client_next(client, &event), BH_CLOSED);
    assert_int_equal(bh_client_wait(client, -1), BH_CLOSED);
    assert_int_equal(bh_client_report(client, "low", "x"), BH_CLOSED);
    assert_int_equal(bh_client_subscribe(client, 1), BH_CLOSED);
    assert_false(stats().connected);
}

static void the_last_words_are_heard(void **state)
{
    (void)state;
    open_inherited();
    refuse();
    fd_drop(&guard.client);
    assert_int_equal(bh_client_report(client, "low", "x"), BH_REFUSED);
    assert_non_null(strstr(bh_client_error(client), "not today"));
}

static void garbage_ends_the_conversation(void **state)
{
    (void)state;
    open_inherited();
    send_garbage();
    assert_int_equal(bh_client_next(client, &event), BH_CLOSED);
    assert_non_null(strstr(bh_client_error(client), "breaks the protocol"));
}

/* Lets the client notice and try again until somebody knocks at guard's door. */
static void let_it_come_back(void)
{
    struct pollfd door = {.fd = guard.listener, .events = POLLIN};
    for (int i = 0; i < 100 && poll(&door, 1, 0) == 0; i++) {
        assert_int_equal(bh_client_wait(client, 20), BH_TIMEOUT);
    }
    test_guard_accept(&guard);
    for (int i = 0; i < 100 && !stats().connected; i++) {
        bh_client_next(client, &event);
    }
    assert_true(stats().connected);
}

static void a_client_comes_back_to_its_place(void **state)
{
    (void)state;
    open_connected();
    assert_int_equal(bh_client_watch(client, "/etc/"), BH_OK);
    test_guard_expect(&guard, WIRE_WATCH);
    PUBLISH(PROCESS_EXEC);
    PUBLISH(PROCESS_EXEC);
    assert_int_equal(next_seq(), 1);
    int polled = bh_client_fd(client);
    test_guard_restart(&guard);
    PUBLISH(PROCESS_EXEC); /* what the new guard says before the client is back */
    assert_int_equal(next_seq(), 2);
    assert_int_equal(next_seq(), 3);
    assert_int_equal(bh_client_next(client, &event), BH_AGAIN);
    assert_int_equal(bh_client_watch(client, "/root/"), BH_OK); /* remembered */
    let_it_come_back();
    assert_int_equal(test_guard_expect(&guard, WIRE_SUBSCRIBE)->subscribe.types,
                     BH_TYPE(BH_EVENT_PROCESS_EXEC));
    assert_text(test_guard_expect(&guard, WIRE_WATCH)->watch.pattern, "/etc/");
    assert_text(test_guard_expect(&guard, WIRE_WATCH)->watch.pattern, "/root/");
    PUBLISH(PROCESS_EXEC);
    assert_int_equal(bh_client_wait(client, 1000), BH_OK); /* the new eventfd wakes it */
    assert_int_equal(next_seq(), 4);
    assert_int_equal(bh_client_fd(client), polled);
    assert_int_equal(stats().reconnects, 1);
    assert_int_equal(stats().rings, 1);
    assert_int_equal(stats().lost, 0);
}

static void what_is_overwritten_meanwhile_is_lost_and_counted(void **state)
{
    (void)state;
    open_connected();
    PUBLISH(PROCESS_EXEC);
    assert_int_equal(next_seq(), 1);
    test_guard_restart(&guard);
    assert_int_equal(bh_client_report(client, "low", "x"), BH_AGAIN); /* knocks */
    for (int i = 0; i < 5000; i++) {
        PUBLISH(PROCESS_EXEC);
    }
    test_guard_accept(&guard);
    assert_int_equal(bh_client_report(client, "low", "x"), BH_OK);
    assert_int_equal(stats().reconnects, 1);
    uint64_t first = next_seq();
    assert_true(first > 2);
    assert_int_equal(stats().lost, first - 2);
}

static void a_new_ring_is_read_from_its_start(void **state)
{
    (void)state;
    open_connected();
    for (int i = 0; i < 9; i++) {
        PUBLISH(PROCESS_EXEC);
    }
    assert_int_equal(next_seq(), 1);
    test_guard_restart(&guard);
    test_guard_new_ring(&guard);
    PUBLISH(PROCESS_EXEC);
    for (uint64_t seq = 2; seq <= 9; seq++) {
        assert_int_equal(next_seq(), seq); /* the old one stays mapped until the new one is there */
    }
    assert_int_equal(bh_client_next(client, &event), BH_AGAIN);
    let_it_come_back();
    assert_int_equal(stats().rings, 2);
    assert_int_equal(stats().events, 10);
    assert_int_equal(bh_event_seq(event), 1);
}

/* What was lost before belongs to the conversation that told it. */
static void losses_are_told_once(void **state)
{
    (void)state;
    open_connected();
    PUBLISH(PROCESS_EXEC);
    next_seq();
    for (int i = 0; i < 5000; i++) {
        PUBLISH(PROCESS_EXEC);
    }
    while (bh_client_next(client, &event) == BH_OK) {
        continue;
    }
    assert_true(stats().lost > 0);
    test_guard_restart(&guard);
    assert_int_equal(bh_client_next(client, &event), BH_AGAIN);
    let_it_come_back();
    test_guard_expect(&guard, WIRE_SUBSCRIBE);
    bh_client_close(client);
    client = NULL;
    assert_int_equal(test_guard_expect(&guard, WIRE_PROGRESS)->progress.lost, 0);
}

static void an_alert_waits_for_guard_to_be_back(void **state)
{
    (void)state;
    open_connected();
    fd_drop(&guard.client);
    fd_drop(&guard.listener);
    assert_int_equal(bh_client_report(client, "low", "x"), BH_AGAIN);
    test_guard_restart(&guard);
    let_it_come_back();
    assert_int_equal(bh_client_report(client, "low", "x"), BH_OK);
}

static void progress_is_told_once_a_second(void **state)
{
    (void)state;
    open_connected();
    PUBLISH(PROCESS_EXEC);
    next_seq();
    assert_int_equal(bh_client_next(client, &event), BH_AGAIN);
    uint64_t start_ns = clock_boot_ns();
    struct pollfd heard = {.fd = guard.client, .events = POLLIN};
    while (poll(&heard, 1, 0) == 0 && clock_boot_ns() - start_ns < 3ULL * CLOCK_NS_PER_S) {
        bh_client_wait(client, 50);
    }
    const struct wire_progress *p = &test_guard_expect(&guard, WIRE_PROGRESS)->progress;
    assert_int_equal(p->events, 1);
    assert_int_equal(p->seq, 1);
    assert_int_equal(p->position, stats().position);
}

/* Guard takes a part of its own that says nothing for one that hangs. */
static void progress_is_told_when_nothing_happens(void **state)
{
    (void)state;
    open_connected();
    assert_int_equal(bh_client_wait(client, 2500), BH_TIMEOUT);
    test_guard_expect(&guard, WIRE_PROGRESS);
    test_guard_expect(&guard, WIRE_PROGRESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hello_says_who_we_are, start, stop),
        cmocka_unit_test_setup_teardown(bad_options_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(options_may_be_longer_if_they_say_nothing_more, start,
                                        stop),
        cmocka_unit_test_setup_teardown(the_socket_is_taken_over_whatever_happens, start, stop),
        cmocka_unit_test_setup_teardown(only_patterns_are_watched, start, stop),
        cmocka_unit_test_setup_teardown(a_path_is_watched_once, start, stop),
        cmocka_unit_test_setup_teardown(no_guard_is_said_with_its_place, start, stop),
        cmocka_unit_test_setup_teardown(a_bad_welcome_is_an_error, start, stop),
        cmocka_unit_test_setup_teardown(nothing_is_left_open, start, stop),
        cmocka_unit_test_setup_teardown(an_alert_carries_its_event, start, stop),
        cmocka_unit_test_setup_teardown(a_report_is_said, start, stop),
        cmocka_unit_test_setup_teardown(a_full_socket_is_again, start, stop),
        cmocka_unit_test_setup_teardown(an_answer_comes_in_parts, start, stop),
        cmocka_unit_test_setup_teardown(a_late_answer_is_let_pass, start, stop),
        cmocka_unit_test_setup_teardown(a_client_hears_of_guards_end_while_it_asks, start, stop),
        cmocka_unit_test_setup_teardown(the_system_log_is_handed_over, start, stop),
        cmocka_unit_test_setup_teardown(what_rules_cost_is_told, start, stop),
        cmocka_unit_test_setup_teardown(a_signal_ends_a_wait_without_harm, start, stop),
        cmocka_unit_test_setup_teardown(a_signal_does_not_end_a_question, start, stop),
        cmocka_unit_test_setup_teardown(a_signal_does_not_end_an_alert_that_waits, start, stop),
        cmocka_unit_test_setup_teardown(an_inherited_client_reads_to_the_end, start, stop),
        cmocka_unit_test_setup_teardown(the_last_words_are_heard, start, stop),
        cmocka_unit_test_setup_teardown(garbage_ends_the_conversation, start, stop),
        cmocka_unit_test_setup_teardown(a_client_comes_back_to_its_place, start, stop),
        cmocka_unit_test_setup_teardown(what_is_overwritten_meanwhile_is_lost_and_counted, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_new_ring_is_read_from_its_start, start, stop),
        cmocka_unit_test_setup_teardown(losses_are_told_once, start, stop),
        cmocka_unit_test_setup_teardown(an_alert_waits_for_guard_to_be_back, start, stop),
        cmocka_unit_test_setup_teardown(progress_is_told_once_a_second, start, stop),
        cmocka_unit_test_setup_teardown(progress_is_told_when_nothing_happens, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
