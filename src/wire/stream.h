/*
 * stream: the shared ring through which guard publishes events to any number of readers.
 *
 * docs/formats/stream.md gives the bytes. One writer; readers map it read-only and cost the writer
 * nothing. Positions count bytes since the ring was made and never wrap; a record lies whole at
 * position % size. The writer moves `tail` past what it is about to overwrite, writes, then moves
 * `head`: a reader that copied a record and finds `tail` beyond its start knows it was overtaken.
 * The memory outlives guard: a new guard resumes it at `head`, whenever the old one was killed.
 */
#pragma once

#include "schema/event.h"

#include <stdatomic.h>

enum {
    STREAM_MAGIC = 0x52534842, /* "BHSR" */
    STREAM_VERSION = 1,
    STREAM_PAGE = 4096,              /* header page, before the records */
    STREAM_SIZE_MIN = 2 * EVENT_MAX, /* so that the largest record always fits */
    STREAM_SIZE_MAX = 1 << 30,       /* a sane bound for what comes from outside */
    STREAM_CURSORS = 16,             /* named clients whose position outlives them */
    STREAM_NAME = 24,                /* bytes of such a name, terminated */
    STREAM_FILLER = 0xffff,          /* type of what fills the end of the ring before it wraps */
};

/* A client that guard restarts goes on where it was: guard keeps what the client acknowledged. */
struct stream_cursor {
    char name[STREAM_NAME];
    uint64_t position;  /* everything before it was dealt with */
    uint64_t seq;       /* of the last event before it; 0: not known */
    uint64_t unused[2]; /* keep the places where they were */
};

/* The first page. Readers see it read-only. What the writer stores for each record and what readers
 * look at lie in cache lines of their own. `seq`, `origin` and `type_seq` trail `head`: after a
 * kill the record before `head` is right and stream_resume() mends them. */
struct stream_page {
    uint32_t magic;
    uint32_t version;
    _Atomic uint64_t size; /* bytes for records, a power of two */
    uint64_t schema_hash;
    uint64_t boot_real_ns;              /* real time - boot time when the ring was made */
    uint64_t made_real_ns;              /* when it was made: tells one ring from another */
    _Atomic uint64_t generation;        /* guards that have written here; odd: one is at work */
    _Alignas(64) _Atomic uint64_t head; /* end of the last whole record */
    _Alignas(64) _Atomic uint64_t tail; /* start of the oldest record that is still whole */
    _Alignas(64) _Atomic uint64_t seq;  /* of the last record */
    _Atomic uint64_t origin;            /* of the last record that has one */
    _Atomic uint64_t type_seq[64];      /* of the last record of each type */
    struct stream_cursor cursors[STREAM_CURSORS]; /* guard's alone */
};

_Static_assert(sizeof(struct stream_page) <= STREAM_PAGE, "one page");

/* Bytes of memory for a ring with `size` bytes of records. */
static inline size_t stream_memory(size_t size)
{
    return STREAM_PAGE + size;
}

/* ── the writer: guard ── */

struct stream_writer {
    struct stream_page *page;
    _Atomic uint64_t *words; /* the records */
    uint64_t size;
    uint64_t last_origin; /* origin of the last record that has one */
};

/* Makes a ring in `memory` of stream_memory(size) zeroed, page-aligned bytes. LIMIT: `size` is not
 * a power of two between STREAM_SIZE_MIN and STREAM_SIZE_MAX. */
struct status stream_make(void *memory, size_t size, struct stream_writer *out);

/* Goes on with the ring that a writer left, whenever it was killed: sequence numbers continue after
 * the last whole record. INVALID or VERSION where it is none of ours: make a new one. */
struct status stream_resume(void *memory, size_t memory_size, struct stream_writer *out);

/* Copies one finished record (event_end()) in and publishes it with the next sequence numbers; its
 * header's seq and type_seq are set in the ring. Never waits, never fails for a valid record.
 * Returns the record's sequence number. */
uint64_t stream_publish(struct stream_writer *w, struct text record);

/* The writer ends in good order: `generation` becomes even. */
void stream_leave(struct stream_writer *w);

/* ── readers ── */

struct stream_reader {
    const struct stream_page *page;
    const _Atomic uint64_t *words; /* the records */
    uint64_t size;
    uint64_t position;
    uint64_t head;     /* as last looked at: its cache line is the writer's most of the time */
    uint64_t next_seq; /* what the next record should bear; 0: nothing read yet */
    uint64_t lost;     /* records that were overwritten before they were read */
};

/* Opens mapped memory for reading from `position`; clamped to what the ring still holds.
 * STREAM_FROM_NOW: only what comes; 0: all there is. A caller that knows the sequence number it
 * goes on with sets `next_seq`, and what was overwritten meanwhile is counted. */
#define STREAM_FROM_NOW UINT64_MAX
struct status stream_open(const void *memory, size_t memory_size, uint64_t position,
                          struct stream_reader *out);

/* Copies the next record into `buffer` (at least EVENT_MAX bytes). AGAIN: there is none yet.
 * Records that were overwritten meanwhile are counted in `lost` and skipped. INVALID: the ring is
 * damaged. */
struct status stream_next(struct stream_reader *r, void *buffer, struct text *out);

/* Bytes that wait for this reader. */
uint64_t stream_lag(const struct stream_reader *r);
