#include "base/test.h"
#include "schema/event.h"

#include <jansson.h>

static uint8_t room[EVENT_MAX];
static uint8_t other_room[EVENT_MAX];
static char printed[EVENT_JSON_MAX];

static struct event opened(struct event_builder *b, struct event_header header)
{
    struct text record;
    struct event event;
    assert_ok(event_end(b, header, &record));
    assert_ok(event_open(record, &event));
    return event;
}

static struct text as_json(const struct event *event)
{
    struct writer out = writer_over(printed, sizeof printed);
    event_json_write(event, &out);
    assert_ok(writer_end(&out));
    return writer_text(&out);
}

static struct text as_ocsf(const struct event *event)
{
    struct writer out = writer_over(printed, sizeof printed);
    event_ocsf_write(event, &out);
    assert_ok(writer_end(&out));
    return writer_text(&out);
}

static struct event read_back(struct text line, enum event_names names)
{
    struct event_json_fault fault;
    struct event event;
    struct status s = event_json_read(line, names, other_room, sizeof other_room, &event, &fault);
    if (!status_ok(s)) {
        fail_msg("%.*s: %s", TEXT_ARGS(line), fault.words);
    }
    return event;
}

/* A value of the field's own kind, different for each field; now and then null, or too long. */
static void put_some(struct event_builder *b, enum field field)
{
    char text[64];
    struct text value = {text, (size_t)snprintf(text, sizeof text, "t\n\"\xc3\xa9\x01%d", field)};
    if (field % 7 == 6) {
        event_put_null(b, field);
        return;
    }
    switch (field_info(field)->kind) {
    case FIELD_KIND_TEXT:
    case FIELD_KIND_ADDRESS:
        event_put_cut(b, field, value, field % 5 == 0);
        break;
    case FIELD_KIND_NUMBER:
        event_put_number(b, field, field % 2 ? INT64_MIN + field : field);
        break;
    case FIELD_KIND_GUID:
        event_put_number(b, field, INT64_MAX - field);
        break;
    case FIELD_KIND_BOOL:
        event_put_bool(b, field, field % 2);
        break;
    }
}

static void assert_same_event(const struct event *a, const struct event *b)
{
    assert_int_equal(a->header.type, b->header.type);
    assert_int_equal(a->header.seq, b->header.seq);
    assert_int_equal(a->header.type_seq, b->header.type_seq);
    assert_int_equal(a->header.time_ns, b->header.time_ns);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        struct value x = event_get(a, (enum field)i);
        struct value y = event_get(b, (enum field)i);
        assert_int_equal(x.kind, y.kind);
        assert_int_equal(x.cut, y.cut);
        assert_int_equal(x.number, y.number);
        assert_true(text_same(x.text, y.text));
    }
}

static void every_field_of_every_type_comes_back(void **state)
{
    (void)state;
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        struct event_builder b;
        event_begin(&b, room, sizeof room);
        for (unsigned i = 0; i < FIELD_COUNT; i++) {
            put_some(&b, (enum field)i);
        }
        struct event event = opened(&b, (struct event_header){.type = (uint16_t)type,
                                                              .seq = 1ULL << 53,
                                                              .type_seq = type,
                                                              .time_ns = 1721365740000000042});
        struct event again = read_back(as_json(&event), EVENT_NAMES_OURS);
        assert_same_event(&event, &again);
    }
}

static void json_looks_as_documented(void **state)
{
    (void)state;
    struct event_builder b;
    event_begin(&b, room, sizeof room);
    event_put_number(&b, FIELD_PROCESS_GUID, 0x2a);
    event_put_number(&b, FIELD_PID, -1);
    event_put_cut(&b, FIELD_COMMAND_LINE, TEXT("sh -c \xff"), true);
    event_put_bool(&b, FIELD_EXE_MEMFD, true);
    event_put_null(&b, FIELD_CWD);
    struct event event = opened(&b, (struct event_header){.seq = 7, .type_seq = 3});
    assert_text(
        as_json(&event),
        "{\"type\":\"process_exec\",\"seq\":7,\"type_seq\":3,"
        "\"time\":\"1970-01-01T00:00:00.000000000Z\",\"process_guid\":\"000000000000002a\","
        "\"pid\":-1,\"command_line\":\"sh -c \xef\xbf\xbd\",\"cwd\":null,\"exe_memfd\":true,"
        "\"cut\":[\"command_line\"]}");
}

