#include "base/test.h"
#include "ctl/show.h"

#include <stdlib.h>
#include <time.h>

static uint8_t room[EVENT_MAX];
static char printed[SHOW_MAX];

static struct event_builder begun(void)
{
    struct event_builder b;
    event_begin(&b, room, sizeof room);
    event_put_number(&b, FIELD_PID, 4242);
    event_put_text(&b, FIELD_PATH, TEXT("/usr/bin/bash"));
    return b;
}

static struct text shown(struct event_builder *b, enum event_type type, bool colour)
{
    struct text record;
    struct event event;
    struct writer out = writer_over(printed, sizeof printed);
    struct term t = {.out = &out, .colour = colour};
    assert_ok(event_end(
        b, (struct event_header){.type = (uint16_t)type, .time_ns = 1721365740123456789}, &record));
    assert_ok(event_open(record, &event));
    show_event(&t, &event);
    assert_ok(writer_end(&out));
    return writer_text(&out);
}

#define HEAD(type) "05:09:00.123  " type "  bash(4242)             "

static void exec_says_what_and_who(void **state)
{
    (void)state;
    struct event_builder b = begun();
    event_put_text(&b, FIELD_COMMAND_LINE, TEXT("bash -c id"));
    event_put_bool(&b, FIELD_EXE_MEMFD, true);
    event_put_number(&b, FIELD_PARENT_PID, 7);
    event_put_text(&b, FIELD_PARENT_PATH, TEXT("/usr/sbin/sshd"));
    event_put_text(&b, FIELD_USER, TEXT("alice"));
    event_put_text(&b, FIELD_CONTAINER, TEXT("0123456789ab"));
    assert_text(shown(&b, EVENT_PROCESS_EXEC, false),
                HEAD("process_exec     ") "bash -c id  from memory  ← sshd(7)  alice"
                                          "  in container 0123456789ab\n");
}

static void refusals_are_shown(void **state)
{
    (void)state;
    struct event_builder b = begun();
    event_put_text(&b, FIELD_TARGET_PATH, TEXT("/etc/shadow"));
    event_put_number(&b, FIELD_ERROR, 13);
    assert_text(shown(&b, EVENT_FILE_OPEN, false),
                HEAD("file_open        ") "/etc/shadow  refused: Permission denied\n");
}

static void addresses_have_ports(void **state)
{
    (void)state;
    struct event_builder b = begun();
    event_put_text(&b, FIELD_PROTOCOL, TEXT("tcp"));
    event_put_text(&b, FIELD_SOURCE_ADDRESS, TEXT("10.0.0.1"));
    event_put_number(&b, FIELD_SOURCE_PORT, 50000);
    event_put_text(&b, FIELD_DESTINATION_ADDRESS, TEXT("2001:db8::1"));
    event_put_number(&b, FIELD_DESTINATION_PORT, 443);
    assert_text(shown(&b, EVENT_NETWORK_CONNECT, false),
                HEAD("network_connect  ") "tcp 10.0.0.1:50000 → [2001:db8::1]:443\n");
}

/* Every type has words, and shows also where the event carries nothing. */
static void every_type_can_be_shown_empty(void **state)
{
    (void)state;
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        struct event_builder b;
        event_begin(&b, room, sizeof room);
        struct text line = shown(&b, (enum event_type)type, true);
        assert_true(text_ends(line, TEXT("\n")));
    }
}

/* What would be the worst record to show still fits. */
static void the_longest_event_fits(void **state)
{
    (void)state;
    static char controls[EVENT_MAX / 4];
    memset(controls, 1, sizeof controls);
    struct event_builder b;
    event_begin(&b, room, sizeof room);
    event_put_text(&b, FIELD_PATH, (struct text){controls, sizeof controls});
    event_put_text(&b, FIELD_COMMAND_LINE, (struct text){controls, sizeof controls});
    event_put_text(&b, FIELD_USER, (struct text){controls, 2000});
    assert_true(shown(&b, EVENT_PROCESS_EXEC, true).len < SHOW_MAX);
    event_begin(&b, room, sizeof room);
    memset(controls, '\n', sizeof controls);
    event_put_text(&b, FIELD_PROCESS_TREE, (struct text){controls, sizeof controls});
    shown(&b, EVENT_ALERT, true);
}

