#include "engine/message.h"

#include "base/own.h"
#include "base/test.h"
#include "content/pack/builder.h"

static char record[EVENT_MAX];
static struct event_builder builder;

static void begin(void)
{
    event_begin(&builder, record, sizeof record);
    event_put_text(&builder, FIELD_PATH, TEXT("/usr/bin/curl"));
    event_put_number(&builder, FIELD_PID, 4711);
    event_put_text(&builder, FIELD_USER, TEXT("root"));
}

static struct text message(enum event_type type, char *out)
{
    struct text bytes;
    struct event event;
    assert_ok(event_end(&builder, (struct event_header){.type = (uint16_t)type}, &bytes));
    assert_ok(event_open(bytes, &event));
    return message_write(&event, out);
}

/* A correlation by user and command line. */
static struct text correlation_pack(struct arena *arena)
{
    const enum field fields[] = {FIELD_USER, FIELD_COMMAND_LINE};
    const struct correlation_reference reference = {.id = TEXT("a"), .fields = fields};
    const struct correlation_condition condition = {.operator= CORRELATION_GTE, .whole = 3};
    const struct correlation correlation = {.span_s = 60,
                                            .group_fields = 2,
                                            .references = &reference,
                                            .reference_count = 1,
                                            .conditions = &condition,
                                            .condition_count = 1};
    const struct rule rules[] = {
        {.id = TEXT("a"), .title = TEXT("A"), .types = 1},
        {.id = TEXT("b"), .title = TEXT("B"), .correlation = &correlation}};
    struct builder *b;
    struct text bytes;
    char why[160];
    assert_ok(builder_new(arena, &b));
    assert_ok(builder_add(b, &rules[0], why));
    assert_ok(builder_add(b, &rules[1], why));
    assert_ok(builder_finish(b, &bytes));
    return bytes;
}

static void says_who_did_what(void **state)
{
    (void)state;
    char out[MESSAGE_MAX];
    begin();
    event_put_text(&builder, FIELD_COMMAND_LINE, TEXT("curl -s x"));
    event_put_text(&builder, FIELD_PARENT_PATH, TEXT("/bin/sh"));
    assert_text(message(EVENT_PROCESS_EXEC, out),
                "/usr/bin/curl (pid 4711, root): ran: curl -s x; started by /bin/sh");
    begin();
    event_put_text(&builder, FIELD_TARGET_PATH, TEXT("/etc/new"));
    event_put_text(&builder, FIELD_SOURCE_PATH, TEXT("/etc/old"));
    assert_text(message(EVENT_FILE_RENAME, out),
                "/usr/bin/curl (pid 4711, root): renamed to /etc/new what was /etc/old");
}

static void addresses_and_ports_can_be_told_apart(void **state)
{
    (void)state;
    char out[MESSAGE_MAX];
    begin();
    event_put_text(&builder, FIELD_DESTINATION_ADDRESS, TEXT("192.0.2.1"));
    event_put_number(&builder, FIELD_DESTINATION_PORT, 443);
    assert_text(message(EVENT_NETWORK_CONNECT, out),
                "/usr/bin/curl (pid 4711, root): connected to 192.0.2.1:443");
    begin();
    event_put_text(&builder, FIELD_DESTINATION_ADDRESS, TEXT("2001:db8::1"));
    event_put_number(&builder, FIELD_DESTINATION_PORT, 80);
    assert_text(message(EVENT_NETWORK_CONNECT, out),
                "/usr/bin/curl (pid 4711, root): connected to [2001:db8::1]:80");
}

static void refusals_and_gaps_are_said(void **state)
{
    (void)state;
    char out[MESSAGE_MAX];
    begin();
    event_put_text(&builder, FIELD_MODULE_NAME, TEXT("evil"));
    event_put_number(&builder, FIELD_ERROR, 1);
    assert_text(
        message(EVENT_MODULE_LOAD, out),
        "/usr/bin/curl (pid 4711, root): loaded the kernel module evil (refused: Operation not "
        "permitted)");
    begin();
    event_put_text(&builder, FIELD_TARGET_PATH, TEXT("/tmp/x"));
    assert_text(message(EVENT_FILE_CREATE, out), "/usr/bin/curl (pid 4711, root): created /tmp/x");
}

