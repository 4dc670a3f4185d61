#include "base/own.h"
#include "base/test.h"
#include "scan/post.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint8_t room[TALK_MAX];

static struct text match(void)
{
    struct talk_message m = {
        .number = MESSAGE_MATCH,
        .match = {.file = TEXT("a.yar"), .name = TEXT("rule"), .level = TEXT("high")}};
    struct writer w = writer_over(room, sizeof room);
    assert_ok(talk_write(&m, &w));
    return writer_text(&w);
}

static void a_message_comes_back(void **state)
{
    (void)state;
    struct talk_message m;
    assert_ok(talk_read(match(), TALK_WORKER, &m));
    assert_int_equal(m.number, MESSAGE_MATCH);
    assert_text(m.match.name, "rule");
    assert_text(m.match.tags, "");
}

static void the_wrong_side_is_refused(void **state)
{
    (void)state;
    struct talk_message m;
    assert_fault(talk_read(match(), TALK_OPENER, &m), INVALID);
    assert_fault(talk_read(match(), TALK_KEEPER, &m), INVALID);
}

static void cut_and_longer_packets_are_refused(void **state)
{
    (void)state;
    struct talk_message m;
    struct text packet = match();
    for (size_t len = 0; len < packet.len; len++) {
        assert_false(status_ok(talk_read(text_part(packet, 0, len), TALK_WORKER, &m)));
    }
    packet.len++;
    assert_fault(talk_read(packet, TALK_WORKER, &m), INVALID);
}

static void bounds_hold_on_both_sides(void **state)
{
    (void)state;
    struct talk_message m = {.number = MESSAGE_START, .start = {.slot = TALK_SLOTS}};
    struct writer w = writer_over(room, sizeof room);
    assert_fault(talk_write(&m, &w), LIMIT);
    static const uint8_t bad_slot[] = {MESSAGE_START, 0, TALK_SLOTS};
    struct text packet = {.ptr = (const char *)bad_slot, .len = sizeof bad_slot};
    assert_fault(talk_read(packet, TALK_OPENER, &m), BOUNDS);
    static const uint8_t bad_outcome[] = {MESSAGE_VERDICT,
                                          0,
                                          OUTCOME_COUNT,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0};
    packet = (struct text){.ptr = (const char *)bad_outcome, .len = sizeof bad_outcome};
    assert_fault(talk_read(packet, TALK_WORKER, &m), BOUNDS);
}

/* The longest that each side may say has to fit a packet, or a long path would end a scan. */
static void the_longest_message_fits(void **state)
{
    (void)state;
    static char long_text[4096];
    memset(long_text, 'x', sizeof long_text);
    struct talk_message m = {
        .number = MESSAGE_SCAN,
        .scan = {.path = {.ptr = long_text, .len = sizeof long_text}, .time_s = 86400}};
    struct writer w = writer_over(room, sizeof room);
    assert_ok(talk_write(&m, &w));
}

static void descriptors_ride_along(void **state)
{
    (void)state;
    int pair[2];
    struct post_packet packet;
    struct talk_message m = {.number = MESSAGE_SCAN, .scan = {.size = 7}};
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    OWN(fd_drop) int null = open("/dev/null", O_RDONLY);
    OWN(fd_drop) int came = -1;
    assert_ok(post_send(pair[0], &m, null));
    assert_ok(post_receive(pair[1], TALK_OPENER, &packet, &m, &came));
    assert_int_equal(m.scan.size, 7);
    assert_true(came >= 0);
    assert_true(fcntl(came, F_GETFD) & FD_CLOEXEC);
    /* One that nobody wants is closed: the next gets the same number. */
    int before = dup(null);
    close(before);
    assert_ok(post_send(pair[0], &m, null));
    assert_ok(post_receive(pair[1], TALK_OPENER, &packet, &m, NULL));
    int after = dup(null);
    assert_int_equal(before, after);
    close(after);
    close(pair[0]);
    assert_fault(post_receive(pair[1], TALK_OPENER, &packet, &m, NULL), CLOSED);
    assert_fault(post_send(pair[1], &m, -1), CLOSED);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_back),
        cmocka_unit_test(the_wrong_side_is_refused),
        cmocka_unit_test(cut_and_longer_packets_are_refused),
        cmocka_unit_test(bounds_hold_on_both_sides),
        cmocka_unit_test(the_longest_message_fits),
        cmocka_unit_test(descriptors_ride_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
