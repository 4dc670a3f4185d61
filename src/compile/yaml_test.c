#include "base/bytes.h"
#include "base/test.h"
#include "compile/yaml.h"

static struct arena arena;
static struct yaml_fault fault;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, 16 << 20);
    fault = (struct yaml_fault){0};
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static const struct yaml_node *read_text(const char *text)
{
    const struct yaml_node *root = NULL;
    assert_ok(yaml_read(text_of(text), 1, &arena, &root, &fault));
    return root;
}

static void refused(const char *text, uint32_t line, const char *words)
{
    const struct yaml_node *root = NULL;
    assert_fault(yaml_read(text_of(text), 1, &arena, &root, &fault), INVALID);
    assert_int_equal(fault.line, line);
    assert_non_null(strstr(fault.words, words));
    assert_null(root);
}

/* Every word of the core schema, and the words of YAML 1.1 that are none. */
static void plain_scalars_have_the_core_schema(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        enum yaml_kind kind;
        int64_t number;
    } rows[] = {
        {"~", YAML_NULL, 0},
        {"null", YAML_NULL, 0},
        {"Null", YAML_NULL, 0},
        {"nUll", YAML_TEXT, 0},
        {"true", YAML_BOOL, 0},
        {"FALSE", YAML_BOOL, 0},
        {"yes", YAML_TEXT, 0},
        {"no", YAML_TEXT, 0},
        {"on", YAML_TEXT, 0},
        {"off", YAML_TEXT, 0},
        {"5", YAML_NUMBER, 5},
        {"-5", YAML_NUMBER, -5},
        {"+5", YAML_NUMBER, 5},
        {"+-5", YAML_TEXT, 0},
        {"007", YAML_NUMBER, 7},
        {"0x1F", YAML_NUMBER, 31},
        {"0o17", YAML_NUMBER, 15},
        {"0o8", YAML_TEXT, 0},
        {"0x", YAML_TEXT, 0},
        {"1.5", YAML_NUMBER, 0},
        {".5", YAML_NUMBER, 0},
        {".", YAML_TEXT, 0},
        {"1e3", YAML_TEXT, 0},
        {"1_000", YAML_TEXT, 0},
        {"12:30", YAML_TEXT, 0},
        {"'5'", YAML_TEXT, 0},
        {"\"true\"", YAML_TEXT, 0},
        {"!!str 5", YAML_TEXT, 0},
        {"! 5", YAML_TEXT, 0},
        {"99999999999999999999", YAML_TEXT, 0},
        {"0xffffffffffffffffff", YAML_TEXT, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct yaml_node *node = read_text(rows[i].text);
        if (node->kind != rows[i].kind || node->number != rows[i].number) {
            fail_msg("%s: kind %d, number %lld", rows[i].text, node->kind, (long long)node->number);
        }
    }
}

static void nodes_know_their_lines(void **state)
{
    (void)state;
    const struct yaml_node *root = read_text("# c\na: 1\nb:\n  - x\n  - c: |\n      y\n    d: z\n");
    assert_int_equal(root->line, 2);
    const struct yaml_node *list = yaml_get(root, TEXT("b"));
    assert_int_equal(list->count, 2);
    assert_int_equal(list->items[1].value->line, 5);
    assert_int_equal(yaml_get(list->items[1].value, TEXT("d"))->line, 7);
    assert_null(yaml_get(root, TEXT("x")));
}

static void faults_say_where(void **state)
{
    (void)state;
    refused("a: 1\nb: 2\na: 3\n", 3, "'a' stands here and on line 1");
    refused("a:\n\tb: 1\n", 2, "a tab may not indent");
    refused("a: [1\nb: 2\n", 2, "flow sequence");
    refused("a: *b\n", 1, "no anchor");
    refused("a: &a [*a]\n", 1, "holds it");
    refused("? [a]\n: b\n", 1, "a key has to be a word");
    refused("a: !!binary x\n", 1, "tag");
    refused("a\n\x01\n", 2, "control characters");
}

static void aliases_are_what_they_stand_for(void **state)
{
    (void)state;
    const struct yaml_node *root = read_text("a: &x [1, 2]\nb: *x\nc: &x 3\nd: *x\n");
    const struct yaml_node *b = yaml_get(root, TEXT("b"));
    assert_int_equal(b->kind, YAML_LIST);
    assert_int_equal(b->line, 2);
    assert_int_equal(b->items[1].value->number, 2);
    assert_int_equal(yaml_get(root, TEXT("d"))->number, 3);
}