/* A field of these names would be taken for the frame. */
static void no_field_is_called_like_the_frame(void **state)
{
    (void)state;
    static const char *const frame[] = {"type", "seq", "type_seq", "time", "cut"};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(field_by_name(text_of(frame[i])), FIELD_COUNT);
    }
}

static void times_are_read(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        uint64_t ns;
    } good[] = {{"1970-01-01T00:00:00Z", 0},
                {"2024-07-19T05:09:00.5Z", 1721365740500000000},
                {"2024-02-29T23:59:59.000000001Z", 1709251199000000001},
                {"2553-12-31T23:59:59Z", 18429292799000000000U}};

    static const char *const bad[] = {"2024-07-19",
                                      "2024-07-19T05:09:00",
                                      "2024-13-19T05:09:00Z",
                                      "2024-07-19T05:09:00+02:00",
                                      "2024-07-19T05:09:00.Z",
                                      "2024-07-19T05:09:00.0123456789Z",
                                      "1969-07-19T05:09:00Z",
                                      "2024-07-19 05:09:00Z"};
    char line[128];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(line, sizeof line, "{\"type\":\"mount\",\"time\":\"%s\"}", good[i].text);
        assert_int_equal(read_back(text_of(line), EVENT_NAMES_OURS).header.time_ns, good[i].ns);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct event_json_fault fault;
        struct event event;
        snprintf(line, sizeof line, "{\"type\":\"mount\",\"time\":\"%s\"}", bad[i]);
        assert_fault(
            event_json_read(text_of(line), EVENT_NAMES_OURS, room, sizeof room, &event, &fault),
            INVALID);
    }
}

static void sigma_lines_are_read(void **state)
{
    (void)state;
    struct event e = read_back(TEXT("{\"category\":\"process_creation\",\"product\":\"linux\","
                                    "\"time_ms\":1721365740000,\"fields\":{\"Image\":\"/bin/sh\","
                                    "\"ProcessId\":5,\"LogonId\":\"0x3e7\",\"Initiated\":true,"
                                    "\"CommandLine\":null,\"euid\":0,\"NobodyKnows\":[1]}}"),
                               EVENT_NAMES_SIGMA);
    assert_int_equal(e.header.type, EVENT_PROCESS_EXEC);
    assert_int_equal(e.header.time_ns, 1721365740000000000);
    assert_text(event_text(&e, FIELD_PATH), "/bin/sh");
    assert_int_equal(event_number(&e, FIELD_PID), 5);
    assert_text(event_text(&e, FIELD_LOGIN_UID), "0x3e7");
    assert_int_equal(event_get(&e, FIELD_INITIATED).kind, VALUE_BOOL);
    assert_int_equal(event_get(&e, FIELD_COMMAND_LINE).kind, VALUE_NULL);
    assert_int_equal(event_get(&e, FIELD_EUID).kind, VALUE_NUMBER);
    assert_int_equal(event_get(&e, FIELD_LOG_PRODUCT).kind, VALUE_ABSENT);
    e = read_back(TEXT("{\"category\":\"file_event\",\"product\":\"windows\",\"fields\":{}}"),
                  EVENT_NAMES_SIGMA);
    assert_int_equal(e.header.type, EVENT_FILE_CREATE);
    assert_text(event_text(&e, FIELD_LOG_PRODUCT), "windows");
    e = read_back(TEXT("{\"category\":\"registry_set\",\"service\":\"s\",\"fields\":{}}"),
                  EVENT_NAMES_SIGMA);
    assert_int_equal(e.header.type, EVENT_RECORDED);
    assert_text(event_text(&e, FIELD_LOG_CATEGORY), "registry_set");
    assert_text(event_text(&e, FIELD_LOG_SERVICE), "s");
}

/* GUIDs of other systems are texts and stay texts; fractions are kept as digits. */
static void values_are_taken_as_they_stand(void **state)
{
    (void)state;
    struct event e = read_back(TEXT("{\"fields\":{\"ProcessGuid\":\"{C784477D}\","
                                    "\"ParentProcessGuid\":\"00000000000000ff\",\"ProcessId\":1.5,"
                                    "\"Image\":7,\"User\":\"a\\u0000b\"}}"),
                               EVENT_NAMES_SIGMA);
    assert_text(event_text(&e, FIELD_PROCESS_GUID), "{C784477D}");
    assert_text(event_text(&e, FIELD_PARENT_GUID), "00000000000000ff");
    assert_text(event_text(&e, FIELD_PID), "1.5");
    assert_int_equal(event_number(&e, FIELD_PATH), 7);
    assert_text(event_text(&e, FIELD_USER), "a\0b");
}

