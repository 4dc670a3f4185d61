#include "base/test.h"
#include "wire/client.h"

static uint8_t room[WIRE_MAX];

static struct text hello(void)
{
    struct wire_message m = {
        .number = WIRE_HELLO,
        .hello = {.version_min = 1, .version_max = 1, .schema_hash = 5, .name = TEXT("tail")},
    };
    struct writer w = writer_over(room, sizeof room);
    assert_ok(wire_write(&m, &w));
    return writer_text(&w);
}

static void a_message_comes_back(void **state)
{
    (void)state;
    struct wire_message m;
    assert_ok(wire_read(hello(), WIRE_SENDER_CLIENT, &m));
    assert_int_equal(m.number, WIRE_HELLO);
    assert_int_equal(m.hello.schema_hash, 5);
    assert_text(m.hello.name, "tail");
    assert_string_equal(wire_name(m.number), "hello");
}

static void the_wrong_side_is_refused(void **state)
{
    (void)state;
    struct wire_message m;
    assert_fault(wire_read(hello(), WIRE_SENDER_GUARD, &m), INVALID);
}

static void cut_and_longer_packets_are_refused(void **state)
{
    (void)state;
    struct wire_message m;
    struct text packet = hello();
    for (size_t len = 0; len < packet.len; len++) {
        assert_false(status_ok(wire_read(text_part(packet, 0, len), WIRE_SENDER_CLIENT, &m)));
    }
    packet.len++;
    assert_fault(wire_read(packet, WIRE_SENDER_CLIENT, &m), INVALID);
}

static void bounds_hold_on_both_sides(void **state)
{
    (void)state;
    struct wire_message m = {.number = WIRE_HELLO,
                             .hello = {.name = TEXT("0123456789012345678901234")}};
    struct writer w = writer_over(room, sizeof room);
    assert_fault(wire_write(&m, &w), LIMIT);
    struct text packet = hello();
    room[14] = 24; /* the name's length: one over its bound, and longer than the packet */
    assert_fault(wire_read(packet, WIRE_SENDER_CLIENT, &m), BOUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_back),
        cmocka_unit_test(the_wrong_side_is_refused),
        cmocka_unit_test(cut_and_longer_packets_are_refused),
        cmocka_unit_test(bounds_hold_on_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
