/*
 * Rules and events with the matches that are expected, through compiler, builder, verifier and
 * interpreter.
 *
 *   corpus_test cases FILE   tests/corpus/README.md gives the form of a case
 *   corpus_test rules DIR    DIR/rules, DIR/events.jsonl, DIR/expected.jsonl
 */
#include "base/own.h"
#include "base/test.h"
#include "compile/links.h"
#include "content/correlate/detect.h"
#include "content/pack/builder.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>

enum { MEMORY = 1 << 30, FILE_MAX = 32 << 20, LINE_ROOM = 1 << 20, IDS_MAX = 256 };

#define OPTIONS ((struct sigma_options){.any_product = true})

static const char *path;

/* What is under test: a pack, and what it said about the last event. */
struct bench {
    struct arena arena;
    struct builder *builder;
    struct sigma_links links;
    size_t refused;
    enum refusal_class class; /* of the last refusal */
    struct pack pack;
    struct detector *detector;
    struct text ids[IDS_MAX];
    size_t id_count;
};

static void json_drop(json_t **json)
{
    json_decref(*json);
}

static void file_drop(FILE **file)
{
    if (*file) {
        fclose(*file);
    }
}

static void bench_init(struct bench *b)
{
    *b = (struct bench){0};
    arena_init(&b->arena, MEMORY);
    assert_ok(builder_new(&b->arena, &b->builder));
    sigma_links_init(&b->links, OPTIONS, &b->arena);
}

static void bench_done(struct bench *b)
{
    detector_free(b->detector);
    sigma_links_done(&b->links);
    arena_done(&b->arena);
}

/* True: the rule is in the pack. */
static bool add_outcome(struct bench *b, const char *name, const struct sigma_outcome *outcome)
{
    char why[160];
    if (outcome->ok && !outcome->waits) {
        assert_ok(builder_add(b->builder, &outcome->rule, why));
        return true;
    }
    if (!outcome->ok) {
        b->refused++;
        b->class = outcome->refusal.class;
        print_message("# %s:%u: %s: %s\n", name, outcome->refusal.line, refusal_name(b->class),
                      outcome->refusal.words);
    }
    return false;
}

static void add_rules(struct bench *b, const char *name, struct text text)
{
    struct sigma_file file;
    struct sigma_outcome outcome;
    sigma_open(&file, OPTIONS, text_of(name), text);
    while (sigma_next(&file, &outcome)) {
        bool taken = add_outcome(b, name, &outcome);
        assert_ok(sigma_links_add(&b->links, &outcome, taken));
    }
    sigma_close(&file);
}

static void add_correlations(struct bench *b)
{
    struct sigma_outcome outcome;
    while (sigma_links_next(&b->links, &outcome)) {
        sigma_links_settle(&b->links, add_outcome(b, "correlation", &outcome));
    }
}

static void finish(struct bench *b)
{
    struct text bytes;
    struct pack_fault fault;
    const struct correlate_settings settings = {.memory = PACK_WINDOW_MEMORY, .key = "not secret"};
    assert_ok(builder_finish(b->builder, &bytes));
    assert_ok(pack_open(bytes, &b->pack, &fault));
    assert_ok(detector_new(&b->pack, settings, &b->detector));
}

static void on_alert(void *context, size_t rule, const struct correlation_hit *hit)
{
    struct bench *b = context;
    (void)hit;
    assert_true(b->id_count < IDS_MAX);
    b->ids[b->id_count++] = pack_rule(&b->pack, rule).id;
}

static void on_lossy(void *context, size_t rule, uint64_t events)
{
    (void)context;
    fail_msg("rule %zu lost %llu events", rule, (unsigned long long)events);
}

static void on_fault(void *context, size_t rule, const char *what)
{
    (void)context;
    fail_msg("rule %zu: %s", rule, what);
}

static void run_event(struct bench *b, const json_t *event)
{
    static char line[LINE_ROOM];
    static uint8_t record[EVENT_MAX];
    struct detector_sink sink = {
        .context = b, .on_alert = on_alert, .on_fault = on_fault, .on_lossy = on_lossy};
    struct event_json_fault fault;
    struct event opened;
    size_t len = json_dumpb(event, line, sizeof line, JSON_COMPACT);
    assert_true(len > 0 && len <= sizeof line);
    assert_ok(event_json_read((struct text){line, len}, EVENT_NAMES_SIGMA, record, sizeof record,
                              &opened, &fault));
    b->id_count = 0;
    detector_run(b->detector, &opened, &sink);
    assert_true(detector_steps(b->detector) <=
                b->pack.cost[opened.header.type] + b->pack.windows_cost[opened.header.type]);
}

/* Both are sorted: the matcher goes by id. */
static bool ids_are(const struct bench *b, const json_t *expected)
{
    bool same = json_array_size(expected) == b->id_count;
    for (size_t i = 0; i < b->id_count && same; i++) {
        same = text_same(b->ids[i], text_of(json_string_value(json_array_get(expected, i))));
    }
    return same;
}

static struct text read_file(struct arena *arena, const char *name)
{
    OWN(file_drop) FILE *file = fopen(name, "re");
    if (!file) {
        fail_msg("cannot open %s", name);
    }
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0 && size <= FILE_MAX);
    rewind(file);
    char *bytes = arena_alloc(arena, (size_t)size + 1, 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
    return (struct text){bytes, (size_t)size};
}

/* The next line as JSON; NULL at the end. */
static json_t *next_line(struct text *left)
{
    json_error_t error;
    struct text line = text_part(*left, 0, text_find_byte(*left, '\n'));
    *left = text_part(*left, line.len + 1, left->len);
    if (line.len == 0) {
        return NULL;
    }
    json_t *json = json_loadb(line.ptr, line.len, JSON_ALLOW_NUL, &error);
    if (!json) {
        fail_msg("%s: %s", path, error.text);
    }
    return json;
}

