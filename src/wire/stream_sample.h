/*
 * stream_sample: records for tests and benchmarks whose every byte says which record they belong
 * to.
 *
 * A record made for `mark` has origin `mark` and a command line of one repeated byte worked out
 * from it, so that one torn or mixed from two records is noticed.
 */
#pragma once

#include "base/test.h"
#include "wire/stream.h"

static inline char sample_byte(uint64_t mark)
{
    return (char)('!' + mark % 89);
}

/* A record of exactly `size` bytes, a multiple of 8 above 56, in `buffer`. */
static inline struct text sample_make(uint64_t mark, size_t size, void *buffer)
{
    static char fill[EVENT_MAX];
    struct event_builder b;
    struct text record;
    size_t text_len = size - EVENT_HEADER - 2 * EVENT_ENTRY;
    size_t first = text_len < EVENT_TEXT_MAX ? text_len : EVENT_TEXT_MAX;
    memset(fill, sample_byte(mark), first);
    event_begin(&b, buffer, EVENT_MAX);
    event_put_text(&b, FIELD_COMMAND_LINE, (struct text){.ptr = fill, .len = first});
    event_put_text(&b, FIELD_PATH, (struct text){.ptr = fill, .len = text_len - first});
    enum event_type type = mark % 3 ? EVENT_PROCESS_EXEC : EVENT_PROCESS_EXIT;
    struct event_header header = {.type = (uint16_t)type, .time_ns = mark * 1000, .origin = mark};
    assert_ok(event_end(&b, header, &record));
    assert_int_equal(record.len, size);
    return record;
}

/* The record is whole and is the one of its own mark. Returns the mark. */
static inline uint64_t sample_check(struct text record)
{
    struct event event;
    assert_ok(event_open(record, &event));
    uint64_t mark = event.header.origin;
    struct text line = event_text(&event, FIELD_COMMAND_LINE);
    assert_int_equal(event.header.time_ns, mark * 1000);
    assert_int_equal(event.header.size, record.len);
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] != sample_byte(mark)) {
            fail_msg("record %llu is torn at byte %zu", (unsigned long long)mark, i);
        }
    }
    return mark;
}