static void faults_are_named(void **state)
{
    (void)state;

    static const struct {
        enum event_names names;
        const char *line;
        const char *words;
    } cases[] = {
        {EVENT_NAMES_OURS, "{\"type\":\"process_exec\",\"pth\":1}", "no field \"pth\""},
        {EVENT_NAMES_OURS, "{\"type\":\"nothing\"}", "no event type \"nothing\""},
        {EVENT_NAMES_OURS, "{}", "no event type \"\""},
        {EVENT_NAMES_OURS, "{\"type\":5}", "\"type\" has to be a text"},
        {EVENT_NAMES_OURS, "{\"type\":\"mount\",\"seq\":-1}", "\"seq\" has to be a whole number"},
        {EVENT_NAMES_OURS, "{\"type\":\"mount\",\"cut\":[\"x\"]}", "no field \"x\""},
        {EVENT_NAMES_OURS, "{\"type\":\"mount\",\"cut\":3}", "\"cut\" has to be a list"},
        {EVENT_NAMES_OURS, "{\"type\":\"mount\",\"pid\":[]}", "\"pid\" holds a list"},
        {EVENT_NAMES_OURS, "{\"type\":\"mount\",\"pid\":1,\"pid\":2}", "not JSON"},
        {EVENT_NAMES_OURS, "[]", "a JSON object"},
        {EVENT_NAMES_OURS, "", "not JSON"},
        {EVENT_NAMES_OURS, "{\"type\":\"\xff\"}", "not JSON"},
        {EVENT_NAMES_SIGMA, "{\"category\":\"file_event\"}", "an object \"fields\""},
        {EVENT_NAMES_SIGMA, "{\"product\":1,\"fields\":{}}", "\"product\" has to be a text"},
        {EVENT_NAMES_SIGMA, "{\"time_ms\":99999999999999,\"fields\":{}}", "beyond the year"},
        {EVENT_NAMES_SIGMA, "{\"fields\":{\"Image\":{}}}", "\"path\" holds a list"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event_json_fault fault;
        struct event event;
        assert_fault(event_json_read(text_of(cases[i].line), cases[i].names, room, sizeof room,
                                     &event, &fault),
                     INVALID);
        if (!strstr(fault.words, cases[i].words)) {
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].line, fault.words, cases[i].words);
        }
    }
}

static void long_text_is_cut_and_marked(void **state)
{
    (void)state;
    static char line[EVENT_TEXT_MAX + 100];
    struct writer w = writer_over(line, sizeof line);
    writer_bytes(&w, TEXT("{\"type\":\"mount\",\"cwd\":\""));
    for (int i = 0; i <= EVENT_TEXT_MAX; i++) {
        writer_u8(&w, 'x');
    }
    writer_bytes(&w, TEXT("\"}"));
    assert_ok(writer_end(&w));
    struct event e = read_back(writer_text(&w), EVENT_NAMES_OURS);
    assert_true(event_get(&e, FIELD_CWD).cut);
    struct event_json_fault fault;
    assert_fault(event_json_read(writer_text(&w), EVENT_NAMES_OURS, room, 1000, &e, &fault), LIMIT);
    assert_non_null(strstr(fault.words, "larger than"));
}

/* ── OCSF ── */

/* The member at a path such as "actor.process.pid". */
static json_t *member(json_t *root, const char *path)
{
    struct text rest = text_of(path);
    while (rest.len > 0 && root) {
        size_t dot = text_find_byte(rest, '.');
        struct text name = text_part(rest, 0, dot);
        root = json_object_getn(root, name.ptr, name.len);
        rest = dot == SIZE_MAX ? TEXT("") : text_part(rest, dot + 1, rest.len);
    }
    return root;
}

static void assert_member(json_t *root, const char *path, const char *wanted)
{
    json_t *value = member(root, path);
    char *got = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    if (!got || strcmp(got, wanted) != 0) {
        fail_msg("%s is %s instead of %s", path, got ? got : "absent", wanted);
    }
    free(got);
}

static json_t *ocsf_of(struct event_builder *b, struct event_header header)
{
    struct event event = opened(b, header);
    struct text text = as_ocsf(&event);
    json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    return root;
}

