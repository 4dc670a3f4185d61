/* What a skeleton says is what the compiler reads: for every event of content/tests, and for values
 * made to be misread. Argument: that folder. */
#include "ctl/content/rule_skeleton.h"

#include "base/heap.h"
#include "base/own.h"
#include "base/test.h"
#include "compile/sigma.h"
#include "content/match/match.h"
#include "content/pack/builder.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>

enum { PACK_MEMORY = 64 << 20, PATH_ROOM = 512 };

static const char id[] = "0a0b0c0d-1111-4222-8333-444455556666";
static const char *folder;
static char rule_room[SKELETON_ROOM];
static char tests_room[4 * SKELETON_ROOM];

static void json_drop(json_t **json)
{
    json_decref(*json);
}

static void on_match(void *context, size_t rule)
{
    (void)rule;
    *(bool *)context = true;
}

static void on_fault(void *context, size_t rule, const char *what)
{
    (void)context;
    (void)rule;
    fail_msg("%s", what);
}

/* Does the rule match it, compiled as `content build` does? */
static bool matches(struct text rule, const struct event *event)
{
    struct arena arena;
    struct builder *builder;
    struct sigma_file file;
    struct sigma_outcome outcome;
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    char why[160];
    bool matched = false;
    OWN(matcher_drop) struct matcher *m = NULL;
    arena_init(&arena, PACK_MEMORY);
    assert_ok(builder_new(&arena, &builder));
    sigma_open(&file, (struct sigma_options){.any_product = true}, TEXT("new.yml"), rule);
    assert_true(sigma_next(&file, &outcome));
    if (!outcome.ok) {
        fail_msg("refused: %s in\n%.*s", outcome.refusal.words, TEXT_ARGS(rule));
    }
    assert_ok(builder_add(builder, &outcome.rule, why));
    assert_false(sigma_next(&file, &outcome));
    sigma_close(&file);
    assert_ok(builder_finish(builder, &bytes));
    assert_ok(pack_open(bytes, &pack, &fault));
    assert_ok(matcher_new(&pack, &m));
    matcher_run(
        m, event,
        &(struct matcher_sink){.context = &matched, .on_match = on_match, .on_fault = on_fault});
    arena_done(&arena);
    return matched;
}

static struct skeleton skeleton_of(const struct event *event)
{
    return (struct skeleton){
        .event = event, .id = id, .date = "2026-11-21", .origin = TEXT("a\nfile:1")};
}

static struct text rule_of(const struct event *event)
{
    struct skeleton s = skeleton_of(event);
    struct writer rule = writer_over(rule_room, sizeof rule_room);
    assert_ok(skeleton_rule(&s, &rule));
    return writer_text(&rule);
}

/* Reads the event of a line of test events. */
static void event_of_case(struct text line, uint8_t *record, struct event *out, bool *expect)
{
    json_error_t error;
    struct event_json_fault fault = {0};
    OWN(json_drop) json_t *json = json_loadb(line.ptr, line.len, JSON_ALLOW_NUL, &error);
    static char text[1 << 20];
    assert_non_null(json);
    *expect = json_is_true(json_object_get(json, "expect"));
    size_t len = json_dumpb(json_object_get(json, "event"), text, sizeof text, JSON_COMPACT);
    assert_true(len > 0 && len < sizeof text);
    struct status s =
        event_json_read((struct text){text, len}, EVENT_NAMES_OURS, record, EVENT_MAX, out, &fault);
    if (!status_ok(s)) {
        fail_msg("%s: %.*s", fault.words, TEXT_ARGS(line));
    }
}

