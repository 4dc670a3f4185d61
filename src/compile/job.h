/*
 * job: one rule being compiled, and why it cannot be.
 *
 * A function that returns INVALID has left class, line and words in the job; the first refusal of a
 * rule ends it. Everything of the rule lies in the arena and is freed at once.
 */
#pragma once

#include "base/arena.h"
#include "base/quote.h"
#include "compile/yaml.h"
#include "schema/schema.h"

#include <stdarg.h>

/* What is wrong with a rule, in a word for machines and a line for people. */
#define REFUSALS(X)                                                                                \
    X(YAML, "yaml")                                                                                \
    X(METADATA, "metadata")                                                                        \
    X(LOGSOURCE, "logsource")                                                                      \
    X(DETECTION, "detection")                                                                      \
    X(CONDITION, "condition")                                                                      \
    X(MODIFIER, "modifier")                                                                        \
    X(TYPE, "type")                                                                                \
    X(VALUE, "value")                                                                              \
    X(REGEX, "regex")                                                                              \
    X(CIDR, "cidr")                                                                                \
    X(PLACEHOLDER, "placeholder")                                                                  \
    X(CORRELATION, "correlation")                                                                  \
    X(REFERENCE, "reference")                                                                      \
    X(INDICATOR, "indicator")                                                                      \
    X(BROAD, "broad")                                                                              \
    X(CSV, "csv")                                                                                  \
    X(JSON, "json")                                                                                \
    X(PATTERN, "pattern")

enum refusal_class {

#define REFUSAL_ENUM(ID, name) REFUSAL_##ID,
    REFUSALS(REFUSAL_ENUM)
#undef REFUSAL_ENUM
};

struct refusal {
    enum refusal_class class;
    uint32_t line; /* in its file, from 1 */
    char words[240];
};

const char *refusal_name(enum refusal_class class);

/* Fills in the words. What a terminal would obey in them becomes escapes: a rule or a feed cannot
 * draw there. */
void refusal_words(struct refusal *r, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

struct job {
    struct arena *arena;
    struct refusal refusal;
    uint64_t types; /* events the rule is asked for, a bit each */
    bool foreign;   /* only recordings carry its events: any field of the schema may occur */
};

/* Returns INVALID, always: `return job_refuse(…)`. */
struct status job_refuse(struct job *job, enum refusal_class class, uint32_t line,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));

/* printf("%.*s", SHORT_ARGS(t)): as much of what the author wrote as a message has room for. */
#define SHORT_ARGS(t) (int)quote_cut((t), 60), (t).ptr
