/*
 * raised: the alerts that were published, so that none is published twice.
 *
 * An engine that goes on for another one, dead or replaced by one with another pack, looks again at
 * events that the other had dealt with. An alert is known by client, event, rule and how many that
 * rule raised about that event before, which means the same in every pack. An event that can still
 * be read lies before its alerts in the stream: so a new guard learns from there all that matters.
 */
#pragma once

#include "base/siphash.h"
#include "base/text.h"

/* The stream's 16 MiB hold 16,000 alerts of the usual size; this is eight times as many, since one
 * that was read just before the stream ran over may come late. A bucket forgets its oldest. */
enum { RAISED_BUCKETS = 8192, RAISED_PLACES = 16 };

struct raised {
    uint8_t secret[SIPHASH_KEY];

    struct raised_alert {
        uint64_t key;
        uint64_t position; /* of the stream when it was published; 0: no alert */
    } alerts[RAISED_BUCKETS][RAISED_PLACES];
};

struct raised_about {
    struct text client;
    struct text rule;
    uint64_t event; /* its sequence number */
    uint32_t nth;   /* of this rule and event, from 0 */
};

/* Knows of no alert. `secret` is random, and of this guard alone: the next one reads the stream. */
void raised_init(struct raised *r, const uint8_t secret[SIPHASH_KEY]);

bool raised_before(const struct raised *r, const struct raised_about *about);

/* It was published, and ends at `position`. */
void raised_add(struct raised *r, const struct raised_about *about, uint64_t position);

/* The same for one found in the stream, which does not tell `nth`: they come in order. */
void raised_found(struct raised *r, const struct raised_about *about, uint64_t position);
