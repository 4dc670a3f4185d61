/*
 * The order in which correlations are given, and how many there may be.
 */
#include "compile/links.h"

#include "base/own.h"
#include "base/test.h"

#include <stdio.h>
#include <string.h>

static char text[2 << 20];

/* A correlation "c<number>" that refers to a rule by its name. */
static size_t write_one(char *out, size_t size, unsigned number, const char *rule)
{
    int len = snprintf(out, size,
                       "---\n"
                       "title: Correlation %u\n"
                       "id: %08x-0000-4000-8000-000000000000\n"
                       "name: c%u\n"
                       "correlation:\n"
                       "  type: event_count\n"
                       "  rules: [%s]\n"
                       "  timespan: 1m\n"
                       "  condition: {gte: 2}\n",
                       number, number, number, rule);
    assert_true(len > 0 && (size_t)len < size);
    return (size_t)len;
}

static size_t write_rule(void)
{
    static const char rule[] = "title: Rule\n"
                               "id: ffffffff-0000-4000-8000-000000000000\n"
                               "name: rule\n"
                               "logsource: {product: linux, category: process_creation}\n"
                               "detection: {s: {Image: /bin/x}, condition: s}\n";
    memcpy(text, rule, sizeof rule);
    return sizeof rule - 1;
}

struct built {
    unsigned taken;
    unsigned refused;
    char last[256]; /* why */
};

static void build(size_t len, struct built *out)
{
    OWN(arena_done) struct arena arena;
    struct sigma_options options = {0};
    struct sigma_links links;
    struct sigma_file file;
    struct sigma_outcome outcome;
    *out = (struct built){0};
    arena_init(&arena, 64 << 20);
    sigma_links_init(&links, options, &arena);
    sigma_open(&file, options, TEXT("x.yml"), (struct text){text, len});
    while (sigma_next(&file, &outcome)) {
        assert_ok(sigma_links_add(&links, &outcome, outcome.ok && !outcome.waits));
    }
    while (sigma_links_next(&links, &outcome)) {
        sigma_links_settle(&links, outcome.ok);
        out->taken += outcome.ok;
        out->refused += !outcome.ok;
        if (!outcome.ok) {
            snprintf(out->last, sizeof out->last, "%s", outcome.refusal.words);
        }
    }
    sigma_close(&file);
    sigma_links_done(&links);
}

/* Each refers to the one after it: the last comes first. */
static void what_is_referred_to_comes_first(void **state)
{
    (void)state;

    enum { CHAIN = 500 };
    struct built built;
    size_t len = write_rule();
    for (unsigned i = 0; i < CHAIN; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%u", i + 1);
        len += write_one(text + len, sizeof text - len, i, i + 1 < CHAIN ? name : "rule");
    }
    build(len, &built);
    assert_int_equal(built.taken, CHAIN);
    assert_int_equal(built.refused, 0);
}

static void circles_are_refused(void **state)
{
    (void)state;
    struct built built;
    size_t len = write_rule();
    len += write_one(text + len, sizeof text - len, 0, "c1");
    len += write_one(text + len, sizeof text - len, 1, "c2");
    len += write_one(text + len, sizeof text - len, 2, "c0");
    len += write_one(text + len, sizeof text - len, 3, "rule");
    build(len, &built);
    assert_int_equal(built.taken, 1);
    assert_int_equal(built.refused, 3);
}

static void too_many_are_refused(void **state)
{
    (void)state;
    struct built built;
    size_t len = write_rule();
    for (unsigned i = 0; i < LINKS_WAITING_MAX + 3; i++) {
        len += write_one(text + len, sizeof text - len, i, "rule");
    }
    build(len, &built);
    assert_int_equal(built.taken, LINKS_WAITING_MAX);
    assert_int_equal(built.refused, 3);
    assert_string_equal(built.last, "there are more than 4096 correlations before it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_referred_to_comes_first),
        cmocka_unit_test(circles_are_refused),
        cmocka_unit_test(too_many_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