static void an_alert_is_a_block(void **state)
{
    (void)state;
    struct event_builder b = begun();
    event_put_text(&b, FIELD_RULE_ID, TEXT("1c3f"));
    event_put_text(&b, FIELD_RULE_TITLE, TEXT("Program Run From Shared Memory"));
    event_put_text(&b, FIELD_RULE_AUTHOR, TEXT("A. Uthor"));
    event_put_text(&b, FIELD_LEVEL, TEXT("high"));
    event_put_text(&b, FIELD_TAGS, TEXT("attack.t1059"));
    event_put_text(&b, FIELD_USER, TEXT("alice"));
    event_put_text(&b, FIELD_MESSAGE, TEXT("/dev/shm/x"));
    event_put_text(&b, FIELD_PROCESS_TREE, TEXT("systemd(1)\nsshd(7)\nbash(4242)"));
    assert_text(shown(&b, EVENT_ALERT, false),
                "05:09:00.123  ALERT high  Program Run From Shared Memory\n"
                "              what      /dev/shm/x\n"
                "              process   bash(4242)  alice\n"
                "              tree      systemd(1)\n"
                "                        └─ sshd(7)\n"
                "                           └─ bash(4242)\n"
                "              tags      attack.t1059\n"
                "              rule      1c3f  by A. Uthor\n");
}

static void what_is_quoted_cannot_draw(void **state)
{
    (void)state;
    struct writer out = writer_over(printed, sizeof printed);
    struct term t = {.out = &out, .colour = true};
    term_quote(&t, STYLE_PLAIN,
               TEXT("a\x1b[2J\r\n\x7f\xc2\x9b\xe2\x80\xae\xff"
                    "\xc3\xa9\xf0\x9f\x98\x80\xe2\x82"),
               100);
    assert_text(writer_text(&out),
                "a\\x1b[2J\\x0d\\n\\x7f\\x9b\\u{202e}\\xff\xc3\xa9\xf0\x9f\x98\x80"
                "\\xe2\\x82");
}

static void columns_and_limits_count_characters(void **state)
{
    (void)state;
    struct writer out = writer_over(printed, sizeof printed);
    struct term t = {.out = &out, .colour = true};
    term_column(&t, STYLE_RED, TEXT("\xc3\xa9x"), 4);
    term_quote(&t, STYLE_PLAIN, TEXT("abcdef"), 3);
    assert_text(writer_text(&out), "\x1b[31m\xc3\xa9x\x1b[0m  abc…");
}

static void durations_and_sizes_are_short(void **state)
{
    (void)state;
    char words[SHOW_DURATION];
    assert_string_equal(show_duration(999, words), "999 ms");
    assert_string_equal(show_duration(61000, words), "1 min 1 s");
    assert_string_equal(show_duration(90061000, words), "1 d 1 h");
    assert_string_equal(show_size(1023, words), "1023 B");
    assert_string_equal(show_size(1536, words), "1.5 KiB");
    assert_string_equal(show_size(UINT64_MAX, words), "16.0 EiB");
}

static void losses_are_loud(void **state)
{
    (void)state;
    struct writer out = writer_over(printed, sizeof printed);
    struct term t = {.out = &out};
    show_lost(&t, 1);
    assert_text(writer_text(&out), "━━━ 1 event lost here: this reader was too slow ━━━\n");
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exec_says_what_and_who),
        cmocka_unit_test(refusals_are_shown),
        cmocka_unit_test(addresses_have_ports),
        cmocka_unit_test(every_type_can_be_shown_empty),
        cmocka_unit_test(the_longest_event_fits),
        cmocka_unit_test(an_alert_is_a_block),
        cmocka_unit_test(what_is_quoted_cannot_draw),
        cmocka_unit_test(columns_and_limits_count_characters),
        cmocka_unit_test(durations_and_sizes_are_short),
        cmocka_unit_test(losses_are_loud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