/* Ten aliases of ten aliases …: small as text, a billion nodes as a tree. */
static void aliases_do_not_multiply(void **state)
{
    (void)state;
    char text[2048];
    struct writer w = writer_over(text, sizeof text);
    writer_print(&w, "a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (char c = 'b'; c < 'j'; c++) {
        writer_print(&w, "%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c,
                     c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
    }
    writer_u8(&w, 0);
    assert_ok(writer_end(&w));
    refused(text, 5, "aliases");
}

static void repeated(const char *piece, size_t count, const char *front, uint32_t line,
                     const char *words)
{
    struct writer w;
    size_t size = strlen(piece) * count + strlen(front) + 1;
    void *room = arena_alloc(&arena, size, 1);
    assert_non_null(room);
    w = writer_over(room, size);
    writer_bytes(&w, text_of(front));
    for (size_t i = 0; i < count; i++) {
        writer_bytes(&w, text_of(piece));
    }
    writer_u8(&w, 0);
    assert_ok(writer_end(&w));
    refused(room, line, words);
}

static void limits_hold(void **state)
{
    (void)state;
    assert_non_null(read_text("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"));
    repeated("[", YAML_DEPTH_MAX + 1, "", 1, "deep");
    repeated("[", 100000, "", 1, "deep");
    repeated("- x\n", YAML_NODES_MAX, "", YAML_NODES_MAX, "values");
    repeated("- &a x\n", YAML_ANCHORS_MAX + 1, "", YAML_ANCHORS_MAX + 1, "anchors");
}

static void maps_are_bounded(void **state)
{
    (void)state;
    static char text[YAML_KEYS_MAX * 16];
    struct writer w = writer_over(text, sizeof text);
    for (int i = 0; i <= YAML_KEYS_MAX; i++) {
        writer_print(&w, "k%d: 1\n", i);
    }
    writer_u8(&w, 0);
    assert_ok(writer_end(&w));
    refused(text, YAML_KEYS_MAX + 1, "keys");
}

static void files_are_cut_into_documents(void **state)
{
    (void)state;
    struct text left =
        TEXT("%YAML 1.2\n# c\n---\na: |\n  ---\n  x\n--- # next\nb\n...\n\n---\nc\n");
    struct text document;
    uint32_t line = 1;
    uint32_t at;
    assert_true(yaml_cut(&left, &line, &document, &at));
    assert_text(document, "%YAML 1.2\n# c\n---\na: |\n  ---\n  x\n");
    assert_int_equal(at, 1);
    assert_true(yaml_cut(&left, &line, &document, &at));
    assert_text(document, "--- # next\nb\n...\n");
    assert_int_equal(at, 7);
    assert_true(yaml_cut(&left, &line, &document, &at));
    assert_text(document, "\n---\nc\n");
    assert_int_equal(at, 10);
    assert_false(yaml_cut(&left, &line, &document, &at));
    left = TEXT("---\n---\nx");
    assert_true(yaml_cut(&left, &line, &document, &at));
    assert_text(document, "---\n");
    assert_true(yaml_cut(&left, &line, &document, &at));
    assert_text(document, "---\nx");
}

static void no_memory_is_said(void **state)
{
    (void)state;
    const struct yaml_node *root = NULL;
    struct arena small;
    arena_init(&small, 400);
    assert_fault(yaml_read(TEXT("[a, b, c, d, e, f]"), 1, &small, &root, &fault), MEMORY);
    arena_done(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plain_scalars_have_the_core_schema, begin, end),
        cmocka_unit_test_setup_teardown(nodes_know_their_lines, begin, end),
        cmocka_unit_test_setup_teardown(faults_say_where, begin, end),
        cmocka_unit_test_setup_teardown(aliases_are_what_they_stand_for, begin, end),
        cmocka_unit_test_setup_teardown(aliases_do_not_multiply, begin, end),
        cmocka_unit_test_setup_teardown(limits_hold, begin, end),
        cmocka_unit_test_setup_teardown(maps_are_bounded, begin, end),
        cmocka_unit_test_setup_teardown(files_are_cut_into_documents, begin, end),
        cmocka_unit_test_setup_teardown(no_memory_is_said, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
