/*
 * number: numbers and times that events carry as text.
 *
 * Decimals are scaled by a million and saturate, so that fractions compare without floating point.
 * Times are ISO 8601; the digits count as they stand, without time zones.
 */
#pragma once

#include "content/rule.h"

enum { NUMBER_SCALE = 1000000, NUMBER_TEXT_MAX = 64 /* longer texts are no numbers */ };

/* "-12.5" -> -12500000. Digits after the sixth of a fraction are dropped. False: not a decimal. */
bool number_parse(struct text t, int64_t *out);

/* The same without an end at 64 bits; the part before the point saturates at them. */
bool number_parse_wide(struct text t, __int128 *out);

/* The same for a whole number. */
int64_t number_scale(int64_t value);

/* A part of "2024-05-06T07:08:09.123Z" ('T' or a space); weeks are ISO weeks. False: not a time, or
 * one without that part. */
bool number_time_part(struct text t, enum time_part part, int64_t *out);
