/*
 * content_tests: the authors' test events, on their way into a pack.
 *
 * One a line: {"rule":ID,"expect":true,"event":{…}}, as in content/tests/. The event is in our own
 * names or in Sigma's.
 */
#pragma once

#include "base/arena.h"
#include "content/rule.h"

struct content_test;

struct content_tests {
    struct arena arena;
    struct content_test *items;
    size_t count;
    size_t capacity;
    struct vector *vectors; /* those of the rule that was asked for last */
};

/* Reads a file, or all *.jsonl in a folder. False, after a complaint: something is no test event.
 */
bool content_tests_read(struct content_tests *tests, const char *path);

/* Hands a rule its test events; they live until the next call. MEMORY. */
struct status content_tests_give(struct content_tests *tests, struct rule *rule);

void content_tests_done(struct content_tests *tests); /* for OWN() */
