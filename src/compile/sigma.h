/*
 * sigma: the text of a Sigma rule file -> rules in the form of content/rule.h, one by one;
 * correlations after all of them (links.h).
 *
 * Sigma specification 2.1.0; docs/formats/sigma.md lists what is supported and every choice that
 * the specification leaves open. Pure: no file is opened here. A rule that cannot be compiled is an
 * outcome with class, line and words, and does not stop the others.
 */
#pragma once

#include "compile/job.h"
#include "content/rule.h"

enum {
    SIGMA_RULE_MEMORY = 256 << 20, /* bytes to compile one rule: its regular expressions' tables */
};

struct sigma_options {
    bool any_product; /* also rules of other systems than linux, for recorded events */
};

/* A file on its way through the compiler. */
struct sigma_file {
    struct sigma_options options;
    struct text name; /* for rule.file */
    struct text left;
    uint32_t line;
    bool found; /* a rule, whole or broken */
    bool ended;
    struct arena arena; /* of the rule that sigma_next() gave last */
};

struct sigma_outcome {
    bool ok;
    struct text id; /* empty where a refused rule has none */
    struct text title;
    struct text name;       /* by which correlations may refer to it; mostly empty */
    uint32_t line;          /* where the rule starts */
    struct rule rule;       /* if ok; its texts live until the next call */
    struct refusal refusal; /* if not */
    /* A correlation, which cannot be compiled before all rules are known: hand it to links.h. */
    bool waits;
    struct text source; /* its document, of the file */
    uint32_t source_line;
    const struct yaml_node *document;
    uint64_t types; /* of a compiled one: events at which it can match; */
    bool foreign;   /* as in struct job */
};

/* `name` and `bytes` have to outlive it. */
void sigma_open(struct sigma_file *f, struct sigma_options options, struct text name,
                struct text bytes);

/* The next rule of the file; false: there is none. */
bool sigma_next(struct sigma_file *f, struct sigma_outcome *out);

void sigma_close(struct sigma_file *f);
