/*
 * pattern: a Sigma value with its escapes undone: bytes, wildcards and interchangeable dashes.
 *
 * It becomes the cheapest predicate that means the same: EQUAL, PREFIX, SUFFIX or CONTAINS where
 * the only wildcards are stars at the ends, GLOB otherwise.
 */
#pragma once

#include "compile/job.h"
#include "content/rule.h"

/* 0 … 255 stand for themselves. */
enum { PIECE_STAR = 256, PIECE_QUESTION, PIECE_DASH };

struct pattern {
    uint16_t *pieces;
    size_t count;
};

/* '\' escapes '*', '?' and '\'; before anything else, and at the end, it is itself. */
struct status pattern_read(struct job *job, struct text value, struct pattern *out);

/* Text without wildcards. */
struct status pattern_literal(struct job *job, struct text value, struct pattern *out);

bool pattern_has_wildcards(const struct pattern *p);

/* The bytes of a pattern without wildcards. */
struct status pattern_text(struct job *job, const struct pattern *p, struct text *out);

/* windash: every dash character of a flag (not after a word character, directly before one) stands
 * for all five. */
void pattern_windash(struct pattern *p);

/* Adds a star at the front and at the back where asked for. */
struct status pattern_widen(struct job *job, struct pattern *p, bool front, bool back);

/* Sets kind and text of `out`. */
struct status pattern_predicate(struct job *job, const struct pattern *p, struct predicate *out);
