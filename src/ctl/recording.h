/*
 * recording: events on their way into a compressed file, as docs/formats/recording.md describes it.
 *
 * Lines are gathered and written as one zstd frame at a time, each in a single write(): whoever
 * kills the recorder takes what was gathered, and what was written stays readable. A failed write
 * is taken back, so that a full disk leaves a whole file.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

enum {
    RECORDING_VERSION = 1,
    RECORDING_FRAME = 1 << 20,    /* bytes of lines that close a frame: zstd gains little beyond */
    RECORDING_FRAME_MS = 1000,    /* a frame is closed at this age: what a kill may cost */
    RECORDING_LINE_MAX = 1 << 20, /* bytes of a line, as readers take them */
};

struct recording;

/* Begins the file that `fd` is open on for writing; `fd` stays the caller's. */
struct status recording_new(int fd, struct recording **out);

/* What is gathered is lost; recording_close_frame() before. For OWN(). */
void recording_drop(struct recording **r);

/* Takes a line, without its end. LIMIT: it is too long. Others: as recording_close_frame(). */
struct status recording_line(struct recording *r, struct text line, uint64_t now_ns);

/* Writes what is gathered, if it is old enough; called at least once a second. */
struct status recording_tick(struct recording *r, uint64_t now_ns);

/* Writes what is gathered. SYSTEM: the file is as before. */
struct status recording_close_frame(struct recording *r);

/* Bytes in the file, and of the lines in it and gathered. */
uint64_t recording_size(const struct recording *r);
uint64_t recording_raw_size(const struct recording *r);

/* ── what a line of a recording is that is no event ── */

enum recording_note {
    RECORDING_NO_NOTE, /* an event, or nothing of ours */
    RECORDING_HEADER,
    RECORDING_LOST,
    RECORDING_END,
};

struct recording_header {
    struct text kernel;  /* of the machine */
    struct text version; /* of Bulkhead */
    uint64_t schema;     /* schema_hash() */
    uint64_t started_ns; /* since 1970 */
};

struct writer;

void recording_write_header(const struct recording_header *header, struct writer *out);
void recording_write_lost(uint64_t lost, struct writer *out);
void recording_write_end(uint64_t events, uint64_t lost, struct writer *out);

/* What a line is; `out` is the version of a header and the number of lost events, 0 where the line
 * gives none. */
enum recording_note recording_note_of(struct text line, uint64_t *out);
