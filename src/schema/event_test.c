#include "base/test.h"
#include "schema/event.h"

static uint8_t room[EVENT_MAX];

static struct text some_event(void)
{
    struct event_builder b;
    struct text record;
    event_begin(&b, room, sizeof room);
    event_put_text(&b, FIELD_PATH, TEXT("/bin/sh"));
    event_put_number(&b, FIELD_PID, 42);
    event_put_number(&b, FIELD_PROCESS_GUID, INT64_MIN + 5);
    event_put_bool(&b, FIELD_EXE_MEMFD, true);
    event_put_null(&b, FIELD_CWD);
    event_put_number(&b, FIELD_PID, 43); /* too late */
    assert_ok(event_end(&b, (struct event_header){.type = EVENT_PROCESS_EXEC, .seq = 7}, &record));
    return record;
}

static void what_was_put_comes_back(void **state)
{
    (void)state;
    struct event e;
    assert_ok(event_open(some_event(), &e));
    assert_int_equal(e.header.seq, 7);
    assert_text(event_text(&e, FIELD_PATH), "/bin/sh");
    assert_int_equal(event_number(&e, FIELD_PID), 42);
    assert_int_equal(event_number(&e, FIELD_PROCESS_GUID), INT64_MIN + 5);
    assert_int_equal(event_get(&e, FIELD_EXE_MEMFD).kind, VALUE_BOOL);
    assert_int_equal(event_get(&e, FIELD_CWD).kind, VALUE_NULL);
    assert_int_equal(event_get(&e, FIELD_USER).kind, VALUE_ABSENT);
}

static void long_text_is_cut_and_marked(void **state)
{
    (void)state;
    static char longer[EVENT_TEXT_MAX + 1];
    struct event_builder b;
    struct text record;
    struct event e;
    event_begin(&b, room, sizeof room);
    event_put_text(&b, FIELD_COMMAND_LINE, (struct text){longer, sizeof longer});
    assert_ok(event_end(&b, (struct event_header){0}, &record));
    assert_ok(event_open(record, &e));
    struct value v = event_get(&e, FIELD_COMMAND_LINE);
    assert_true(v.cut);
    assert_int_equal(v.text.len, EVENT_TEXT_MAX);
}

static void too_small_a_buffer_is_a_limit(void **state)
{
    (void)state;
    struct event_builder b;
    struct text record;
    event_begin(&b, room, 64);
    event_put_text(&b, FIELD_PATH, TEXT("0123456789012345678901234567890123456789"));
    assert_fault(event_end(&b, (struct event_header){0}, &record), LIMIT);
}

/* No single wrong byte and no cut may lead outside: the sanitizers watch the reads. */
static void every_flip_and_cut_is_harmless(void **state)
{
    (void)state;
    struct text record = some_event();
    for (size_t bit = 0; bit < record.len * 8; bit++) {
        struct event e;
        room[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (status_ok(event_open(record, &e))) {
            for (unsigned f = 0; f < FIELD_COUNT; f++) {
                struct value v = event_get(&e, (enum field)f);
                assert_true(v.kind != VALUE_TEXT || v.text.len == 0 ||
                            (v.text.ptr >= record.ptr &&
                             v.text.ptr + v.text.len <= record.ptr + record.len));
            }
        }
        room[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t len = 0; len < record.len; len++) {
        struct event e;
        assert_false(status_ok(event_open(text_part(record, 0, len), &e)));
    }
}

static void names_are_found(void **state)
{
    (void)state;
    assert_int_equal(field_by_name(TEXT("path")), FIELD_PATH);
    assert_int_equal(field_by_sigma(TEXT("Image")), FIELD_PATH);
    assert_int_equal(field_by_sigma(TEXT("image")), FIELD_COUNT);
    assert_int_equal(field_by_sigma(TEXT("")), FIELD_COUNT);
    assert_int_equal(event_type_by_name(TEXT("alert")), EVENT_ALERT);
    assert_int_equal(event_types_of(SIGMA_CATEGORY_PROCESS_CREATION), 1ULL << EVENT_PROCESS_EXEC);
    assert_int_equal(field_guarantee(EVENT_FILE_RENAME, FIELD_TARGET_PATH), GUARANTEE_BEST);
    assert_int_equal(field_guarantee(EVENT_FILE_RENAME, FIELD_PATH), GUARANTEE_KERNEL);
    assert_int_equal(field_guarantee(EVENT_HEALTH, FIELD_PATH), GUARANTEE_NONE);
    assert_true(field_info(FIELD_HASHES)->recorded && !field_info(FIELD_PATH)->recorded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_comes_back),
        cmocka_unit_test(long_text_is_cut_and_marked),
        cmocka_unit_test(too_small_a_buffer_is_a_limit),
        cmocka_unit_test(every_flip_and_cut_is_harmless),
        cmocka_unit_test(names_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
