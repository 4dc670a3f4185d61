/*
 * trial: what a pack should do, held against what it does: `bulkhead content test`.
 *
 * Three sources of expectations: test events (one rule each, must match or must not), recorded
 * events with the whole set of rules that match each, and ordinary recordings on which rules have
 * to be silent. Findings are reported as they come.
 */
#pragma once

#include "content/correlate/detect.h"
#include "ctl/content/content_events.h"
#include "ctl/content/content_words.h"

enum trial_kind {
    TRIAL_MISSED,     /* an alert did not come */
    TRIAL_UNEXPECTED, /* one came that must not */
    TRIAL_FALSE,      /* one came on an ordinary event */
    TRIAL_UNKNOWN,    /* an expectation names a rule that the pack does not hold */
    TRIAL_BROKEN,     /* a line says no expectation */
    TRIAL_UNPROVEN,   /* the pack's own vectors do not show what they have to */
    TRIAL_UNCOVERED,  /* a rule has no test event of one kind, and each needs both */
    TRIAL_KINDS
};

/* What differs. `rule` is SIZE_MAX where it is about none. */
struct trial_finding {
    enum trial_kind kind;
    size_t rule;
    const char *file;
    uint64_t line;             /* 0: not about a line */
    struct text note;          /* the test's own words; of BROKEN and UNKNOWN: what is wrong */
    const struct event *event; /* NULL: not about one */
};

/* What a rule has been seen to do. */
struct trial_rule {
    uint32_t stamp;         /* the event that it matched last, numbered by trial.stamp */
    uint64_t cases[2];      /* test events that it must not, and must match */
    uint64_t ordinary;      /* ordinary events that it matched */
    uint64_t ordinary_line; /* the first of them */
    const char *ordinary_file;
    char *ordinary_words; /* TRIAL_WORDS bytes, once there is one */
};

enum { TRIAL_WORDS = 400 };

struct trial {
    const struct pack *pack;
    struct matcher *matcher;   /* for single events, … */
    struct detector *detector; /* … and for those of a file, one after the other */
    struct trial_rule *rules;
    size_t rule_count;
    uint32_t stamp;
    enum content_names names;
    size_t only;  /* the one rule that is tried, or SIZE_MAX */
    int loudest;  /* rank of the level from which on rules are silent on ordinary events */
    bool covered; /* each rule needs test events of both kinds */

    bool json;
    bool first; /* no finding is in the JSON yet */
    struct content_page page;

    uint64_t found[TRIAL_KINDS];
    uint64_t vectors; /* of the pack itself */
    uint64_t cases;   /* test events */
    uint64_t case_files;
    uint64_t expected;      /* events with an expectation, … */
    uint64_t expected_hits; /* … and the matches that these name */
    uint64_t ordinary;      /* ordinary events, … */
    uint64_t tolerated;     /* … and the matches on them that are no finding */
    uint64_t refused;       /* rules and entries of lists that could not be compiled */
    bool unreadable;        /* a file could not be read whole, which was told */
};

struct status trial_init(struct trial *t, const struct pack *pack);
void trial_done(struct trial *t); /* for OWN() */

/* The pack's own test vectors. */
void trial_vectors(struct trial *t);

/* A file of test events: {"rule":ID,"expect":true,"note":"…","event":{…}} a line. For correlations
 * "events":[{…},…]: the rule has to raise its alert at the last of them, or at none. */
void trial_cases(struct trial *t, const char *path);

/* Recorded events, and their expectations: {"line":N,"rules":[ID…]} or what
 * `content match --format json` prints, in the order of their lines. */
void trial_expect(struct trial *t, const char *events, const char *expect);

void trial_ordinary(struct trial *t, const char *path);

/* After all of these: what the rules as a whole lack. */
void trial_end(struct trial *t);

/* ── the report ── */

void trial_report_begin(struct trial *t);
void trial_report(struct trial *t, const struct trial_finding *f);

/* The totals. True: nothing differed, and everything was read and printed. */
bool trial_report_end(struct trial *t);
