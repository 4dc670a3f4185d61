/*
 * replay: what a pack does on recorded events: counts for each rule, and the report about it.
 */
#pragma once

#include "content/correlate/detect.h"
#include "ctl/content/content_events.h"

enum { REPLAY_WORDS = 400 }; /* bytes of the first event that a rule matched */

struct replay_rule {
    uint64_t matches;
    uint64_t first_line;
    uint64_t first_ns;
    const char *first_file;
    char *first_words; /* REPLAY_WORDS bytes, once it matched */
    uint64_t runs;     /* of its program */
    uint64_t steps;    /* that they took */
};

struct replay_file {
    const char *path;
    uint64_t events;
    uint64_t bad_lines;
    uint64_t lost;
    bool broken;      /* it could not be read to its end */
    uint64_t from_ns; /* of the earliest event that has a time; 0: none has */
    uint64_t to_ns;
};

struct replay {
    const char *pack_path;
    const struct pack *pack;
    struct detector *detector;
    struct replay_rule *rules; /* one for each of the pack */
    size_t rule_count;
    struct replay_file *files;
    size_t file_count;
    uint64_t events;
    uint64_t matches;   /* that raised an alert */
    uint64_t undecided; /* events that would have cost too much, and were not decided whole */
    uint64_t faults;    /* rules that were switched off */
    uint64_t match_ns;
    uint64_t total_ns;
    uint64_t steps;
    bool all; /* the report names rules that matched nothing, too */
};

/* Milliseconds that the recordings span, each from its first to its last event. */
uint64_t replay_span_ms(const struct replay *r);

/* Alerts of the rule in an hour of the recordings; below 0: they are too short to say. */
double replay_per_hour(const struct replay *r, uint64_t matches);

/* Print the report. CTL_OK, or CTL_FAULT after a complaint. */
int replay_report_text(const struct replay *r);
int replay_report_json(const struct replay *r);
