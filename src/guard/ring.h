/*
 * ring: guard's end of the kernel's ring buffer (BPF_MAP_TYPE_RINGBUF), read in place.
 *
 * The layout is the kernel's user interface: a page with the consumer's position, one with the
 * producer's, then the data, mapped twice in a row so that no record is broken. Positions only
 * grow: one names a record for ever, which is how a restarted guard knows what was published
 * already.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

struct ring {
    uint64_t *consumer;       /* our page, written by us alone */
    const uint64_t *producer; /* the kernel's, followed by the data */
    const uint8_t *data;
    size_t size;
};

/* Maps the ring behind the map descriptor `fd`, of `size` data bytes. */
struct status ring_open(int fd, size_t size, struct ring *out);
void ring_done(struct ring *r);

/* The next record, in place until ring_release(). `out_end` is the position behind it. AGAIN: none;
 * INVALID: not a ring of ours. Records that the kernel part gave back are passed over. */
struct status ring_next(struct ring *r, uint64_t *position, struct text *out, uint64_t *out_end);

/* Everything before `position` may be written again. Once a batch, not once a record. */
void ring_release(struct ring *r, uint64_t position);

uint64_t ring_position(const struct ring *r); /* up to which it was released */
uint64_t ring_end(const struct ring *r);      /* behind the last record */