/* The rule compiles and matches its event; its tests say so, and that it leaves the other alone. */
static void proves_itself(const struct event *event)
{
    static uint8_t record[EVENT_MAX];
    struct skeleton s = skeleton_of(event);
    struct text rule = rule_of(event);
    struct writer tests = writer_over(tests_room, sizeof tests_room);
    if (!matches(rule, event)) {
        fail_msg("no match:\n%.*s", TEXT_ARGS(rule));
    }
    assert_ok(skeleton_tests(&s, &tests));
    struct text rest = writer_text(&tests);
    for (int i = 0; i < 2; i++) {
        struct event again;
        bool expect;
        size_t end = text_find_byte(rest, '\n');
        assert_true(end != SIZE_MAX);
        event_of_case(text_part(rest, 0, end), record, &again, &expect);
        assert_true(expect == (i == 0));
        /* Of bytes that are no UTF-8 JSON keeps U+FFFD, which the rule does not ask for. */
        assert_true(matches(rule, &again) == expect);
        rest = text_part(rest, end + 1, rest.len);
    }
    assert_int_equal(rest.len, 0);
}

static void every_test_event_gets_its_rule(void **state)
{
    (void)state;
    static char line[1 << 20];
    static uint8_t record[EVENT_MAX];
    bool seen[EVENT_COUNT] = {false};
    int types = 0;
    DIR *all = opendir(folder);
    assert_non_null(all);
    for (struct dirent *entry = readdir(all); entry; entry = readdir(all)) {
        char path[PATH_ROOM];
        if (!text_ends(text_of(entry->d_name), TEXT(".jsonl"))) {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = fopen(path, "re");
        assert_non_null(file);
        while (fgets(line, sizeof line, file)) {
            struct event event;
            bool expect;
            event_of_case(text_trim(text_of(line)), record, &event, &expect);
            proves_itself(&event);
            types += !seen[event.header.type];
            seen[event.header.type] = true;
        }
        fclose(file);
    }
    closedir(all);
    assert_true(types >= 14); /* all that content/tests knows */
}

static void build(struct event *out, enum event_type type, enum field field, struct text value)
{
    static uint8_t record[EVENT_MAX];
    struct event_builder b;
    struct text bytes;
    event_begin(&b, record, sizeof record);
    event_put_text(&b, field, value);
    event_put_text(&b, FIELD_USER, TEXT("root"));
    assert_ok(event_end(&b, (struct event_header){.type = (uint16_t)type}, &bytes));
    assert_ok(event_open(bytes, out));
}

/* The rule asks for these bytes: not for more of them, and nothing of it became YAML. */
static void values_that_want_to_be_read_otherwise(void **state)
{
    (void)state;
    static const struct text values[] = {
        {"*", 1},
        {"?", 1},
        {"\\", 1},
        {"\\\\", 2},
        {"\\*", 2},
        {"C:\\?\\*\\", 7},
        {"'", 1},
        {"''\"", 3},
        {"\"; rm -rf *", 11},
        {"a\nlevel: low\n", 13},
        {"\t\x01\x1b[31m", 7},
        {"\x7f\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\xc2\xa0", 12},
        {"\xf0\x9f\x92\xa3 # : {} [] & ! | > %", 24},
        {"null", 4},
        {"12", 2},
        {"true", 4},
        {" leads and trails ", 18},
        {"line\\\n\"", 7},
        {"a\0b", 3},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct event event;
        build(&event, EVENT_PROCESS_EXEC, FIELD_COMMAND_LINE, values[i]);
        proves_itself(&event);
        struct text rule = rule_of(&event);
        build(&event, EVENT_PROCESS_EXEC, FIELD_COMMAND_LINE, TEXT("something else"));
        assert_false(matches(rule, &event));
        build(&event, EVENT_PROCESS_EXEC, FIELD_COMMAND_LINE, TEXT("x"));
        assert_false(matches(rule, &event));
    }
}

/* Records may carry what their type should not: the compiler would refuse a rule about it. */
static void fields_that_the_type_does_not_carry(void **state)
{
    (void)state;
    struct event event;
    build(&event, EVENT_PROCESS_EXEC, FIELD_FS_TYPE, TEXT("ext4"));
    struct text rule = rule_of(&event);
    assert_true(text_find(rule, TEXT("ext4")) == SIZE_MAX);
    assert_true(matches(rule, &event));
}

static void long_and_broken_texts_are_asked_for_by_their_beginning(void **state)
{
    (void)state;
    static char text[EVENT_TEXT_MAX];
    struct event event;
    memset(text, '*', sizeof text);
    build(&event, EVENT_PROCESS_EXEC, FIELD_COMMAND_LINE, (struct text){text, sizeof text});
    proves_itself(&event);
    struct text rule = rule_of(&event);
    assert_true(text_find(rule, TEXT("CommandLine|startswith: '\\*")) != SIZE_MAX);
    /* The beginning ends before what is no text, and between two characters. */
    build(&event, EVENT_PROCESS_EXEC, FIELD_COMMAND_LINE, TEXT("sh \xe2\x82\xac\xff x"));
    rule = rule_of(&event);
    assert_true(text_find(rule, TEXT("CommandLine|startswith: 'sh \xe2\x82\xac'\n")) != SIZE_MAX);
    assert_true(matches(rule, &event));
    /* Nothing of it is text: the rule asks for what else there is. */
    build(&event, EVENT_PROCESS_EXEC, FIELD_COMMAND_LINE, TEXT("\xff\xfe"));
    rule = rule_of(&event);
    assert_true(text_find(rule, TEXT("        User: 'root'\n")) != SIZE_MAX);
    assert_true(matches(rule, &event));
}

static void recordings_of_other_systems(void **state)
{
    (void)state;
    static uint8_t record[EVENT_MAX];
    static const char *const lines[] = {
        "{\"category\":\"process_creation\",\"product\":\"windows\",\"fields\":{\"Image\":"
        "\"C:\\\\x.exe\",\"CommandLine\":\"x *\"}}",
        "{\"category\":\"image_load\",\"product\":\"windows\",\"service\":\"sysmon\",\"fields\":{"
        "\"Image\":\"C:\\\\x.exe\",\"EventID\":7}}",
        "{\"category\":\"file_rename\",\"product\":\"linux\",\"fields\":{\"TargetFilename\":\"/"
        "x\"}}",
        "{\"category\":\"file_change\",\"fields\":{\"TargetFilename\":\"/x\",\"Image\":\"/y\"}}",
        "{\"product\":\"linux\",\"service\":\"auth\",\"fields\":{\"User\":\"x\"}}"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct event event;
        struct event_json_fault fault = {0};
        assert_ok(event_json_read(text_of(lines[i]), EVENT_NAMES_SIGMA, record, sizeof record,
                                  &event, &fault));
        proves_itself(&event);
    }
}

static void what_no_rule_can_ask_for(void **state)
{
    (void)state;
    struct event event;
    struct skeleton s = skeleton_of(&event);
    struct writer out = writer_over(rule_room, sizeof rule_room);
    build(&event, EVENT_ALERT, FIELD_RULE_ID, TEXT("x"));
    assert_fault(skeleton_rule(&s, &out), MISSING);
    build(&event, EVENT_HEALTH, FIELD_MESSAGE, TEXT("x"));
    assert_fault(skeleton_rule(&s, &out), MISSING);
    /* It does not fit: never half a rule that compiles. */
    build(&event, EVENT_PROCESS_EXEC, FIELD_PATH, TEXT("/x"));
    out = writer_over(rule_room, 100);
    assert_fault(skeleton_rule(&s, &out), LIMIT);
}

static void ids_are_uuids(void **state)
{
    (void)state;
    char out[SKELETON_ID];
    static const uint8_t all[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t none[16] = {0};
    skeleton_id(all, out);
    assert_string_equal(out, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    skeleton_id(none, out);
    assert_string_equal(out, "00000000-0000-4000-8000-000000000000");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_test_event_gets_its_rule),
        cmocka_unit_test(values_that_want_to_be_read_otherwise),
        cmocka_unit_test(fields_that_the_type_does_not_carry),
        cmocka_unit_test(long_and_broken_texts_are_asked_for_by_their_beginning),
        cmocka_unit_test(recordings_of_other_systems),
        cmocka_unit_test(what_no_rule_can_ask_for),
        cmocka_unit_test(ids_are_uuids),
    };
    folder = argc > 1 ? argv[1] : ".";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
