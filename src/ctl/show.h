/*
 * show: events as people read them: one aligned line each, alerts as a block. The only place of the
 * product that words events; everything quoted goes through term.
 */
#pragma once

#include "ctl/term.h"
#include "schema/event.h"

enum { SHOW_MAX = 256 * 1024 }; /* bytes that hold any event, colours and escapes included */

/* One event, with its line end. Times are local. */
void show_event(struct term *t, const struct event *event);

/* "12 events lost here": a line that cannot be overlooked. */
void show_lost(struct term *t, uint64_t lost);

/* The style in which a level of Sigma's is shown. */
enum style show_level_style(struct text level);

/* "3 days 4 h", "12 s", "85 ms": the two largest units. `out` holds at least SHOW_DURATION bytes.
 */
enum { SHOW_DURATION = 32 };

const char *show_duration(uint64_t ms, char *out);

/* "1.4 GiB"; likewise. */
enum { SHOW_SIZE = 24 };

const char *show_size(uint64_t bytes, char *out);

/* 1234567 as "1,234,567"; likewise. Below 0 is 0. */
enum { SHOW_COUNT = 32 };

const char *show_count(int64_t count, char *out);
