/*
 * content_indicators: the lists of indicators that `bulkhead content build` finds beside the rules.
 *
 * What is wrong with an entry, a file or a list is told, and stops nothing else.
 * docs/formats/indicators.md says what is read.
 */
#pragma once

#include "compile/indicators.h"
#include "content/pack/builder.h"

struct content_indicators {
    struct arena *arena; /* as long as the builder */
    struct builder *builder;
    struct text now; /* RFC 3339: what was valid until before is left out */
    void *context;
    /* `class` NULL: the rule is in the pack. */
    void (*on_rule)(void *context, const char *path, const struct rule *rule, const char *class,
                    const char *reason);
    void (*on_refusal)(void *context, const char *path, const struct refusal *refusal);
    void (*on_note)(void *context, const char *path, const char *words);
    size_t lists;
    size_t entries;
};

/* Adds the lists of a file and their rules. What is wrong with it is told; MEMORY. */
struct status content_indicators_add(struct content_indicators *job, const char *path);