static void stays_one_line_of_bounded_length(void **state)
{
    (void)state;
    char out[MESSAGE_MAX];
    static char longest[EVENT_TEXT_MAX];
    memset(longest, 'a', sizeof longest);
    longest[0] = '\n';
    longest[1] = 0x1b;
    begin();
    event_put_text(&builder, FIELD_COMMAND_LINE, (struct text){longest, sizeof longest});
    struct text said = message(EVENT_PROCESS_EXEC, out);
    assert_int_equal(said.len, MESSAGE_MAX);
    assert_true(text_find(said, TEXT("ran: ??aaa")) != SIZE_MAX);
    assert_int_equal(text_find_byte(said, '\n'), SIZE_MAX);
}

/* "3 events within 1m for user=root; the last: …", however long what comes before it is. */
static void a_correlation_says_why_and_who_was_last(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    struct event event;
    char last[MESSAGE_MAX];
    char out[MESSAGE_MAX];
    static char longest[EVENT_TEXT_MAX];
    arena_init(&arena, 16 << 20);
    bytes = correlation_pack(&arena);
    assert_ok(pack_open(bytes, &pack, &fault));
    struct correlation_hit hit = {.divisor = 1, .measured = 3 * CORRELATION_SCALE};
    begin();
    event_put_text(&builder, FIELD_COMMAND_LINE, TEXT("x\ny"));
    assert_ok(event_end(&builder, (struct event_header){.type = EVENT_PROCESS_EXEC}, &bytes));
    assert_ok(event_open(bytes, &event));
    assert_text(message_write_hit(&pack, &hit, &event, message_write(&event, last), out),
                "3 events within 1m for user=root, command_line=x?y; the last: /usr/bin/curl (pid "
                "4711, root): ran: x?y");
    memset(longest, 'a', sizeof longest);
    begin();
    event_put_text(&builder, FIELD_COMMAND_LINE, (struct text){longest, sizeof longest});
    assert_ok(event_end(&builder, (struct event_header){.type = EVENT_PROCESS_EXEC}, &bytes));
    assert_ok(event_open(bytes, &event));
    struct text said = message_write_hit(&pack, &hit, &event, message_write(&event, last), out);
    assert_int_equal(said.len, MESSAGE_MAX);
    assert_true(text_find(said, TEXT("; the last: /usr/bin/curl (pid 4711, root)")) != SIZE_MAX);
}

/* Every type has its words: a new one in events.def has to be given some. */
static void every_type_has_words(void **state)
{
    (void)state;
    char out[MESSAGE_MAX];
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        begin();
        struct text said = message((enum event_type)type, out);
        assert_true(said.len > strlen("/usr/bin/curl (pid 4711, root): "));
    }
}

static void lists_are_named_with_their_entry(void **state)
{
    (void)state;
    char out[MESSAGE_MAX];
    char long_text[2 * MESSAGE_MAX];
    memset(long_text, 'x', sizeof long_text);
    long_text[3] = '\n';
    struct text much = {.ptr = long_text, .len = sizeof long_text};
    assert_text(message_listed(TEXT("connected"), TEXT("feodo"), TEXT("192.0.2.0/24"), out),
                "connected; feodo lists 192.0.2.0/24");
    struct text said = message_listed(much, much, much, out);
    assert_in_range(said.len, MESSAGE_MAX - 64, MESSAGE_MAX);
    assert_int_equal(text_find_byte(said, '\n'), SIZE_MAX);
    assert_true(text_find(said, TEXT(" lists xxx?x")) != SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_who_did_what),
        cmocka_unit_test(addresses_and_ports_can_be_told_apart),
        cmocka_unit_test(refusals_and_gaps_are_said),
        cmocka_unit_test(stays_one_line_of_bounded_length),
        cmocka_unit_test(a_correlation_says_why_and_who_was_last),
        cmocka_unit_test(every_type_has_words),
        cmocka_unit_test(lists_are_named_with_their_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
