/*
 * raised: alerts that an earlier scanner raised, read from the stream. Files are scanned in any
 * order, so guard cannot tell by an event's number whether an alert is new; we can.
 */
#pragma once

#include <bulkhead/bulkhead.h>

enum { RAISED_MAX = 4096 }; /* those of a stream full of alerts, four times over */

struct raised {
    struct {
        uint64_t event_seq;
        uint64_t rule; /* hash of its id */
    } alerts[RAISED_MAX];

    unsigned count; /* the newest RAISED_MAX are kept */
};

/* Notes an event of type alert, if it is one of ours. */
void raised_note(struct raised *r, const struct bh_event *alert);

bool raised_has(const struct raised *r, uint64_t event_seq, struct bh_text rule_id);
