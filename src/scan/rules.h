/*
 * rules: the YARA rules of a pack, compiled. For workers alone: libyara parses what others wrote.
 *
 * Each source is a namespace of its own, so equal names in two files do not meet. A source that
 * does not compile is left out and told; the others stand. `include` is not followed: no worker can
 * open a file, and a pack holds all sources anyway.
 */
#pragma once

#include "content/pack/pack.h"
#include "scan/talk.h"

#include <yara.h>

/* Names that public rules expect to be defined; each file sets them. */
#define RULES_VARIABLES(X) X(filename) X(filepath) X(extension) X(filetype) X(owner)

struct rules {
    YR_RULES *compiled;
    uint32_t count;
    uint32_t refused;    /* sources */
    bool *off;           /* of each rule: it is left out */
    uint32_t first, end; /* the rules that are asked, but for those that are off */
};

/* What compiling says. */
struct rules_listener {
    void *context;
    void (*on_source)(void *context, uint32_t index, struct text file); /* about to be compiled */
    void (*on_flaw)(void *context, const struct talk_flaw *flaw);
};

/* Once, before the cage: what libyara and what it uses read from disk. */
struct status rules_warm_up(void);

/* `skipped` (a bool for each source) are left out without a word. */
struct status rules_compile(const struct pack *pack, const bool *skipped,
                            const struct rules_listener *listener, struct rules *out);

void rules_free(struct rules *rules);

/* Rules `first` to before `end` are asked from now on. */
void rules_choose(struct rules *rules, uint32_t first, uint32_t end);

/* Leaves a rule out from now on, or takes it in again. False: there is no such rule. */
bool rules_switch(struct rules *rules, struct text file, struct text name, bool on);

/* A text of the rule's meta data, the last of this name; empty: it has none. */
struct text rules_meta(const YR_RULE *rule, const char *name);