static void ocsf_exec_is_the_process_itself(void **state)
{
    (void)state;
    struct event_builder b;
    event_begin(&b, room, sizeof room);
    event_put_number(&b, FIELD_PID, 5);
    event_put_number(&b, FIELD_UID, 1000);
    event_put_number(&b, FIELD_ERROR, 0);
    event_put_text(&b, FIELD_PATH, TEXT("/bin/sh"));
    event_put_text(&b, FIELD_PARENT_PATH, TEXT("/sbin/init"));
    event_put_bool(&b, FIELD_EXE_MEMFD, true);
    json_t *root = ocsf_of(&b, (struct event_header){.seq = 9, .time_ns = 1721365740500000000});
    assert_member(root, "class_uid", "1007");
    assert_member(root, "type_uid", "100701");
    assert_member(root, "time", "1721365740500");
    assert_member(root, "metadata.sequence", "9");
    assert_member(root, "metadata.version", "\"1.3.0\"");
    assert_member(root, "process.pid", "5");
    assert_member(root, "process.user.uid", "\"1000\"");
    assert_member(root, "process.file", "{\"name\":\"sh\",\"type_id\":1,\"path\":\"/bin/sh\"}");
    assert_member(root, "process.parent_process.file.path", "\"/sbin/init\"");
    assert_member(root, "status_id", "1");
    assert_member(root, "status_code", "\"0\"");
    assert_member(root, "unmapped.exe_memfd", "true");
    assert_null(member(root, "actor"));
    json_decref(root);
}

static void ocsf_subject_of_other_classes_is_the_actor(void **state)
{
    (void)state;
    struct event_builder b;
    event_begin(&b, room, sizeof room);
    event_put_number(&b, FIELD_PID, 5);
    event_put_text(&b, FIELD_TARGET_PATH, TEXT("/tmp/new"));
    event_put_text(&b, FIELD_SOURCE_PATH, TEXT("/tmp/old"));
    event_put_number(&b, FIELD_ERROR, 13);
    json_t *root = ocsf_of(&b, (struct event_header){.type = EVENT_FILE_RENAME});
    assert_member(root, "actor.process.pid", "5");
    assert_member(root, "file.path", "\"/tmp/old\"");
    assert_member(root, "file_result.name", "\"new\"");
    assert_member(root, "status_id", "2");
    assert_null(member(root, "process"));
    json_decref(root);
    event_begin(&b, room, sizeof room);
    event_put_number(&b, FIELD_PID, 5);
    event_put_number(&b, FIELD_TARGET_PID, 6);
    root = ocsf_of(&b, (struct event_header){.type = EVENT_PROCESS_TRACE});
    assert_member(root, "actor.process.pid", "5");
    assert_member(root, "process.pid", "6");
    json_decref(root);
}

static void ocsf_alert_and_connection_have_what_is_required(void **state)
{
    (void)state;
    struct event_builder b;
    event_begin(&b, room, sizeof room);
    event_put_text(&b, FIELD_RULE_ID, TEXT("r-1"));
    event_put_text(&b, FIELD_RULE_TITLE, TEXT("Reverse shell"));
    event_put_text(&b, FIELD_LEVEL, TEXT("high"));
    json_t *root = ocsf_of(&b, (struct event_header){.type = EVENT_ALERT, .seq = 3, .time_ns = 16});
    assert_member(root, "severity_id", "4");
    assert_member(root, "finding_info.uid", "\"0000000000000010-3\"");
    assert_member(root, "finding_info.title", "\"Reverse shell\"");
    assert_member(root, "finding_info.analytic.uid", "\"r-1\"");
    json_decref(root);
    event_begin(&b, room, sizeof room);
    event_put_text(&b, FIELD_PROTOCOL, TEXT("tcp"));
    event_put_bool(&b, FIELD_INITIATED, true);
    event_put_text(&b, FIELD_DESTINATION_ADDRESS, TEXT("::1"));
    root = ocsf_of(&b, (struct event_header){.type = EVENT_NETWORK_CONNECT});
    assert_member(root, "connection_info", "{\"direction_id\":2,\"protocol_name\":\"tcp\"}");
    assert_member(root, "dst_endpoint.ip", "\"::1\"");
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_every_type_comes_back),
        cmocka_unit_test(json_looks_as_documented),
        cmocka_unit_test(no_field_is_called_like_the_frame),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(sigma_lines_are_read),
        cmocka_unit_test(values_are_taken_as_they_stand),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(long_text_is_cut_and_marked),
        cmocka_unit_test(ocsf_exec_is_the_process_itself),
        cmocka_unit_test(ocsf_subject_of_other_classes_is_the_actor),
        cmocka_unit_test(ocsf_alert_and_connection_have_what_is_required),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
