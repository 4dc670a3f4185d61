/*
 * reports: what people are told about files that could not be scanned, at a rate that they can
 * read.
 */
#pragma once

#include <bulkhead/bulkhead.h>

enum { REPORTS_MINUTE = 20 }; /* more in a minute are counted, and the count is told */

struct reports {
    struct bh_client *client;
    uint64_t minute_ns; /* when this minute began */
    unsigned told;
    unsigned untold;
};

void reports_say(struct reports *r, const char *level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Now and then: what was held back is told when its minute is over. */
void reports_tick(struct reports *r);