/* ── cases ── */

/* "detection": a whole rule around it. */
static void add_detection(struct bench *b, const char *category, const char *detection)
{
    static char room[LINE_ROOM];
    int len = snprintf(room, sizeof room,
                       "title: T\nid: id\nlogsource:\n  category: %s\n  product: linux\n"
                       "detection:\n%s",
                       category, detection);
    assert_true(len > 0 && (size_t)len < sizeof room);
    add_rules(b, "detection", (struct text){room, (size_t)len});
}

static const char *category_of(const json_t *test)
{
    const char *category = json_string_value(json_object_get(test, "category"));
    return category ? category : "process_creation";
}

static void add_case(struct bench *b, const json_t *test)
{
    const char *detection = json_string_value(json_object_get(test, "detection"));
    const json_t *rules = json_object_get(test, "rules");
    if (detection) {
        add_detection(b, category_of(test), detection);
    }
    for (size_t i = 0; i < json_array_size(rules); i++) {
        add_rules(b, "rule", text_of(json_string_value(json_array_get(rules, i))));
    }
    add_correlations(b);
}

/* "match" and "miss": the fields of events that the one rule has to match, and not to. */
static bool fields_agree(struct bench *b, const json_t *test, const char *key, size_t matches)
{
    const json_t *list = json_object_get(test, key);
    bool agree = true;
    for (size_t i = 0; i < json_array_size(list); i++) {
        OWN(json_drop)
        json_t *event = json_pack("{s:s, s:s, s:O}", "category", category_of(test), "product",
                                  "linux", "fields", json_array_get(list, i));
        run_event(b, event);
        agree = agree && b->id_count == matches;
    }
    return agree;
}

static bool events_agree(struct bench *b, const json_t *test)
{
    const json_t *events = json_object_get(test, "events");
    const json_t *expected = json_object_get(test, "expected");
    bool agree = fields_agree(b, test, "match", 1) && fields_agree(b, test, "miss", 0);
    for (size_t i = 0; i < json_array_size(events); i++) {
        run_event(b, json_array_get(events, i));
        agree = agree && ids_are(b, json_array_get(expected, i));
    }
    return agree;
}

static bool case_agrees(const json_t *test)
{
    const char *reject = json_string_value(json_object_get(test, "reject"));
    struct bench b;
    bench_init(&b);
    add_case(&b, test);
    bool agrees = (b.refused > 0) == (reject != NULL);
    if (agrees && reject) {
        agrees = strcmp(refusal_name(b.class), reject) == 0;
    } else if (agrees) {
        finish(&b);
        agrees = events_agree(&b, test);
    }
    bench_done(&b);
    return agrees;
}

static void cases_agree(void **state)
{
    (void)state;
    struct arena arena;
    size_t count = 0;
    size_t wrong = 0;
    arena_init(&arena, MEMORY);
    struct text left = read_file(&arena, path);
    for (;;) {
        OWN(json_drop) json_t *test = next_line(&left);
        if (!test) {
            break;
        }
        count++;
        if (!case_agrees(test)) {
            wrong++;
            print_error("%s disagrees\n", json_string_value(json_object_get(test, "name")));
        }
    }
    arena_done(&arena);
    print_message("# %zu of %zu cases agree\n", count - wrong, count);
    assert_true(count > 0);
    assert_int_equal(wrong, 0);
}

/* ── rules ── */

static void add_folder(struct bench *b)
{
    char name[4096];
    snprintf(name, sizeof name, "%s/rules", path);
    DIR *folder = opendir(name);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (text_ends(text_of(entry->d_name), TEXT(".yml"))) {
            snprintf(name, sizeof name, "%s/rules/%s", path, entry->d_name);
            add_rules(b, entry->d_name, read_file(&b->arena, name));
        }
    }
    closedir(folder);
}

static void rules_agree(void **state)
{
    (void)state;
    struct bench b;
    char name[4096];
    size_t count = 0;
    size_t wrong = 0;
    bench_init(&b);
    add_folder(&b);
    add_correlations(&b);
    finish(&b);
    snprintf(name, sizeof name, "%s/events.jsonl", path);
    struct text events = read_file(&b.arena, name);
    snprintf(name, sizeof name, "%s/expected.jsonl", path);
    struct text expectations = read_file(&b.arena, name);
    for (;; count++) {
        OWN(json_drop) json_t *event = next_line(&events);
        OWN(json_drop) json_t *expected = next_line(&expectations);
        if (!event || !expected) {
            break;
        }
        run_event(&b, event);
        if (!ids_are(&b, json_object_get(expected, "rules"))) {
            wrong++;
            print_error("line %zu disagrees\n", count + 1);
        }
    }
    print_message("# %zu rules, %zu refused; %zu of %zu events agree\n",
                  pack_count(&b.pack, PACK_RULES), b.refused, count - wrong, count);
    assert_true(count > 0);
    assert_int_equal(wrong + b.refused, 0);
    bench_done(&b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest cases[] = {cmocka_unit_test(cases_agree)};
    const struct CMUnitTest rules[] = {cmocka_unit_test(rules_agree)};
    if (argc != 3) {
        fprintf(stderr, "usage: corpus_test cases FILE | rules DIR\n");
        return 2;
    }
    path = argv[2];
    return strcmp(argv[1], "cases") == 0 ? cmocka_run_group_tests(cases, NULL, NULL)
                                         : cmocka_run_group_tests(rules, NULL, NULL);
}
