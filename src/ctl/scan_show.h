/*
 * scan_show: the scanner's lines for people: matches as they come, how far it is on a terminal, and
 * a sum at the end.
 *
 * Paths and rules are what others wrote; nothing of them reaches a terminal raw.
 */
#pragma once

#include "ctl/term.h"

#include <jansson.h>

struct scan_show {
    bool json;
    bool colour;
    bool terminal;         /* progress is shown */
    bool shown;            /* … and stands on the last line */
    unsigned errors_shown; /* of rule files */
    /* from the summary */
    bool finished;
    uint64_t files;
    uint64_t matches;
    uint64_t failed;
    uint64_t rules;
    uint64_t lists; /* of hashes */
    uint64_t rule_errors;
    uint64_t rules_failed;
};

struct scan_show scan_show_begin(bool json);
void scan_show_line(struct scan_show *s, const json_t *line);

/* Without a summary the scanner ended early: what is on the screen has to be left in order. */
void scan_show_end(struct scan_show *s);
